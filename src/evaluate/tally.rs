//! The tally of a cycle: every pair of rule and resource is counted under one of five outcomes.

use std::collections::BTreeMap;

use super::{Judgement, Outcome};
use crate::resource::Reason;

/// Counts by outcome, and those of errors by code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutcomeCounts {
    by_outcome: [u64; Outcome::ALL.len()],
    by_code: [u64; Reason::ALL.len()],
    excepted: u64,
}

impl OutcomeCounts {
    fn add(&mut self, judgement: &Judgement) {
        self.by_outcome[judgement.outcome as usize] += 1;
        if let Some(gap) = &judgement.gap {
            self.by_code[gap.reason as usize] += 1;
        }
    }

    /// How many have this outcome.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.by_outcome[outcome as usize]
    }

    /// How many errors have this code; the codes add up to all errors.
    pub fn errors(&self, code: Reason) -> u64 {
        self.by_code[code as usize]
    }

    /// How many failures have an exception; they count as failed too.
    pub fn excepted(&self) -> u64 {
        self.excepted
    }

    /// How many failures have no exception.
    pub fn unexcepted(&self) -> u64 {
        self.of(Outcome::Failed).saturating_sub(self.excepted)
    }

    /// How many passed or failed.
    pub fn judged(&self) -> u64 {
        self.of(Outcome::Passed) + self.of(Outcome::Failed)
    }

    /// The posture score: passed / (passed + failed) in percent, to one decimal; `None` when nothing was judged.
    pub fn score(&self) -> Option<f64> {
        let judged = self.judged();
        (judged > 0).then(|| (self.of(Outcome::Passed) as f64 * 1000.0 / judged as f64).round() / 10.0)
    }

    /// Adds other counts.
    pub fn merge(&mut self, other: &Self) {
        let own = self.by_outcome.iter_mut().chain(&mut self.by_code);
        for (own, more) in own.zip(other.by_outcome.iter().chain(&other.by_code)) {
            *own += more;
        }
        self.excepted += other.excepted;
    }
}

/// Counts for each rule, by its index.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    rules: BTreeMap<usize, OutcomeCounts>,
    /// How many resources were judged by at least one rule.
    pub resources: u64,
}

impl Tally {
    /// An empty tally for this many rules.
    pub fn new(rules: usize) -> Self {
        Self { rules: (0..rules).map(|index| (index, OutcomeCounts::default())).collect(), resources: 0 }
    }

    /// Counts one judgement.
    pub fn add(&mut self, rule: usize, judgement: &Judgement) {
        self.rules.entry(rule).or_default().add(judgement);
    }

    /// Counts one failure with an exception.
    pub fn except(&mut self, rule: usize) {
        self.rules.entry(rule).or_default().excepted += 1;
    }

    /// Ends the cycle: rules without any resource count as not applicable. Returns their indexes.
    pub fn close(&mut self) -> Vec<usize> {
        let mut unseen = Vec::new();
        for (index, counts) in &mut self.rules {
            if *counts == OutcomeCounts::default() {
                counts.by_outcome[Outcome::NotApplicable as usize] = 1;
                unseen.push(*index);
            }
        }
        unseen
    }

    /// The counts of one rule.
    pub fn rule(&self, index: usize) -> OutcomeCounts {
        self.rules.get(&index).copied().unwrap_or_default()
    }

    /// The counts of some rules together.
    pub fn total(&self, rules: impl IntoIterator<Item = usize>) -> OutcomeCounts {
        let mut total = OutcomeCounts::default();
        rules.into_iter().for_each(|index| total.merge(&self.rule(index)));
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Gap;
    use serde_json::Map;

    fn ended(outcome: Outcome, code: Option<Reason>) -> Judgement {
        let gap = code.map(|code| Gap { reason: code, what: String::new() });
        Judgement { outcome, evidence: Map::new(), expected: None, gap, places: Vec::new() }
    }

    #[test]
    fn errors_are_counted_by_code_too() {
        let mut tally = Tally::new(2);
        for (rule, code) in [(0, Reason::Denied), (0, Reason::Timeout), (1, Reason::Denied)] {
            tally.add(rule, &ended(Outcome::Error, Some(code)));
        }
        tally.add(1, &ended(Outcome::Passed, None));
        let total = tally.total(0..2);
        assert_eq!(total.of(Outcome::Error), 3);
        let by_code = Reason::ALL.map(|code| total.errors(code));
        assert_eq!(by_code, [2, 0, 0, 1, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_rule_that_saw_nothing_is_not_applicable() {
        let mut tally = Tally::new(2);
        for outcome in [Outcome::Passed, Outcome::Failed, Outcome::Failed] {
            tally.add(0, &ended(outcome, None));
        }
        tally.except(0);
        assert_eq!(tally.close(), [1]);
        let total = tally.total(0..2);
        assert_eq!(total.of(Outcome::NotApplicable), 1);
        assert_eq!(total.score(), Some(33.3), "an exception improves no score");
        assert_eq!((total.of(Outcome::Failed), total.excepted(), total.unexcepted()), (2, 1, 1));
        assert_eq!(tally.rule(1).score(), None);
    }
}
