//! Whether a process with a component's name can be trusted to be that component.
//!
//! In: its user, mount namespace, control group, parent and arguments. Out: its provenance. Any pod can call its process
//! `kube-apiserver` and pass it a flag that names a file of the host; such a process must neither be judged nor make
//! us read anything. A process is vouched for by who could have started it: root, a static pod's manifest, a system
//! unit, a supervisor that is itself vouched for, or the record of a container that a distribution runs.

mod docker;
mod supervisor;
#[cfg(test)]
mod tests;
mod unit;

use super::host_table::MountNamespace;
use super::placement::Placement;
use super::program::Program;
use crate::collect::component::Component;
use crate::collect::component::command_line;
use crate::collect::node::filesystem::hostfs::HostRoot;
use crate::collect::node::filesystem::owners::Owners;
use crate::collect::node::static_pods::StaticContainer;
use crate::resource::Gap;
pub(super) use supervisor::{Supervisor, is_talos, supervisor};

/// The facts that decide about a process.
#[derive(Debug)]
pub(super) struct ProcessFacts<'a> {
    /// The program that its name claims.
    pub program: &'a Program,
    /// Real and effective user.
    pub users: Result<(u32, u32), Gap>,
    /// Its mount namespace.
    pub namespace: MountNamespace,
    /// Who holds it, or why that is unknown.
    pub placement: Result<Placement, Gap>,
    /// The program that started it, if that vouches for its children.
    pub supervisor: Option<Supervisor>,
    /// Its argument list.
    pub words: &'a [String],
    /// Why it may still belong to a static pod: its control groups, or a manifest, cannot be read.
    pub in_doubt: Option<Gap>,
}

impl ProcessFacts<'_> {
    /// The component that its name claims.
    fn component(&self) -> Component {
        self.program.main_component()
    }

    /// Whether it is part of a pod.
    pub(super) fn is_of_pod(&self) -> bool {
        !matches!(self.placement, Ok(Placement::Unit(_) | Placement::Docker(_) | Placement::Machined(_)))
    }

    /// Whether a component that this command starts is the one in question.
    fn is_named_by(&self, command: &[String]) -> bool {
        match self.program {
            Program::One(component) => {
                command_line::started(command).is_some_and(|started| started.component() == *component)
            }
            several => Program::of_command(command).is_some_and(|started| started.name() == several.name()),
        }
    }
}

/// Where a process comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Provenance {
    /// Vouched for, in the host's mount namespace.
    Host,
    /// Vouched for, in a mount namespace of its own: a unit's, or a container's of this version.
    OwnMounts(Option<String>),
    /// Part of a static pod; the index of its container, if a manifest shows it.
    StaticPod(Option<usize>),
    /// What a pod or a user made up; the reason.
    Impostor(String),
    /// Nobody vouches for it; the reason.
    Unvouched(String),
    /// Unknown.
    Hidden(Gap),
}

/// What the host knows of the processes that it starts.
pub(super) struct HostRecords<'a> {
    /// The host's file system.
    pub host: &'a HostRoot,
    /// Names of its users.
    pub owners: &'a Owners,
    /// Whether it is Talos.
    pub is_talos: bool,
}

/// Why a process is not vouched for.
enum Doubt {
    /// Somebody else may have started it.
    Unvouched(String),
    /// What would vouch for it cannot be read.
    Hidden(Gap),
}

impl From<Gap> for Doubt {
    fn from(gap: Gap) -> Self {
        Self::Hidden(gap)
    }
}

/// Decides by who holds a process, where that is enough: nobody has to read the arguments of what a pod of the API or a
/// user's session holds.
pub(super) fn by_holder(
    placement: Result<&Placement, &Gap>,
    users: Result<(u32, u32), &Gap>,
    namespace: &MountNamespace,
    containers: &[StaticContainer],
) -> Option<Provenance> {
    match placement {
        Ok(Placement::Pod(uid)) if !is_static(uid, containers) => {
            Some(Provenance::Impostor(format!("it runs in pod {uid}, which is not a static pod")))
        }
        Ok(Placement::UserSlice(slice)) => Some(match users {
            Err(unreadable) => Provenance::Hidden(unreadable.clone()),
            Ok(users) => of_user(namespace, users == (0, 0), slice),
        }),
        _ => None,
    }
}

