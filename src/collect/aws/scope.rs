//! The cluster that AWS is asked about, and what rules want of it.

use std::collections::BTreeSet;

use crate::collect::sightings::Sightings;
use crate::resource::{Gap, Kind, Owner, Resource, Selector};

/// A cluster, where it is, and what is wanted of it.
#[derive(Debug, Clone)]
pub(super) struct AwsScope {
    /// The cluster's name at EKS.
    pub cluster: String,
    /// Its region, such as `eu-west-1`.
    pub region: String,
    /// The account of the credentials: twelve digits.
    pub account: String,
    /// The cluster's partition: `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// Owns what cannot be listed: `cluster/<uid>`.
    pub owner: Owner,
    /// What rules judge.
    pub wanted: BTreeSet<Selector>,
}

impl AwsScope {
    /// Whether resources of this sub type are judged.
    pub(super) fn wants(&self, kind: Kind, sub_type: &str) -> bool {
        self.wanted.iter().any(|selector| selector.kind == kind && selector.name == sub_type)
    }

    /// Stands for everything of a sub type, which `gap` keeps from being listed.
    pub(super) fn unlisted(&self, kind: Kind, sub_type: &str, gap: &Gap) -> Resource {
        Resource::unlisted(&Selector::new(kind, sub_type), &self.owner, gap.clone())
    }

    /// One resource for each wanted sub type of `kind`, where some of the `objects` that would name its resources could
    /// not be read: there may be more than are seen.
    pub(super) fn unseen(
        &self,
        sightings: &Sightings,
        kind: Kind,
        sub_types: &[&str],
        objects: &[&str],
    ) -> Vec<Resource> {
        let gaps: Vec<_> = objects.iter().filter_map(|object| sightings.gaps.get(*object)).collect();
        let Some(first) = gaps.first() else { return Vec::new() };
        let what = gaps.iter().map(|unread| unread.gap.what.as_str()).collect::<Vec<_>>().join("; ");
        let gap = Gap::new(first.gap.reason, what);
        let wanted = self.wanted.iter().filter(|selector| selector.kind == kind);
        let named = wanted.filter(|selector| sub_types.contains(&selector.name.as_str()));
        named.map(|selector| Resource::unlisted(selector, &self.owner, gap.clone())).collect()
    }
}
