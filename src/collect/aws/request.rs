//! For whom AWS is asked, and what is wanted.

use std::collections::BTreeSet;

use super::access::Problem;
use crate::resource::{Gap, Kind, Owner, Resource, Selector};

/// Whose cluster it is, where, and what is wanted of it.
#[derive(Debug, Clone)]
pub struct Request {
    /// The cluster's name, as EKS has it.
    pub cluster: String,
    /// Its region, such as `eu-west-1`.
    pub region: String,
    /// The account of the credentials: twelve digits.
    pub account: String,
    /// The cluster's partition: `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// Owns what could not be listed: `cluster/<uid>`.
    pub owner: Owner,
    /// What rules judge.
    pub wanted: BTreeSet<Selector>,
}

impl Request {
    /// Whether resources of this sub type are judged.
    pub(super) fn wants(&self, kind: Kind, sub_type: &str) -> bool {
        self.wanted.iter().any(|selector| selector.kind == kind && selector.name == sub_type)
    }

    /// Stands for everything of a sub type, which `problem` keeps from being listed.
    pub(super) fn unlisted(&self, kind: Kind, sub_type: &str, problem: &Problem) -> Resource {
        let selector = Selector::new(kind, sub_type);
        Resource::unlisted(&selector, &self.owner, Gap::new(problem.reason, problem.what.clone()))
    }
}
