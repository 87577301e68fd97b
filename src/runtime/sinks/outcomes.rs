//! The verdicts of the last time, to tell whether a change makes a difference.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use super::{Judgements, Sink};
use crate::resource::Resource;

/// Two numbers for each resource: its identity, and the outcomes of its rules. Both are hashes with a key of this
/// process, so no object can be named such that it passes for another.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Outcomes {
    hasher: RandomState,
    known: HashMap<u64, u64>,
    /// The resource that is being judged.
    current: u64,
}

impl Sink for Outcomes {
    fn begin(&mut self, resource: &Resource) {
        self.current = self.hasher.hash_one((resource.kind, &resource.sub_type, &resource.id));
    }

    fn compare(&mut self, judgements: &Judgements<'_>) -> bool {
        let mut outcomes = self.hasher.build_hasher();
        for (rules, judgement) in judgements {
            rules.hash(&mut outcomes);
            (judgement.outcome as u8).hash(&mut outcomes);
        }
        let outcomes = outcomes.finish();
        self.known.insert(self.current, outcomes) != Some(outcomes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{Judgement, Outcome};
    use crate::resource::Kind;
    use serde_json::json;

    fn pod(id: &str) -> Resource {
        Resource::observed(Kind::K8sObject, "Pod".into(), id.into(), "p".into(), json!({}))
    }

    fn judged(outcomes: &[Outcome]) -> Vec<(&'static [usize], Judgement)> {
        const RULES: [&[usize]; 2] = [&[0], &[1, 2]];
        let judgement = |outcome: &Outcome| Judgement {
            outcome: *outcome,
            evidence: serde_json::Map::new(),
            expected: None,
            gap: None,
            places: Vec::new(),
        };
        RULES.into_iter().zip(outcomes.iter().map(judgement)).collect()
    }

    #[test]
    fn only_other_outcomes_are_a_change() {
        let mut outcomes = Outcomes::default();
        let good = judged(&[Outcome::Passed, Outcome::Passed]);
        let bad = judged(&[Outcome::Passed, Outcome::Failed]);
        let mut changed = |id: &str, judgements: &[(&[usize], Judgement)]| {
            outcomes.begin(&pod(id));
            outcomes.compare(judgements)
        };
        assert!(changed("a", &good), "a new object");
        assert!(!changed("a", &good));
        assert!(changed("b", &good), "another one");
        assert!(changed("a", &bad));
        assert!(!changed("a", &bad));
        assert!(changed("a", &good), "and back");
    }
}
