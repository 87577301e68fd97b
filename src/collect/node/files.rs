//! The files of a node whose mode and owner matter.
//!
//! In: the paths of each role, and the files that running components name. Out: one resource for each path, even if
//! it has several roles. The only content that is read is what a file is: a private key, a certificate, a configuration.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat};
use serde_json::{Map, Value, json};

use super::cni;
use super::filesystem::globs;
use super::filesystem::hostfs::HostRoot;
use super::filesystem::owners::Owners;
use super::named_files::NamedFile;
use super::places::{
    CNI_CONFIG, FileFilter, KUBELET_CONFIG, KUBELET_KUBECONFIG, PKI_CERT, PKI_DIR, PKI_KEY, PKI_OTHER,
    PLACES, Relevance, RolePaths,
};
use super::processes::ProcessInventory;
use super::processes::proc_stat::timestamp;
use crate::collect::bounds::{MAX_FILE, MAX_REASONS};
use crate::collect::component::{Component, base_name};
use crate::collect::config_files;
use crate::resource::{Gap, Kind, Owner, Reason, Resource, Selector, Unread};

/// Why a path is examined.
#[derive(Debug, Default)]
struct WantedPath {
    /// Indexes into [`PLACES`].
    places: BTreeSet<usize>,
    /// A running component names it, so it should exist.
    named: bool,
    /// A directory listing showed it, so it exists.
    listed: bool,
}

/// Role → why its files could not be listed.
type UnlistedRoles = BTreeMap<&'static str, Vec<Gap>>;

/// Emits a resource for each file, and one on `node` for each role that could not be looked for.
pub(super) fn observe(
    host: &HostRoot,
    node: &Owner,
    processes: &ProcessInventory,
    emit: &mut dyn FnMut(Resource),
) {
    let owners = Owners::read(host);
    let named = &processes.named;
    let mut losses = UnlistedRoles::new();
    for roles in Component::ALL.into_iter().filter_map(Component::manifest_role) {
        processes.unlisted_manifests.iter().for_each(|loss| lose(&mut losses, roles, loss.clone()));
    }
    processes.unnamed.iter().for_each(|(roles, loss)| lose(&mut losses, roles, loss.clone()));
    let mut wanted: BTreeMap<PathBuf, WantedPath> = BTreeMap::new();
    for file in named {
        let Some(place) = PLACES.iter().position(|place| place.roles == file.roles) else { continue };
        match &file.path {
            Ok(path) => {
                let wanted = wanted.entry(path.into()).or_default();
                wanted.named = true;
                wanted.places.insert(place);
            }
            Err(gap) => emit(out_of_sight(file, gap.clone())),
        }
    }
    let cni = cni::directories(host);
    cni.unread.into_iter().for_each(|loss| lose(&mut losses, CNI_CONFIG, loss));
    for (position, place) in PLACES.iter().enumerate() {
        if !is_relevant(place, processes) {
            continue;
        }
        let in_directories = if place.roles == CNI_CONFIG { &cni.named[..] } else { &[] };
        let patterns = place.patterns.iter().map(|pattern| (pattern, globs::expand(host, pattern)));
        let below = in_directories.iter().map(|directory| (directory, globs::below(host, directory)));
        for (pattern, found) in patterns.chain(below) {
            found.unlisted.into_iter().for_each(|loss| lose(&mut losses, place.roles, loss));
            for path in found.paths {
                // OpenShift's kubelet configuration is called what kubeadm calls a kubeconfig.
                if place.roles == KUBELET_KUBECONFIG && is_configuration(named, &path) {
                    continue;
                }
                let wanted = wanted.entry(path).or_default();
                wanted.listed |= pattern.contains('*') || place.roles == CNI_CONFIG;
                wanted.places.insert(position);
            }
        }
    }

    let mut seen = HashSet::new();
    let (by_name, by_pattern): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|(_, wanted)| wanted.named);
    // The name that a process uses for a file takes precedence over a pattern's.
    for (path, wanted) in by_name.into_iter().chain(by_pattern) {
        let places = || wanted.places.iter().map(|position| (*position, &PLACES[*position]));
        match host.stat(&path) {
            Ok(stat) => {
                // One file under two names (`/lib` is often a link to `/usr/lib`) is judged once.
                let roles: BTreeSet<&str> = places()
                    .filter(|(position, _)| {
                        seen.insert((*position, stat.st_dev, stat.st_ino)) || wanted.named
                    })
                    .filter_map(|(_, place)| role(host, place, &path, &stat, &mut losses))
                    .filter_map(|role| {
                        if wanted.named { Some(role) } else { role_by_kind(host, role, &path, named) }
                    })
                    .collect();
                if !roles.is_empty() {
                    emit(file(&path, &roles, &stat, &owners));
                }
            }
            // A path that does not exist here, or a dangling link.
            Err(error) if error.reason == Reason::Missing && !wanted.named => {}
            Err(gap) => {
                if wanted.named || wanted.listed {
                    let roles =
                        places().flat_map(|(_, place)| possible_roles(place, &path)).copied().collect();
                    emit(unreadable(&path.to_string_lossy(), &roles, gap));
                } else {
                    places().for_each(|(_, place)| {
                        lose(&mut losses, place.roles, gap.clone());
                    });
                }
            }
        }
    }

    for (role, reasons) in losses {
        let mut reasons = reasons.into_iter();
        let Some(first) = reasons.next() else { continue };
        let mut resource = Resource::unlisted(&Selector::new(Kind::File, role), node, first);
        resource.unread.extend(reasons.map(|gap| gap.at("$")));
        emit(resource);
    }
}

