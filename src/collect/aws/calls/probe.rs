//! Which calls are allowed: each is made once, with arguments that need not exist.
//!
//! AWS checks permissions before it looks the thing up, so "no such repository" means that the call is allowed.

use super::{ProbeTarget, table};
use crate::collect::cloud::{CallProbe, ProbeVerdict};
use crate::resource::Reason;

/// Probes every call, one after the other.
pub(crate) async fn probe(target: &ProbeTarget<'_>) -> Vec<CallProbe> {
    let mut probes = Vec::new();
    for entry in table() {
        let Some(probing) = (entry.probe)(target) else { continue };
        let verdict = match probing.await.map_err(|refusal| refusal.gap) {
            Ok(()) => ProbeVerdict::Allowed,
            Err(gap) => match gap.reason {
                Reason::Missing | Reason::Malformed => ProbeVerdict::Allowed,
                Reason::Denied => ProbeVerdict::Denied(gap.what),
                _ => ProbeVerdict::Unknown(gap.what),
            },
        };
        probes.push(CallProbe { call: entry.call, verdict });
    }
    probes
}
