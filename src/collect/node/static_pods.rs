//! Static pods: the kubelet starts them from files that only root can write, so they are trusted.
//!
//! In: the kubelet's manifest directories. Out: their containers with command, host path volumes and literal
//! variables, none of which is shipped as such; and which manifest starts which component.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;

use rustix::fs::FileType;
use serde_json::Value;

use super::filesystem::hostfs::HostRoot;
use super::filesystem::process_view::tidy;
use crate::collect::bounds::{MAX_ENTRIES, MAX_MANIFESTS, MAX_REASONS};
use crate::collect::component::command_line;
use crate::collect::component::{Component, base_name};
use crate::collect::config_files;
use crate::collect::variables;
use crate::resource::{Gap, Reason};

/// The manifest directory under kubeadm.
pub(super) const DEFAULT_DIRECTORY: &str = "/etc/kubernetes/manifests";

/// A container of a static pod.
#[derive(Debug, Clone, Default)]
pub(crate) struct StaticContainer {
    /// `metadata.uid`, which few manifests have; the kubelet generates one otherwise.
    pub uid: Option<String>,
    /// The user that it runs as, if the manifest sets one.
    pub user: Option<u32>,
    /// The component that it runs, by itself or through a shell or a logger.
    pub component: Option<Component>,
    /// Path in the container → path on the host, if the volume is a directory of the host.
    pub volumes: Vec<(String, Option<String>)>,
    /// Its environment variables with literal values.
    pub env: BTreeMap<String, String>,
    /// `major.minor` of the image's tag.
    pub version: Option<String>,
    /// `command`, with variables expanded.
    pub command: Vec<String>,
    /// `args`, with variables expanded.
    pub args: Vec<String>,
}

impl StaticContainer {
    /// Whether a process with this argument list is this container's first one.
    pub(super) fn starts(&self, words: &[String]) -> bool {
        if self.command.is_empty() {
            // The image sets the command; the arguments follow it.
            return !self.args.is_empty() && words.len() > self.args.len() && words.ends_with(&self.args);
        }
        let (command, args) = words.split_at(words.len().min(self.command.len()));
        command == self.command && args == self.args
    }

    /// Whether a wrapper or shell in this container starts a process with this argument list.
    pub(super) fn launches(&self, words: &[String]) -> bool {
        let line: Vec<String> = self.command.iter().chain(&self.args).cloned().collect();
        command_line::known_words(&line).is_some_and(|known| known == words)
    }
}

/// The content of a node's manifest directories.
#[derive(Debug, Default)]
pub(super) struct StaticPods {
    /// The containers of every manifest that can be read.
    pub containers: Vec<StaticContainer>,
    /// The manifests that start a component, whatever their names.
    pub manifests: Vec<(Component, String)>,
    /// Directories that cannot be listed, and files that may belong to any component.
    pub unlisted: Vec<Gap>,
    /// Why there may be more containers.
    pub in_doubt: Option<Gap>,
    /// How many bytes of manifests were read.
    bytes: usize,
}

/// Reads every manifest of `directories`; the kubelet also takes a single file.
pub(super) fn read(host: &HostRoot, directories: &[String]) -> StaticPods {
    let mut pods = StaticPods::default();
    for directory in directories {
        let what = format!("list {directory}");
        let listing = match host.list(directory, MAX_ENTRIES) {
            Ok(listing) => listing,
            Err(_) if is_file(host, directory) => {
                pods.read(host, tidy(directory));
                continue;
            }
            // A worker node may have none.
            Err(error) if error.reason == Reason::Missing => continue,
            Err(error) => {
                pods.unlisted.push(Gap::new(error.reason, what));
                continue;
            }
        };
        if listing.cut {
            pods.unlisted.push(Gap::new(Reason::TooLarge, what));
        }
        // The kubelet ignores hidden files and reads all others, whatever their extension.
        let is_hidden = |name: &OsStr| name.as_encoded_bytes().starts_with(b".");
        let entries = listing.entries.iter().filter(|entry| entry.kind != FileType::Directory);
        for entry in entries.filter(|entry| !is_hidden(&entry.name)) {
            match entry.text(directory) {
                Ok(name) => pods.read(host, tidy(&format!("{directory}/{name}"))),
                Err(gap) => pods.unlisted.push(gap),
            }
        }
    }
    pods.in_doubt = pods.in_doubt.or_else(|| pods.unlisted.first().cloned());
    pods
}