/// Whether the files at a role's patterns are of interest: what nobody reads is not judged.
fn is_relevant(place: &RolePaths, processes: &ProcessInventory) -> bool {
    let is_named = || processes.named.iter().any(|file| file.roles == place.roles);
    match place.relevance {
        Relevance::Always => true,
        Relevance::UnlessNamed => !is_named(),
        Relevance::WhileRunning(component) => !is_named() && !processes.absent.contains(&component),
    }
}

/// Whether a kubelet names this path as its configuration.
fn is_configuration(named: &[NamedFile], path: &Path) -> bool {
    named.iter().any(|file| {
        file.roles == KUBELET_CONFIG && file.path.as_deref().is_ok_and(|it| Path::new(it) == path)
    })
}

fn lose(losses: &mut UnlistedRoles, roles: &'static [&'static str], loss: Gap) {
    for role in roles {
        let reasons = losses.entry(role).or_default();
        if reasons.len() < MAX_REASONS && !reasons.contains(&loss) {
            reasons.push(loss.clone());
        }
    }
}

/// The role of the file at `path`, if it counts. Roles that it may also have are noted as unlisted.
fn role(
    host: &HostRoot,
    place: &RolePaths,
    path: &Path,
    stat: &Stat,
    losses: &mut UnlistedRoles,
) -> Option<&'static str> {
    let kind = FileType::from_raw_mode(stat.st_mode);
    match place.filter {
        FileFilter::Any => Some(place.roles[0]),
        FileFilter::RegularFiles => (kind == FileType::RegularFile).then_some(place.roles[0]),
        FileFilter::CniFiles => {
            (kind == FileType::RegularFile && !cni::is_state(path)).then_some(place.roles[0])
        }
        FileFilter::KeyMaterial if kind == FileType::Directory => Some(PKI_DIR),
        FileFilter::KeyMaterial => {
            let possible = possible_roles(place, path);
            if possible == [PKI_KEY] || kind != FileType::RegularFile {
                return Some(possible[0]);
            }
            let by_content = role_by_content(host, path).unwrap_or_else(|loss| {
                lose(losses, possible, loss);
                None
            });
            Some(by_content.unwrap_or(possible[0]))
        }
    }
}

/// On OpenShift, the kubelet's configuration has the name that kubeadm gives its kubeconfig. It counts unless a kubelet
/// names another.
fn role_by_kind(
    host: &HostRoot,
    role: &'static str,
    path: &Path,
    named: &[NamedFile],
) -> Option<&'static str> {
    if [role] != *KUBELET_KUBECONFIG {
        return Some(role);
    }
    let document = host.read(path).and_then(|bytes| config_files::first_document(&bytes));
    if document.is_ok_and(|document| document["kind"] == "KubeletConfiguration") {
        return named.iter().all(|file| file.roles != KUBELET_CONFIG).then_some(KUBELET_CONFIG[0]);
    }
    Some(role)
}

