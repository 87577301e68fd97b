//! One node, observed once.
//!
//! In: the host's root, and who the node is. Out: its processes, then its files (processes name some of
//! them), each as it is found. Blocking: the runtime calls it off its own threads.

mod files;
pub mod filesystem;
pub mod host;
mod named_files;
pub mod places;
pub mod processes;
mod static_pods;

#[cfg(test)]
pub(in crate::collect) mod tests;

use crate::resource::{Owner, Resource};
use filesystem::hostfs::HostRoot;

/// Observes a node. `node` stands for what could not be listed: id `node/<uid>`.
pub fn observe(host: &HostRoot, node: &Owner, emit: &mut dyn FnMut(Resource)) {
    let observed = processes::observe(host, node, emit);
    files::observe(host, node, &observed, emit);
}
