//! The names of users and groups on the host.
//!
//! In: the host's `/etc/passwd` and `/etc/group`, read once a cycle. Out: the name of an id. Our own container's
//! files have other names.

use std::collections::HashMap;

use super::hostfs::HostRoot;
use crate::resource::{Gap, Unread};

/// The names of users and groups on one host.
#[derive(Debug)]
pub(crate) struct Owners {
    users: Names,
    groups: Names,
}

type Names = Result<HashMap<u32, String>, Gap>;

impl Owners {
    /// Reads both files. A file that cannot be read only matters when a name in it is looked up.
    pub(crate) fn read(host: &HostRoot) -> Self {
        Self { users: names(host, "/etc/passwd", 6), groups: names(host, "/etc/group", 4) }
    }

    /// The user's name, empty if the host has none.
    pub(crate) fn user(&self, uid: u32) -> Result<&str, Unread> {
        name(&self.users, uid, "$.owner")
    }

    /// The group's name, empty if the host has none.
    pub(crate) fn group(&self, gid: u32) -> Result<&str, Unread> {
        name(&self.groups, gid, "$.group")
    }
}

fn name<'a>(names: &'a Names, id: u32, at: &str) -> Result<&'a str, Unread> {
    match names {
        Ok(names) => Ok(names.get(&id).map_or("", String::as_str)),
        Err(gap) => Err(gap.clone().at(at)),
    }
}

fn names(host: &HostRoot, path: &str, least_fields: usize) -> Names {
    let bytes = host.read(path)?;
    let mut names = HashMap::new();
    for line in String::from_utf8_lossy(&bytes).lines() {
        let line = line.trim();
        // `+` and `-` are NIS compatibility entries, which name no account.
        if line.is_empty() || line.starts_with(['#', '+', '-']) {
            continue;
        }
        let fields: Vec<&str> = line.split(':').collect();
        if fields.len() < least_fields {
            continue;
        }
        if let Ok(id) = fields[2].parse() {
            // The first entry for an id counts, as in the C library.
            names.entry(id).or_insert_with(|| fields[0].to_owned());
        }
    }
    Ok(names)
}
