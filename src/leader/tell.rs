//! What the log says of an election: each change once, not each try.

use std::collections::BTreeMap;

use super::api::{Kind, Verb};
use super::machine::{Answer, Event};

/// Who the lines are about, and which troubles were told.
pub(super) struct Teller {
    lease: String,
    identity: String,
    troubles: BTreeMap<Verb, Kind>,
}

impl Teller {
    pub fn new(lease: String, identity: String) -> Self {
        Self { lease, identity, troubles: BTreeMap::new() }
    }

    /// Tells a failure that is another than the last of its verb, and its end.
    pub fn answer(&mut self, verb: Verb, answer: &Answer) {
        let lease = &self.lease;
        match answer {
            Answer::Failed(problem) => {
                if self.troubles.insert(verb, problem.kind) != Some(problem.kind) {
                    tracing::warn!(%lease, "leader election: {problem}");
                }
            }
            _ => {
                if self.troubles.remove(&verb).is_some() {
                    tracing::info!(%lease, "leader election: {verb} of the Lease works again");
                }
            }
        }
    }

    /// Tells what happened.
    pub fn event(&self, event: &Event) {
        let Self { lease, identity, .. } = self;
        match event {
            Event::Leads => tracing::info!(%lease, %identity, "this process leads"),
            Event::Lost(why) => tracing::info!(%lease, %identity, why, "this process leads no more"),
            Event::Follows(leader) => tracing::info!(%lease, leader, "another process leads"),
            Event::Garbage(text) => tracing::warn!(
                %lease,
                "the annotation {} is `{text}`, which no leader wrote: sweeps are numbered as if it were 0",
                super::record::SEQUENCE
            ),
            // Whoever asked is told.
            Event::Sequence(_) | Event::NoSequence(_) => {}
        }
    }
}
