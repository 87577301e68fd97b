//! A process's view of the host's files.
//!
//! In: a path from a process's arguments or configuration. Out: the path on the host. A process in the host's mount
//! namespace has the host's paths; paths in a pod are mapped by its volumes and its mount table, so a path in the pod
//! never opens the host's file of that name.

use super::hostfs::HostRoot;
use super::mounts::{self, Mount};
use crate::collect::config_files;
use crate::collect::config_files::kinds::FileKind;
use crate::resource::{Gap, Reason};
use serde_json::Value;

/// One process's view of the host's files.
#[derive(Debug)]
pub(crate) struct ProcessView<'a> {
    host: &'a HostRoot,
    sight: MountContext<'a>,
    directory: Option<String>,
}

/// The mounts that a process sees.
#[derive(Debug)]
pub(crate) enum MountContext<'a> {
    /// Those of the host.
    Host,
    /// Its own: those of a container, or of a unit that systemd gives a mount namespace.
    Own {
        /// From a static pod's manifest: path in the container, path on the host if there is one.
        volumes: &'a [(String, Option<String>)],
        /// Its mount table.
        table: Vec<Mount>,
        /// The mount table of the host's first process.
        host_table: &'a [Mount],
    },
}

impl<'a> ProcessView<'a> {
    /// `directory`: the process's working directory, if it could be read.
    pub(crate) fn new(host: &'a HostRoot, sight: MountContext<'a>, directory: Option<String>) -> Self {
        Self { host, sight, directory }
    }

    /// The host's root.
    pub(crate) fn host(&self) -> &'a HostRoot {
        self.host
    }

    /// The host path of a path.
    pub(crate) fn host_path(&self, path: &str) -> Result<String, Gap> {
        let absolute = match &self.directory {
            _ if path.starts_with('/') => path.to_owned(),
            Some(directory) => format!("{directory}/{path}"),
            None => {
                let what = format!("read {path}, which is relative to an unknown working directory");
                return Err(Gap::new(Reason::Denied, what));
            }
        };
        match &self.sight {
            MountContext::Host => Ok(tidy(&absolute)),
            MountContext::Own { volumes, table, host_table } => mounts::through_volumes(&absolute, volumes)
                .or_else(|| mounts::host_path(&absolute, table, host_table))
                .ok_or_else(|| {
                    Gap::new(
                        Reason::Denied,
                        format!("read {path}, which is in the container's own file system"),
                    )
                }),
        }
    }

    /// Reads a file of the expected kind.
    pub(crate) fn parse(&self, path: &str, expected: &FileKind) -> Result<Value, Gap> {
        let path = self.host_path(path)?;
        parse(self.host, &path, expected)
    }
}

/// Reads a file of the host, of the expected kind.
pub(crate) fn parse(host: &HostRoot, path: &str, expected: &FileKind) -> Result<Value, Gap> {
    let bytes = host.read(path)?;
    config_files::parse(expected, &bytes).map_err(|gap| gap.during(format!("read {path}")))
}

/// Resolves a path in the file `file` relative to that file's directory. If `file` is relative, so is the result.
pub(crate) fn beside(file: &str, path: &str) -> String {
    match file.rsplit_once('/') {
        Some((directory, _)) if !path.starts_with('/') => format!("{directory}/{path}"),
        _ => path.to_owned(),
    }
}

/// Removes repeated slashes, `.` and a trailing slash. `..` stays, because its meaning depends on links.
pub(crate) fn tidy(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_comparable() {
        assert_eq!(tidy("/var//lib/./etcd/"), "/var/lib/etcd");
        assert_eq!(tidy("/"), "/");
        assert_eq!(beside("/var/lib/kubelet/config.yaml", "pki/ca.crt"), "/var/lib/kubelet/pki/ca.crt");
        assert_eq!(beside("/var/lib/kubelet/config.yaml", "/etc/ca.crt"), "/etc/ca.crt");
        assert_eq!(beside("config.yaml", "pki/ca.crt"), "pki/ca.crt");
        assert_eq!(beside("/config.yaml", "ca.crt"), "/ca.crt");
    }
}
