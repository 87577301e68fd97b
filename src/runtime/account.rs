//! What a cycle came to. The coverage documents, the report, the log and the metrics all come from one tally, so they
//! cannot disagree.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::evaluate::{Judgement, Outcome, OutcomeCounts, Tally};
use crate::exception::{ExceptionState, ExceptionUse, Marks};
use crate::finding::Totals;
use crate::observe::remarks::why_absent;
use crate::resource::{Gap, Platform, Resource};
use crate::rule::{BenchmarkName, Rule};

/// What a cycle came to.
pub(super) struct CycleAccount {
    /// Whether every resource was judged.
    pub complete: bool,
    /// How many resources were judged by at least one rule.
    pub resources: u64,
    /// From the start of the cycle to its last judgement.
    pub took: Duration,
    /// Every (rule, resource), by benchmark and outcome.
    pub totals: Vec<(BenchmarkName, Totals)>,
    /// Kinds that were found, but that no rule applies to.
    pub unjudged: BTreeSet<String>,
}

/// OutcomeCounts while a cycle runs.
pub(super) struct Accounting {
    pub tally: Tally,
    /// The kind of the resource that is being judged; its buffer is used again.
    kind: String,
    /// Kind → whether a rule applies to one of them.
    kinds: BTreeMap<String, bool>,
}

impl Accounting {
    pub(super) fn new(rules: &[Rule]) -> Self {
        Self { tally: Tally::new(rules.len()), kind: String::new(), kinds: BTreeMap::new() }
    }

    /// Called before a resource is judged; judging consumes it.
    pub(super) fn begin(&mut self, resource: &Resource) {
        self.kind.clone_from(&resource.sub_type);
    }

    /// OutcomeCounts a resource's judgements.
    pub(super) fn add(&mut self, judgements: &[(&[usize], Judgement)], marks: &Marks) {
        for (rules, judgement) in judgements {
            for rule in *rules {
                self.tally.add(*rule, judgement);
                if judgement.outcome == Outcome::Failed && marks.of(*rule).is_some() {
                    self.tally.except(*rule);
                }
            }
        }
        self.tally.resources += u64::from(!judgements.is_empty());
        let applies = judgements.iter().any(|(_, judgement)| judgement.outcome != Outcome::NotApplicable);
        match self.kinds.get_mut(&self.kind) {
            Some(applied) => *applied |= applies,
            None => drop(self.kinds.insert(self.kind.clone(), applies)),
        }
    }

    /// OutcomeCounts the rules that saw no resource as not applicable, and returns them.
    pub(super) fn close(
        &mut self,
        rules: &[Rule],
        platform: Option<Platform>,
        closed: Option<&Gap>,
    ) -> Vec<usize> {
        let unseen = self.tally.close();
        for index in &unseen {
            let rule = &rules[*index];
            let judged: Vec<String> = rule.control.resources.iter().map(ToString::to_string).collect();
            tracing::debug!(
                rule = rule.row.number,
                benchmark = %rule.benchmark.full_name(),
                resources = judged.join(", "),
                reason = why_absent(platform, closed, &rule.control.resources),
                "rule is not applicable: no such resource"
            );
        }
        unseen
    }

    /// The account so far.
    pub(super) fn account(&self, rules: &[Rule], complete: bool, took: Duration) -> CycleAccount {
        let mut by_benchmark: BTreeMap<BenchmarkName, Vec<usize>> = BTreeMap::new();
        for (index, rule) in rules.iter().enumerate() {
            by_benchmark.entry(rule.benchmark.full_name()).or_default().push(index);
        }
        let totals = |rules: Vec<usize>| Totals {
            rules: rules.len(),
            counts: self.tally.total(rules),
            resources: self.tally.resources,
            duration_ms: took.as_millis() as u64,
        };
        let totals = by_benchmark.into_iter().map(|(name, rules)| (name, totals(rules))).collect();
        let unjudged = self.kinds.iter().filter(|(_, applied)| !**applied).map(|(kind, _)| kind.clone());
        CycleAccount { complete, resources: self.tally.resources, took, totals, unjudged: unjudged.collect() }
    }
}

impl CycleAccount {
    /// The counts of all benchmarks together.
    pub(super) fn total(&self) -> OutcomeCounts {
        let mut total = OutcomeCounts::default();
        self.totals.iter().for_each(|(_, totals)| total.merge(&totals.counts));
        total
    }
}

/// Logs one warning for each exception that had no effect in a cycle.
pub(super) fn warn_unused(uses: &[ExceptionUse]) {
    for ExceptionUse { exception, state, .. } in uses {
        // One macro for all: the message of a log line is a constant.
        macro_rules! warn {
            ($message:literal) => {
                tracing::warn!(
                    place = exception.place,
                    rule = %exception.rule,
                    cluster = exception.cluster.as_ref().map(ToString::to_string),
                    owner = exception.owner,
                    expires = exception.expires.map(|at| at.to_string()),
                    $message
                )
            };
        }
        match state {
            ExceptionState::InUse | ExceptionState::Undecided => {}
            ExceptionState::Expired => warn!("exception has expired and has no effect; renew or remove it"),
            ExceptionState::OtherCluster => warn!("exception matched nothing: it names another cluster"),
            ExceptionState::NotNeeded => warn!("exception is not needed: its resources pass"),
            ExceptionState::Unmatched => {
                warn!("exception matched nothing: its rule is not loaded, or no resource matches it");
            }
        }
    }
}
