//! The directories of CNI configuration that the container runtime names.
//!
//! In: the configuration of CRI-O and containerd. Out: the directories, beside those that are known without it. A
//! configuration that cannot be read may name any.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::net::IpAddr;
use std::path::Path;

use rustix::fs::FileType;
use toml::{Table, Value};

use super::filesystem::hostfs::HostRoot;
use super::filesystem::process_view::beside;
use crate::collect::bounds::MAX_ENTRIES;
use crate::resource::{Gap, Reason};

/// The configuration of a runtime.
struct RuntimeConfig {
    /// A file, or all files of a directory: `/etc/crio/crio.conf.d/*`.
    path: &'static str,
    /// Where the directory of CNI configuration is in it, by the versions of the file.
    keys: &'static [&'static [&'static str]],
}

const CRIO: &[&[&str]] = &[&["crio", "network", "network_dir"]];
const CONTAINERD: &[&[&str]] = &[
    &["plugins", "io.containerd.cri.v1.runtime", "cni", "conf_dir"],
    &["plugins", "io.containerd.grpc.v1.cri", "cni", "conf_dir"],
    &["plugins", "cri", "cni", "conf_dir"],
];

const fn config(path: &'static str, keys: &'static [&'static [&'static str]]) -> RuntimeConfig {
    RuntimeConfig { path, keys }
}

/// Where runtimes and distributions keep it. A file that one names in `imports` is read too.
const CONFIGS: &[RuntimeConfig] = &[
    config("/etc/crio/crio.conf", CRIO),
    config("/etc/crio/crio.conf.d/*", CRIO),
    config("/usr/lib/crio/crio.conf.d/*", CRIO),
    config("/usr/share/crio/crio.conf.d/*", CRIO),
    config("/etc/containerd/config.toml", CONTAINERD),
    config("/etc/containerd/conf.d/*.toml", CONTAINERD),
    config("/etc/k0s/containerd.toml", CONTAINERD),
    config("/run/k0s/containerd-cri.toml", CONTAINERD),
    config("/etc/cri/containerd.toml", CONTAINERD),
    config("/var/lib/rancher/k3s/agent/etc/containerd/config.toml", CONTAINERD),
    config("/var/lib/rancher/rke2/agent/etc/containerd/config.toml", CONTAINERD),
    config("/var/snap/microk8s/current/args/containerd.toml", CONTAINERD),
];

/// Files that import files that import files.
const MAX_IMPORTS: usize = 64;

/// The directories that the runtimes of the host name, and why there may be others.
#[derive(Debug, Default)]
pub(super) struct CniDirectories {
    pub named: Vec<String>,
    pub unread: Vec<Gap>,
}

/// Reads the runtimes' configuration.
pub(super) fn directories(host: &HostRoot) -> CniDirectories {
    let mut found = CniDirectories::default();
    for config in CONFIGS {
        let mut paths = found.files(host, config.path);
        let mut read = HashSet::new();
        while let Some(path) = paths.pop() {
            if !read.insert(path.clone()) {
                continue;
            }
            if read.len() > MAX_IMPORTS {
                found.unread.push(Gap::new(Reason::TooLarge, format!("read the imports of {}", config.path)));
                break;
            }
            match table(host, &path) {
                Ok(table) => {
                    found.add(&table, config.keys);
                    let imports = table.get("imports").and_then(Value::as_array).into_iter().flatten();
                    for import in imports.filter_map(Value::as_str) {
                        paths.extend(found.files(host, &beside(&path, import)));
                    }
                }
                Err(gap) if gap.reason == Reason::Missing => {}
                Err(gap) => found.unread.push(gap),
            }
        }
    }
    found
}

/// Whether a file is the state of a plug-in: a lock, or an address that host-local has given away.
pub(super) fn is_state(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let is_lock = name == "lock" || path.extension() == Some(OsStr::new("lock"));
    let is_address = name.parse::<IpAddr>().is_ok() || name.starts_with("last_reserved_ip");
    is_lock || (path.starts_with("/var/lib/cni/networks") && is_address)
}

