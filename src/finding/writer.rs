//! Puts the pieces of a finding together.

use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

use super::rule_text::RuleText;
use super::{Context, FINDINGS, OUTCOMES, Subject, VERSION, coverage, ids};
use crate::evaluate::{Counts, Judgement, Outcome};
use crate::event::{Body, Event};
use crate::resource::{IdentitySource, Resource};
use crate::rule::{BenchmarkName, Rule};

/// Room for a finding's own part: times, ids, and evidence of the usual length.
const HEAD: usize = 640;
/// A finding's own part, its rule, what closes that, its resource, and the cycle.
const PIECES: usize = 6;

/// Writes the documents of one cycle.
#[derive(Debug)]
pub struct Writer {
    rules: Arc<[RuleText]>,
    context: Context,
    findings: Stream,
    outcomes: Stream,
}

/// A data stream and what its documents carry about the cycle.
#[derive(Debug)]
struct Stream {
    index: Arc<str>,
    tail: Arc<str>,
}

impl Writer {
    /// For these rules, in this context.
    pub fn new(rules: &[Rule], context: Context) -> Self {
        let rules: Arc<[RuleText]> = rules.iter().map(RuleText::new).collect();
        Self {
            findings: Stream::new(FINDINGS, &context),
            outcomes: Stream::new(OUTCOMES, &context),
            rules,
            context,
        }
    }

    /// Renders a resource for all its findings.
    pub fn subject(&self, resource: &Resource, now: Timestamp) -> Subject {
        Subject::new(resource, &self.context, now)
    }

    /// The document of one judgement; none for what is not applicable, which is only counted.
    pub fn finding(&self, rule: usize, subject: &Subject, judgement: &Judgement) -> Option<Event> {
        let rule = &self.rules[rule];
        let (stream, outcome) = match judgement.outcome {
            Outcome::Passed => (&self.findings, "success"),
            Outcome::Failed => (&self.findings, "failure"),
            Outcome::NeedsReview | Outcome::Error => (&self.outcomes, "unknown"),
            Outcome::NotApplicable => return None,
        };
        let dataset = if outcome == "unknown" { OUTCOMES } else { FINDINGS };
        let id = ids::event_id(&rule.id, &subject.id, self.context.sequence, 0).to_string();
        let evaluation = judgement.outcome.as_str();
        let mut head = String::with_capacity(HEAD);
        for piece in [
            subject.time.as_str(),
            ",\"message\":",
            &rule.message,
            evaluation,
            "\",\"event\":{\"category\":[\"configuration\"],\"kind\":\"state\",\"type\":[\"info\"],\"outcome\":\"",
            outcome,
            "\",\"id\":\"",
            &id,
            "\",\"dataset\":\"",
            dataset,
            "\"",
            &subject.event,
            &rule.severity,
            "},\"result\":{\"evaluation\":\"",
            evaluation,
            "\",\"evidence\":",
            &json(&judgement.evidence),
            ",\"expected\":",
        ] {
            head.push_str(piece);
        }
        head.push_str(&judgement.expected.as_ref().map_or_else(|| "null".into(), json));
        head.push('}');
        if let Some(problem) = &judgement.problem {
            let error = json!({"code": problem.code.as_str(), "message": problem.message});
            head.push_str(&format!(",\"error\":{error}"));
        }
        let mut body = Body::with_capacity(PIECES);
        body.push(head);
        body.push_shared(&rule.text);
        if subject.truncated {
            body.push_fixed(",\"truncated\":true");
        }
        body.push_fixed(match self.context.identity.cluster.source {
            IdentitySource::Api => "}",
            IdentitySource::LastKnown => ",\"cluster_id_source\":\"last_known\"}",
            IdentitySource::MachineId => ",\"cluster_id_source\":\"machine_id\"}",
            IdentitySource::None => ",\"cluster_id_source\":\"none\"}",
        });
        body.push_shared(&subject.text);
        body.push_shared(&stream.tail);
        Some(Event { id, index: Arc::clone(&stream.index), body })
    }

    /// The document that accounts for a cycle under one benchmark.
    pub fn coverage(&self, benchmark: &BenchmarkName, totals: &Totals, now: Timestamp) -> Event {
        coverage::document(&self.context, benchmark, totals, now)
    }
}

/// A cycle's account under one benchmark.
#[derive(Debug, Clone, Copy)]
pub struct Totals {
    /// By outcome.
    pub counts: Counts,
    /// How many rules were in force.
    pub rules: usize,
    /// How many resources were judged.
    pub resources: u64,
    /// From the start of the cycle to its last judgement.
    pub duration_ms: u64,
}

impl Stream {
    fn new(dataset: &str, context: &Context) -> Self {
        let index = format!("logs-{dataset}-{}", context.namespace);
        Self { index: Arc::from(index), tail: Arc::from(tail(dataset, context)) }
    }
}

/// What every document of a stream ends with.
pub(super) fn tail(dataset: &str, context: &Context) -> String {
    let agent = &context.agent;
    let (policy, revision) = &context.package_policy;
    let common = json!({
        "related": {},
        "cluster_id": context.identity.cluster.id,
        "data_stream": {"type": "logs", "dataset": dataset, "namespace": context.namespace},
        "agent": {
            "type": agent.kind,
            "name": agent.name,
            "id": agent.id,
            "ephemeral_id": agent.ephemeral_id,
            "version": VERSION,
        },
        "host": context.host,
        "ecs": {"version": "8.6.0"},
        "observer": {"vendor": "posturebeat"},
        "cloudbeat": {"version": VERSION, "policy": {"version": VERSION}},
        "cloud_security_posture": {"package_policy": {"id": policy, "revision": revision}},
    })
    .to_string();
    format!(",{}", &common[1..])
}

fn json(map: &serde_json::Map<String, Value>) -> String {
    // Cannot fail: keys are strings, and the writer is a string.
    serde_json::to_string(map).unwrap_or_else(|_| "{}".into())
}
