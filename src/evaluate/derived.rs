//! Pure functions over a resource for what paths cannot say. What is derived from unread is unread.

mod admission;
mod audit;
mod authorities;
mod authorizers;
mod containers;
mod encryption;
mod grants;
mod network;

use serde_json::{Map, Value};

use crate::resource::{Kind, Unread};

/// Everything derived for this type of resource; adds to `unread` what could not be derived.
pub(super) fn of(kind: Kind, sub_type: &str, root: &Value, unread: &mut Vec<Unread>) -> Map<String, Value> {
    let mut out = Map::new();
    let mut put = |key: &str, sources: &[&str], value: Option<Value>| {
        let hidden = unread.iter().find(|unread| sources.iter().any(|source| overlaps(source, &unread.at)));
        if let Some(hidden) = hidden.cloned() {
            unread.push(Unread { at: format!("$.derived.{key}"), ..hidden });
        } else if let Some(value) = value {
            out.insert(key.to_owned(), value);
        }
    };
    match kind {
        Kind::K8sObject => {
            put("kindAndName", &["$.kind", "$.metadata"], kind_and_name(sub_type, root));
            of_object(sub_type, root, &mut put);
        }
        Kind::Process => {
            let component = root.get("component").and_then(Value::as_str).unwrap_or_default();
            of_process(component, root, &mut put);
        }
        Kind::File | Kind::Caas | Kind::LoadBalancer | Kind::ContainerRegistry => {}
    }
    out
}

/// Takes a key, the places that its value is derived from, and the value.
type Put<'p> = dyn FnMut(&str, &[&str], Option<Value>) + 'p;

fn of_object(kind: &str, root: &Value, put: &mut Put<'_>) {
    match kind {
        "Pod" => put("containers", &["$.spec"], Some(containers::of(root))),
        "ClusterRoleBinding" | "RoleBinding" => {
            put("subjects", &["$.subjects"], Some(grants::subjects(root).into()));
            let sources = ["$.subjects", "$.roleRef", "$.metadata"];
            put("grants", &sources, Some(grants::of(root, kind).into()));
        }
        "Cluster" => put("networkPlugins", &["$.related.daemonSets"], Some(network::plugins(root).into())),
        _ => {}
    }
}

/// What says which admission plug-ins are on; by default, the version does.
const ADMISSION_SOURCES: [&str; 4] = [
    "$.version",
    "$.args.admission-control",
    "$.args.enable-admission-plugins",
    "$.args.disable-admission-plugins",
];

fn of_process(component: &str, root: &Value, put: &mut Put<'_>) {
    match component {
        "kube-apiserver" => {
            put("admissionPlugins", &ADMISSION_SOURCES, Some(admission::plugins(root)));
            // Which of the two counts hangs on the first; the other may then be out of sight.
            let sources = if authorizers::uses_file(root) {
                ["$.args.authorization-config", "$.files.authorizationConfiguration"]
            } else {
                ["$.args.authorization-config", "$.args.authorization-mode"]
            };
            put("authorizers", &sources, Some(authorizers::of(root)));
            let sources = ["$.args.encryption-provider-config", "$.files.encryptionConfiguration"];
            put("encryption", &sources, encryption::of(root));
            put("audit", &["$.args.audit-policy-file", "$.files.auditPolicy"], audit::levels(root));
        }
        "etcd" => {
            let sources = ["$.authorities", "$.related.processes"];
            put("sharedAuthorities", &sources, authorities::shared(root));
        }
        _ => {}
    }
}

/// `Service/kubernetes`.
fn kind_and_name(kind: &str, root: &Value) -> Option<Value> {
    let name = root.pointer("/metadata/name")?.as_str()?;
    Some(Value::from(format!("{kind}/{name}")))
}

/// Whether one place is at, under or over another.
fn overlaps(left: &str, right: &str) -> bool {
    let (short, long) = if left.len() <= right.len() { (left, right) } else { (right, left) };
    long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The last use of a scalar flag.
fn last<'v>(root: &'v Value, flag: &str) -> Option<&'v str> {
    root.get("args")?.get(flag)?.as_array()?.last()?.as_str()
}

/// Every element of a list flag.
fn list(root: &Value, flag: &str) -> Vec<String> {
    let values = root.get("args").and_then(|args| args.get(flag)).and_then(Value::as_array);
    let texts = values.into_iter().flatten().filter_map(Value::as_str);
    texts.flat_map(super::parse::csv_list).collect()
}
