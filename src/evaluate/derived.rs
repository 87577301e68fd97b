//! Values that follow from a resource but that a path cannot express: `$.derived.…`.
//!
//! One table, [`DERIVED`], says which resources have which value, what it is and what it is derived from. What is derived
//! from something unread is unread.

mod admission;
mod audit;
mod authorities;
mod authorizers;
mod aws;
mod containers;
mod encryption;
mod grants;
mod images;
mod network;

use serde_json::{Map, Value};

use crate::resource::{Gap, Kind, Reason, Unread, at};

/// A key of `derived`.
#[derive(Debug)]
pub struct DerivedValue {
    /// The key.
    pub key: &'static str,
    /// The type of resource that has it.
    pub kind: Kind,
    /// Their Kinds, components or sub-types; empty: all of the type.
    pub names: &'static [&'static str],
    /// What it holds, for rule authors.
    pub meaning: &'static str,
    /// Computes it.
    derive: fn(&Value, &mut DerivedField<'_>),
}

/// Every derived value.
pub const DERIVED: &[&[DerivedValue]] = &[OF_OBJECTS, OF_PROCESSES, aws::DERIVED];

const BINDINGS: &[&str] = &["ClusterRoleBinding", "RoleBinding"];

const OF_OBJECTS: &[DerivedValue] = &[
    DerivedValue {
        key: "kindAndName",
        kind: Kind::K8sObject,
        names: &[],
        meaning: "the object's kind and name: `Service/kubernetes`",
        derive: |root, field| field.put(&["$.kind", "$.metadata"], kind_and_name(field.name, root)),
    },
    DerivedValue {
        key: "containers",
        kind: Kind::K8sObject,
        names: &["Pod"],
        meaning: "the containers of all three lists, `[{list, name, securityContext}]`, with the pod's security context filled in and capabilities in upper case without `CAP_`",
        derive: |root, field| field.put(&["$.spec"], Some(containers::of(root))),
    },
    DerivedValue {
        key: "images",
        kind: Kind::K8sObject,
        names: &["Pod"],
        meaning: "full names of the images of all containers and image volumes, without tag and digest, each once: `docker.io/library/nginx`",
        derive: |root, field| field.put_understood(&["$.spec"], images::of(root).map(Some)),
    },
    DerivedValue {
        key: "subjects",
        kind: Kind::K8sObject,
        names: BINDINGS,
        meaning: "the subjects: `User:jane`, `Group:system:masters`, `ServiceAccount:kube-system/default`",
        derive: |root, field| field.put(&["$.subjects"], Some(grants::subjects(root).into())),
    },
    DerivedValue {
        key: "grants",
        kind: Kind::K8sObject,
        names: BINDINGS,
        meaning: "one string for each subject: `User:jane has ClusterRole/edit by RoleBinding/shop/jane-edits`",
        derive: |root, field| {
            let sources = ["$.subjects", "$.roleRef", "$.metadata"];
            field.put(&sources, Some(grants::of(root, field.name).into()));
        },
    },
    DerivedValue {
        key: "networkPlugins",
        kind: Kind::K8sObject,
        names: &["Cluster"],
        meaning: "network plugins recognized by the images of DaemonSets: `cilium`",
        derive: |root, field| field.put(&["$.related.daemonSets"], Some(network::plugins(root).into())),
    },
];

/// The sources of the enabled admission plugins; the defaults depend on the version.
const ADMISSION_SOURCES: [&str; 4] = [
    "$.version",
    "$.args.admission-control",
    "$.args.enable-admission-plugins",
    "$.args.disable-admission-plugins",
];

