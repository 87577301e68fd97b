//! For tests: paths that the kernel refuses to open. Tests may run as root, which is refused nothing.

use std::sync::Arc;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// What is refused about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Its content; it still exists, and so do the files below it.
    Content,
    /// The path and everything below it.
    All,
}

/// Paths of the host that cannot be opened.
#[derive(Debug, Clone, Default)]
pub struct Refusals(Arc<[(String, Refused, Errno)]>);

impl Refusals {
    /// Refuses these paths.
    pub fn new(paths: Vec<(String, Refused, Errno)>) -> Self {
        Self(paths.into())
    }

    /// The error of the kernel, if it refuses.
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
