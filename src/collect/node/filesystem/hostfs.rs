//! Access to the host's file system, confined to its root.
//!
//! In: a directory that is the host's `/` or a mount of it. Out: bytes, names and metadata. The kernel resolves every
//! path with `openat2` and RESOLVE_IN_ROOT, so a link, absolute or with `..`, stays inside the root and never leads
//! into our own container.

#[cfg(test)]
pub mod refusals;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use crate::collect::bounds::MAX_FILE;
use crate::resource::{Gap, Reason};

/// The reason for a gap, from an error of the kernel.
fn reason(errno: Errno) -> Reason {
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::SRCH => Reason::Missing,
        Errno::ACCESS | Errno::PERM => Reason::Denied,
        Errno::LOOP | Errno::NAMETOOLONG | Errno::INVAL => Reason::Malformed,
        _ => Reason::Unavailable,
    }
}

/// An entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Its name.
    pub name: OsString,
    /// Its file type; links are not followed.
    pub kind: FileType,
}

impl DirectoryEntry {
    /// Its name as text. Programs that take any bytes read a file of another name; we say that we do not.
    pub fn text(&self, directory: &str) -> Result<&str, Gap> {
        self.name.to_str().ok_or_else(|| {
            let what = format!("read {directory}/{}: its name is not UTF-8", self.name.to_string_lossy());
            Gap::new(Reason::Malformed, what)
        })
    }
}

/// The entries of a directory, in byte order.
#[derive(Debug, Clone)]
pub struct DirectoryListing {
    /// The entries, without `.` and `..`.
    pub entries: Vec<DirectoryEntry>,
    /// Whether there are more than the limit.
    pub cut: bool,
}

/// A directory as a root: no path opened through it leads outside.
#[derive(Debug)]
pub struct HostRoot {
    root: OwnedFd,
    /// The prefix of paths in messages; empty for the host's root.
    prefix: String,
    #[cfg(test)]
    refusals: refusals::Refusals,
}

