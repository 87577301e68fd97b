//! The flags of API servers, as their mirror pods show them.

use serde_json::{Value, json};

use super::statements::{ObjectKey, Statements};
use crate::collect::arguments::{self, Arguments};
use crate::collect::component::Component;

/// The API servers that run as static pods. Others, such as those of managed clusters, are not visible.
#[derive(Debug, Default)]
pub(super) struct ApiServers {
    found: Statements<(String, Arguments)>,
}

impl ApiServers {
    /// Notes a pod; returns whether the known API servers changed. Only kubelets may create mirror pods, so users
    /// cannot fake one.
    pub(super) fn note(&mut self, pod: &Value, key: ObjectKey) -> bool {
        self.found.put(key, arguments_of(pod))
    }

    pub(super) fn forget(&mut self, key: ObjectKey) -> bool {
        self.found.put(key, None)
    }

    /// `{name, args}` of each API server.
    pub(super) fn list(&self) -> Vec<Value> {
        let found = self.found.sorted(|(name, _)| name.clone());
        found.iter().map(|(name, arguments)| json!({"name": name, "args": arguments})).collect()
    }

    /// `disabled` if any API server has the PodSecurity plug-in off, else `enabled`. `None`: no API server is visible.
    pub(super) fn pod_security_plugin(&self) -> Option<&'static str> {
        let off = self.found.values().any(|(_, arguments)| lacks_pod_security(arguments));
        self.is_known().then_some(if off { "disabled" } else { "enabled" })
    }

    /// The pod security level of namespaces without a label: `privileged`. `None`: unknown, because no API server is
    /// visible, or one reads it from a file.
    pub(super) fn pod_security_default(&self) -> Option<&'static str> {
        let by_file = |arguments: &Arguments| arguments.contains_key("admission-control-config-file");
        let known = self.is_known() && !self.found.values().any(|(_, arguments)| by_file(arguments));
        known.then_some("privileged")
    }

    fn is_known(&self) -> bool {
        self.found.values().next().is_some()
    }
}

/// Name and flags of an API server. `None`: any other pod.
fn arguments_of(pod: &Value) -> Option<(String, Arguments)> {
    let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str);
    let mirror = text("/metadata/annotations/kubernetes.io~1config.mirror").is_some();
    let of_api_server = text("/metadata/namespace") == Some("kube-system")
        && text("/metadata/labels/component") == Some("kube-apiserver");
    if !(mirror && of_api_server) {
        return None;
    }
    let words = ["command", "args"].iter().flat_map(|list| {
        pod.pointer(&format!("/spec/containers/0/{list}")).and_then(Value::as_array).into_iter().flatten()
    });
    let words: Vec<String> = words.filter_map(Value::as_str).map(str::to_owned).collect();
    let name = text("/metadata/name").unwrap_or_default().to_owned();
    Some((name, arguments::parse(Component::ApiServer, &words)))
}

/// The plug-in is on by default; the deprecated `--admission-control` replaces the whole set.
fn lacks_pod_security(arguments: &Arguments) -> bool {
    let names_it = |flag: &str| {
        let values = arguments.get(flag)?;
        Some(values.iter().flat_map(|value| value.split(',')).any(|name| name.trim() == "PodSecurity"))
    };
    names_it("disable-admission-plugins") == Some(true) || names_it("admission-control") == Some(false)
}
