//! The names of users and groups on the host.
//!
//! In: the host's `/etc/passwd` and `/etc/group`, and what image-based systems keep beside them, read once a cycle. Out:
//! the name of an id. Our own container's files have other names.

use std::collections::HashMap;

use super::hostfs::HostRoot;
use crate::resource::{Gap, Reason, Unread};

/// The names of users and groups on one host.
#[derive(Debug)]
pub(crate) struct Owners {
    users: Names,
    groups: Names,
}

type Names = Result<HashMap<u32, String>, Gap>;

/// Where Fedora CoreOS and its kin, and Flatcar, keep the accounts of the system.
const USERS: [&str; 3] = ["/etc/passwd", "/usr/lib/passwd", "/usr/share/baselayout/passwd"];
const GROUPS: [&str; 3] = ["/etc/group", "/usr/lib/group", "/usr/share/baselayout/group"];

impl Owners {
    /// Reads the files. One that cannot be read only matters when a name in it is looked up.
    pub(crate) fn read(host: &HostRoot) -> Self {
        Self { users: all_names(host, USERS, 6), groups: all_names(host, GROUPS, 4) }
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

/// Of several names of an id, that of the first file.
fn all_names(host: &HostRoot, [own, others @ ..]: [&str; 3], least_fields: usize) -> Names {
    let mut names = names_in(host, own, least_fields)?;
    for path in others {
        match names_in(host, path, least_fields) {
            Ok(more) => {
                for (id, name) in more {
                    names.entry(id).or_insert(name);
                }
            }
            Err(gap) if gap.reason == Reason::Missing => {}
            Err(gap) => return Err(gap),
        }
    }
    Ok(names)
}

fn names_in(host: &HostRoot, path: &str, least_fields: usize) -> Names {
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
