//! Programs that start components as their children: k0s and RKE2 on any host, machined on Talos.
//!
//! Which users they give their children is part of deciding whom to trust, so it is code and not a file that users change.

use super::{Doubt, HostRecords};
use crate::collect::component::{Component, base_name};
use crate::collect::node::filesystem::hostfs::HostRoot;
use crate::collect::node::filesystem::owners::Owners;
use crate::collect::node::processes::host_table::{HostProcessTable, MountNamespace, mount_table, namespace};
use crate::collect::node::processes::placement::{Placement, placement};
use crate::collect::node::processes::proc_stat::ProcStat;
use crate::resource::Gap;

/// A program that starts components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::collect::node::processes) enum Supervisor {
    /// `k0s controller` or `k0s worker`.
    K0s,
    /// `rke2 server` or `rke2 agent`.
    Rke2,
}

impl Supervisor {
    /// The supervisor that an argument list starts.
    pub(super) fn of_command(words: &[String]) -> Option<Self> {
        let mode = words.get(1).map(String::as_str).unwrap_or_default();
        match (base_name(words.first()?), mode) {
            ("k0s", "controller" | "worker") => Some(Self::K0s),
            ("rke2", "server" | "agent") => Some(Self::Rke2),
            _ => None,
        }
    }

    /// Its name.
    pub(in crate::collect::node::processes) fn name(self) -> &'static str {
        match self {
            Self::K0s => "k0s",
            Self::Rke2 => "rke2",
        }
    }

    /// Whether it starts a component as this user, real and effective: as root, or as an account of the component's own.
    pub(super) fn starts_as(
        self,
        component: Component,
        users: (u32, u32),
        owners: &Owners,
    ) -> Result<bool, Gap> {
        if users == (0, 0) {
            return Ok(true);
        }
        let accounts: &[&str] = match (self, component) {
            (Self::K0s, Component::ApiServer) => &["kube-apiserver"],
            (Self::K0s, Component::ControllerManager) => &["kube-apiserver", "kube-controller-manager"],
            (Self::K0s, Component::Scheduler) => &["kube-scheduler"],
            (Self::K0s, Component::Etcd) => &["etcd"],
            _ => &[],
        };
        if users.0 != users.1 || accounts.is_empty() {
            return Ok(false);
        }
        let name = owners.user(users.0).map_err(|unread| unread.gap)?;
        Ok(accounts.contains(&name))
    }
}

/// The supervisor that is a process's parent, if root started that in the host's mount namespace.
pub(in crate::collect::node::processes) fn supervisor(
    host: &HostRoot,
    table: &HostProcessTable,
    parent: Option<u32>,
) -> Option<Supervisor> {
    let parent = parent.filter(|pid| *pid > 1)?;
    let directory = host.within(format!("/proc/{parent}")).ok()?;
    let text =
        |file: &str| directory.read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).ok();
    let words: Vec<String> = text("cmdline")?.split('\0').map(str::to_owned).collect();
    let supervisor = Supervisor::of_command(&words)?;
    let stat = ProcStat::parse(&text("stat")?, &text("status")?)?;
    let own = mount_table(&directory);
    let is_host = namespace(parent, &directory, table, own.as_deref()) == MountNamespace::Host;
    let is_held = matches!(
        placement(&text("cgroup")?),
        Placement::Pod(_) | Placement::SomePod | Placement::UserSlice(_) | Placement::Docker(_)
    );
    (stat.users == Some((0, 0)) && is_host && !is_held).then_some(supervisor)
}

/// Whether the host is Talos, whose only process outside of containers is machined: by the name of the first process,
/// or the host's own description, which only root writes.
pub(in crate::collect::node::processes) fn is_talos(host: &HostRoot) -> bool {
    let read = |path: &str| host.read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let first = read("/proc/1/cmdline").unwrap_or_default();
    if first.split('\0').next().is_some_and(|word| base_name(word) == "machined") {
        return true;
    }
    let release = read("/etc/os-release").or_else(|_| read("/usr/lib/os-release")).unwrap_or_default();
    release.lines().any(|line| line.strip_prefix("ID=").is_some_and(|id| id.trim_matches('"') == "talos"))
}

/// The user that Talos gives a component in a static pod.
pub(super) fn talos_user(component: Component) -> Option<u32> {
    match component {
        Component::ApiServer => Some(65_534),
        Component::ControllerManager => Some(65_535),
        Component::Scheduler => Some(65_536),
        _ => None,
    }
}

/// Whether machined runs the component as this user. Only root makes a control group at the top.
pub(super) fn machined(
    service: &str,
    component: Component,
    users: (u32, u32),
    records: &HostRecords<'_>,
) -> Result<(), Doubt> {
    if !records.is_talos {
        return Err(Doubt::Unvouched("it runs in /podruntime, but this host is not Talos".to_owned()));
    }
    let user = match component {
        Component::Kubelet => 0,
        Component::Etcd => 60,
        _ => return Err(Doubt::Unvouched(format!("Talos runs no {} there", component.as_str()))),
    };
    if service == component.as_str() && users == (user, user) {
        return Ok(());
    }
    Err(Doubt::Unvouched(format!(
        "Talos runs {} in /podruntime/{} as user {user}",
        component.as_str(),
        component.as_str()
    )))
}
