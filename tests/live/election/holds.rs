//! What must hold whatever happens to the processes of an election.

use std::collections::{BTreeMap, BTreeSet};

use super::documents::{Document, Of};
use super::stage::Played;

/// A cycle: what was written under one number.
struct Cycle<'p> {
    sequence: i64,
    documents: Vec<&'p Document>,
}

impl<'p> Cycle<'p> {
    /// The account of it, where it came to its end.
    fn account(&self) -> Option<(&Document, usize)> {
        self.documents.iter().find_map(|one| match one.of {
            Of::Coverage { findings } => Some((*one, findings)),
            Of::Finding { .. } => None,
        })
    }

    /// Whether the API server answered all that was asked.
    fn saw_all(&self) -> bool {
        self.documents.iter().all(|one| !matches!(one.of, Of::Finding { unheard: true, .. }))
    }

    /// The rules and resources that no test changes.
    fn stays(&self) -> BTreeSet<(&'p str, &'p str)> {
        let of_finding = |one: &&'p Document| match &one.of {
            Of::Finding { rule, resource, stays: true, .. } => Some((rule.as_str(), resource.as_str())),
            _ => None,
        };
        self.documents.iter().filter_map(of_finding).collect()
    }
}

impl Played {
    fn cycles(&self) -> Vec<Cycle<'_>> {
        let mut by_number: BTreeMap<i64, Vec<&Document>> = BTreeMap::new();
        for document in &self.documents {
            by_number.entry(document.sequence).or_default().push(document);
        }
        by_number.into_iter().map(|(sequence, documents)| Cycle { sequence, documents }).collect()
    }

    /// Everything below.
    pub fn assert_holds(&self) {
        self.assert_single();
        self.assert_one_after_the_other();
        self.assert_by_the_holder();
        self.assert_complete();
        self.assert_passed_on();
    }

    /// No finding is there twice, and no cycle is of two processes.
    pub fn assert_single(&self) {
        let mut ids = BTreeSet::new();
        for Document { id, by, sequence, .. } in &self.documents {
            assert!(ids.insert(id), "{id} of cycle {sequence}, also of {by}, is there twice\n{}", self.logs);
        }
        for Cycle { sequence, documents } in self.cycles() {
            let by: BTreeSet<_> = documents.iter().map(|one| (&one.by, &one.ephemeral)).collect();
            assert_eq!(by.len(), 1, "cycle {sequence} is of {by:?}\n{}", self.logs);
        }
    }

    /// A cycle with a higher number begins after the one before has ended, whoever they are of.
    pub fn assert_one_after_the_other(&self) {
        let cycles = self.cycles();
        for pair in cycles.windows(2) {
            let last = pair[0].documents.iter().max_by_key(|one| one.created).unwrap();
            let first = pair[1].documents.iter().min_by_key(|one| one.created).unwrap();
            assert!(
                last.created < first.created,
                "{} judged for cycle {} at {}, {} for {} at {}\n{}",
                last.by,
                last.sequence,
                last.created,
                first.by,
                first.sequence,
                first.created,
                self.logs
            );
        }
    }

    /// Who judged had put the number into the Lease before, and no other had taken it.
    pub fn assert_by_the_holder(&self) {
        for document in &self.documents {
            let Document { by, sequence, created, .. } = document;
            let begun = self.leases.iter().position(|seen| seen.sequence == Some(*sequence));
            let begun =
                begun.unwrap_or_else(|| panic!("no leader began cycle {sequence} of {by}\n{}", self.logs));
            assert!(self.leases[begun].is_of(by), "cycle {sequence} of {by}: {:?}", self.leases[begun]);
            let taken = self.leases[begun..].iter().find(|seen| !seen.holder.is_empty() && !seen.is_of(by));
            if let Some(taken) = taken {
                assert!(*created < taken.at, "{by} judged at {created} still: {taken:?}\n{}", self.logs);
            }
        }
    }

    /// A cycle that has an account has all that it counts, and of what is always there the same as the others.
    pub fn assert_complete(&self) {
        let cycles = self.cycles();
        let mut first = None;
        for cycle in &cycles {
            let Some((account, findings)) = cycle.account() else { continue };
            let until = account.created.as_millisecond();
            let counted = cycle
                .documents
                .iter()
                .filter(|one| !one.is_coverage() && one.created.as_millisecond() <= until);
            assert_eq!(counted.count(), findings, "of cycle {}\n{}", cycle.sequence, self.logs);
            if cycle.saw_all() {
                let stays = cycle.stays();
                assert!(!stays.is_empty(), "cycle {} is empty\n{}", cycle.sequence, self.logs);
                let same = first.get_or_insert_with(|| stays.clone());
                assert!(*same == stays, "cycle {} is about something else\n{}", cycle.sequence, self.logs);
            }
        }
        assert!(first.is_some(), "there is no whole cycle\n{}", self.logs);
    }

    /// Each new holder is counted once, and numbers only go up.
    pub fn assert_passed_on(&self) {
        let held: Vec<_> = self.leases.iter().filter(|seen| !seen.holder.is_empty()).collect();
        for pair in held.windows(2) {
            let passed_on = i64::from(pair[0].holder != pair[1].holder);
            assert_eq!(pair[1].transitions - pair[0].transitions, passed_on, "{pair:?}\n{}", self.logs);
            assert!(pair[0].sequence <= pair[1].sequence, "{pair:?}\n{}", self.logs);
        }
    }

    /// How many processes judged one after the other: one that comes back after another counts again.
    pub fn turns(&self) -> usize {
        let mut judges: Vec<_> =
            self.cycles().iter().map(|cycle| cycle.documents[0].ephemeral.as_str()).collect();
        judges.dedup();
        judges.len()
    }
}