fn table(host: &HostRoot, path: &str) -> Result<Table, Gap> {
    let bytes = host.read(path)?;
    let malformed = |detail: &str| Gap::new(Reason::Malformed, format!("read {path}: {detail}"));
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed("not UTF-8"))?;
    text.parse().map_err(|error: toml::de::Error| {
        // The message may quote the file.
        let line = error.span().map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count());
        malformed(&line.map_or("not TOML".to_owned(), |line| format!("line {line}: not TOML")))
    })
}

impl CniDirectories {
    fn add(&mut self, table: &Table, keys: &[&[&str]]) {
        for key in keys {
            let Some((first, rest)) = key.split_first() else { continue };
            let value = rest.iter().try_fold(table.get(*first), |value, key| Some(value?.get(*key)));
            let path = value.flatten().and_then(Value::as_str).map(|path| path.trim_end_matches('/'));
            if let Some(path) =
                path.filter(|path| path.starts_with('/') && !self.named.iter().any(|it| it == path))
            {
                self.named.push(path.to_owned());
            }
        }
    }

    /// The file of this path; where `*` is in its name, those of its directory that end in the same way.
    fn files(&mut self, host: &HostRoot, path: &str) -> Vec<String> {
        let Some((before, end)) = path.rsplit_once('*') else { return vec![path.to_owned()] };
        let directory = before.rsplit_once('/').map_or(before, |(directory, _)| directory);
        let listing = match host.list(directory, MAX_ENTRIES) {
            Ok(listing) => listing,
            Err(error) => {
                self.unread.extend((error.reason != Reason::Missing).then_some(error));
                return Vec::new();
            }
        };
        if listing.cut {
            self.unread.push(Gap::new(Reason::TooLarge, format!("list {directory}")));
        }
        let files = listing.entries.iter().filter(|entry| entry.kind != FileType::Directory);
        let mut paths = Vec::new();
        for entry in files.filter(|entry| entry.name.as_encoded_bytes().ends_with(end.as_bytes())) {
            match entry.text(directory) {
                Ok(name) => paths.push(format!("{directory}/{name}")),
                Err(gap) => self.unread.push(gap),
            }
        }
        paths
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::node::tests::Tree;

    fn named(files: &[(&str, &str)]) -> Vec<String> {
        let tree = Tree::new();
        for (path, text) in files {
            tree.file(path, text);
        }
        let found = directories(&tree.host());
        assert!(found.unread.is_empty(), "{:?}", found.unread);
        found.named
    }

    #[test]
    fn a_runtime_names_its_directory() {
        let crio = "[crio.network]\nnetwork_dir = \"/etc/kubernetes/cni/net.d/\"\n";
        for path in ["/etc/crio/crio.conf", "/etc/crio/crio.conf.d/00-default"] {
            assert_eq!(named(&[(path, crio)]), ["/etc/kubernetes/cni/net.d"], "{path}");
        }
        for plugin in ["\"io.containerd.grpc.v1.cri\"", "'io.containerd.cri.v1.runtime'", "cri"] {
            let text = format!("version = 2\n[plugins.{plugin}.cni]\n  conf_dir = '/opt/cni'\n");
            assert_eq!(named(&[("/etc/containerd/config.toml", &text)]), ["/opt/cni"], "{plugin}");
        }
        assert!(named(&[("/etc/containerd/config.toml", "disabled_plugins = []\n")]).is_empty());
    }

    #[test]
    fn imports_are_followed_and_end() {
        let main = "imports = ['conf.d/*.toml', '/etc/containerd/config.toml', '/none.toml']\n";
        let part = "[plugins.cri.cni]\nconf_dir = '/opt/cni'\n";
        let files = [("/etc/containerd/config.toml", main), ("/etc/containerd/conf.d/cni.toml", part)];
        assert_eq!(named(&[&files[..], &[("/etc/containerd/conf.d/README", "no")]].concat()), ["/opt/cni"]);
    }

    #[test]
    fn what_cannot_be_read_is_said_without_its_content() {
        let tree = Tree::new();
        tree.file("/etc/crio/crio.conf", "a = 1\nb = [canary\n");
        let found = directories(&tree.host());
        let what = &found.unread[0].what;
        assert!(what.starts_with("read /etc/crio/crio.conf: line ") && !what.contains("canary"), "{what}");
    }
}
