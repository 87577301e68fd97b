//! posturebeat watches how secure Kubernetes clusters are.
//!
//! The tree is the path of the data: config → collect → evaluate → finding → pipeline → output.
//! `ARCHITECTURE.md` follows one finding along it.

pub mod causes;
pub mod cli;
pub mod collect;
pub mod config;
pub mod evaluate;
pub mod event;
pub mod exception;
pub mod finding;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod kube_api;
pub mod leader;
pub mod observe;
pub mod output;
pub mod pipeline;
pub mod redact;
pub mod report;
pub mod resource;
pub mod rule;
pub mod runtime;
pub mod setup;
pub mod telemetry;
pub mod yaml;
