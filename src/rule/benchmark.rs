//! A benchmark: a table from recommendation numbers to controls.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

use super::RuleError;

/// One version of one benchmark.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Benchmark {
    /// `rule.benchmark.id`: `cis_k8s`.
    pub benchmark: String,
    /// Its version, without `v`.
    pub version: String,
    /// `rule.benchmark.name`.
    pub name: String,
    /// `rule.benchmark.posture_type`.
    pub posture_type: String,
    /// The Kubernetes versions it was written for; information, never a filter.
    pub kubernetes: String,
    /// How many recommendations it has in all.
    pub recommendations: usize,
    /// Section number → name.
    pub sections: BTreeMap<String, String>,
    /// The table.
    pub rules: Vec<Row>,
}

/// One recommendation.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its number; a string, for 2.10 is not 2.1.
    pub number: String,
    /// The control that answers it.
    control: Option<String>,
    /// The controls that answer it, each over resources of its own.
    controls: Option<Vec<String>>,
    /// Parameters of this version.
    #[serde(default)]
    pub with: BTreeMap<String, Value>,
    /// 1 or 2.
    pub level: u8,
    /// The node role it is meant for, as the benchmark prints it.
    pub profile: Option<String>,
    /// How the benchmark itself expects it to be judged.
    pub assessment: Assessment,
    /// `rule.id`, where it is not derived from the number.
    pub id: Option<String>,
}

/// How the benchmark expects a recommendation to be judged.
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

impl Row {
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
                return whole(format!("the number {} stands twice", row.number));
            }
            if row.control.is_some() == row.controls.is_some() {
                return whole(format!("{}: expected `control` or `controls`", row.number));
            }
            if row.controls().next().is_none() {
                return whole(format!("{}: `controls` is empty: nothing would be judged", row.number));
            }
            if !table.sections.contains_key(row.section()) {
                return whole(format!("{}: section {} is not among `sections`", row.number, row.section()));
            }
        }
        Ok(table)
    }

    /// `cis_k8s@2.0.1`.
    pub fn full_name(&self) -> BenchmarkName {
        BenchmarkName { id: self.benchmark.clone(), version: self.version.clone() }
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

    /// `elastic/cloudbeat#175`: an empty list of rules switched everything off, and nobody was told.
    #[test]
    fn cloudbeat_175_an_empty_list_of_rules_is_refused() {
        let parse = |rules: &str| {
            let head = "benchmark: acme\nversion: 1.0.0\nname: x\nposture_type: kspm\nkubernetes: '1'\nrecommendations: 1\nsections: {'1': Pods}\n";
            Benchmark::parse("acme.yml", &format!("{head}rules: {rules}\n"))
                .map_err(|error| error.to_string())
        };
        let row = |controls: &str| format!("[{{number: '1.1', {controls}, level: 1, assessment: manual}}]");
        assert!(parse(&row("control: pod-privileged")).is_ok());
        assert_eq!(parse("[]").unwrap_err(), "acme.yml: `rules` is empty: nothing would be judged");
        assert_eq!(
            parse(&row("controls: []")).unwrap_err(),
            "acme.yml: 1.1: `controls` is empty: nothing would be judged"
        );
    }
}
