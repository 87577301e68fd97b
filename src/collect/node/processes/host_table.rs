//! The facts of the host that its processes are compared with.

use super::proc_stat;
use super::process::path_of;
use crate::collect::bounds::MAX_MOUNT_TABLE;
use crate::collect::node::filesystem::hostfs::HostRoot;
use crate::collect::node::filesystem::mounts::{self, Mount};
use crate::resource::{Gap, Reason};

/// Facts about the host that all processes are compared with.
pub(super) struct HostProcessTable {
    pub namespace: Option<String>,
    pub mounts: Vec<Mount>,
    pub boot: Option<i64>,
}

impl HostProcessTable {
    pub(super) fn read(host: &HostRoot) -> Self {
        let first = host.within("/proc/1").ok();
        Self {
            namespace: first.as_ref().and_then(|first| first.read_link("ns/mnt").ok()),
            mounts: first.as_ref().and_then(|first| mount_table(first).ok()).unwrap_or_default(),
            boot: host
                .read("/proc/stat")
                .ok()
                .and_then(|text| proc_stat::boot_time(&String::from_utf8_lossy(&text))),
        }
    }
}

/// A process's mount namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MountNamespace {
    /// That of the host's first process.
    Host,
    /// Another.
    Other,
    /// It cannot be read.
    Hidden(Gap),
}

/// The mount table of a process.
pub(super) fn mount_table(process: &HostRoot) -> Result<Vec<Mount>, Reason> {
    match process.read_up_to("mountinfo", MAX_MOUNT_TABLE) {
        Ok((bytes, false)) => Ok(mounts::parse(&String::from_utf8_lossy(&bytes))),
        Ok((_, true)) => Err(Reason::TooLarge),
        Err(error) => Err(error.reason),
    }
}

/// Whether a process shares the mount namespace of the host. Compared by the link `ns/mnt` if that can be read, else by
/// the mount tables.
pub(super) fn namespace(
    pid: u32,
    process: &HostRoot,
    host: &HostProcessTable,
    own: Result<&[Mount], &Reason>,
) -> MountNamespace {
    if let (Ok(own), Some(host)) = (process.read_link("ns/mnt"), &host.namespace) {
        return if own == *host { MountNamespace::Host } else { MountNamespace::Other };
    }
    match own {
        Ok(own) if !own.is_empty() && !host.mounts.is_empty() => {
            if mounts::same_namespace(own, &host.mounts) {
                MountNamespace::Host
            } else {
                MountNamespace::Other
            }
        }
        Ok(_) => MountNamespace::Hidden(Gap::new(Reason::Denied, "read /proc/1/mountinfo".to_owned())),
        Err(reason) => {
            MountNamespace::Hidden(Gap::new(*reason, format!("read {}", path_of(pid, "mountinfo"))))
        }
    }
}
