//! Programs that hold several components: each comes out as one of its own.
//!
//! In: a process that root vouches for. Out: the components in it with their arguments, from where these
//! really are; what the program adds by itself and shows nowhere is said, never taken for a default.

mod k3s;
mod k3s_arguments;
mod k3s_options;
mod kubelite;

use super::program::Program;
use crate::collect::arguments::{self, KnownArguments};
use crate::collect::component::Component;
use crate::collect::node::filesystem::hostfs::HostRoot;
use crate::collect::redact;
use crate::resource::Gap;

/// A component in a process.
#[derive(Debug)]
pub struct EmbeddedComponent {
    /// Which.
    pub component: Component,
    /// What the program gives it.
    pub given: KnownArguments,
}

/// The process that holds them.
#[derive(Debug)]
pub struct EmbeddingProcess<'a> {
    /// The host.
    pub host: &'a HostRoot,
    /// Its argument list.
    pub words: &'a [String],
    /// The text of its control groups.
    pub cgroup: &'a str,
}

/// The components in a program, the kubelet first where there is one.
pub fn parts(program: &Program, holder: &EmbeddingProcess<'_>) -> Vec<EmbeddedComponent> {
    let mut parts = match program {
        Program::One(_) => Vec::new(),
        Program::K3s { server, flags } => k3s::parts(holder, *server, flags.as_deref()),
        Program::Kubelite { flags } => kubelite::parts(holder, flags),
    };
    parts.sort_by_key(|part| part.component != Component::Kubelet);
    parts
}

impl EmbeddedComponent {
    /// Reads what it was given, secrets blanked.
    fn of_words(component: Component, mut words: Vec<String>) -> Self {
        redact::arguments(&mut words);
        let arguments = arguments::parse(component, &words);
        Self { component, given: KnownArguments { arguments, unread: Vec::new() } }
    }

    /// A component of whose arguments nothing is known.
    pub fn unknown(component: Component, gap: Gap) -> Self {
        let unread = vec![gap.at("$.args")];
        Self { component, given: KnownArguments { unread, ..KnownArguments::default() } }
    }
}
