//! What was written down before: recordings of the collectors, and plain Kubernetes manifests.

pub mod manifests;
pub mod snapshot;