impl HostRoot {
    /// Opens the directory where the host's `/` is mounted.
    pub fn open(path: &Path) -> Result<Self, Gap> {
        let shown = path.display();
        let unopened = |errno: Errno| {
            let advice = "check that it is mounted and that `host_root` names it";
            Gap::new(reason(errno), format!("open the host's root directory `{shown}`: {errno}; {advice}"))
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(path, flags, Mode::empty()).map_err(unopened)?;
        let host = Self {
            root,
            prefix: String::new(),
            #[cfg(test)]
            refusals: refusals::Refusals::default(),
        };
        match host.resolve(OsStr::new("."), OFlags::PATH) {
            Ok(_) => Ok(host),
            Err(Errno::NOSYS) => Err(Gap::new(
                Reason::Unavailable,
                format!(
                    "read below `{shown}` safely: the kernel has no openat2, which needs Linux 5.6 or newer"
                ),
            )),
            Err(errno) => Err(unopened(errno)),
        }
    }

    /// A directory of the host as a new root. The kernel ties an open `/proc/<pid>` to one process, so later reads
    /// cannot come from another with the same id.
    pub fn within(&self, path: impl AsRef<OsStr>) -> Result<Self, Gap> {
        let path = path.as_ref();
        let root = self
            .resolve(path, OFlags::PATH | OFlags::DIRECTORY)
            .map_err(|errno| self.failed("open", path, errno))?;
        Ok(Self {
            root,
            prefix: self.shown(path),
            #[cfg(test)]
            refusals: self.refusals.clone(),
        })
    }

    /// The same host with some paths refused.
    #[cfg(test)]
    #[must_use]
    pub fn refusing(self, refusals: refusals::Refusals) -> Self {
        Self { refusals, ..self }
    }

    /// Metadata of a file; links are followed inside the root.
    pub fn stat(&self, path: impl AsRef<OsStr>) -> Result<Stat, Gap> {
        let path = path.as_ref();
        let file = self.resolve(path, OFlags::PATH).map_err(|errno| self.failed("stat", path, errno))?;
        rustix::fs::fstat(file).map_err(|errno| self.failed("stat", path, errno))
    }

    /// Whether the path itself is a symbolic link.
    pub fn is_link(&self, path: impl AsRef<OsStr>) -> bool {
        self.resolve(path.as_ref(), OFlags::PATH | OFlags::NOFOLLOW)
            .and_then(rustix::fs::fstat)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
    }

    /// The target of a symbolic link.
    pub fn read_link(&self, path: impl AsRef<OsStr>) -> Result<String, Gap> {
        let path = path.as_ref();
        let target = self
            .resolve(path, OFlags::PATH | OFlags::NOFOLLOW)
            .and_then(|link| rustix::fs::readlinkat(link, "", Vec::new()))
            .map_err(|errno| self.failed("read", path, errno))?;
        Ok(target.to_string_lossy().into_owned())
    }

    /// The content of a regular file of at most [`MAX_FILE`] bytes.
    pub fn read(&self, path: impl AsRef<OsStr>) -> Result<Vec<u8>, Gap> {
        let path = path.as_ref();
        let (bytes, cut) = self.read_up_to(path, MAX_FILE)?;
        if cut {
            let what = format!("read {}: over {MAX_FILE} bytes", self.shown(path));
            return Err(Gap::new(Reason::TooLarge, what));
        }
        Ok(bytes)
    }

    /// The first `limit` bytes of a regular file, and whether there is more.
    pub fn read_up_to(&self, path: impl AsRef<OsStr>, limit: usize) -> Result<(Vec<u8>, bool), Gap> {
        let path = path.as_ref();
        let failed = |errno| self.failed("read", path, errno);
        // Checked before it is opened: opening a pipe unblocks its writer, and opening a device may have side
        // effects.
        self.expect_regular(path, &self.resolve(path, OFlags::PATH).map_err(failed)?)?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = self.resolve(path, flags).map_err(failed)?;
        self.expect_regular(path, &file)?;

        let mut bytes = Vec::new();
        let mut chunk = [0_u8; 16 * 1024];
        loop {
            let count = rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut chunk)).map_err(failed)?;
            if count == 0 {
                return Ok((bytes, false));
            }
            bytes.extend_from_slice(&chunk[..count]);
            if bytes.len() > limit {
                bytes.truncate(limit);
                return Ok((bytes, true));
            }
        }
    }

    /// The first `limit` entries of a directory.
    pub fn list(&self, path: impl AsRef<OsStr>, limit: usize) -> Result<DirectoryListing, Gap> {
        let path = path.as_ref();
        let failed = |errno| self.failed("list", path, errno);
        let directory = self.resolve(path, OFlags::RDONLY | OFlags::DIRECTORY).map_err(failed)?;
        let mut entries = Vec::new();
        let mut cut = false;
        for entry in Dir::read_from(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            if entries.len() == limit {
                cut = true;
                break;
            }
            let kind = match entry.file_type() {
                // Some file systems do not report the type; the entry may be deleted by now.
                FileType::Unknown => rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW)
                    .map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode)),
                kind => kind,
            };
            entries.push(DirectoryEntry { name: name.to_owned(), kind });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(DirectoryListing { entries, cut })
    }

    fn expect_regular(&self, path: &OsStr, file: &OwnedFd) -> Result<(), Gap> {
        let stat = rustix::fs::fstat(file).map_err(|errno| self.failed("read", path, errno))?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
            Ok(())
        } else {
            Err(Gap::new(Reason::Malformed, format!("read {}: not a regular file", self.shown(path))))
        }
    }

    fn resolve(&self, path: &OsStr, flags: OFlags) -> Result<OwnedFd, Errno> {
        // EAGAIN: something was renamed while `..` was resolved. A hostile process could repeat that forever.
        const ATTEMPTS: usize = 8;
        #[cfg(test)]
        if let Some(errno) = self.refusals.of(&self.shown(path), flags) {
            return Err(errno);
        }
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let mut last = Errno::AGAIN;
        for _ in 0..ATTEMPTS {
            let opened =
                rustix::fs::openat2(self.root.as_fd(), path, flags | OFlags::CLOEXEC, Mode::empty(), resolve);
            match opened {
                Err(errno @ (Errno::AGAIN | Errno::INTR)) => last = errno,
                other => return other,
            }
        }
        Err(last)
    }

    fn failed(&self, operation: &'static str, path: &OsStr, errno: Errno) -> Gap {
        Gap::new(reason(errno), format!("{operation} {}", self.shown(path)))
    }

    fn shown(&self, path: &OsStr) -> String {
        let path = path.to_string_lossy();
        format!("{}/{}", self.prefix, path.trim_start_matches('/'))
    }
}
