//! A scan's result for people and programs: table, JSON, and what changed between two of them.
//!
//! In: each judgement as it is made. Out: text. Names come from clusters, so terminal control characters are escaped.
//!
//! A format is a file and a line in [`FORMATS`]: the values of `scan --format`, their help, and what a scan of several
//! sources does follow from that line.

mod diff;
mod format;
mod json;
mod ndjson;
mod not_applicable;
mod table;
mod text;

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::evaluate::{Judgement, Outcome, Tally};
use crate::exception::{Exception, ExceptionUse, Marks};
use crate::finding::decided_at;
use crate::resource::{Gap, Identity, Origin, OriginPosition, Resource, SkippedInput};
use crate::rule::{Benchmark, Rule};

pub use diff::{VerdictChange, VerdictKey, Verdicts, changes, render as render_diff};
pub use format::{ReportContent, ReportFormat, ReportStyle, WriteReport};
pub use table::render as render_table;
pub use text::safe;

/// All formats of `scan --format`; the first is the default.
pub const FORMATS: &[ReportFormat] = &[table::FORMAT, json::FORMAT, ndjson::FORMAT];

/// The result of one scan.
#[derive(Debug)]
pub struct Report {
    identity: Identity,
    rules: Arc<[Rule]>,
    tally: Tally,
    seen: Vec<JudgedResource>,
    details: Vec<OutcomeDetail>,
    exceptions: Vec<ExceptionUse>,
    without_resource: WithoutResource,
    skipped: Skipped,
}

/// What was found and not judged.
#[derive(Debug, Default)]
struct Skipped {
    /// Kinds that no rule applies to.
    kinds: Vec<String>,
    input: SkippedInput,
}

/// The rules that saw no resource, by position, each with the reason.
pub type WithoutResource = BTreeMap<usize, String>;

/// One resource and the outcome of every rule about it.
#[derive(Debug)]
struct JudgedResource {
    id: String,
    label: ResourceLabel,
    origin: Option<Origin>,
    results: Vec<(usize, Outcome)>,
}

/// A resource as people name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceLabel {
    /// `resource.type`.
    pub kind: String,
    /// `resource.sub_type`.
    pub sub_type: String,
    /// Its namespace, if it has one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// The details of a judgement that needs attention: failed, needs review or error.
#[derive(Debug)]
struct OutcomeDetail {
    seen: usize,
    rule: usize,
    outcome: Outcome,
    evidence: Map<String, Value>,
    gap: Option<Gap>,
    /// Where what decided was written.
    at: Option<OriginPosition>,
    exception: Option<Arc<Exception>>,
}

impl Report {
    /// An empty report about these rules.
    pub fn new(rules: Arc<[Rule]>, identity: Identity) -> Self {
        Self {
            identity,
            rules,
            tally: Tally::default(),
            seen: Vec::new(),
            details: Vec::new(),
            exceptions: Vec::new(),
            without_resource: WithoutResource::new(),
            skipped: Skipped::default(),
        }
    }

    /// Adds all judgements of the resource with the `resource.id` `id`, and their exceptions.
    pub fn add(
        &mut self,
        id: &str,
        (label, origin): (ResourceLabel, Option<Origin>),
        judgements: &[(&[usize], Judgement)],
        marks: &Marks,
    ) {
        if judgements.is_empty() {
            return;
        }
        let mut seen = JudgedResource { id: id.to_owned(), label, origin, results: Vec::new() };
        for (rules, judgement) in judgements {
            for rule in *rules {
                let mark = marks.of(*rule);
                seen.results.push((*rule, judgement.outcome));
                if !matches!(judgement.outcome, Outcome::Passed | Outcome::NotApplicable) {
                    self.details.push(OutcomeDetail {
                        seen: self.seen.len(),
                        rule: *rule,
                        outcome: judgement.outcome,
                        evidence: judgement.evidence.clone(),
                        gap: judgement.gap.clone(),
                        at: seen.origin.as_ref().and_then(|origin| decided_at(origin, judgement)),
                        exception: mark.map(|mark| Arc::clone(&mark.exception)),
                    });
                }
            }
        }
        self.seen.push(seen);
    }

    /// Completes the report with the counts of the scan, the rules that saw no resource, and what became of the
    /// exceptions.
    pub fn close(&mut self, tally: Tally, without_resource: WithoutResource, exceptions: Vec<ExceptionUse>) {
        self.tally = tally;
        self.without_resource = without_resource;
        self.exceptions = exceptions;
    }

    /// Adds what was found and not judged: kinds that no rule applies to, and what else was in the input.
    pub fn skip(&mut self, kinds: Vec<String>, input: SkippedInput) {
        self.skipped = Skipped { kinds, input };
    }

    /// What was found and not judged, a line each.
    pub fn skipped(&self) -> Vec<String> {
        let kinds = &self.skipped.kinds;
        let kinds = (!kinds.is_empty()).then(|| format!("no rule applies to {}", kinds.join(", ")));
        kinds.into_iter().chain(self.skipped.input.lines()).collect()
    }

    /// Whether something could not be judged: an error, or objects that nobody has rendered.
    pub fn has_unjudged(&self) -> bool {
        self.totals().of(Outcome::Error) > 0 || self.skipped.input.may_hold_objects()
    }

    /// The counts.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The counts of all rules together.
    pub fn totals(&self) -> crate::evaluate::OutcomeCounts {
        self.tally.total(0..self.rules.len())
    }

    /// The posture score of one benchmark's rules together, in percent.
    pub fn score(&self) -> Option<f64> {
        self.totals().score()
    }

    /// The outcome of each rule and resource, for comparing two reports.
    pub fn verdicts(&self) -> Verdicts {
        let mut verdicts = Verdicts::default();
        for seen in &self.seen {
            for (rule, outcome) in &seen.results {
                let rule = &self.rules[*rule];
                let name = rule.benchmark.full_name().to_string();
                verdicts.add(&name, &rule.row.number, &rule.control.title, &seen.label, outcome.as_str());
            }
        }
        verdicts
    }

    /// The benchmarks in it, in order, each with the indexes of its rules.
    fn benchmarks(&self) -> Vec<(&Arc<Benchmark>, Vec<usize>)> {
        let mut out: Vec<(&Arc<Benchmark>, Vec<usize>)> = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            match out.iter_mut().find(|(table, _)| Arc::ptr_eq(table, &rule.benchmark)) {
                Some((_, rules)) => rules.push(index),
                None => out.push((&rule.benchmark, vec![index])),
            }
        }
        out
    }
}

impl ResourceLabel {
    /// Of a resource; what could not be listed is named by what it belongs to.
    pub fn of(resource: &Resource) -> Self {
        let (kind, sub_type) = resource.shown_type();
        Self {
            kind: kind.to_owned(),
            sub_type: sub_type.to_owned(),
            namespace: resource.namespace().map(str::to_owned),
            name: resource.name.clone(),
        }
    }
}

impl std::fmt::Display for ResourceLabel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = safe(&self.name);
        match (self.kind.as_str(), &self.namespace) {
            ("k8s_object", Some(namespace)) => write!(f, "{} {}/{name}", self.sub_type, safe(namespace)),
            ("k8s_object", None) => write!(f, "{} {name}", self.sub_type),
            ("process", _) => write!(f, "process {name}"),
            _ => f.write_str(&name),
        }
    }
}