const OF_PROCESSES: &[DerivedValue] = &[
    DerivedValue {
        key: "admissionPlugins",
        kind: Kind::Process,
        names: &["kube-apiserver"],
        meaning: "the enabled admission plugins: the version's defaults combined with the flags",
        derive: |root, field| field.put(&ADMISSION_SOURCES, Some(admission::plugins(root))),
    },
    DerivedValue {
        key: "authorizers",
        kind: Kind::Process,
        names: &["kube-apiserver"],
        meaning: "the authorizers in order, from the flag or the configuration file: `Node`, `RBAC`",
        derive: |root, field| {
            // Which of the two counts depends on the first; the other may then be out of sight.
            let sources = if authorizers::uses_file(root) {
                ["$.args.authorization-config", "$.files.authorizationConfiguration"]
            } else {
                ["$.args.authorization-config", "$.args.authorization-mode"]
            };
            field.put(&sources, Some(authorizers::of(root)));
        },
    },
    DerivedValue {
        key: "encryption",
        kind: Kind::Process,
        names: &["kube-apiserver"],
        meaning: "resource → provider used for writes (`aescbc`, `kms`, `identity`); absent without an encryption configuration",
        derive: |root, field| {
            let sources =
                ["$.args.encryption-provider-config", "$.files.encryptionConfiguration", "$.version"];
            // Only wildcards depend on the version.
            let used = if encryption::has_wildcards(root) { &sources[..] } else { &sources[..2] };
            field.put(used, encryption::of(root));
        },
    },
    DerivedValue {
        key: "audit",
        kind: Kind::Process,
        names: &["kube-apiserver"],
        meaning: "`[{rule?, level, id, verbs, resources, askers, stages, recorded, secretText, example}]`: what each rule of the audit policy (`rules[0]`; no rule: none fits) does with the requests that matter, asked as everyone and everywhere that the policy mentions; `recorded`: at one of the `stages` at least; `secretText`: with the body of a Secret, a ConfigMap or a token; absent without a policy",
        derive: |root, field| {
            let mut sources = vec!["$.args.audit-policy-file", "$.files.auditPolicy"];
            if audit::depends_on_version(root) {
                sources.push("$.version");
            }
            field.put_understood(&sources, audit::records(root));
        },
    },
    DerivedValue {
        key: "sharedAuthorities",
        kind: Kind::Process,
        names: &["etcd"],
        meaning: "SHA-256 fingerprints of the CA certificates that both etcd and an API server on its node trust; absent if no API server runs there",
        derive: |root, field| {
            field.put(&["$.authorities", "$.related.processes"], authorities::shared(root));
        },
    },
];

/// Everything derived for this type of resource; adds to `unread` what could not be derived.
pub(super) fn of(kind: Kind, sub_type: &str, root: &Value, unread: &mut Vec<Unread>) -> Map<String, Value> {
    let name = match kind {
        Kind::Process => root.get("component").and_then(Value::as_str).unwrap_or_default(),
        _ => sub_type,
    };
    let mut out = Map::new();
    let meant =
        |value: &&DerivedValue| value.kind == kind && (value.names.is_empty() || value.names.contains(&name));
    for value in DERIVED.iter().copied().flatten().filter(meant) {
        (value.derive)(root, &mut DerivedField { key: value.key, name, out: &mut out, unread });
    }
    out
}

/// Where one derived value goes, or the reason why it is unknown.
struct DerivedField<'d> {
    key: &'static str,
    /// The resource's Kind, component or sub-type.
    name: &'d str,
    out: &'d mut Map<String, Value>,
    unread: &'d mut Vec<Unread>,
}

impl DerivedField<'_> {
    /// Takes the places that the value is derived from, and the value.
    fn put(&mut self, sources: &[&str], value: Option<Value>) {
        let mut unread = self.unread.iter();
        let hidden = unread.find(|unread| sources.iter().any(|source| overlaps(source, &unread.at)));
        if let Some(hidden) = hidden.cloned() {
            self.unread.push(hidden.gap.at(self.place()));
        } else if let Some(value) = value {
            self.out.insert(self.key.to_owned(), value);
        }
    }

    /// The same for a source that may be malformed: the error then says what was expected.
    fn put_understood(&mut self, sources: &[&str], value: Result<Option<Value>, String>) {
        match value {
            Ok(value) => self.put(sources, value),
            Err(expected) => {
                self.put(sources, None);
                let at = self.place();
                // An unread source has its own reason.
                if !self.unread.iter().any(|unread| unread.at == at) {
                    let what = format!("parse it: expected {expected}");
                    self.unread.push(Unread::new(at, Reason::Malformed, what));
                }
            }
        }
    }

    /// The value cannot be derived, for a reason of its own.
    fn unread(&mut self, gap: Gap) {
        let place = self.place();
        self.unread.push(gap.at(place));
    }

    fn place(&self) -> String {
        format!("$.derived.{}", self.key)
    }
}

/// `Service/kubernetes`.
fn kind_and_name(kind: &str, root: &Value) -> Option<Value> {
    let name = at(root, "/metadata/name")?.as_str()?;
    Some(Value::from(format!("{kind}/{name}")))
}

/// Whether one place is at, under or over the other.
fn overlaps(left: &str, right: &str) -> bool {
    let (short, long) = if left.len() <= right.len() { (left, right) } else { (right, left) };
    long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The last value of a scalar flag.
fn last<'v>(root: &'v Value, flag: &str) -> Option<&'v str> {
    root.get("args")?.get(flag)?.as_array()?.last()?.as_str()
}

/// Every element of a list flag.
fn list(root: &Value, flag: &str) -> Vec<String> {
    let values = root.get("args").and_then(|args| args.get(flag)).and_then(Value::as_array);
    let texts = values.into_iter().flatten().filter_map(Value::as_str);
    texts.flat_map(super::parse::csv_list).collect()
}
