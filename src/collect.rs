//! Observing (temporary head).
pub mod cluster;
pub mod host;
pub mod join;
pub mod manifests;
pub mod object;
pub mod redact;
pub mod snapshot;
