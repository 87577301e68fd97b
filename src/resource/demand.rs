//! What rules ask of API objects: of which kinds, in which namespaces, and which places they read.

use std::collections::{BTreeMap, BTreeSet};

use super::TemplatePath;

/// By the name of the kind that controls use: `Pod`, `Certificate.cert-manager.io`.
pub type ObjectDemands = BTreeMap<String, ObjectDemand>;

/// What rules ask of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectDemand {
    /// The namespaces that they ask about; `None`: all.
    pub namespaces: Option<BTreeSet<String>>,
    /// The places that they read, as keys from the root; what stands under them counts too.
    pub reads: BTreeSet<Vec<String>>,
    /// Where the template of pods is that is judged too.
    pub pod_template: Option<TemplatePath>,
}

impl ObjectDemand {
    /// Objects of every namespace, of which these places are read.
    pub fn everywhere(reads: BTreeSet<Vec<String>>) -> Self {
        Self { reads, ..Self::default() }
    }

    /// Asks for what another asks for as well.
    pub fn merge(&mut self, other: Self) {
        self.namespaces = match (self.namespaces.take(), other.namespaces) {
            (Some(mut own), Some(more)) => {
                own.extend(more);
                Some(own)
            }
            _ => None,
        };
        self.reads.extend(other.reads);
        self.pod_template = self.pod_template.take().or(other.pod_template);
    }
}
