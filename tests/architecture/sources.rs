//! The files of `src/`, and which module names which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A module by its names from the crate's root: `["collect", "node", "files"]`.
pub type Module = Vec<String>;

/// One source file.
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// What it holds.
    pub module: Module,
    /// The whole text.
    pub text: String,
    /// The text without tests and comments: tests may reach into other rooms for fixtures.
    pub code: String,
}

/// Every file of `src/` but `main.rs`, `lib.rs` and `fuzzing.rs`, which name all rooms.
pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    let source = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let below = path.strip_prefix(&root).unwrap().with_extension("");
        let module: Module = below.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        let code = code(&module, &text);
        Source { path, module, text, code }
    };
    let files = files.into_iter().map(source);
    files.filter(|source| !["main", "lib", "fuzzing"].iter().any(|name| source.module == [*name])).collect()
}

fn code(module: &[String], text: &str) -> String {
    if module.iter().any(|name| name == "tests") {
        return String::new();
    }
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

/// (user, used), file by file. A path to an item counts as one to the module that holds it.
pub fn uses(sources: &[Source]) -> BTreeSet<(Module, Module)> {
    let modules: BTreeSet<&[String]> = sources.iter().map(|source| source.module.as_slice()).collect();
    let mut uses = BTreeSet::new();
    for source in sources {
        for path in paths(&source.code) {
            let Some(target) = resolve(&source.module, &path) else { continue };
            let known = (1..=target.len()).rev().find(|length| modules.contains(&target[..*length]));
            if let Some(length) = known.filter(|length| target[..*length] != source.module) {
                uses.insert((source.module.clone(), target[..length].to_vec()));
            }
        }
    }
    uses
}

/// The pairs of neighbours on one floor: children of `floor` that name each other, a file and the folder of its name
/// being one.
pub fn neighbours(uses: &BTreeSet<(Module, Module)>, floor: &[String]) -> BTreeSet<(String, String)> {
    let level = floor.len();
    let on_floor = |module: &Module| module.len() > level && module.starts_with(floor);
    let pairs = uses.iter().filter(|(user, used)| on_floor(user) && on_floor(used));
    let pairs = pairs.map(|(user, used)| (user[level].clone(), used[level].clone()));
    pairs.filter(|(user, used)| user != used).collect()
}

/// Every group of nodes that can be reached from each other.
pub fn circles<N: Ord + Clone>(arrows: &BTreeSet<(N, N)>) -> Vec<BTreeSet<N>> {
    let mut reach: BTreeMap<&N, BTreeSet<&N>> = BTreeMap::new();
    for (from, _) in arrows {
        let mut seen = BTreeSet::new();
        let mut next = vec![from];
        while let Some(node) = next.pop() {
            let targets = arrows.iter().filter(|(user, _)| user == node).map(|(_, used)| used);
            next.extend(targets.filter(|used| seen.insert(*used)));
        }
        reach.insert(from, seen);
    }
    let mut found: Vec<BTreeSet<N>> = Vec::new();
    for (node, reached) in reach.iter().filter(|(node, reached)| reached.contains(*node)) {
        let circle: BTreeSet<N> = reached
            .iter()
            .filter(|other| reach.get(**other).is_some_and(|back| back.contains(*node)))
            .map(|other| (*other).clone())
            .collect();
        if !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

/// Where a path leads from a module; `None` if it leaves the crate.
fn resolve(from: &[String], path: &[String]) -> Option<Module> {
    let mut here = from.to_vec();
    let mut rest = path;
    match rest.first()?.as_str() {
        "crate" => {
            here.clear();
            rest = &rest[1..];
        }
        _ => {
            while let Some(word) = rest.first().filter(|word| *word == "super" || *word == "self") {
                if word == "super" {
                    here.pop()?;
                }
                rest = &rest[1..];
            }
        }
    }
    here.extend(rest.iter().cloned());
    Some(here)
}

/// Each path in the code that begins with `crate`, `super` or `self`, groups of a `use` written out.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for root in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':')) {
                read_path(&code[at..], &[], &mut found);
            }
        }
    }
    found
}

/// Reads a path, or a group of them, and gives what is left of the text.
fn read_path<'t>(mut text: &'t str, before: &[String], found: &mut Vec<Vec<String>>) -> &'t str {
    let mut path = before.to_vec();
    loop {
        text = text.trim_start();
        if let Some(group) = text.strip_prefix('{') {
            text = group;
            loop {
                text = text.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
                if let Some(rest) = text.strip_prefix('}') {
                    return rest;
                }
                let rest = read_path(text, &path, found);
                if rest.len() == text.len() {
                    return rest;
                }
                text = rest;
            }
        }
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '*').unwrap_or(text.len());
        if end == 0 {
            return text;
        }
        path.push(text[..end].to_owned());
        text = &text[end..];
        if let Some(rest) = text.strip_prefix("::") {
            text = rest;
            continue;
        }
        found.push(path);
        let alias = text.strip_prefix(" as ").map(str::trim_start);
        return alias.map_or(text, |rest| rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'));
    }
}

/// `collect/node/files`.
pub fn shown(module: &[String]) -> String {
    module.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_written_out() {
        let code =
            "use crate::a::{self, B as C, d::{E, F}};\nuse super::g;\nlet x = super::super::h::I::new();";
        let found: Vec<String> = paths(code).iter().map(|path| path.join("::")).collect();
        let expected = [
            "crate::a::self",
            "crate::a::B",
            "crate::a::d::E",
            "crate::a::d::F",
            "super::g",
            "super::super::h::I::new",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_circle_is_found_whole() {
        let arrows = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")].into();
        assert_eq!(circles(&arrows), [BTreeSet::from(["a", "b", "c"])]);
    }
}
