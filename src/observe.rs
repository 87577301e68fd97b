//! Observation: who the cluster and the node are, what is in scope, and the collectors that read them, live or from a
//! recording.

pub(crate) mod cloud;
pub(crate) mod clouds;
mod cluster_watch;
pub(crate) mod data_dir;
mod live;
mod node_sight;
mod observation;
pub(crate) mod remarks;
mod scope;
mod source;
mod workloads;

pub(crate) use cluster_watch::ClusterWatch;
pub(crate) use observation::{InputRemarks, Observation, Wanted};
pub use scope::Scope;
pub use source::Source;
pub(crate) use source::observe;

/// Resources in flight between the collectors and the judge. A pod can be a megabyte, so this is small; the judge is
/// faster than any collector.
const IN_FLIGHT: usize = 16;
