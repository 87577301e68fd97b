//! The document with the totals of a cycle.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::data_stream::tail;
use super::{COVERAGE, Context, ids, milliseconds};
use crate::evaluate::{Outcome, OutcomeCounts};
use crate::event::Event;
use crate::rule::BenchmarkName;

/// The totals of a cycle for one benchmark.
#[derive(Debug, Clone, Copy)]
pub struct Totals {
    /// By outcome.
    pub counts: OutcomeCounts,
    /// How many rules were active.
    pub rules: usize,
    /// How many resources were judged.
    pub resources: u64,
    /// From the start of the cycle to its last judgement.
    pub duration_ms: u64,
}

/// Totals by outcome, and the number of rules and resources.
pub(super) fn document(
    context: &Context,
    benchmark: &BenchmarkName,
    totals: &Totals,
    now: Timestamp,
) -> Event {
    let who = if context.identity.node.id.is_empty() {
        &context.identity.cluster.id
    } else {
        &context.identity.node.id
    };
    let cycle = ids::cycle(context.sequence, 0);
    let id = ids::event_id(&benchmark.to_string(), who, &cycle).to_string();
    let mut coverage = json!({
        "benchmark": benchmark.id,
        "version": benchmark.version,
        "of": context.of,
        "rules": totals.rules,
        "resources": totals.resources,
        "duration_ms": totals.duration_ms,
    });
    for outcome in Outcome::ALL {
        coverage[outcome.as_str()] = Value::from(totals.counts.of(outcome));
    }
    coverage["excepted"] = Value::from(totals.counts.excepted());
    if let Some(score) = totals.counts.score() {
        coverage["score"] = Value::from(score);
    }
    let head = json!({
        "@timestamp": milliseconds(now),
        "event": {
            "kind": "metric",
            "category": ["configuration"],
            "type": ["info"],
            "id": id,
            "sequence": context.sequence,
            "dataset": COVERAGE,
        },
        "orchestrator": {"type": "kubernetes", "cluster": {"id": context.identity.cluster.id}},
        "posturebeat": {"coverage": coverage},
        "related": {},
    })
    .to_string();
    // The tail continues the object, so its last brace goes.
    let document = format!("{}{}", &head[..head.len() - 1], tail(COVERAGE, context));
    Event::single(&format!("logs-{COVERAGE}-{}", context.namespace), &id, &document)
}
