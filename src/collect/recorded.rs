//! Recorded input: recordings of the collectors, and Kubernetes manifests.

pub mod manifests;
pub mod snapshot;
