//! Assembles findings from their parts.

use jiff::Timestamp;
use serde_json::json;
use std::sync::Arc;

use super::coverage::{self, Totals};
use super::data_stream::DataStream;
use super::rule_text::RuleText;
use super::{Context, FINDINGS, OUTCOMES, Subject, granted, ids, origin};
use crate::evaluate::{Judgement, Outcome};
use crate::event::{Event, Piece, Text};
use crate::exception::{Exceptions, Marks};
use crate::resource::{IdentitySource, Resource};
use crate::rule::{BenchmarkName, Rule};

/// Initial buffer size of a finding's own part: times, ids, and typical evidence.
const HEAD: usize = 640;

/// Marks a truncated resource.
const TRUNCATED: &str = ",\"truncated\":true";

/// Writes the documents of one cycle.
#[derive(Debug)]
pub struct FindingWriter {
    rules: Vec<RuleText>,
    context: Context,
    /// The cycle's part of event ids.
    cycle: String,
    /// Text that all documents of the cycle share.
    common: Arc<Vec<u8>>,
    findings: DataStream,
    outcomes: DataStream,
    /// `,"truncated":true`
    truncated: Piece,
    /// `,"exception":{…}` of each exception: alone, and followed by the mark of a truncated resource.
    exceptions: Vec<[Piece; 2]>,
    /// The end of `posturebeat`, with the source of the cluster's id if that is not the API.
    close: Piece,
}

/// What differs between the findings of one resource.
struct FindingPart<'w> {
    stream: &'w DataStream,
    rule: &'w RuleText,
    id: Piece,
    head: Piece,
    result: Piece,
    more: Piece,
    origin: Piece,
}

impl FindingWriter {
    /// For these rules and exceptions, in this context.
    pub fn new(rules: &[Rule], exceptions: &Exceptions, context: Context) -> Self {
        let mut common = Text::common();
        let rules = rules.iter().map(|rule| RuleText::new(rule, &mut common)).collect();
        let findings = DataStream::new(FINDINGS, &context, &mut common);
        let outcomes = DataStream::new(OUTCOMES, &context, &mut common);
        let exceptions = exceptions.iter().map(|exception| {
            let start = common.end();
            let alone = common.add(&format!(",\"exception\":{}", granted(exception)));
            common.push(TRUNCATED);
            [alone, common.since(start)]
        });
        let exceptions = exceptions.collect();
        let truncated = common.add(TRUNCATED);
        let close = common.add(match context.identity.cluster.source {
            IdentitySource::Api => "}",
            IdentitySource::LastKnown => ",\"cluster_id_source\":\"last_known\"}",
            IdentitySource::MachineId => ",\"cluster_id_source\":\"machine_id\"}",
            IdentitySource::Cloud => ",\"cluster_id_source\":\"cloud\"}",
            IdentitySource::None => ",\"cluster_id_source\":\"none\"}",
        });
        let cycle = ids::cycle(context.sequence, 0);
        Self {
            rules,
            context,
            cycle,
            common: common.share(),
            findings,
            outcomes,
            truncated,
            exceptions,
            close,
        }
    }

    /// Sets the number of the re-judgement that the next findings belong to.
    pub fn rejudged(&mut self, judgement: u32) {
        self.cycle = ids::cycle(self.context.sequence, judgement);
    }

    /// Renders a resource for all its findings.
    pub fn subject(&self, resource: &Resource, now: Timestamp) -> Subject {
        Subject::new(resource, &self.context, now)
    }

    /// The documents of a resource's judgements: one per rule, with its exception if it has one. What is not applicable
    /// is only counted and gets no document.
    pub fn findings<'r>(
        &self,
        mut subject: Subject,
        judgements: impl IntoIterator<Item = (&'r [usize], &'r Judgement)> + Clone,
        marks: &Marks,
    ) -> Vec<Event> {
        let count = judgements.clone().into_iter().map(|(rules, _)| rules.len()).sum();
        let mut own = std::mem::take(&mut subject.text);
        let resource = own.since(0);
        own.reserve(count * HEAD);
        let mut parts = Vec::with_capacity(count);
        for (rules, judgement) in judgements {
            let stream = match judgement.outcome {
                Outcome::Passed | Outcome::Failed => &self.findings,
                Outcome::NeedsReview | Outcome::Error => &self.outcomes,
                Outcome::NotApplicable => continue,
            };
            let result = result(&mut own, judgement);
            let origin = origin::of(subject.origin.as_ref(), judgement);
            let origin = origin.map(|origin| own.add(&format!(",\"origin\":{origin}"))).unwrap_or_default();
            for index in rules {
                let rule = &self.rules[*index];
                let (id, head) = self.head(&mut own, &subject, rule, stream.dataset, judgement.outcome);
                let more = match marks.of(*index) {
                    Some(mark) => self.exceptions[mark.number][usize::from(subject.truncated)],
                    None if subject.truncated => self.truncated,
                    None => Piece::default(),
                };
                parts.push(FindingPart { stream, rule, id, head, result, more, origin });
            }
        }
        let own = own.share();
        let document = |part: FindingPart<'_>| {
            let FindingPart { stream, rule, id, head, result, more, origin } = part;
            let pieces = [head, result, rule.text, more, origin, self.close, resource, stream.tail];
            Event::new(&self.common, &own, stream.index, id, pieces)
        };
        parts.into_iter().map(document).collect()
    }

    /// A finding's own part. Returns its id and the whole part.
    fn head(
        &self,
        own: &mut Text,
        subject: &Subject,
        rule: &RuleText,
        dataset: &str,
        outcome: Outcome,
    ) -> (Piece, Piece) {
        let event_outcome = match outcome {
            Outcome::Passed => "success",
            Outcome::Failed => "failure",
            Outcome::NeedsReview | Outcome::Error | Outcome::NotApplicable => "unknown",
        };
        let start = own.end();
        for piece in [
            subject.time.as_str(),
            ",\"message\":",
            &rule.message,
            outcome.as_str(),
            "\",\"event\":{\"category\":[\"configuration\"],\"kind\":\"state\",\"type\":[\"info\"],\"outcome\":\"",
            event_outcome,
            "\",\"id\":\"",
        ] {
            own.push(piece);
        }
        let id = ids::event_id(&rule.id, &subject.id, &self.cycle);
        let id = own.add(id.hyphenated().encode_lower(&mut [0; uuid::fmt::Hyphenated::LENGTH]));
        for piece in ["\",\"dataset\":\"", dataset, "\"", &subject.event, &rule.severity, "}"] {
            own.push(piece);
        }
        (id, own.since(start))
    }

    /// The document with a cycle's totals for one benchmark.
    pub fn coverage(&self, benchmark: &BenchmarkName, totals: &Totals, now: Timestamp) -> Event {
        coverage::document(&self.context, benchmark, totals, now)
    }
}

/// Writes `,"result":{…}`, and `,"error":{…}` for an error.
fn result(own: &mut Text, judgement: &Judgement) -> Piece {
    let start = own.end();
    for piece in [",\"result\":{\"evaluation\":\"", judgement.outcome.as_str(), "\",\"evidence\":"] {
        own.push(piece);
    }
    own.push_json(&judgement.evidence);
    own.push(",\"expected\":");
    own.push_json(&judgement.expected);
    own.push("}");
    if let Some(gap) = &judgement.gap {
        own.push(",\"error\":");
        own.push_json(&json!({"code": gap.reason.as_str(), "message": gap.what}));
    }
    own.since(start)
}
