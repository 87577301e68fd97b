//! Joins: what a rule must know of other objects, kept as small as it can be.
//!
//! [`Index::note`] sees every object once, [`Index::relate`] gives each resource its `related`. The same
//! two steps serve the API, a snapshot and manifests, so that all three give the same verdicts.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

use super::arguments;
use super::component::Component;
use crate::resource::{Kind, Reason, Resource, Unread};

/// Policy engines that judge pods at admission, by what their webhook's service is called.
const POLICY_ENGINES: [(&str, &str); 5] = [
    ("kyverno", "kyverno-svc"),
    ("gatekeeper", "gatekeeper-webhook-service"),
    ("kubewarden", "policy-server"),
    ("jspolicy", "jspolicy"),
    ("datree", "datree-webhook-server"),
];

/// What objects say about others.
#[derive(Debug, Default)]
pub struct Index {
    /// Namespace → its network policies as `{kind, name}`.
    network_policies: BTreeMap<String, Vec<Value>>,
    /// Names of policy engines whose webhooks see pods being created.
    engines: BTreeSet<&'static str>,
    /// What the API server's mirror pods show of its flags; `None` while none was seen.
    api_server: Option<ApiServer>,
    /// Kinds that could not be listed.
    gaps: BTreeMap<String, Unread>,
}

/// Of several API servers, what any of them says.
#[derive(Debug, Clone, Copy, Default)]
struct ApiServer {
    /// Whether `--admission-control-config-file` is given: the default pod security level is written in a
    /// file of the control plane. Without it the built-in one holds.
    has_admission_file: bool,
    /// Whether the PodSecurity plug-in is off.
    lacks_pod_security: bool,
}

impl Index {
    /// Whether objects of `kind` must be noted before objects of the `wanted` kinds are judged.
    pub fn wants(kind: &str, wanted: &BTreeSet<&str>) -> bool {
        let for_namespaces =
            ["NetworkPolicy", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "Pod"];
        wanted.contains("Namespace") && for_namespaces.contains(&kind)
    }

    /// Where only some objects of a kind say anything, the query that selects them.
    pub fn selector(kind: &str) -> Option<&'static str> {
        (kind == "Pod").then_some("labelSelector=component%3Dkube-apiserver")
    }

    /// Learns what an object says about others.
    pub fn note(&mut self, resource: &Resource) {
        if resource.is_unlisted() {
            if let Some(unread) = resource.unread.first() {
                self.gaps.entry(resource.sub_type.clone()).or_insert_with(|| unread.clone());
            }
            return;
        }
        if resource.kind != Kind::K8sObject {
            return;
        }
        match resource.sub_type.as_str() {
            "NetworkPolicy" => {
                let namespace = resource.namespace().unwrap_or_default().to_owned();
                let policy = json!({"kind": resource.sub_type, "name": resource.name});
                self.network_policies.entry(namespace).or_default().push(policy);
            }
            "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => {
                self.engines.extend(engines(&resource.raw));
            }
            "Pod" => self.note_api_server(&resource.raw),
            _ => {}
        }
    }

    /// Gives a resource what rules about it need of others.
    pub fn relate(&self, resource: &mut Resource) {
        if resource.kind != Kind::K8sObject || resource.sub_type != "Namespace" || resource.is_unlisted() {
            return;
        }
        let policies = self.network_policies.get(&resource.name).cloned().unwrap_or_default();
        self.put(resource, "networkPolicies", &["NetworkPolicy"], Value::from(policies));
        let webhooks = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];
        let engines: Vec<&str> = self.engines.iter().copied().collect();
        self.put(resource, "podPolicyEngines", &webhooks, Value::from(engines));
        if let Some(api_server) = self.api_server {
            let plugin = if api_server.lacks_pod_security { "disabled" } else { "enabled" };
            resource.related.insert("podSecurityPlugin".into(), Value::from(plugin));
        }
        if self.api_server.is_some_and(|api_server| !api_server.has_admission_file) {
            resource.related.insert("podSecurityDefault".into(), Value::from("privileged"));
            return;
        }
        let denied = self.gaps.get("Pod").cloned();
        let unread = denied.unwrap_or_else(|| {
            let what = "read the API server's default pod security level: only seen on a control-plane node";
            Unread::new("$", Reason::Missing, what)
        });
        resource.unread.push(Unread { at: "$.related.podSecurityDefault".into(), ..unread });
    }

    /// A join that rests on kinds of which one could not be listed is unread: a part of it would look like
    /// the whole.
    fn put(&self, resource: &mut Resource, key: &str, kinds: &[&str], value: Value) {
        match kinds.iter().find_map(|kind| self.gaps.get(*kind)) {
            Some(gap) => {
                resource.unread.push(Unread { at: format!("$.related.{key}"), ..gap.clone() });
            }
            None => {
                resource.related.insert(key.to_owned(), value);
            }
        }
    }

    /// Only a kubelet may create mirror pods, so this cannot be a pod that somebody made up.
    fn note_api_server(&mut self, pod: &Value) {
        let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str);
        let mirror = text("/metadata/annotations/kubernetes.io~1config.mirror").is_some();
        let of_api_server = text("/metadata/namespace") == Some("kube-system")
            && text("/metadata/labels/component") == Some("kube-apiserver");
        if !(mirror && of_api_server) {
            return;
        }
        let words = ["command", "args"].iter().flat_map(|list| {
            pod.pointer(&format!("/spec/containers/0/{list}")).and_then(Value::as_array).into_iter().flatten()
        });
        let words: Vec<String> = words.filter_map(Value::as_str).map(str::to_owned).collect();
        let has_admission_file = words.iter().any(|word| {
            let flag = word.split('=').next().unwrap_or_default().trim_start_matches('-').replace('_', "-");
            flag == "admission-control-config-file"
        });
        let api_server = self.api_server.get_or_insert_default();
        api_server.has_admission_file |= has_admission_file;
        api_server.lacks_pod_security |= lacks_pod_security(&words);
    }
}

