//! What the processes of a node lead to.

use std::collections::BTreeSet;

use crate::collect::component::Component;
use crate::collect::node::named_files::{self, NamedFile};
use crate::resource::{Gap, Resource};

/// What the processes of a node lead to.
#[derive(Debug, Default)]
pub struct ProcessInventory {
    /// Files that running components name, and the manifests that start them.
    pub named: Vec<NamedFile>,
    /// Roles of files that a component may name in a place that could not be read.
    pub unnamed: Vec<(&'static [&'static str], Gap)>,
    /// Why there may be other manifests.
    pub unlisted_manifests: Vec<Gap>,
    /// Components that certainly do not run here, and that no manifest is to start.
    pub absent: BTreeSet<Component>,
    /// The running components: there are only a few, and some are joined with others.
    pub(super) resources: Vec<Resource>,
    /// Components that may run unseen, and why.
    pub(super) unseen: Vec<(Component, Gap)>,
}

impl ProcessInventory {
    /// Notes that the files which a component names are unknown.
    pub(super) fn lose(&mut self, component: Component, why: &Gap) {
        self.unnamed.extend(named_files::roles(component).map(|roles| (roles, why.clone())));
        if component == Component::Kubelet {
            self.unlisted_manifests.push(why.clone());
        }
    }
}
