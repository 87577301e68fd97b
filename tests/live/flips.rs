//! The real thing is changed: exactly the named verdicts change, and change back.
//!
//! Between them these tests turn the verdict of nearly every recommendation of cis_k8s 2.0.1. What they change is put
//! back also when they fail.

pub mod arguments;
mod audit;
mod cluster;
mod files;
mod kubelet;
pub mod plain;
mod pods;
mod rbac;
mod static_pod;
