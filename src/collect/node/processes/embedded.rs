//! Programs that run several components in one process: each component becomes a resource.
//!
//! In: a trusted process. Out: its components with their arguments, from wherever the program has them. An argument
//! that the program sets and shows nowhere is reported as unread, never assumed to be the default.

mod k3s;
mod k3s_arguments;
mod k3s_options;
mod kubelite;

use super::program::Program;
use crate::collect::arguments::{self, KnownArguments};
use crate::collect::component::Component;
use crate::collect::node::filesystem::hostfs::HostRoot;
use crate::redact;
use crate::resource::Gap;

/// One of the components in a process.
#[derive(Debug)]
pub(super) struct EmbeddedComponent {
    /// The component.
    pub component: Component,
    /// Its arguments.
    pub given: KnownArguments,
}

/// A process that runs several components.
#[derive(Debug)]
pub(super) struct EmbeddingProcess<'a> {
    /// The host's file system.
    pub host: &'a HostRoot,
    /// Its argument list.
    pub words: &'a [String],
    /// The text of `/proc/<pid>/cgroup`.
    pub cgroup: &'a str,
}

/// The components of a program, the kubelet first if there is one.
pub(super) fn parts(program: &Program, holder: &EmbeddingProcess<'_>) -> Vec<EmbeddedComponent> {
    let mut parts = match program {
        Program::One(_) => Vec::new(),
        Program::K3s { server, flags } => k3s::parts(holder, *server, flags.as_deref()),
        Program::Kubelite { flags } => kubelite::parts(holder, flags),
    };
    parts.sort_by_key(|part| part.component != Component::Kubelet);
    parts
}

impl EmbeddedComponent {
    /// Parses an argument list, secrets blanked.
    fn of_words(component: Component, mut words: Vec<String>) -> Self {
        redact::arguments(&mut words);
        let arguments = arguments::parse(component, &words);
        Self { component, given: KnownArguments { arguments, unread: Vec::new() } }
    }

    /// A component with unknown arguments.
    pub(super) fn unknown(component: Component, gap: Gap) -> Self {
        let unread = vec![gap.at("$.args")];
        Self { component, given: KnownArguments { unread, ..KnownArguments::default() } }
    }
}