fn is_file(host: &HostRoot, path: &str) -> bool {
    host.stat(path).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
}

impl StaticPods {
    /// Reads one manifest.
    fn read(&mut self, host: &HostRoot, path: String) {
        // Names are many, and each may be a file of the largest size.
        let text = if self.bytes > MAX_MANIFESTS {
            let what = format!("read {path}: the manifests have more than {MAX_MANIFESTS} bytes together");
            Err(Gap::new(Reason::TooLarge, what))
        } else {
            host.read(&path)
        };
        self.bytes += text.as_ref().map_or(0, Vec::len);
        let components: BTreeSet<Component> = match text.and_then(|text| document(&text, &path)) {
            Ok(pod) => {
                let containers = pod_containers(&pod);
                let components = containers.iter().filter_map(|container| container.component).collect();
                self.containers.extend(containers);
                components
            }
            // It cannot be read; only its name is known.
            Err(why) => {
                let named = Component::named(base_name(&path).split('.').next().unwrap_or_default());
                // A dangling link, or a file that is not YAML, starts nothing.
                let may_start = named.is_none() && !matches!(why.reason, Reason::Missing | Reason::Malformed);
                if may_start && self.unlisted.len() < MAX_REASONS {
                    self.unlisted.push(why.clone());
                }
                self.in_doubt.get_or_insert(why);
                named.into_iter().collect()
            }
        };
        self.manifests.extend(components.into_iter().map(|component| (component, path.clone())));
    }
}

fn document(text: &[u8], path: &str) -> Result<Value, Gap> {
    config_files::first_document(text).map_err(|gap| gap.during(format!("read {path}")))
}

pub(crate) fn pod_containers(pod: &Value) -> Vec<StaticContainer> {
    if pod["kind"] != "Pod" {
        return Vec::new();
    }
    let host_paths: BTreeMap<&str, Option<&str>> = items(&pod["spec"]["volumes"])
        .filter_map(|volume| Some((volume["name"].as_str()?, volume["hostPath"]["path"].as_str())))
        .collect();
    ["containers", "initContainers"]
        .into_iter()
        .flat_map(|list| items(&pod["spec"][list]))
        .map(|container| {
            let env = variables::literal(container);
            let expand =
                |word: &str| variables::expand(word, &env, false).unwrap_or_else(|_| word.to_owned());
            let words = |key: &str| items(&container[key]).filter_map(Value::as_str).map(expand);
            let (command, args): (Vec<_>, Vec<_>) = (words("command").collect(), words("args").collect());
            StaticContainer {
                uid: pod["metadata"]["uid"].as_str().map(str::to_owned),
                user: run_as_user(container).or_else(|| run_as_user(&pod["spec"])),
                component: component_of(&command, &args).or_else(|| {
                    // The image sets the command, which has its name.
                    let image = container["image"].as_str().filter(|_| command.is_empty())?;
                    component_of(&[image_name(image).to_owned()], &args)
                }),
                volumes: items(&container["volumeMounts"])
                    .filter_map(|mount| volume(mount, &host_paths))
                    .collect(),
                version: container["image"].as_str().and_then(version_of),
                env,
                command,
                args,
            }
        })
        .collect()
}

