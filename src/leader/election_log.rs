//! Log lines of an election: each change once, not each try.

use http::StatusCode;
use std::collections::BTreeMap;

use super::lease::{LeaseReply, Verb};
use super::machine::ElectionEvent;
use super::record::SEQUENCE;
use crate::resource::Reason;

/// Writes the lines of one process about one Lease.
pub(super) struct ElectionLog {
    lease: String,
    identity: String,
    /// The failures that were logged and last: their messages may hold times and ports, so they are compared by code.
    failing: BTreeMap<Verb, (Reason, Option<StatusCode>)>,
}

impl ElectionLog {
    pub(super) fn new(lease: String, identity: String) -> Self {
        Self { lease, identity, failing: BTreeMap::new() }
    }

    /// Logs a failure unless the last request with this verb failed alike, and the first success after one.
    pub(super) fn reply(&mut self, verb: Verb, reply: &LeaseReply) {
        let lease = &self.lease;
        match reply {
            LeaseReply::Failed(failure) => {
                let code = (failure.gap.reason, failure.refused);
                if self.failing.insert(verb, code) != Some(code) {
                    let reason = failure.gap.reason.as_str();
                    tracing::warn!(%lease, %verb, reason, error = %failure.gap, "leader election request failed");
                }
            }
            _ => {
                if self.failing.remove(&verb).is_some() {
                    tracing::info!(%lease, %verb, "leader election request succeeds again");
                }
            }
        }
    }

    /// Logs a change.
    pub(super) fn event(&self, event: &ElectionEvent) {
        let Self { lease, identity, .. } = self;
        match event {
            ElectionEvent::Leads => tracing::info!(%lease, %identity, "became the leader"),
            ElectionEvent::Lost(why) => tracing::info!(%lease, %identity, why, "no longer the leader"),
            ElectionEvent::Follows(leader) => tracing::info!(%lease, leader, "another process is the leader"),
            ElectionEvent::Garbage(value) => {
                tracing::warn!(%lease, annotation = SEQUENCE, value, "ignoring an invalid sequence number in the Lease");
            }
            // The caller gets these as the result of its request.
            ElectionEvent::Sequence(_) | ElectionEvent::NoSequence(_) => {}
        }
    }
}
