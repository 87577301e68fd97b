//! Collection from one node.
//!
//! In: the host's root, and the identity of the node. Out: its processes, then its files (processes name some of
//! them), each as it is found. This blocks, so callers run it on a blocking thread.

mod cni;
mod files;
pub mod filesystem;
pub mod host;
mod named_files;
pub mod places;
pub mod processes;
pub(crate) mod static_pods;

#[cfg(test)]
pub(in crate::collect) mod tests;

use crate::resource::{Owner, Resource};
use filesystem::hostfs::HostRoot;

/// Collects from a node. `node` (id `node/<uid>`) owns the resources that stand for what could not be listed.
pub fn observe(host: &HostRoot, node: &Owner, emit: &mut dyn FnMut(Resource)) {
    let observed = processes::observe(host, node, emit);
    files::observe(host, node, &observed, emit);
}
