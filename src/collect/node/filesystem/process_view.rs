//! How a process sees the host's files.
//!
//! In: a path out of a process's arguments or configuration. Out: the host's path. A process in the
//! host's mount namespace sees what the host sees; one in a pod is followed through its volumes and its
//! mount table, so that a path of the pod never opens the host's file of that name.

use super::hostfs::HostRoot;
use super::mounts::{self, Mount};
use crate::collect::config_files;
use crate::collect::config_files::kinds::FileKind;
use crate::resource::{Gap, Reason};
use serde_json::Value;

/// One process's view.
#[derive(Debug)]
pub struct ProcessView<'a> {
    host: &'a HostRoot,
    sight: MountContext<'a>,
    directory: Option<String>,
}

/// What a process sees.
#[derive(Debug)]
pub enum MountContext<'a> {
    /// What the host sees.
    Host,
    /// What a static pod's container sees.
    Pod {
        /// By its manifest: path inside, path on the host where there is one.
        volumes: &'a [(String, Option<String>)],
        /// Its mount table.
        table: Vec<Mount>,
        /// That of the host's first process.
        host_table: &'a [Mount],
    },
}

impl<'a> ProcessView<'a> {
    /// `directory`: the process's working directory, where it could be read.
    pub fn new(host: &'a HostRoot, sight: MountContext<'a>, directory: Option<String>) -> Self {
        Self { host, sight, directory }
    }

    /// The host's root.
    pub fn host(&self) -> &'a HostRoot {
        self.host
    }

    /// Where a path lies on the host.
    pub fn host_path(&self, path: &str) -> Result<String, Gap> {
        let absolute = match &self.directory {
            _ if path.starts_with('/') => path.to_owned(),
            Some(directory) => format!("{directory}/{path}"),
            None => {
                let what =
                    format!("read {path}, which is relative to a working directory that is out of sight");
                return Err(Gap::new(Reason::Denied, what));
            }
        };
        match &self.sight {
            MountContext::Host => Ok(tidy(&absolute)),
            MountContext::Pod { volumes, table, host_table } => mounts::through_volumes(&absolute, volumes)
                .or_else(|| mounts::host_path(&absolute, table, host_table))
                .ok_or_else(|| {
                    Gap::new(
                        Reason::Denied,
                        format!("read {path}, which lies in the container's own file system"),
                    )
                }),
        }
    }

    /// Reads a file as what it is expected to be.
    pub fn parse(&self, path: &str, expected: &FileKind) -> Result<Value, Gap> {
        let path = self.host_path(path)?;
        parse(self.host, &path, expected)
    }
}

/// Reads a file of the host as what it is expected to be.
pub fn parse(host: &HostRoot, path: &str, expected: &FileKind) -> Result<Value, Gap> {
    let bytes = host.read(path)?;
    config_files::parse(expected, &bytes).map_err(|gap| gap.during(format!("read {path}")))
}

/// A path that stands in the file `file`: relative to its directory. Where the file itself is relative, so is
/// what comes out, to the same place.
pub fn beside(file: &str, path: &str) -> String {
    match file.rsplit_once('/') {
        Some((directory, _)) if !path.starts_with('/') => format!("{directory}/{path}"),
        _ => path.to_owned(),
    }
}

/// Without doubled slashes, `.` and a slash at the end. `..` stays: what it means hangs on links.
pub fn tidy(path: &str) -> String {
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
