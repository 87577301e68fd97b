//! Glob expansion on the host.
//!
//! In: a pattern. Out: existing paths, and what could not be listed. Links to directories are followed inside the
//! host's root; a directory that is reached twice is walked once.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use rustix::fs::FileType;

use super::hostfs::HostRoot;
use crate::collect::bounds::{MAX_DEPTH, MAX_ENTRIES};
use crate::resource::{Gap, Reason};

/// The result of expanding a glob.
#[derive(Debug, Default)]
pub(crate) struct GlobMatches {
    /// The paths, in order. Some may be dangling links.
    pub paths: Vec<PathBuf>,
    /// The directories that could not be listed.
    pub unlisted: Vec<Gap>,
}

/// Expands a pattern. A path without glob characters is returned unchanged.
pub(crate) fn expand(host: &HostRoot, pattern: &str) -> GlobMatches {
    if !pattern.contains('*') {
        return GlobMatches { paths: vec![PathBuf::from(pattern)], unlisted: Vec::new() };
    }
    let matcher = GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .expect("the patterns of the table of places are valid globs")
        .compile_matcher();
    let base: PathBuf = Path::new(pattern).components().take_while(|part| !is_glob(part)).collect();
    let below = Path::new(pattern).components().count() - base.components().count();
    let levels = if pattern.contains("**") { MAX_DEPTH } else { below };
    let mut walk =
        GlobWalk { host, matcher, seen: HashSet::new(), entries: 0, found: GlobMatches::default() };
    walk.descend(&base, levels, pattern.contains("**"));
    walk.found
}

/// Every path below a directory, whatever characters its name has.
pub(crate) fn below(host: &HostRoot, directory: &str) -> GlobMatches {
    let matcher = everything();
    let mut walk =
        GlobWalk { host, matcher, seen: HashSet::new(), entries: 0, found: GlobMatches::default() };
    walk.descend(Path::new(directory), MAX_DEPTH, true);
    walk.found
}

fn everything() -> GlobMatcher {
    GlobBuilder::new("/**").build().expect("a valid glob").compile_matcher()
}

fn is_glob(part: &std::path::Component<'_>) -> bool {
    part.as_os_str().to_string_lossy().contains('*')
}

struct GlobWalk<'a> {
    host: &'a HostRoot,
    matcher: GlobMatcher,
    /// Device and inode of walked directories, because links can form a cycle.
    seen: HashSet<(u64, u64)>,
    entries: usize,
    found: GlobMatches,
}

impl GlobWalk<'_> {
    /// `open_ended`: the pattern has no last level, so a directory below the deepest walked level is reported as
    /// unlisted.
    fn descend(&mut self, directory: &Path, levels: usize, open_ended: bool) {
        let shown = format!("list {}", directory.display());
        let listing = match self.host.stat(directory) {
            Ok(stat) if !self.seen.insert((stat.st_dev, stat.st_ino)) => return,
            Ok(_) => self.host.list(directory, MAX_ENTRIES - self.entries),
            Err(error) => Err(error),
        };
        let listing = match listing {
            Ok(listing) => listing,
            // It does not exist, or was deleted meanwhile.
            Err(error) if error.reason == Reason::Missing => return,
            Err(error) => return self.found.unlisted.push(Gap::new(error.reason, shown)),
        };
        self.entries += listing.entries.len();
        if listing.cut {
            self.found.unlisted.push(Gap::new(Reason::TooLarge, shown));
        }
        for entry in listing.entries {
            let path = directory.join(&entry.name);
            if self.leads_on(&path, entry.kind) {
                if levels > 1 {
                    self.descend(&path, levels - 1, open_ended);
                } else if open_ended {
                    self.found.unlisted.push(Gap::new(Reason::TooLarge, format!("list {}", path.display())));
                }
            }
            if self.matcher.is_match(&path) {
                self.found.paths.push(path);
            }
        }
    }

    fn leads_on(&mut self, path: &Path, kind: FileType) -> bool {
        match kind {
            FileType::Directory => true,
            FileType::Symlink | FileType::Unknown => match self.host.stat(path) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode) == FileType::Directory,
                // A dangling link, or one to itself.
                Err(error) if matches!(error.reason, Reason::Missing | Reason::Malformed) => false,
                Err(error) => {
                    self.found.unlisted.push(Gap::new(error.reason, format!("stat {}", path.display())));
                    false
                }
            },
            _ => false,
        }
    }
}
