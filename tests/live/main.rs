//! The program on real parts: a kubeadm node, its API server, Elasticsearch and OpenSearch; and on an emulated AWS.
//!
//! Run by `make test`, inside the test bed's network namespace. Tests share one cluster, so each holds
//! [`bed::Bed`]'s lock for its whole length, alone or beside others that leave the cluster alone, as [`aws::Aws`] is held;
//! each writes to data streams of its own namespace.

#![allow(unreachable_pub, reason = "a test binary exports nothing, and its modules share by `pub`")]
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod aws;
mod bed;
mod breaks;
mod built_in_roles;
mod canaries;
mod certificates;
mod clusters;
mod configz;
mod daemonset;
mod delivery;
mod denials;
mod deploy;
mod election;
mod flagz;
mod flips;
mod golden;
mod impostor;
mod kept;
mod open_world;
mod plane;
mod pod_security;
mod scans;
mod stores;
mod verdicts;
mod watch;
mod workloads;
