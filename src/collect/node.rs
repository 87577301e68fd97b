//! One node, observed once.
//!
//! In: the host's root, and who the node is. Out: its processes, then its files (processes name some of
//! them), each as it is found. Blocking: the runtime calls it off its own threads.

use super::files;
use super::hostfs::HostRoot;
use super::processes::{self, Ignored};
use crate::resource::{Owner, Resource};

/// What was seen, in short.
#[derive(Debug, Default)]
pub struct Summary {
    /// How many resources were emitted.
    pub resources: usize,
    /// Processes with a component's name that nobody vouches for.
    pub ignored: Vec<Ignored>,
}

/// Observes a node. `node` stands for what could not be listed: id `node/<uid>`.
pub fn observe(host: &HostRoot, node: &Owner, emit: &mut dyn FnMut(Resource)) -> Summary {
    let mut resources = 0;
    let mut counted = |resource| {
        resources += 1;
        emit(resource);
    };
    let observed = processes::observe(host, node, &mut counted);
    files::observe(host, node, &observed, &mut counted);
    Summary { resources, ignored: observed.ignored }
}
