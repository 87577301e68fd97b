//! A scan as a table of verdicts, and what changed between two of them.
//!
//! In: the lines of `scan --format ndjson`. Out: outcome and evidence by number and resource: a file by its path, an
//! object as `Kind namespace/name`, a process by its component. What is not applicable has no line.

use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// By number and resource.
#[derive(Debug, Default)]
pub struct Verdicts(BTreeMap<(String, String), Verdict>);

/// One line of a scan.
#[derive(Debug)]
pub struct Verdict {
    pub outcome: String,
    pub evidence: Value,
}

#[derive(Deserialize)]
struct Line {
    rule: Option<Rule>,
    resource: Option<Resource>,
    result: Option<Judged>,
}

#[derive(Deserialize)]
struct Rule {
    benchmark: Benchmark,
}

#[derive(Deserialize)]
struct Benchmark {
    rule_number: String,
}

#[derive(Deserialize)]
struct Resource {
    r#type: String,
    sub_type: String,
    name: String,
    #[serde(default)]
    raw: Raw,
}

#[derive(Deserialize, Default)]
struct Raw {
    pid: Option<String>,
    component: Option<String>,
    path: Option<String>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    namespace: Option<String>,
}

#[derive(Deserialize)]
struct Judged {
    evaluation: String,
    #[serde(default)]
    evidence: Value,
}

impl Verdicts {
    /// `names` are those of processes by id; others are called by their component.
    pub fn read(lines: &str, names: &[(u32, &str)]) -> Self {
        let mut verdicts = Self::default();
        for line in lines.lines() {
            let line: Line = serde_json::from_str(line).unwrap();
            // The totals of the cycle are a line too.
            let (Some(rule), Some(resource), Some(judged)) = (line.rule, line.resource, line.result) else {
                continue;
            };
            let key = (rule.benchmark.rule_number, resource.called(names));
            let verdict = Verdict { outcome: judged.evaluation, evidence: judged.evidence };
            // A rule over several kinds has an error for each that could not be listed.
            let is_error = verdict.outcome == "error";
            let twice = verdicts.0.insert(key.clone(), verdict);
            assert!(twice.is_none() || is_error, "two verdicts on {key:?}");
        }
        assert!(!verdicts.0.is_empty());
        verdicts
    }

    pub fn get(&self, number: &str, resource: &str) -> Option<&Verdict> {
        self.0.get(&(number.to_owned(), resource.to_owned()))
    }

    /// The verdicts on one resource, by number.
    pub fn of(&self, resource: &str) -> BTreeMap<&str, &str> {
        let of_it = self.0.iter().filter(|((_, name), _)| name == resource);
        of_it.map(|((number, _), verdict)| (number.as_str(), verdict.outcome.as_str())).collect()
    }

    fn outcome(&self, key: &(String, String)) -> &str {
        self.0.get(key).map_or("-", |verdict| verdict.outcome.as_str())
    }
}

impl Resource {
    fn called(self, names: &[(u32, &str)]) -> String {
        let Self { r#type, sub_type, name, raw } = self;
        match r#type.as_str() {
            "file" => raw.path.unwrap_or(name),
            "process" => {
                let pid = raw.pid.and_then(|pid| pid.parse().ok());
                let own_name = names.iter().find(|(id, _)| Some(*id) == pid);
                own_name.map_or_else(|| raw.component.unwrap_or(name), |(_, name)| (*name).to_owned())
            }
            _ => match raw.metadata.and_then(|metadata| metadata.namespace) {
                Some(namespace) => format!("{sub_type} {namespace}/{name}"),
                None => format!("{sub_type} {name}"),
            },
        }
    }
}

/// A change of one verdict; `-` where there is none.
pub fn flip(number: &str, resource: &str, before: &str, after: &str) -> String {
    format!("{number} {resource}: {before} → {after}")
}

/// `passed → failed`, once for each number.
pub fn breaks(resource: &str, numbers: &[&str]) -> Vec<String> {
    numbers.iter().map(|number| flip(number, resource, "passed", "failed")).collect()
}

/// `failed → passed`, once for each number.
pub fn mends(resource: &str, numbers: &[&str]) -> Vec<String> {
    numbers.iter().map(|number| flip(number, resource, "failed", "passed")).collect()
}

/// Every verdict that changed.
pub fn flipped(before: &Verdicts, after: &Verdicts) -> BTreeSet<String> {
    let keys: BTreeSet<_> = before.0.keys().chain(after.0.keys()).collect();
    let changed = keys.into_iter().filter(|key| before.outcome(key) != after.outcome(key));
    changed.map(|key| flip(&key.0, &key.1, before.outcome(key), after.outcome(key))).collect()
}

/// These verdicts changed, and no others.
pub fn assert_flipped(before: &Verdicts, after: &Verdicts, expected: &[String]) {
    assert_changes(&flipped(before, after), expected);
}

/// The changes that were seen are these.
pub fn assert_changes(seen: &BTreeSet<String>, expected: &[String]) {
    let expected: BTreeSet<String> = expected.iter().cloned().collect();
    let missing: Vec<_> = expected.difference(seen).collect();
    let others: Vec<_> = seen.difference(&expected).collect();
    assert!(
        missing.is_empty() && others.is_empty(),
        "did not change: {missing:#?}\nchanged too: {others:#?}"
    );
}
