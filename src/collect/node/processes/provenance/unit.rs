//! A system unit vouches for what its `ExecStart` names, as the user that it names.
//!
//! Any unit may run a program called kubelet, so the control group alone says nothing. The unit's own files do: only root
//! writes them.

use super::supervisor::Supervisor;
use super::{Doubt, HostRecords, ProcessFacts};
use crate::collect::component::base_name;
use crate::collect::node::filesystem::unit::{self, UnitUser};
use crate::resource::Reason;

/// The users that systemd allocates for `DynamicUser`.
const DYNAMIC_USERS: std::ops::RangeInclusive<u32> = 61_184..=65_519;

/// Whether the unit starts the component as this user.
pub(super) fn vouch(
    name: &str,
    facts: &ProcessFacts<'_>,
    users: (u32, u32),
    records: &HostRecords<'_>,
) -> Result<(), Doubt> {
    let command = unit::command(records.host, name).map_err(|gap| match gap.reason {
        Reason::Missing => Doubt::Unvouched(format!("{name} has no unit file that shows what it starts")),
        Reason::Malformed => Doubt::Unvouched(gap.what),
        _ => Doubt::Hidden(gap),
    })?;
    let component = facts.component();
    let program = command.words.first().map_or("", |word| base_name(word));
    if let Some(supervisor) = Supervisor::of_command(&command.words) {
        return if command.user.is_none() && supervisor.starts_as(component, users, records.owners)? {
            Ok(())
        } else {
            Err(Doubt::Unvouched(format!(
                "{program} in {name} does not run {} as that user",
                component.as_str()
            )))
        };
    }
    if !facts.is_named_by(&command.words) && !is_of_snap(&command.words, facts.words) {
        return Err(Doubt::Unvouched(format!("{name} starts {program}, not {}", component.as_str())));
    }
    let is_user = |id: u32| match &command.user {
        None => Ok(id == 0),
        Some(UnitUser::Dynamic) => Ok(DYNAMIC_USERS.contains(&id)),
        Some(UnitUser::Named(user)) => match user.parse::<u32>() {
            Ok(number) => Ok(id == number),
            Err(_) => records.owners.user(id).map(|name| name == user).map_err(|unread| unread.gap),
        },
    };
    if users.0 == users.1 && is_user(users.0)? {
        return Ok(());
    }
    let user = match &command.user {
        None => "root",
        Some(UnitUser::Dynamic) => "a dynamic user",
        Some(UnitUser::Named(user)) => user,
    };
    Err(Doubt::Unvouched(format!("{name} starts {} as {user}", component.as_str())))
}

/// The supervisor or wrapper that a unit starts, if it is one that sets flags by itself.
pub(super) fn starter(name: &str, records: &HostRecords<'_>) -> Option<&'static str> {
    let command = unit::command(records.host, name).ok()?;
    let program = base_name(command.words.first()?);
    let wrapper = || (program == KUBENSWRAPPER).then_some(KUBENSWRAPPER);
    Supervisor::of_command(&command.words).map(Supervisor::name).or_else(wrapper)
}

/// OpenShift's, which may give the kubelet a mount namespace of its own.
const KUBENSWRAPPER: &str = "kubenswrapper";

/// Whether the unit runs an app of a snap, `snap run microk8s.daemon-kubelite`, and the process a program of that snap.
fn is_of_snap(command: &[String], words: &[String]) -> bool {
    let [program, run, app] = command else { return false };
    let snap = app.split_once('.').map_or(app.as_str(), |(snap, _)| snap);
    base_name(program) == "snap"
        && run == "run"
        && words.first().is_some_and(|word| word.starts_with(&format!("/snap/{snap}/")))
}
