//! Docker's own record of a container vouches for what it was told to run, if it runs it as distributions do.
//!
//! RKE1, Typhoon and kubespray run components in containers that share the host's network; a kubelet shares its processes
//! too. Whoever can start such a container is root on the host anyway.

use serde_json::Value;

use super::{Doubt, HostRecords, ProcessFacts};
use crate::collect::component::{Component, base_name};
use crate::collect::node::static_pods::version_of;
use crate::resource::{Gap, Reason};

/// Whether the record of a container names the process. Returns the version of its image.
pub(super) fn vouch(
    id: &str,
    facts: &ProcessFacts<'_>,
    users: (u32, u32),
    records: &HostRecords<'_>,
) -> Result<Option<String>, Doubt> {
    let read = |file: &str| -> Result<Value, Doubt> {
        let path = format!("/var/lib/docker/containers/{id}/{file}");
        let bytes = records.host.read(&path).map_err(|gap| match gap.reason {
            Reason::Missing => Doubt::Unvouched(format!("Docker has no record of its container at {path}")),
            _ => Doubt::Hidden(gap),
        })?;
        let malformed = |_| Gap::new(Reason::Malformed, format!("read {path}: it is not JSON"));
        serde_json::from_slice(&bytes).map_err(malformed).map_err(Doubt::Hidden)
    };
    let (container, host) = (read("config.v2.json")?, read("hostconfig.json")?);
    let unvouched = |why: &str| Doubt::Unvouched(format!("the record of its Docker container {why}"));
    let text = |value: &'_ Value, pointer: &str| {
        value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };

    let words = container.get("Args").and_then(Value::as_array).into_iter().flatten();
    let words = words.map(|word| word.as_str().unwrap_or_default());
    let command: Vec<String> =
        std::iter::once(text(&container, "/Path").as_str()).chain(words).map(str::to_owned).collect();
    if !starts(&command, facts) {
        return Err(unvouched("names another command"));
    }
    let is_set = |pointer: &str, wanted: &str| text(&host, pointer) == wanted;
    let privileged = host.get("Privileged").and_then(Value::as_bool).unwrap_or_default();
    let shares = match facts.component() {
        Component::Kubelet => privileged || is_set("/PidMode", "host"),
        _ => is_set("/NetworkMode", "host"),
    };
    if !shares {
        return Err(unvouched(
            "gives it a network or processes of its own, so it is not the host's component",
        ));
    }
    let user = text(&container, "/Config/User");
    let user = user.split(':').next().unwrap_or_default();
    let id = match user {
        "" | "root" => Some(0),
        user => user.parse().ok(),
    };
    if users.0 != users.1 || id != Some(users.0) {
        return Err(unvouched("names another user"));
    }
    Ok(version_of(&text(&container, "/Config/Image")))
}

/// Whether the container was told to run the process. An entry point may stand before the component, and add flags of its
/// own behind it.
fn starts(command: &[String], facts: &ProcessFacts<'_>) -> bool {
    let component = Some(facts.component());
    let Some(at) = (0..command.len()).find(|at| Component::of_command(&command[*at..]) == component) else {
        return false;
    };
    let (told, runs) = (&command[at..], facts.words);
    let same_program = told.first().zip(runs.first()).is_some_and(|(a, b)| base_name(a) == base_name(b));
    same_program && runs[1..].starts_with(&told[1..])
}
