//! What changed between two scans. Resources are compared by name: a restarted process or pod has a new id, but is the
//! same to people.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::ResourceLabel;

/// A rule about a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerdictKey {
    /// `cis_k8s@2.0.1`.
    pub benchmark: String,
    /// `1.1.1`.
    pub number: String,
    /// The resource as people name it.
    pub resource: String,
}

/// The verdicts of one scan.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Verdicts {
    /// Several resources may share a name (two kubelets), so each name has a set of outcomes. A number may have several
    /// controls, so the title belongs to the resource.
    outcomes: BTreeMap<VerdictKey, NamedOutcomes>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct NamedOutcomes {
    title: String,
    outcomes: BTreeSet<String>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictChange {
    /// The rule and resource.
    pub key: VerdictKey,
    /// The rule's title.
    pub title: String,
    /// The outcome before; `None` if it was not there.
    pub before: Option<String>,
    /// The outcome after; `None` if it is gone.
    pub after: Option<String>,
}

impl Verdicts {
    /// Adds a verdict.
    pub fn add(&mut self, benchmark: &str, number: &str, title: &str, label: &ResourceLabel, outcome: &str) {
        let key =
            VerdictKey { benchmark: benchmark.into(), number: number.into(), resource: label.to_string() };
        let found = self.outcomes.entry(key).or_default();
        title.clone_into(&mut found.title);
        found.outcomes.insert(outcome.to_owned());
    }

    /// Whether there are no verdicts.
    pub fn is_empty(&self) -> bool {
        self.outcomes.is_empty()
    }

    /// Reads a report written by `scan --format json`.
    pub fn from_report(report: &Value) -> Result<Self, String> {
        let list = |key: &str| {
            report
                .get(key)
                .and_then(Value::as_array)
                .ok_or_else(|| format!("not a report of `scan --format json`: `{key}` is missing"))
        };
        let text =
            |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut verdicts = Self::default();
        let rules = list("rules")?;
        // A number may have several controls, each for different resources.
        let title = |benchmark: &str, number: &str, kind: &str, sub_type: &str| {
            let judges = |rule: &&Value| {
                let judged = rule.get("judges").and_then(Value::as_array).into_iter().flatten();
                judged.filter_map(Value::as_str).any(|judged| match judged.split_once('/') {
                    Some(("k8s_object", name)) => kind == "k8s_object" && name == sub_type,
                    Some((other, _)) => kind == other,
                    None => false,
                })
            };
            let mut same = rules
                .iter()
                .filter(|rule| text(rule, "benchmark") == benchmark && text(rule, "number") == number);
            let first = same.clone().next();
            same.find(judges).or(first).map(|rule| text(rule, "title")).unwrap_or_default()
        };
        for resource in list("resources")? {
            let label = ResourceLabel {
                kind: text(resource, "type"),
                sub_type: text(resource, "sub_type"),
                namespace: resource.get("namespace").and_then(Value::as_str).map(str::to_owned),
                name: text(resource, "name"),
            };
            for (rule, outcome) in resource.get("results").and_then(Value::as_object).into_iter().flatten() {
                let (benchmark, number) = rule.rsplit_once('/').unwrap_or(("", rule));
                let title = title(benchmark, number, &label.kind, &label.sub_type);
                verdicts.add(benchmark, number, &title, &label, outcome.as_str().unwrap_or_default());
            }
        }
        Ok(verdicts)
    }

    /// The worst outcome of a key.
    fn worst(&self, key: &VerdictKey) -> Option<String> {
        let outcomes = &self.outcomes.get(key)?.outcomes;
        let order = ["failed", "error", "needs_review", "passed", "not_applicable"];
        order.iter().find(|outcome| outcomes.contains(**outcome)).map(|outcome| (*outcome).to_owned())
    }
}

/// Every rule and resource whose outcome differs.
pub fn changes(before: &Verdicts, after: &Verdicts) -> Vec<VerdictChange> {
    let keys: BTreeSet<&VerdictKey> = before.outcomes.keys().chain(after.outcomes.keys()).collect();
    let mut out = Vec::new();
    for key in keys {
        let (was, is) = (before.worst(key), after.worst(key));
        if was != is {
            let found = after.outcomes.get(key).or_else(|| before.outcomes.get(key));
            out.push(VerdictChange {
                key: key.clone(),
                title: found.map(|found| found.title.clone()).unwrap_or_default(),
                before: was,
                after: is,
            });
        }
    }
    let parts = |number: &str| number.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>();
    out.sort_by_cached_key(|change| {
        (change.key.benchmark.clone(), parts(&change.key.number), change.key.resource.clone())
    });
    out
}

/// As text for people: one line per change.
pub fn render(changes: &[VerdictChange]) -> String {
    let mut out = String::new();
    for change in changes {
        let word = |outcome: &Option<String>| outcome.clone().unwrap_or_else(|| "-".into());
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{:>14} → {:<14} {:<7} {}  ({})",
            word(&change.before),
            word(&change.after),
            change.key.number,
            change.key.resource,
            change.title
        );
    }
    if changes.is_empty() {
        out.push_str("No changes\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(outcomes: &[(&str, &str)]) -> Verdicts {
        let mut verdicts = Verdicts::default();
        for (name, outcome) in outcomes {
            let label = ResourceLabel {
                kind: "process".into(),
                sub_type: "process".into(),
                namespace: None,
                name: (*name).into(),
            };
            verdicts.add("cis_k8s@2.0.1", "4.2.1", "T", &label, outcome);
        }
        verdicts
    }

    #[test]
    fn only_what_changed_is_told() {
        let before = verdicts(&[("a", "passed"), ("b", "passed"), ("gone", "failed")]);
        let after = verdicts(&[("a", "failed"), ("b", "passed"), ("new", "passed")]);
        let told: Vec<_> = changes(&before, &after)
            .into_iter()
            .map(|change| (change.key.resource, change.before, change.after))
            .collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            told,
            [
                ("process a".into(), some("passed"), some("failed")),
                ("process gone".into(), some("failed"), None),
                ("process new".into(), None, some("passed")),
            ]
        );
        assert_eq!(render(&changes(&before, &before)), "No changes\n");
    }

    #[test]
    fn of_two_of_one_name_the_worse_counts() {
        let before = verdicts(&[("a", "passed"), ("a", "failed")]);
        assert_eq!(changes(&before, &verdicts(&[("a", "failed")])), []);
    }
}
