//! Holds `src/` to the rooms of ARCHITECTURE.md: which may use which, on every floor, and how things are named.

#![allow(unreachable_pub, reason = "a test binary exports nothing, and its modules share by `pub`")]
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

#[path = "architecture/guide.rs"]
mod guide;
#[path = "architecture/sources.rs"]
mod sources;
#[path = "architecture/words.rs"]
mod words;

use std::collections::{BTreeMap, BTreeSet};

use sources::{Module, circles, neighbours, shown, uses};

/// Room → rooms it may name in `use crate::…` or in a path. `*` may name every room.
const TABLE: [(&str, &[&str]); 22] = [
    ("resource", &[]),
    ("event", &[]),
    ("yaml", &[]),
    ("causes", &[]),
    ("redact", &["resource", "yaml"]),
    ("config", &["yaml", "redact"]),
    ("telemetry", &["config"]),
    ("kube_api", &["resource", "yaml", "causes"]),
    ("leader", &["telemetry", "kube_api", "resource"]),
    ("collect", &["resource", "redact", "config", "telemetry", "yaml", "causes", "kube_api"]),
    ("observe", &["collect", "redact", "kube_api", "leader", "config", "resource", "rule", "telemetry"]),
    ("rule", &["resource", "redact", "yaml"]),
    ("evaluate", &["rule", "redact", "resource", "yaml"]),
    ("exception", &["evaluate", "rule", "resource"]),
    ("finding", &["exception", "evaluate", "rule", "resource", "event"]),
    ("pipeline", &["event", "config", "telemetry", "output"]),
    ("output", &["event", "config", "telemetry", "causes"]),
    ("setup", &["config", "output", "yaml"]),
    ("report", &["finding", "exception", "rule", "evaluate", "resource"]),
    ("runtime", &["*"]),
    ("cli", &["*"]),
    ("lib", &["*"]),
];

/// What the core must not do: it gets time, environment and files as parameters.
const CORE: [&str; 5] = ["rule", "evaluate", "exception", "finding", "report"];
const NOT_IN_CORE: [&str; 7] =
    ["tokio::", "std::fs", "std::env::var", "SystemTime", "Timestamp::now", "Instant::now", "async fn"];

/// The same inside a room: what each inner room may use of its neighbours. A floor that is not here is held by
/// [`CROWDED`] and by having no circle.
const INNER: [(&str, &[&str]); 4] = [
    ("collect/node", &["arguments", "bounds", "component", "config_files", "join", "variables"]),
    ("collect/cluster", &["arguments", "config_files", "join", "object", "sightings"]),
    ("collect/aws", &["bounds", "cloud", "sightings"]),
    ("collect/recorded", &["object"]),
];

/// The most imports between the files or folders on one floor.
const CROWDED: usize = 25;
/// Floors that may have more, and how many.
const LARGER_FLOORS: [(&str, usize); 3] = [("", 83), ("config", 50), ("runtime", 47)];

#[test]
fn rooms_use_only_what_the_table_allows() {
    let table: BTreeMap<&str, &[&str]> = TABLE.into_iter().collect();
    let sources = sources::sources();
    let mut wrong = BTreeSet::new();
    for source in &sources {
        if !table.contains_key(source.module[0].as_str()) {
            wrong.insert(format!("the room `{}` is not in the table", source.module[0]));
        }
    }
    for (user, used) in uses(&sources) {
        let allowed = table.get(user[0].as_str()).copied().unwrap_or_default();
        if user[0] != used[0] && !allowed.contains(&"*") && !allowed.contains(&used[0].as_str()) {
            wrong.insert(format!("{}: `{}` may not use `{}`", shown(&user), user[0], used[0]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn inner_rooms_use_only_what_the_table_allows() {
    let uses = uses(&sources::sources());
    let mut wrong = Vec::new();
    for (room, allowed) in INNER {
        let room: Module = room.split('/').map(str::to_owned).collect();
        let (name, floor) = room.split_last().unwrap();
        for (user, used) in neighbours(&uses, floor) {
            if user == *name && !allowed.contains(&used.as_str()) {
                wrong.push(format!("`{}` may not use `{used}`", shown(&room)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_floor_is_crowded() {
    let sources = sources::sources();
    let uses = uses(&sources);
    let mut wrong = Vec::new();
    for floor in floors(&sources) {
        let count = neighbours(&uses, &floor).len();
        let larger = LARGER_FLOORS.iter().find(|(name, _)| *name == shown(&floor));
        let limit = larger.map_or(CROWDED, |(_, limit)| *limit);
        if count > limit {
            wrong
                .push(format!("`{}` has {count} imports between neighbours, {limit} allowed", shown(&floor)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A circle can only be read as a whole, so it is one thing in several files.
#[test]
fn there_is_no_circle_of_files() {
    let sources = sources::sources();
    let uses = uses(&sources);
    let mut wrong = Vec::new();
    for floor in floors(&sources) {
        for circle in circles(&neighbours(&uses, &floor)) {
            wrong.push(format!("in `{}`: {circle:?}", shown(&floor)));
        }
    }
    let between_files =
        uses.into_iter().filter(|(user, used)| !user.starts_with(used) && !used.starts_with(user));
    for circle in circles(&between_files.collect()) {
        wrong.push(format!("{:?}", circle.iter().map(|module| shown(module)).collect::<Vec<_>>()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn floors(sources: &[sources::Source]) -> BTreeSet<Module> {
    let above =
        |module: &Module| (0..module.len()).map(|length| module[..length].to_vec()).collect::<Vec<_>>();
    sources.iter().flat_map(|source| above(&source.module)).collect()
}

#[test]
fn the_core_is_pure() {
    let mut wrong = Vec::new();
    for source in sources::sources().iter().filter(|source| CORE.contains(&source.module[0].as_str())) {
        for (number, line) in source.code.lines().enumerate() {
            for word in NOT_IN_CORE.into_iter().filter(|word| line.contains(word)) {
                wrong.push(format!("{}:{}: `{word}`", source.path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for source in sources::sources() {
        let place = source.path.display();
        let lines = source.code.lines().count();
        if lines > 400 {
            wrong.push(format!("{place}: {lines} lines: it is two things"));
        }
        if !source.text.starts_with("//!") {
            wrong.push(format!("{place}: does not open with what it is for"));
        }
        if source.path.ends_with("mod.rs") {
            wrong.push(format!("{place}: rooms are foo.rs and foo/"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
