//! One node, observed once.
//!
//! In: the host's root, and who the node is. Out: its processes, then its files (processes name some of
//! them), each as it is found. Blocking: the runtime calls it off its own threads.

use super::files;
use super::hostfs::HostRoot;
use super::processes;
use crate::resource::{Owner, Resource};

/// Observes a node. `node` stands for what could not be listed: id `node/<uid>`.
pub fn observe(host: &HostRoot, node: &Owner, emit: &mut dyn FnMut(Resource)) {
    let observed = processes::observe(host, node, emit);
    files::observe(host, node, &observed, emit);
}
