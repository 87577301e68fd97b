//! What a cycle came to. The coverage documents, the report, the log and the metrics all come from one tally, so they
//! cannot disagree.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::engine::Engine;
use crate::evaluate::{Counts, Judgement, Outcome, Tally};
use crate::exception::Marks;
use crate::finding::Totals;
use crate::observe::remarks::why_absent;
use crate::resource::{Platform, Resource};
use crate::rule::BenchmarkName;

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

/// Counts while a cycle runs.
pub(super) struct Accounting {
    pub tally: Tally,
    /// The kind of the resource that is being judged; its buffer is used again.
    kind: String,
    /// Kind → whether a rule applies to one of them.
    kinds: BTreeMap<String, bool>,
}

impl Accounting {
    pub fn new(engine: &Engine) -> Self {
        Self { tally: Tally::new(engine.rules.len()), kind: String::new(), kinds: BTreeMap::new() }
    }

    /// Called before a resource is judged; judging consumes it.
    pub fn begin(&mut self, resource: &Resource) {
        self.kind.clone_from(&resource.sub_type);
    }

    /// Counts a resource's judgements.
    pub fn add(&mut self, judgements: &[(&[usize], Judgement)], marks: &Marks) {
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

    /// Counts the rules that saw no resource as not applicable, and returns them.
    pub fn close(&mut self, engine: &Engine, platform: Option<Platform>) -> Vec<usize> {
        let unseen = self.tally.close();
        for index in &unseen {
            let rule = &engine.rules[*index];
            let judged: Vec<String> = rule.control.resources.iter().map(ToString::to_string).collect();
            tracing::debug!(
                rule = rule.row.number,
                benchmark = %rule.benchmark.full_name(),
                resources = judged.join(", "),
                reason = why_absent(platform, &rule.control.resources),
                "rule is not applicable: no such resource"
            );
        }
        unseen
    }

    /// The account so far.
    pub fn account(&self, engine: &Engine, complete: bool, took: Duration) -> CycleAccount {
        let mut rules: BTreeMap<BenchmarkName, Vec<usize>> = BTreeMap::new();
        for (index, rule) in engine.rules.iter().enumerate() {
            rules.entry(rule.benchmark.full_name()).or_default().push(index);
        }
        let totals = |rules: Vec<usize>| Totals {
            rules: rules.len(),
            counts: self.tally.total(rules),
            resources: self.tally.resources,
            duration_ms: took.as_millis() as u64,
        };
        let totals = rules.into_iter().map(|(name, rules)| (name, totals(rules))).collect();
        let unjudged = self.kinds.iter().filter(|(_, applied)| !**applied).map(|(kind, _)| kind.clone());
        CycleAccount { complete, resources: self.tally.resources, took, totals, unjudged: unjudged.collect() }
    }
}

impl CycleAccount {
    /// The counts of all benchmarks together.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        self.totals.iter().for_each(|(_, totals)| total.merge(&totals.counts));
        total
    }
}