/// Decides about a process, given the containers of the node's static pods.
pub(super) fn judge(
    facts: &ProcessFacts<'_>,
    containers: &[StaticContainer],
    records: &HostRecords<'_>,
) -> Provenance {
    let users = facts.users.as_ref().copied();
    if let Some(decided) = by_holder(facts.placement.as_ref(), users, &facts.namespace, containers) {
        return decided;
    }
    let started_by = containers.iter().position(|container| container.starts(facts.words));
    let (real, effective) = match &facts.users {
        Err(unreadable) => return Provenance::Hidden(unreadable.clone()),
        Ok(users) => *users,
    };
    let is_root = (real, effective) == (0, 0);
    let user = if real == 0 { effective } else { real };
    match &facts.placement {
        Ok(Placement::Pod(_)) => return static_pod(facts, started_by, containers, records),
        // Only a manifest can give its pod a UID of another form.
        Ok(Placement::SomePod) if started_by.is_none() => {
            return Provenance::Impostor("it runs in a pod, which is not a static pod".to_owned());
        }
        _ => {}
    }
    if is_root && facts.namespace == MountNamespace::Host {
        return Provenance::Host;
    }
    // Some control groups do not name pods. A process with exactly a manifest's arguments can only make us read that
    // manifest's files, or its own.
    if let Some(at) = started_by
        && facts.namespace != MountNamespace::Host
        && (is_root || (real == effective && containers[at].user == Some(real)))
    {
        return Provenance::StaticPod(Some(at));
    }
    match vouched(facts, (real, effective), records) {
        Ok(version) => match &facts.namespace {
            MountNamespace::Host => Provenance::Host,
            MountNamespace::Other => Provenance::OwnMounts(version),
            MountNamespace::Hidden(unreadable) => Provenance::Hidden(unreadable.clone()),
        },
        Err(Doubt::Hidden(gap)) => Provenance::Hidden(gap),
        Err(Doubt::Unvouched(why)) => match (&facts.namespace, &facts.in_doubt) {
            (MountNamespace::Hidden(unreadable), _) if is_root => Provenance::Hidden(unreadable.clone()),
            (MountNamespace::Other | MountNamespace::Hidden(_), Some(unreadable)) => {
                Provenance::Hidden(unreadable.clone())
            }
            _ if is_root => Provenance::Unvouched(format!(
                "it runs in another mount namespace, but not in a static pod: {why}"
            )),
            _ => Provenance::Unvouched(format!("it runs as user {user}, not as root: {why}")),
        },
    }
}

/// A pod that the kubelet got from a file or a URL. Its user is the one that the manifest names.
fn static_pod(
    facts: &ProcessFacts<'_>,
    started_by: Option<usize>,
    containers: &[StaticContainer],
    records: &HostRecords<'_>,
) -> Provenance {
    let Ok((real, effective)) = facts.users else {
        return Provenance::Unvouched("its user is unknown".to_owned());
    };
    let component = facts.component();
    let of_component = || containers.iter().position(|container| container.component == Some(component));
    if (real, effective) == (0, 0) {
        return Provenance::StaticPod(started_by.or_else(of_component));
    }
    // A wrapper starts it with the arguments that the manifest gives the wrapper.
    let launches =
        |container: &&StaticContainer| container.starts(facts.words) || container.launches(facts.words);
    let of_user =
        containers.iter().position(|container| launches(&container) && container.user == Some(real));
    if real == effective && of_user.is_some() {
        return Provenance::StaticPod(of_user);
    }
    if real == effective && records.is_talos && supervisor::talos_user(component) == Some(real) {
        return Provenance::StaticPod(None);
    }
    let user = if real == 0 { effective } else { real };
    Provenance::Unvouched(format!(
        "it runs as user {user} in a static pod, and no manifest on this node gives its container that user"
    ))
}

/// What a user's session holds is a user's. Only root in the host's mount namespace gets there by other ways.
fn of_user(namespace: &MountNamespace, is_root: bool, slice: &str) -> Provenance {
    match namespace {
        MountNamespace::Host if is_root && slice == "user-0.slice" => Provenance::Host,
        MountNamespace::Host if is_root => {
            Provenance::Unvouched(format!("root started it in the session of another user ({slice})"))
        }
        MountNamespace::Hidden(unreadable) if is_root => Provenance::Hidden(unreadable.clone()),
        _ => Provenance::Impostor(format!("it runs in the session of a user ({slice})")),
    }
}

/// Whether a unit, a supervisor or a container's record vouches for the process. Returns the version that the record
/// gives.
fn vouched(
    facts: &ProcessFacts<'_>,
    users: (u32, u32),
    records: &HostRecords<'_>,
) -> Result<Option<String>, Doubt> {
    let component = facts.component();
    if let Some(supervisor) = facts.supervisor
        && supervisor.starts_as(component, users, records.owners)?
    {
        return Ok(None);
    }
    match &facts.placement {
        Err(unreadable) => Err(Doubt::Hidden(unreadable.clone())),
        Ok(Placement::Unit(name)) => unit::vouch(name, facts, users, records).map(|()| None),
        Ok(Placement::Docker(id)) => docker::vouch(id, facts, users, records),
        Ok(Placement::Machined(service)) => {
            supervisor::machined(service, component, users, records).map(|()| None)
        }
        Ok(_) => Err(Doubt::Unvouched("no unit, manifest or container record names it".to_owned())),
    }
}

/// The program that started a process and gives it some of its flags, if that is known: a supervisor, Talos' machined, or
/// the wrapper of OpenShift's unit.
pub(super) fn supervisor_name(facts: &ProcessFacts<'_>, records: &HostRecords<'_>) -> Option<&'static str> {
    if let Some(supervisor) = facts.supervisor {
        return Some(supervisor.name());
    }
    match &facts.placement {
        Ok(Placement::Machined(_)) => Some("machined"),
        Ok(Placement::Unit(name)) => unit::starter(name, records),
        _ => None,
    }
}

/// The API server gives each pod a UUID; the kubelet gives a static pod a hash, unless the manifest sets a UID.
fn is_static(uid: &str, containers: &[StaticContainer]) -> bool {
    let is_hash = uid.len() == 32 && uid.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash || containers.iter().any(|container| container.uid.as_deref() == Some(uid))
}
