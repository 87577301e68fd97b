//! A node as a fixture tree: what is planted, and what comes out.

mod elsewhere;
mod files;
mod hidden;
mod hostile;
mod platforms;
mod processes;
mod roles;
mod written;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use rustix::io::Errno;

use super::filesystem::hostfs::HostRoot;
use super::filesystem::hostfs::refusals::{Refusals, Refused};
use crate::collect::node;
use crate::resource::{Owner, Resource};

/// A host's root directory.
pub(in crate::collect) struct Tree {
    root: TempDir,
}

/// A process of the tree; the defaults are root's in the host's namespace.
pub(in crate::collect) struct Planted<'a> {
    pub(in crate::collect) pid: u32,
    pub(in crate::collect) command: &'a str,
    pub(in crate::collect) uid: u32,
    pub(in crate::collect) namespace: Option<&'a str>,
    pub(in crate::collect) mounts: &'a str,
    pub(in crate::collect) cgroup: &'a str,
    pub(in crate::collect) parent: u32,
}

pub(in crate::collect) const HOST_MOUNTS: &str = "27 1 254:0 / / rw - ext4 /dev/vda rw\n";
pub(in crate::collect) const POD_MOUNTS: &str = "304 187 0:90 / / rw - overlay overlay rw\n";
pub(in crate::collect) const STATIC_POD: &str =
    "0::/kubepods/burstable/podf8a8d3b24ce0d2945cf528b1e30c375c/85c6\n";
/// What the session of a user holds.
pub(in crate::collect) const SESSION: &str = "0::/user.slice/user-1000.slice/session-3.scope\n";
pub(in crate::collect) const API_POD: &str =
    "0::/kubepods/burstable/pod6be53e68-0d64-4010-a6db-79d67ae4390b/85c6\n";

impl Default for Planted<'_> {
    fn default() -> Self {
        Self {
            pid: 100,
            command: "",
            uid: 0,
            namespace: Some("mnt:[1]"),
            mounts: HOST_MOUNTS,
            cgroup: "0::/system.slice/kubelet.service\n",
            parent: 1,
        }
    }
}

impl Tree {
    /// A host that has booted: its first process, and the accounts of whoever runs the tests.
    pub(in crate::collect) fn new() -> Self {
        let tree = Self { root: TempDir::new().unwrap() };
        tree.file("/proc/stat", "cpu  1 2 3\nbtime 1700000000\n");
        tree.process(&Planted { pid: 1, command: "init", ..Planted::default() });
        tree.file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
        tree.file("/etc/group", "root:x:0:\n");
        tree
    }

