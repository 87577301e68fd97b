//! How much of a cluster and a node a source shows.

use std::collections::BTreeSet;

use super::{Kind, Resource};

/// Of which kinds a source shows all there is. Of any other kind it shows a part: what is not in it may exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceExtent {
    /// All kinds: the API and the node as they are. A list that failed is a gap of its own.
    Everything,
    /// These kinds, by [`SourceExtent::kind_of`]: a recording.
    Kinds(BTreeSet<String>),
    /// None: manifests, which somebody is going to apply to a cluster that they do not show.
    Manifests,
}

impl SourceExtent {
    /// Whether it shows all resources of a kind.
    pub fn is_whole(&self, kind: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Kinds(kinds) => kinds.contains(kind),
            Self::Manifests => false,
        }
    }

    /// The name under which a resource counts: the Kind of an object of the API, `file` or `process` of a node, the
    /// `resource.sub_type` of anything else.
    pub fn kind_of(resource: &Resource) -> &str {
        match resource.kind {
            Kind::File | Kind::Process => resource.kind.as_str(),
            Kind::K8sObject | Kind::Caas | Kind::LoadBalancer | Kind::ContainerRegistry => &resource.sub_type,
        }
    }
}
