//! Where systemd keeps a unit's file and its drop-ins.

use std::collections::BTreeMap;

use rustix::fs::FileType;

use super::super::hostfs::HostRoot;
use crate::collect::bounds::MAX_ENTRIES;
use crate::resource::{Gap, Reason};

/// The directories of units; the first that has a unit wins.
const FOLDERS: [&str; 9] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/lib/systemd/system",
    "/usr/lib/systemd/system",
];

/// The unit's file and its drop-ins, by name. Of drop-ins with the same name the most specific directory's counts.
pub(super) fn files(host: &HostRoot, name: &str) -> Result<Vec<String>, Gap> {
    let template = template(name);
    let names = || std::iter::once(name.to_owned()).chain(template.clone());
    let mut units = names().flat_map(|name| FOLDERS.iter().map(move |folder| format!("{folder}/{name}")));
    let unit = units.find(|path| !matches!(host.stat(path), Err(gap) if gap.reason == Reason::Missing));
    let unit = unit.ok_or_else(|| Gap::new(Reason::Missing, format!("read the unit {name}")))?;
    let mut drop_ins: BTreeMap<String, String> = BTreeMap::new();
    let folders = names().chain(prefixes(name)).chain(["service".to_owned()]);
    for folder in folders.flat_map(|name| FOLDERS.iter().map(move |folder| format!("{folder}/{name}.d"))) {
        let listing = match host.list(&folder, MAX_ENTRIES) {
            Ok(listing) if !listing.cut => listing,
            Ok(_) => return Err(Gap::new(Reason::TooLarge, format!("list {folder}"))),
            Err(error) if error.reason == Reason::Missing => continue,
            Err(error) => return Err(Gap::new(error.reason, format!("list {folder}"))),
        };
        for entry in listing.entries.iter().filter(|entry| entry.kind != FileType::Directory) {
            let name = entry.name.to_str();
            if let Some(name) = name.filter(|name| name.rsplit_once('.').is_some_and(|(_, it)| it == "conf"))
            {
                drop_ins.entry(name.to_owned()).or_insert_with(|| format!("{folder}/{name}"));
            }
        }
    }
    Ok(std::iter::once(unit).chain(drop_ins.into_values()).collect())
}

/// `etcd@1.service` is made from `etcd@.service`.
fn template(name: &str) -> Option<String> {
    let (before, rest) = name.split_once('@')?;
    (rest != ".service").then(|| format!("{before}@.service"))
}

/// `a-b-c.service` has the drop-ins of `a-b-.service` and of `a-.service` too.
fn prefixes(name: &str) -> Vec<String> {
    let stem = name.trim_end_matches(".service");
    let ends = stem.match_indices('-').map(|(at, _)| at + 1).filter(|end| *end < stem.len());
    let mut prefixes: Vec<String> = ends.map(|end| format!("{}.service", &stem[..end])).collect();
    // The longest is the most specific.
    prefixes.reverse();
    prefixes.truncate(MAX_PREFIXES);
    prefixes
}

/// A name that somebody filled with dashes must not make us list thousands of directories.
const MAX_PREFIXES: usize = 16;