/// The roles that the file at `path` may have, the likeliest by its name first.
fn possible_roles(place: &RolePaths, path: &Path) -> &'static [&'static str] {
    match (place.filter, path.extension().and_then(|extension| extension.to_str())) {
        (FileFilter::Any | FileFilter::RegularFiles | FileFilter::CniFiles, _) => place.roles,
        (FileFilter::KeyMaterial, Some("key")) => &[PKI_KEY],
        (FileFilter::KeyMaterial, Some("crt")) => &[PKI_CERT, PKI_KEY],
        (FileFilter::KeyMaterial, _) => &[PKI_OTHER, PKI_CERT, PKI_KEY],
    }
}

/// A file with a private key is a key file, whatever its name and other content.
fn role_by_content(host: &HostRoot, path: &Path) -> Result<Option<&'static str>, Gap> {
    let lost = |reason| Gap::new(reason, format!("read {}", path.display()));
    let (bytes, cut) = host.read_up_to(path, MAX_FILE)?;
    let mut headers = bytes.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"-----BEGIN "));
    if headers.clone().any(|line| contains(line, b"PRIVATE KEY-----")) {
        return Ok(Some(PKI_KEY));
    }
    if cut {
        return Err(lost(Reason::TooLarge));
    }
    Ok(headers.next().is_some_and(|line| contains(line, b" CERTIFICATE-----")).then_some(PKI_CERT))
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

fn file(path: &Path, roles: &BTreeSet<&str>, stat: &Stat, owners: &Owners) -> Resource {
    let mut unread = Vec::new();
    let mut name_of = |name: Result<&str, Unread>| match name {
        Ok(name) => Some(name.to_owned()),
        Err(not_read) => {
            unread.push(not_read);
            None
        }
    };
    let (owner, group) = (name_of(owners.user(stat.st_uid)), name_of(owners.group(stat.st_gid)));
    let sub_type = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => "directory",
        _ => "file",
    };
    let shown = path.to_string_lossy().into_owned();
    let mut raw = identity(&shown, roles);
    raw.insert("mode".into(), format!("{:o}", stat.st_mode & 0o7777).into());
    raw.insert("uid".into(), stat.st_uid.to_string().into());
    raw.insert("gid".into(), stat.st_gid.to_string().into());
    raw.insert("inode".into(), stat.st_ino.to_string().into());
    raw.insert("sub_type".into(), sub_type.into());
    raw.insert("size".into(), stat.st_size.into());
    raw.extend(owner.map(|owner| ("owner".to_owned(), owner.into())));
    raw.extend(group.map(|group| ("group".to_owned(), group.into())));
    for (key, seconds, nanoseconds) in [
        ("accessed", stat.st_atime, stat.st_atime_nsec),
        ("mtime", stat.st_mtime, stat.st_mtime_nsec),
        ("ctime", stat.st_ctime, stat.st_ctime_nsec),
    ] {
        raw.extend(time(seconds, nanoseconds).map(|time| (key.to_owned(), time.into())));
    }
    Resource {
        unread,
        ..Resource::observed(Kind::File, sub_type.to_owned(), shown.clone(), shown, Value::Object(raw))
    }
}

fn time(seconds: i64, nanoseconds: impl TryInto<i32>) -> Option<String> {
    jiff::Timestamp::new(seconds, nanoseconds.try_into().ok()?).ok().map(timestamp)
}

/// The part of a file's document that is known without reading it.
fn identity(path: &str, roles: &BTreeSet<&str>) -> Map<String, Value> {
    let name = base_name(path);
    let fields = [("name", json!(name)), ("path", json!(path)), ("roles", json!(roles))];
    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn unreadable(path: &str, roles: &BTreeSet<&str>, gap: Gap) -> Resource {
    Resource {
        unread: vec![gap.at("$")],
        ..Resource::observed(
            Kind::File,
            "file".to_owned(),
            path.to_owned(),
            path.to_owned(),
            Value::Object(identity(path, roles)),
        )
    }
}

/// A file that a process names and that has no path on the host. Its id must differ from that of the host's file of
/// the same name.
fn out_of_sight(file: &NamedFile, gap: Gap) -> Resource {
    let roles = file.roles.iter().copied().filter(|role| *role != PKI_DIR).collect();
    let mut resource = unreadable(&file.shown, &roles, gap);
    resource.id = format!("{}:{}", file.component.as_str(), file.shown);
    resource
}
