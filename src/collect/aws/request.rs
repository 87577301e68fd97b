//! For whom AWS is asked.

use std::collections::BTreeSet;

use crate::resource::{Kind, Owner, Selector};

/// Whose cluster it is, where, and what is wanted of it.
#[derive(Debug, Clone)]
pub struct Request {
    /// The account of the credentials: twelve digits.
    pub account: String,
    /// The cluster's region, such as `eu-west-1`.
    pub region: String,
    /// The cluster's partition: `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// Owns what could not be listed.
    pub owner: Owner,
    /// What rules ask for.
    pub wanted: BTreeSet<Selector>,
}

impl Request {
    /// Whether a rule asks for it.
    pub(super) fn wants(&self, kind: Kind, sub_type: &str) -> bool {
        self.wanted.iter().any(|selector| selector.kind == kind && selector.name == sub_type)
    }
}
