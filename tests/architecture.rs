//! Holds the rooms of `src/` to the table of ARCHITECTURE.md: which may use which.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Room → rooms it may name in `use crate::…` or in a path. `*` may name every room.
const TABLE: [(&str, &[&str]); 21] = [
    ("resource", &[]),
    ("event", &[]),
    ("yaml", &[]),
    ("causes", &[]),
    ("config", &["yaml"]),
    ("telemetry", &["config"]),
    ("kube_api", &["resource", "causes"]),
    ("leader", &["telemetry", "kube_api", "resource"]),
    ("collect", &["resource", "config", "telemetry", "yaml", "causes", "kube_api"]),
    ("observe", &["collect", "kube_api", "leader", "config", "resource", "rule", "telemetry"]),
    ("rule", &["resource", "yaml"]),
    ("evaluate", &["rule", "resource"]),
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

fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    files.sort();
    files
}

/// `src/collect/files.rs` → `collect`.
fn room(path: &Path) -> String {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// A file's code without its tests: tests may reach into other rooms for fixtures.
fn code(path: &Path, text: &str) -> String {
    if path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests") {
        return String::new();
    }
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

/// The rooms that `crate::…` paths in a file name.
fn named(code: &str) -> BTreeSet<String> {
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let text: String = lines.collect::<Vec<_>>().join("\n");
    let mut rooms = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let mut add = |word: &str| {
            let name: String = word.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !name.is_empty() {
                rooms.insert(name);
            }
        };
        match rest.strip_prefix('{') {
            Some(group) => {
                let mut depth = 0;
                let mut word = String::new();
                for c in group.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => {
                            add(&word);
                            word.clear();
                            continue;
                        }
                        _ => {}
                    }
                    word.push(c);
                }
                add(&word);
            }
            None => add(rest),
        }
    }
    rooms
}

#[test]
fn rooms_use_only_what_the_table_allows() {
    let table: BTreeMap<&str, &[&str]> = TABLE.into_iter().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let room = room(&path);
        if room == "main" {
            continue;
        }
        let Some(allowed) = table.get(room.as_str()) else {
            wrong.push(format!("{}: the room `{room}` is not in the table", path.display()));
            continue;
        };
        for used in named(&code(&path, &text)) {
            let known = table.contains_key(used.as_str());
            if known && used != room && !allowed.contains(&"*") && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{}: `{room}` may not use `{used}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_core_is_pure() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if !CORE.contains(&room(&path).as_str()) {
            continue;
        }
        for (number, line) in code(&path, &text).lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for word in NOT_IN_CORE {
                if line.contains(word) {
                    wrong.push(format!("{}:{}: `{word}`", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let lines = code(&path, &text).lines().count();
        if lines > 400 {
            wrong.push(format!("{}: {lines} lines: it is two things", path.display()));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{}: does not open with what it is for", path.display()));
        }
        if path.ends_with("mod.rs") {
            wrong.push(format!("{}: rooms are foo.rs and foo/", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
