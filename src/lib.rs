//! posturebeat watches how secure Kubernetes clusters are.
//!
//! The tree is the path of the data: config → collect → evaluate → finding → pipeline → output.
//! `ARCHITECTURE.md` follows one finding along it.

pub mod event;
pub mod output;
pub mod pipeline;
pub mod resource;
pub mod rule;
pub mod setup;
pub mod yaml;