    pub(in crate::collect) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    pub(in crate::collect) fn file(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(in crate::collect) fn directory(&self, path: &str) {
        fs::create_dir_all(self.path(path)).unwrap();
    }

    pub(in crate::collect) fn link(&self, path: &str, target: &str) {
        let path = self.path(path);
        // A process may be planted again, with other arguments.
        let _ = fs::remove_file(&path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    pub(in crate::collect) fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(in crate::collect) fn process(&self, planted: &Planted<'_>) {
        let pid = planted.pid;
        let file = |name: &str, text: &str| self.file(&format!("/proc/{pid}/{name}"), text);
        let name: String =
            planted.command.split(' ').next().unwrap().rsplit('/').next().unwrap().chars().take(15).collect();
        file("cmdline", &format!("{}\0", planted.command.replace(' ', "\0")));
        let parent = planted.parent;
        file(
            "stat",
            &format!("{pid} ({name}) S {parent} {pid} {pid} 0 -1 0 0 0 0 0 7 8 0 0 20 0 9 0 4200 1 2"),
        );
        let uid = planted.uid;
        file(
            "status",
            &format!("Name:\t{name}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t0\t0\t0\t0\nVmRSS:\t5 kB\n"),
        );
        file("mountinfo", planted.mounts);
        file("cgroup", planted.cgroup);
        if let Some(namespace) = planted.namespace {
            self.link(&format!("/proc/{pid}/ns/mnt"), namespace);
        }
        self.link(&format!("/proc/{pid}/cwd"), "/");
    }

    /// A kubelet with this configuration file.
    pub(in crate::collect) fn kubelet(&self, config: &str) {
        self.file(
            "/var/lib/kubelet/config.yaml",
            &format!("kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n{config}"),
        );
        let command = "/usr/bin/kubelet --config=/var/lib/kubelet/config.yaml";
        self.process(&Planted { command, ..Planted::default() });
    }

    /// A static pod's manifest, where kubeadm has it.
    pub(in crate::collect) fn manifest(&self, name: &str, command: &str, volumes: &[(&str, &str)]) {
        self.manifest_at(&format!("/etc/kubernetes/manifests/{name}.yaml"), name, command, volumes);
    }

    /// A static pod's manifest.
    pub(in crate::collect) fn manifest_at(
        &self,
        path: &str,
        name: &str,
        command: &str,
        volumes: &[(&str, &str)],
    ) {
        let mut text = format!(
            "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - image: registry/{name}:v1.37.2\n    command:\n"
        );
        for word in command.split(' ') {
            writeln!(text, "    - {word}").unwrap();
        }
        text.push_str("    volumeMounts:\n");
        for (inside, outside) in volumes {
            writeln!(text, "    - {{name: {}, mountPath: {inside}}}", outside.replace('/', "-")).unwrap();
        }
        text.push_str("  volumes:\n");
        for (_, outside) in volumes {
            writeln!(text, "  - {{name: {}, hostPath: {{path: {outside}}}}}", outside.replace('/', "-"))
                .unwrap();
        }
        self.file(path, &text);
    }

    pub(in crate::collect) fn host(&self) -> HostRoot {
        HostRoot::open(self.root.path()).unwrap()
    }

    pub(in crate::collect) fn observe(&self) -> Seen {
        self.observe_refusing(&[])
    }

    /// As somebody sees it who is refused some of it.
    pub(in crate::collect) fn observe_refusing(&self, refused: &[(&str, Refused, Errno)]) -> Seen {
        let refused = refused.iter().map(|(path, how, errno)| ((*path).to_owned(), *how, *errno));
        let host = self.host().refusing(Refusals::new(refused.collect()));
        let node = Owner { id: "node/uid-1".into(), name: "cp-1".into() };
        let mut resources = Vec::new();
        node::observe(&host, &node, &mut |resource| resources.push(resource));
        Seen { resources }
    }
}

/// What came out.
pub(in crate::collect) struct Seen {
    pub(in crate::collect) resources: Vec<Resource>,
}

impl Seen {
    /// All resources of a selector's name.
    pub(in crate::collect) fn all(&self, name: &str) -> Vec<&Resource> {
        self.resources.iter().filter(|resource| resource.selectors().contains(&name)).collect()
    }

    /// The only resource of a selector's name.
    pub(in crate::collect) fn only(&self, name: &str) -> &Resource {
        match self.all(name)[..] {
            [resource] => resource,
            ref other => panic!("expected one {name}, got {other:#?}"),
        }
    }

    pub(in crate::collect) fn at(&self, path: &str) -> &Resource {
        self.resources
            .iter()
            .find(|resource| resource.id == path)
            .unwrap_or_else(|| panic!("nothing at {path}"))
    }

    /// (`at`, `reason`, `what`) of everything a resource lacks.
    pub(in crate::collect) fn unread<'a>(&'a self, name: &str) -> Vec<(&'a str, &'a str, &'a str)> {
        let unread = self.only(name).unread.iter();
        unread
            .map(|unread| (unread.at.as_str(), unread.gap.reason.as_str(), unread.gap.what.as_str()))
            .collect()
    }

    /// Everything that would be shipped, as one text.
    pub(in crate::collect) fn text(&self) -> String {
        let shipped = self.resources.iter().map(|resource| {
            let unread = serde_json::to_string(&resource.unread).unwrap();
            format!("{} {} {} {unread}\n", resource.id, resource.name, resource.raw)
        });
        shipped.collect()
    }
}

pub(in crate::collect) fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}
