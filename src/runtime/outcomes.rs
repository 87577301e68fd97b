//! How resources were judged the last time, to tell whether a change is news.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use crate::evaluate::Judgement;
use crate::resource::Resource;

/// Two numbers for each resource: which it is, and how its rules ended. Both are hashes with a key of this process,
/// so nobody can name an object such that it passes for another.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    hasher: RandomState,
    known: HashMap<u64, u64>,
}

/// A resource.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who(u64);

impl Outcomes {
    /// Which resource it is; judging uses it up.
    pub fn who(&self, resource: &Resource) -> Who {
        Who(self.hasher.hash_one((resource.kind, &resource.sub_type, &resource.id)))
    }

    /// Remembers how it was judged; says whether that differs from the last time.
    pub fn note(&mut self, Who(who): Who, judgements: &[(&[usize], Judgement)]) -> bool {
        let mut how = self.hasher.build_hasher();
        for (rules, judgement) in judgements {
            rules.hash(&mut how);
            (judgement.outcome as u8).hash(&mut how);
        }
        let how = how.finish();
        self.known.insert(who, how) != Some(how)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Outcome;
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
        };
        RULES.into_iter().zip(outcomes.iter().map(judgement)).collect()
    }

    #[test]
    fn only_another_outcome_is_news() {
        let mut outcomes = Outcomes::default();
        let good = judged(&[Outcome::Passed, Outcome::Passed]);
        let bad = judged(&[Outcome::Passed, Outcome::Failed]);
        let (a, b) = (outcomes.who(&pod("a")), outcomes.who(&pod("b")));
        assert!(outcomes.note(a, &good), "a new object");
        assert!(!outcomes.note(a, &good));
        assert!(outcomes.note(b, &good), "another one");
        assert!(outcomes.note(a, &bad));
        assert!(!outcomes.note(a, &bad));
        assert!(outcomes.note(a, &good), "and back");
    }
}