/// A container's own setting, or its pod's.
fn run_as_user(spec: &Value) -> Option<u32> {
    spec["securityContext"]["runAsUser"].as_u64()?.try_into().ok()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn volume(mount: &Value, host_paths: &BTreeMap<&str, Option<&str>>) -> Option<(String, Option<String>)> {
    let inside = mount["mountPath"].as_str()?;
    let outside = host_paths.get(mount["name"].as_str()?).copied().flatten();
    let outside = match (outside, mount["subPath"].as_str(), mount.get("subPathExpr")) {
        (Some(outside), None, None) => Some(tidy(outside)),
        (Some(outside), Some(sub_path), None) => Some(tidy(&format!("{outside}/{sub_path}"))),
        _ => None,
    };
    Some((tidy(inside), outside))
}

fn component_of(command: &[String], args: &[String]) -> Option<Component> {
    let line: Vec<String> = command.iter().chain(args).cloned().collect();
    command_line::started(&line).map(|started| started.component())
}

/// `registry.k8s.io/kube-apiserver:v1.37.2` → `kube-apiserver`.
fn image_name(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    let name = base_name(image);
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    let machines = ["-amd64", "-arm64", "-arm", "-ppc64le", "-s390x"];
    machines.iter().find_map(|machine| name.strip_suffix(machine)).unwrap_or(name)
}

/// `registry.k8s.io/kube-apiserver:v1.37.2` → `1.37`.
pub(super) fn version_of(image: &str) -> Option<String> {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    let (_, tag) = base_name(image).split_once(':')?;
    let mut parts = tag.strip_prefix('v').unwrap_or(tag).split(['.', '-', '_', '+']);
    let (major, minor): (u32, u32) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(format!("{major}.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    fn container(container: Value) -> StaticContainer {
        let pod = json!({"kind": "Pod", "spec": {
            "containers": [container],
            "volumes": [{"name": "pki", "hostPath": {"path": "/opt/pki/"}}, {"name": "tmp", "emptyDir": {}}]
        }});
        pod_containers(&pod).remove(0)
    }

    #[test]
    fn a_process_is_matched_by_its_whole_argument_list() {
        let etcd = container(json!({"command": ["etcd", "--name=$(NAME)"], "args": ["--x"],
            "env": [{"name": "NAME", "value": "cp-1"}], "image": "registry.k8s.io/etcd:3.7.0-0"}));
        assert!(etcd.starts(&words("etcd --name=cp-1 --x")));
        assert!(!etcd.starts(&words("etcd --name=cp-1 --x --data-dir=/etc")));
        assert!(!etcd.starts(&words("etcd --name=cp-2 --x")));
        assert!(!etcd.starts(&words("etcd")));
        assert_eq!(etcd.component, Some(Component::Etcd));
        assert_eq!(etcd.version.as_deref(), Some("3.7"));
    }

    #[test]
    fn without_a_command_the_arguments_stand_behind_the_image_s() {
        let etcd = container(json!({"args": ["--name=a", "--x"]}));
        assert!(etcd.starts(&words("/usr/bin/etcd --name=a --x")));
        assert!(!etcd.starts(&words("--name=a --x")));
        assert!(!container(json!({})).starts(&words("etcd")));
    }

    #[test]
    fn a_wrapped_component_is_found() {
        let wrapped =
            container(json!({"command": ["/bin/sh", "-c", "exec /usr/local/bin/kube-apiserver --a"]}));
        assert_eq!(wrapped.component, Some(Component::ApiServer));
        assert_eq!(container(json!({"command": ["haproxy"]})).component, None);
    }

    #[test]
    fn only_directories_of_the_host_have_a_path() {
        let mounted = container(json!({"volumeMounts": [
            {"name": "pki", "mountPath": "/pki/"}, {"name": "pki", "mountPath": "/sub", "subPath": "etcd"},
            {"name": "pki", "mountPath": "/expr", "subPathExpr": "$(X)"}, {"name": "tmp", "mountPath": "/tmp"}
        ]}));
        let path = |path: &str| Some(path.to_owned());
        assert_eq!(
            mounted.volumes,
            [
                ("/pki".to_owned(), path("/opt/pki")),
                ("/sub".to_owned(), path("/opt/pki/etcd")),
                ("/expr".to_owned(), None),
                ("/tmp".to_owned(), None)
            ]
        );
    }

    #[test]
    fn versions_come_from_tags() {
        assert_eq!(version_of("host:5000/kube-apiserver:v1.37.2@sha256:ab").as_deref(), Some("1.37"));
        assert_eq!(version_of("host:5000/kube-apiserver"), None);
        assert_eq!(version_of("kube-apiserver:latest"), None);
    }
}
