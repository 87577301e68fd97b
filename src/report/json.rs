//! The report as one JSON object.

use serde_json::{Map, Value, json};

use super::{JudgedResource, Report, ReportContent, ReportFormat, not_applicable};
use crate::evaluate::{Outcome, OutcomeCounts};
use crate::exception::ExceptionUse;
use crate::finding::{granted, written_at};

pub(super) const FORMAT: ReportFormat = ReportFormat {
    name: "json",
    help: "One JSON object",
    content: ReportContent::Single {
        noun: "object",
        write: |report, _, out| {
            serde_json::to_writer_pretty(&mut *out, &render(report))?;
            writeln!(out)
        },
    },
};

fn render(report: &Report) -> Value {
    let rules: Vec<Value> = (0..report.rules.len()).map(|index| rule(report, index)).collect();
    let mut details: Vec<Vec<&super::OutcomeDetail>> = vec![Vec::new(); report.seen.len()];
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
        "exceptions": report.exceptions.iter().map(used).collect::<Vec<_>>(),
        "skipped": skipped(report),
    })
}

/// What was found and not judged: kinds, files and documents, templates, and the commands that render them.
fn skipped(report: &Report) -> Value {
    let super::Skipped { kinds, input } = &report.skipped;
    json!({
        "kinds": kinds,
        "without_objects": input.without_objects,
        "templates": input.templates,
        "render": input.render,
    })
}

/// By outcome; `excepted` are among the failed.
fn counts(counts: &OutcomeCounts) -> Value {
    let outcomes =
        Outcome::ALL.iter().map(|outcome| (outcome.as_str().to_owned(), json!(counts.of(*outcome))));
    Value::Object(outcomes.chain([("excepted".to_owned(), json!(counts.excepted()))]).collect())
}

/// One of all exceptions, and what became of it.
fn used(used: &ExceptionUse) -> Value {
    let mut out = granted(&used.exception);
    out["rule"] = json!(used.exception.rule.to_string());
    out["place"] = json!(used.exception.place);
    out["state"] = json!(used.state.as_str());
    out["findings"] = json!(used.findings);
    out
}

fn rule(report: &Report, index: usize) -> Value {
    let rule = &report.rules[index];
    let mut out = json!({
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
    });
    if let Some(reason) = not_applicable::reason(report, index) {
        out["not_applicable_because"] = json!(reason);
    }
    out
}

/// `results` has every outcome by `benchmark/number`; `details` what is to be said of those that are not good.
fn resource(report: &Report, seen: &JudgedResource, details: &[&super::OutcomeDetail]) -> Value {
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
    if let Some(origin) = &seen.origin {
        out["origin"] = written_at(origin, origin.position());
    }
    let details: Vec<Value> = details
        .iter()
        .map(|detail| {
            let mut out = json!({
                "rule": key(detail.rule),
                "outcome": detail.outcome.as_str(),
                "evidence": detail.evidence,
            });
            if let Some(gap) = &detail.gap {
                out["error"] = json!({"code": gap.reason.as_str(), "message": gap.what});
            }
            if let Some(origin) = &seen.origin {
                out["origin"] = written_at(origin, detail.at);
            }
            if let Some(exception) = &detail.exception {
                out["exception"] = granted(exception);
            }
            out
        })
        .collect();
    if !details.is_empty() {
        out["details"] = json!(details);
    }
    out
}
