//! Pure functions over a resource for what paths cannot say. What is derived from unread is unread.

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

use crate::resource::{Kind, Reason, Unread};

/// Everything derived for this type of resource; adds to `unread` what could not be derived.
pub(super) fn of(kind: Kind, sub_type: &str, root: &Value, unread: &mut Vec<Unread>) -> Map<String, Value> {
    let mut found = Found { out: Map::new(), unread };
    match kind {
        Kind::K8sObject => {
            found.put("kindAndName", &["$.kind", "$.metadata"], kind_and_name(sub_type, root));
            of_object(sub_type, root, &mut found);
        }
        Kind::Process => {
            let component = root.get("component").and_then(Value::as_str).unwrap_or_default();
            of_process(component, root, &mut found);
        }
        Kind::Caas | Kind::ContainerRegistry => aws::of(sub_type, root, &mut found),
        Kind::File | Kind::LoadBalancer => {}
    }
    found.out
}

/// What is derived, and what cannot be.
struct Found<'u> {
    out: Map<String, Value>,
    unread: &'u mut Vec<Unread>,
}

impl Found<'_> {
    /// Takes a key, the places that its value is derived from, and the value.
    fn put(&mut self, key: &str, sources: &[&str], value: Option<Value>) {
        let mut unread = self.unread.iter();
        let hidden = unread.find(|unread| sources.iter().any(|source| overlaps(source, &unread.at)));
        if let Some(hidden) = hidden.cloned() {
            self.unread.push(hidden.gap.at(format!("$.derived.{key}")));
        } else if let Some(value) = value {
            self.out.insert(key.to_owned(), value);
        }
    }

    /// The same, of what may not be as it must be: then the error says what was expected.
    fn put_understood(&mut self, key: &str, sources: &[&str], value: Result<Value, String>) {
        let at = format!("$.derived.{key}");
        match value {
            Ok(value) => self.put(key, sources, Some(value)),
            Err(expected) => {
                self.put(key, sources, None);
                // What is unread is not there to be understood.
                if !self.unread.iter().any(|unread| unread.at == at) {
                    let what = format!("understand it: expected {expected}");
                    self.unread.push(Unread::new(at, Reason::Malformed, what));
                }
            }
        }
    }
}

fn of_object(kind: &str, root: &Value, found: &mut Found<'_>) {
    match kind {
        "Pod" => {
            found.put("containers", &["$.spec"], Some(containers::of(root)));
            found.put_understood("images", &["$.spec"], images::of(root));
        }
        "ClusterRoleBinding" | "RoleBinding" => {
            found.put("subjects", &["$.subjects"], Some(grants::subjects(root).into()));
            let sources = ["$.subjects", "$.roleRef", "$.metadata"];
            found.put("grants", &sources, Some(grants::of(root, kind).into()));
        }
        "Cluster" => {
            found.put("networkPlugins", &["$.related.daemonSets"], Some(network::plugins(root).into()));
        }
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

fn of_process(component: &str, root: &Value, found: &mut Found<'_>) {
    match component {
        "kube-apiserver" => {
            found.put("admissionPlugins", &ADMISSION_SOURCES, Some(admission::plugins(root)));
            // Which of the two counts hangs on the first; the other may then be out of sight.
            let sources = if authorizers::uses_file(root) {
                ["$.args.authorization-config", "$.files.authorizationConfiguration"]
            } else {
                ["$.args.authorization-config", "$.args.authorization-mode"]
            };
            found.put("authorizers", &sources, Some(authorizers::of(root)));
            let sources = ["$.args.encryption-provider-config", "$.files.encryptionConfiguration"];
            found.put("encryption", &sources, encryption::of(root));
            found.put("audit", &["$.args.audit-policy-file", "$.files.auditPolicy"], audit::levels(root));
        }
        "etcd" => {
            let sources = ["$.authorities", "$.related.processes"];
            found.put("sharedAuthorities", &sources, authorities::shared(root));
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
