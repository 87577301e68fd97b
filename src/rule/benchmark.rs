//! A benchmark: a table from recommendation numbers to controls, and every fact about the benchmark itself.

mod tag;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

use super::RuleError;
use tag::TagTemplate;

/// One version of one benchmark.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Benchmark {
    /// Its name without a version: `cis_k8s`. Shipped as `rule.benchmark.id`.
    pub benchmark: String,
    /// Its version, without `v`.
    pub version: String,
    /// Its name for people. Shipped as `rule.benchmark.name`.
    pub name: String,
    /// `kspm` for Kubernetes. Shipped as `rule.benchmark.posture_type`.
    pub posture_type: String,
    /// The platform it was written for, such as `EKS`; left out, any Kubernetes.
    pub platform: Option<String>,
    /// Shipped as `rule.tags`, where `{number}` and `{section}` stand for the recommendation's number and section
    /// name; left out, the benchmark's name and the section.
    #[schemars(with = "Option<Vec<String>>")]
    tags: Option<Vec<TagTemplate>>,
    /// `{publisher, platform}`: the publisher's page, and the start of every address in the platform's documentation.
    #[serde(default)]
    pub links: BenchmarkLinks,
    /// The type of the Fleet input that asks for this benchmark. The version with this key is the one that a policy
    /// means when it names none.
    pub fleet_input: Option<String>,
    /// Whether it is checked where no benchmark is configured; of its versions, the newest.
    #[serde(default)]
    pub default: bool,
    /// The Kubernetes versions it was written for; for information only.
    pub kubernetes: String,
    /// How many recommendations it has in all.
    pub recommendations: usize,
    /// Section number → name.
    pub sections: BTreeMap<String, String>,
    /// The recommendations.
    pub rules: Vec<Recommendation>,
}

/// Web pages about a benchmark.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkLinks {
    /// The publisher's page.
    pub publisher: Option<String>,
    /// The start of every address in the platform's own documentation.
    pub platform: Option<String>,
}

/// One recommendation and the controls that check it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recommendation {
    /// Its number, in quotes: 2.10 is not 2.1.
    pub number: String,
    /// The control that checks it.
    control: Option<String>,
    /// Instead of `control`: several, each for different resources.
    controls: Option<Vec<String>>,
    /// Parameters of its controls in this version.
    #[serde(default)]
    pub with: BTreeMap<String, Value>,
    /// 1 or 2.
    pub level: u8,
    /// The node role it applies to, as the benchmark prints it.
    pub profile: Option<String>,
    /// `automated` or `manual`: how the benchmark expects it to be assessed.
    pub assessment: Assessment,
    /// Shipped as `rule.id`; left out, a UUID v5 of benchmark, version and number.
    pub id: Option<String>,
}

/// How the benchmark expects a recommendation to be assessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Assessment {
    /// By a tool.
    Automated,
    /// By a person.
    Manual,
}

impl Assessment {
    /// The word in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Automated => "automated",
            Self::Manual => "manual",
        }
    }
}

impl Recommendation {
    /// The ids of its controls.
    pub fn controls(&self) -> impl Iterator<Item = &str> {
        self.control.iter().chain(self.controls.iter().flatten()).map(String::as_str)
    }

    /// The number of its section: `1.1` of `1.1.9`, `2` of `2.7`.
    pub fn section(&self) -> &str {
        self.number.rsplit_once('.').map_or(self.number.as_str(), |(section, _)| section)
    }
}

impl Benchmark {
    /// Reads and validates one table.
    pub fn parse(file: &str, text: &str) -> Result<Self, RuleError> {
        let table: Self = crate::yaml::from_str(text).map_err(|error| RuleError::at(file, error))?;
        let whole = |message: String| Err(RuleError::whole(file, message));
        if table.rules.is_empty() {
            return whole("`rules` is empty: nothing would be judged".into());
        }
        let mut seen = std::collections::BTreeSet::new();
        for row in &table.rules {
            if !seen.insert(&row.number) {
                return whole(format!("the number {} appears twice", row.number));
            }
            if row.control.is_some() == row.controls.is_some() {
                return whole(format!("{}: expected either `control` or `controls`", row.number));
            }
            if row.controls().next().is_none() {
                return whole(format!("{}: `controls` is empty: nothing would be judged", row.number));
            }
            if !table.sections.contains_key(row.section()) {
                return whole(format!("{}: `sections` has no section {}", row.number, row.section()));
            }
        }
        Ok(table)
    }

    /// `cis_k8s@2.0.1`.
    pub fn full_name(&self) -> BenchmarkName {
        BenchmarkName { id: self.benchmark.clone(), version: self.version.clone() }
    }

    /// The name of a recommendation's section.
    pub fn section_name(&self, row: &Recommendation) -> &str {
        self.sections.get(row.section()).map_or("", String::as_str)
    }

    /// `rule.tags` of a recommendation.
    pub fn tags(&self, row: &Recommendation) -> Vec<String> {
        let section = self.section_name(row);
        match &self.tags {
            Some(tags) => tags.iter().map(|tag| tag.fill(&row.number, section)).collect(),
            None => vec![self.name.clone(), section.to_owned()],
        }
    }
}

/// `cis_k8s@2.0.1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BenchmarkName {
    /// `cis_k8s`.
    pub id: String,
    /// `2.0.1`.
    pub version: String,
}

impl std::fmt::Display for BenchmarkName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.id, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "benchmark: acme\nversion: 1.0.0\nname: x\nposture_type: kspm\nkubernetes: '1'\nrecommendations: 1\nsections: {'1': Pods}\n";

    fn row(controls: &str) -> String {
        format!("rules: [{{number: '1.1', {controls}, level: 1, assessment: manual}}]\n")
    }

    fn parse(rest: &str) -> Result<Benchmark, String> {
        Benchmark::parse("acme.yml", &format!("{HEAD}{rest}")).map_err(|error| error.to_string())
    }

    /// `elastic/cloudbeat#175`: an empty list of rules switched everything off without a message.
    #[test]
    fn cloudbeat_175_an_empty_list_of_rules_is_refused() {
        assert!(parse(&row("control: pod-privileged")).is_ok());
        assert_eq!(parse("rules: []").unwrap_err(), "acme.yml: `rules` is empty: nothing would be judged");
        assert_eq!(
            parse(&row("controls: []")).unwrap_err(),
            "acme.yml: 1.1: `controls` is empty: nothing would be judged"
        );
    }

    #[test]
    fn tags_are_the_benchmark_s_own() {
        let tags = |written: &str| {
            let table = parse(&format!("{written}{}", row("control: pod-privileged"))).unwrap();
            table.tags(&table.rules[0])
        };
        assert_eq!(tags("tags: [Acme, 'Acme {number}', '{section}']\n"), ["Acme", "Acme 1.1", "Pods"]);
        assert_eq!(tags("tags: []\n"), Vec::<String>::new());
        assert_eq!(tags(""), ["x", "Pods"]);
        let error = parse(&format!("tags: ['{{level}}']\n{}", row("control: pod-privileged"))).unwrap_err();
        assert!(error.contains("acme.yml:8:") && error.contains("{number} and {section}"), "{error}");
    }
}
