//! What a kernel refuses, for tests: root, as whom they may run, is refused nothing.

use std::sync::Arc;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// How much of a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Its content; it is still there, and so is what lies below.
    Content,
    /// It, and all below.
    All,
}

/// Paths of the host that cannot be opened.
#[derive(Debug, Clone, Default)]
pub struct Refusals(Arc<[(String, Refused, Errno)]>);

impl Refusals {
    /// These.
    pub fn new(paths: Vec<(String, Refused, Errno)>) -> Self {
        Self(paths.into())
    }

    /// What the kernel would say.
    pub fn of(&self, path: &str, flags: OFlags) -> Option<Errno> {
        let found = self.0.iter().find(|(refused, how, _)| match how {
            Refused::Content => path == refused && !flags.contains(OFlags::PATH),
            Refused::All => path
                .strip_prefix(refused.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        });
        found.map(|(_, _, errno)| *errno)
    }
}