/// The plug-in is on by default; the deprecated `--admission-control` is the whole set by itself.
fn lacks_pod_security(words: &[String]) -> bool {
    let arguments = arguments::parse(Component::ApiServer, words);
    let names_it = |flag: &str| {
        let values = arguments.get(flag)?;
        Some(values.iter().flat_map(|value| value.split(',')).any(|name| name.trim() == "PodSecurity"))
    };
    names_it("disable-admission-plugins") == Some(true) || names_it("admission-control") == Some(false)
}

/// The known engines among a configuration's webhooks that see pods being created.
fn engines(configuration: &Value) -> impl Iterator<Item = &'static str> {
    let webhooks = configuration.get("webhooks").and_then(Value::as_array).into_iter().flatten();
    webhooks.filter(|webhook| sees_new_pods(webhook)).filter_map(|webhook| {
        let service = webhook.pointer("/clientConfig/service/name").and_then(Value::as_str)?;
        POLICY_ENGINES.iter().find(|(_, name)| service.starts_with(name)).map(|(engine, _)| *engine)
    })
}

fn sees_new_pods(webhook: &Value) -> bool {
    let rules = webhook.get("rules").and_then(Value::as_array).into_iter().flatten();
    rules.into_iter().any(|rule| {
        let has = |key: &str, wanted: &[&str]| {
            let list = rule.get(key).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).any(|value| wanted.contains(&value))
        };
        has("apiGroups", &["", "*"])
            && has("operations", &["CREATE", "*"])
            && has("resources", &["pods", "pods/*", "*", "*/*"])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{Owner, Selector};

    fn object(raw: Value) -> Resource {
        super::super::object::resource(raw, None)
    }

    fn namespace(index: &Index) -> Resource {
        let mut namespace = object(
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "uid": "u"}}),
        );
        index.relate(&mut namespace);
        namespace
    }

    #[test]
    fn a_namespace_knows_its_network_policies() {
        let mut index = Index::default();
        let policy = json!({"kind": "NetworkPolicy", "metadata": {"name": "deny", "namespace": "shop"}});
        index.note(&object(policy));
        assert_eq!(
            namespace(&index).related["networkPolicies"],
            json!([{"kind": "NetworkPolicy", "name": "deny"}])
        );
    }

    #[test]
    fn policies_that_could_not_be_listed_are_unread() {
        let owner = Owner { id: "cluster/x".into(), name: "x".into() };
        let selector = Selector::new(Kind::K8sObject, "NetworkPolicy");
        let mut index = Index::default();
        index.note(&Resource::unlisted(&selector, &owner, Reason::Denied, "list networkpolicies"));
        let namespace = namespace(&index);
        assert!(!namespace.related.contains_key("networkPolicies"));
        let unread = namespace.unread.iter().find(|unread| unread.at == "$.related.networkPolicies").unwrap();
        assert_eq!(unread.reason, Reason::Denied);
    }

    fn api_server(command: Value, annotations: Value) -> Resource {
        object(json!({"kind": "Pod", "metadata": {"name": "kube-apiserver-a", "namespace": "kube-system",
            "labels": {"component": "kube-apiserver"}, "annotations": annotations},
            "spec": {"containers": [{"command": command}]}}))
    }

    #[test]
    fn the_pod_security_plugin_is_known_from_the_mirror_pods() {
        let plugin = |lines: &[&str]| {
            let mut index = Index::default();
            for line in lines {
                let words: Vec<&str> = line.split(' ').collect();
                index.note(&api_server(json!(words), json!({"kubernetes.io/config.mirror": "hash"})));
            }
            let namespace = namespace(&index);
            namespace.related.get("podSecurityPlugin").map(|plugin| plugin.as_str().unwrap().to_owned())
        };
        for line in [
            "kube-apiserver --disable-admission-plugins=PodSecurity",
            "kube-apiserver --disable_admission_plugins A,PodSecurity --v=1",
            "kube-apiserver --disable-admission-plugins=A --disable-admission-plugins=PodSecurity",
            "kube-apiserver --admission-control=NamespaceLifecycle,PodNodeSelector",
            "kube-apiserver --admission_control NamespaceLifecycle",
        ] {
            assert_eq!(plugin(&[line]).as_deref(), Some("disabled"), "{line}");
            assert_eq!(plugin(&[line, "kube-apiserver"]).as_deref(), Some("disabled"), "{line}");
        }
        for line in [
            "kube-apiserver",
            "kube-apiserver --disable-admission-plugins=A --enable-admission-plugins=PodSecurity",
            "kube-apiserver --admission-control=A,PodSecurity",
            "kube-apiserver --admission-control-config-file=/x",
        ] {
            assert_eq!(plugin(&[line]).as_deref(), Some("enabled"), "{line}");
        }
        assert_eq!(plugin(&[]), None);
        let mut index = Index::default();
        index.note(&api_server(json!(["--disable-admission-plugins=PodSecurity"]), json!({})));
        assert!(!namespace(&index).related.contains_key("podSecurityPlugin"), "no mirror pod");
    }

    #[test]
    fn the_default_level_is_known_from_the_mirror_pod_only() {
        let pod = api_server;
        let mirror = json!({"kubernetes.io/config.mirror": "hash"});
        let default = |pods: Vec<Resource>| {
            let mut index = Index::default();
            for pod in &pods {
                index.note(pod);
            }
            namespace(&index).related.get("podSecurityDefault").cloned()
        };
        let plain = || pod(json!(["kube-apiserver", "--v=1"]), mirror.clone());
        let file = || pod(json!(["kube-apiserver", "--admission-control-config-file=/x"]), mirror.clone());
        assert_eq!(default(vec![plain()]), Some(json!("privileged")));
        assert_eq!(default(vec![file(), plain()]), None);
        assert_eq!(default(vec![pod(json!(["kube-apiserver"]), json!({}))]), None, "no mirror pod");
        assert_eq!(default(vec![]), None);
    }

    #[test]
    fn an_engine_counts_when_it_sees_new_pods() {
        let webhook = |groups: Value, resources: Value| {
            object(json!({"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "k"}, "webhooks": [{
                "clientConfig": {"service": {"name": "kyverno-svc", "namespace": "kyverno"}},
                "rules": [{"apiGroups": groups, "operations": ["CREATE"], "resources": resources}]}]}))
        };
        let engines = |webhook: Resource| {
            let mut index = Index::default();
            index.note(&webhook);
            namespace(&index).related["podPolicyEngines"].clone()
        };
        assert_eq!(engines(webhook(json!([""]), json!(["configmaps"]))), json!([]));
        assert_eq!(engines(webhook(json!(["kyverno.io"]), json!(["*"]))), json!([]), "not the core group");
        assert_eq!(engines(webhook(json!(["apps", ""]), json!(["pods"]))), json!(["kyverno"]));
        assert_eq!(engines(webhook(json!(["*"]), json!(["pods"]))), json!(["kyverno"]));
    }
}
