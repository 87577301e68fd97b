//! What is asked of AWS in one cycle.

use std::collections::BTreeSet;

use super::access::Problem;
use crate::resource::{CLOUD, Kind, Owner, Reason, Resource, Selector};

/// What the collectors of this room are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The cluster's name, as EKS has it.
    pub cluster: &'a str,
    /// The cluster's region.
    pub region: &'a str,
    /// Who owns what could not be listed: `cluster/<uid>`.
    pub owner: &'a Owner,
    /// The types and sub types that are judged, of those of [`CLOUD`].
    pub wanted: &'a BTreeSet<(Kind, &'a str)>,
}

impl Request<'_> {
    /// Whether resources of this sub type are judged.
    pub fn wants(&self, kind: Kind, sub_type: &str) -> bool {
        self.wanted.contains(&(kind, sub_type))
    }

    /// Stands for everything of a sub type, which `problem` keeps from being listed.
    pub(super) fn unlisted(&self, kind: Kind, sub_type: &str, problem: &Problem) -> Resource {
        let selector = Selector::new(kind, sub_type);
        Resource::unlisted(&selector, self.owner, problem.reason, problem.what.clone())
    }
}

/// Everything of a cloud that is wanted could not be listed, for one reason: no credentials, or a cluster without
/// a name.
pub fn out_of_reach(
    wanted: &BTreeSet<(Kind, &str)>,
    owner: &Owner,
    reason: Reason,
    what: &str,
) -> Vec<Resource> {
    let known = CLOUD.iter().flat_map(|(kind, names)| names.iter().map(|name| (*kind, *name)));
    known
        .filter(|pair| wanted.contains(pair))
        .map(|(kind, name)| Resource::unlisted(&Selector::new(kind, name), owner, reason, what))
        .collect()
}
