//! The report as one JSON object.

use serde_json::{Map, Value, json};

use super::{Report, Seen};
use crate::evaluate::{Counts, Outcome};

pub(super) fn render(report: &Report) -> Value {
    let rules: Vec<Value> = (0..report.rules.len()).map(|index| rule(report, index)).collect();
    let mut details: Vec<Vec<&super::Detail>> = vec![Vec::new(); report.seen.len()];
    report.details.iter().for_each(|detail| details[detail.seen].push(detail));
    let resources: Vec<Value> =
        report.seen.iter().zip(details).map(|(seen, details)| resource(report, seen, &details)).collect();
    let cluster = &report.identity.cluster;
    json!({
        "score": report.score(),
        "totals": counts(&report.totals()),
        "cluster": {"id": cluster.id, "name": cluster.name, "version": cluster.version},
        "node": {"id": report.identity.node.id, "name": report.identity.node.name},
        "rules": rules,
        "resources": resources,
    })
}

fn counts(counts: &Counts) -> Value {
    let fields = Outcome::ALL.iter().map(|outcome| (outcome.as_str().to_owned(), json!(counts.of(*outcome))));
    Value::Object(fields.collect())
}

fn rule(report: &Report, index: usize) -> Value {
    let rule = &report.rules[index];
    json!({
        "benchmark": rule.benchmark.full_name().to_string(),
        "number": rule.row.number,
        "id": rule.id,
        "control": rule.control.id,
        "title": rule.control.title,
        "severity": rule.control.severity.as_str(),
        "section": rule.row.section(),
        "judges": rule.control.resources.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "totals": counts(&report.tally.rule(index)),
        "remediation": rule.control.remediation,
    })
}

/// `results` has every outcome by `benchmark/number`; `details` what is to be said of those that are not good.
fn resource(report: &Report, seen: &Seen, details: &[&super::Detail]) -> Value {
    let key = |rule: usize| {
        let rule = &report.rules[rule];
        format!("{}/{}", rule.benchmark.full_name(), rule.row.number)
    };
    let results = seen.results.iter().map(|(rule, outcome)| (key(*rule), json!(outcome.as_str())));
    let mut out = json!({
        "id": seen.id,
        "type": seen.label.kind,
        "sub_type": seen.label.sub_type,
        "name": seen.label.name,
        "results": results.collect::<Map<_, _>>(),
    });
    if let Some(namespace) = &seen.label.namespace {
        out["namespace"] = json!(namespace);
    }
    let details: Vec<Value> = details
        .iter()
        .map(|detail| {
            let mut out = json!({
                "rule": key(detail.rule),
                "outcome": detail.outcome.as_str(),
                "evidence": detail.evidence,
            });
            if let Some(problem) = &detail.problem {
                out["error"] = json!({"code": problem.code.as_str(), "message": problem.message});
            }
            out
        })
        .collect();
    if !details.is_empty() {
        out["details"] = json!(details);
    }
    out
}
