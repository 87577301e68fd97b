//! The objects of the Kubernetes API as plain JSON, a page at a time, and which cluster they are of.
//!
//! In: a client, and what rules ask of each kind. Out: [`Resource`]s as they are read, and for each kind that could not
//! be listed one that says so. A typed struct would drop the fields that a newer Kubernetes adds, so objects stay JSON.

mod configz;
mod control_plane;
mod identity;
mod kinds;
mod pages;
mod resources;
pub mod rights;
mod sweep;
pub(crate) mod watch;

use crate::resource::{Gap, Kind, ObjectDemands, Owner, Resource, Selector};
#[cfg(test)]
use kinds::ListedKind;

pub use configz::configz;
pub use control_plane::{API_SERVER, ApiServerView, ControlPlaneRequest, api_server, unseen};
pub use identity::{Identified, NodeHints, identify};
pub use kinds::{CLUSTER, KINDS, KnownKind, ListScope, SECRET, ServedKind, recorded};
pub use sweep::observe;
pub use watch::{SweepState, watch};

/// What is asked of a cluster.
#[derive(Debug, Clone)]
pub struct SweepRequest<'a> {
    /// The cluster: `cluster/<uid>`.
    pub owner: &'a Owner,
    /// Its version, where it is known.
    pub version: Option<&'a str>,
    /// What rules ask of each kind.
    pub demands: &'a ObjectDemands,
    /// Whether Secrets may be listed.
    pub secrets: bool,
    /// The time by which tokens have expired or not.
    pub now: jiff::Timestamp,
    /// Whether [`watch`] continues from there.
    pub watch: bool,
}

/// The receiver was dropped; stop producing.
struct ReceiverDropped;

impl SweepRequest<'_> {
    fn judges(&self, kind: &str) -> bool {
        self.demands.contains_key(kind) && (kind != SECRET || self.secrets)
    }
}

/// Every wanted kind could not be listed, for one reason: there is no way to the API.
pub fn out_of_reach(request: &SweepRequest<'_>, gap: &Gap) -> Vec<Resource> {
    let judged = request.demands.keys().filter(|kind| request.judges(kind));
    judged
        .map(|kind| {
            Resource::unlisted(&Selector::new(Kind::K8sObject, kind.as_str()), request.owner, gap.clone())
        })
        .collect()
}

/// The paths by which a built-in kind is listed.
#[cfg(test)]
pub(crate) fn paths(kind: &KnownKind, demands: &ObjectDemands) -> Vec<String> {
    ListedKind::built_in(kind, demands.get(kind.name)).paths()
}
