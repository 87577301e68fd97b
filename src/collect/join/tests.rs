//! The joins that objects get from other objects.

mod admission;
mod again;
mod aws;
mod part;
mod started;

use serde_json::{Value, json};

use super::*;
use crate::resource::{Gap, Owner, Reason, Selector, Unread};

fn index() -> Index {
    Index::new("2026-11-27T00:00:00Z".parse().unwrap())
}

fn object(raw: Value) -> Resource {
    crate::collect::object::resource(raw, None)
}

fn namespace(index: &Index) -> Resource {
    let mut namespace =
        object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "uid": "u"}}));
    index.relate(&mut namespace);
    namespace
}

#[test]
fn a_namespace_knows_its_network_policies() {
    let mut index = index();
    let policy = json!({"kind": "NetworkPolicy", "metadata": {"name": "deny", "namespace": "shop"}});
    index.note(&object(policy));
    assert_eq!(
        namespace(&index).related["networkPolicies"],
        json!([{"kind": "NetworkPolicy", "name": "deny"}])
    );
}

#[test]
fn a_policy_that_no_api_server_would_take_is_not_counted_as_one() {
    let mut index = index();
    let policy =
        json!({"kind": "NetworkPolicy", "metadata": {"name": "deny", "namespace": "shop"}, "spec": "all"});
    index.note(&object(policy));
    let unread = &namespace(&index).unread[0];
    assert_eq!((unread.at.as_str(), unread.gap.reason), ("$.related.networkPolicies[0]", Reason::Malformed));
}

#[test]
fn policies_that_could_not_be_listed_are_unread() {
    let owner = Owner { id: "cluster/x".into(), name: "x".into() };
    let selector = Selector::new(Kind::K8sObject, "NetworkPolicy");
    let mut index = index();
    index.note(&Resource::unlisted(&selector, &owner, Gap::new(Reason::Denied, "list networkpolicies")));
    let namespace = namespace(&index);
    assert!(!namespace.related.contains_key("networkPolicies"));
    let unread = namespace.unread.iter().find(|unread| unread.at == "$.related.networkPolicies").unwrap();
    assert_eq!(unread.gap.reason, Reason::Denied);
}

#[test]
fn an_object_of_which_nothing_could_be_read_may_be_what_decides() {
    let mut index = index();
    let mut huge = object(json!({"kind": "ClusterRole", "metadata": {"name": "huge", "uid": "u"}}));
    huge.unread.push(Unread::new("$", Reason::TooLarge, "read ClusterRole huge: it has too many values"));
    index.note(&huge);
    let reference = json!({"kind": "ClusterRole", "name": "huge"});
    let mut binding =
        object(json!({"kind": "ClusterRoleBinding", "metadata": {"name": "b"}, "roleRef": reference}));
    index.relate(&mut binding);
    assert_eq!(binding.related.get("role"), None);
    assert_eq!(unread_at(&binding), ["$.related.role"]);
}

#[test]
fn an_engine_counts_when_it_sees_new_pods() {
    let webhook = |groups: Value, resources: Value| {
        object(json!({"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "k"}, "webhooks": [{
            "clientConfig": {"service": {"name": "kyverno-svc", "namespace": "kyverno"}},
            "rules": [{"apiGroups": groups, "operations": ["CREATE"], "resources": resources}]}]}))
    };
    let engines = |webhook: Resource| {
        let mut index = index();
        index.note(&webhook);
        namespace(&index).related["podPolicyEngines"].clone()
    };
    assert_eq!(engines(webhook(json!([""]), json!(["configmaps"]))), json!([]));
    assert_eq!(engines(webhook(json!(["kyverno.io"]), json!(["*"]))), json!([]), "not the core group");
    assert_eq!(engines(webhook(json!(["apps", ""]), json!(["pods"]))), json!(["kyverno"]));
    assert_eq!(engines(webhook(json!(["*"]), json!(["pods"]))), json!(["kyverno"]));
}

fn related(index: &Index, raw: Value) -> Resource {
    let mut resource = object(raw);
    index.relate(&mut resource);
    resource
}

fn gap(index: &mut Index, kind: &str) {
    let owner = Owner { id: "cluster/x".into(), name: "x".into() };
    let selector = Selector::new(Kind::K8sObject, kind);
    index.note(&Resource::unlisted(&selector, &owner, Gap::new(Reason::Denied, format!("list {kind}"))));
}

fn unread_at(resource: &Resource) -> Vec<&str> {
    resource.unread.iter().map(|unread| unread.at.as_str()).collect()
}

fn binding(kind: &str, namespace: Option<&str>, role: (&str, &str)) -> Value {
    json!({"kind": kind, "metadata": {"name": "b", "namespace": namespace}, "roleRef": {"kind": role.0, "name": role.1}})
}

#[test]
fn a_binding_knows_its_role_s_rules() {
    let mut index = index();
    let rules = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]);
    index.note(&object(json!({"kind": "ClusterRole", "metadata": {"name": "r"}, "rules": rules})));
    index.note(&object(
        json!({"kind": "Role", "metadata": {"name": "r", "namespace": "shop"}, "rules": null}),
    ));
    let everywhere = related(&index, binding("ClusterRoleBinding", None, ("ClusterRole", "r")));
    assert_eq!(everywhere.related["role"], json!({"kind": "ClusterRole", "name": "r", "rules": rules}));
    let own = related(&index, binding("RoleBinding", Some("shop"), ("Role", "r")));
    assert_eq!(own.related["role"], json!({"kind": "Role", "name": "r", "rules": []}));
    let other = related(&index, binding("RoleBinding", Some("other"), ("Role", "r")));
    assert!(
        !other.related.contains_key("role") && other.unread.is_empty(),
        "a role that does not exist grants nothing"
    );
    gap(&mut index, "Role");
    assert_eq!(
        unread_at(&related(&index, binding("RoleBinding", Some("shop"), ("Role", "r")))),
        ["$.related.role"]
    );
    assert!(related(&index, binding("RoleBinding", Some("shop"), ("ClusterRole", "r"))).unread.is_empty());
}

#[test]
fn pods_and_accounts_know_each_other() {
    let mut index = index();
    index.note(&object(json!({"kind": "ServiceAccount", "metadata": {"name": "a", "namespace": "shop"},
        "automountServiceAccountToken": false})));
    index.note(&object(json!({"kind": "ServiceAccount", "metadata": {"name": "b", "namespace": "shop"}})));
    let pod = |account: &str| json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}, "spec": {"serviceAccountName": account}});
    for (uid, account) in [("1", "a"), ("2", "a"), ("3", "b")] {
        let mut pod = pod(account);
        pod["metadata"]["uid"] = uid.into();
        index.note(&object(pod));
    }
    let of = |account: &str| related(&index, pod(account)).related.get("serviceAccount").cloned();
    assert_eq!(of("a"), Some(json!({"automountServiceAccountToken": false})));
    assert_eq!(of("b"), Some(json!({})));
    assert_eq!(of("c"), None);
    let account = json!({"kind": "ServiceAccount", "metadata": {"name": "a", "namespace": "shop"}});
    assert_eq!(related(&index, account.clone()).related["podCount"], 2);
    let token = json!({"kind": "Secret", "metadata": {"name": "t", "namespace": "shop",
        "annotations": {"kubernetes.io/service-account.name": "b"}}, "type": "kubernetes.io/service-account-token"});
    assert_eq!(related(&index, token.clone()).related["podCount"], 1);
    gap(&mut index, "Pod");
    assert_eq!(unread_at(&related(&index, account)), ["$.related.podCount"]);
    assert_eq!(unread_at(&related(&index, token)), ["$.related.podCount"]);
    gap(&mut index, "ServiceAccount");
    assert_eq!(unread_at(&related(&index, pod("a"))), ["$.related.serviceAccount"]);
}

#[test]
fn a_bootstrap_token_is_known_by_what_it_says_and_by_the_time() {
    let token = |expiration: &str| {
        let base64 = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
        let data = json!({"expiration": base64(expiration), "usage-bootstrap-authentication": base64("true"),
            "auth-extra-groups": base64("system:bootstrappers:kubeadm:default-node-token")});
        let raw = json!({"kind": "Secret", "metadata": {"name": "t", "namespace": "kube-system"},
            "type": "bootstrap.kubernetes.io/token", "data": data});
        related(&index(), raw)
    };
    let groups = json!(["system:bootstrappers:kubeadm:default-node-token"]);
    assert_eq!(
        token("2026-11-26T00:00:00Z").related["bootstrapToken"],
        json!({"authentication": true, "groups": groups, "expired": true, "expires": "2026-11-26T00:00:00Z"})
    );
    assert_eq!(token("2026-11-28T00:00:00Z").related["bootstrapToken"]["expired"], false);
    assert_eq!(token("soon").related["bootstrapToken"]["expired"], true, "as the API server takes it");
    assert_eq!(
        token("").related["bootstrapToken"],
        json!({"authentication": true, "groups": groups, "expired": false})
    );
}

#[test]
fn a_bootstrap_token_is_what_the_api_server_makes_of_its_manifest() {
    let token = |data: Value, string_data: Value| {
        let raw = json!({"kind": "Secret", "metadata": {"name": "t", "namespace": "kube-system"},
            "type": "bootstrap.kubernetes.io/token", "data": data, "stringData": string_data});
        related(&index(), raw)
    };
    let admins = "system:bootstrappers:admins";
    let written =
        json!({"usage-bootstrap-authentication": "true", "auth-extra-groups": admins, "expiration": null});
    assert_eq!(
        token(Value::Null, written.clone()).related["bootstrapToken"],
        json!({"authentication": true, "groups": [admins], "expired": false})
    );
    // ZmFsc2U= is false.
    let over = token(json!({"usage-bootstrap-authentication": "ZmFsc2U="}), written);
    assert_eq!(over.related["bootstrapToken"]["authentication"], true, "stringData is written over data");
    for groups in [
        "admins",
        "system:bootstrappers:a, system:bootstrappers:b",
        "system:bootstrappers:",
        "system:masters",
    ] {
        let refused = token(
            Value::Null,
            json!({"usage-bootstrap-authentication": "true", "auth-extra-groups": groups}),
        );
        assert_eq!(refused.related["bootstrapToken"]["authentication"], false, "{groups}");
    }
    for data in [json!({"usage-bootstrap-authentication": "true!"}), json!({"auth-extra-groups": 7})] {
        assert_eq!(unread_at(&token(data.clone(), Value::Null)), ["$.related.bootstrapToken"], "{data}");
    }
    assert_eq!(unread_at(&token(Value::Null, json!({"expiration": true}))), ["$.related.bootstrapToken"]);
}

#[test]
fn the_cluster_knows_what_runs_in_it() {
    let mut index = index();
    let pod = |name: &str, namespace: &str, annotations: Value| {
        object(
            json!({"kind": "Pod", "metadata": {"name": name, "namespace": namespace, "annotations": annotations}}),
        )
    };
    index.note(&pod("p", "shop", json!({})));
    index.note(&pod("q", "shop", json!({})));
    index.note(&pod("p", "kube-system", json!({"kubernetes.io/config.mirror": "hash"})));
    index.note(&object(
        json!({"kind": "DaemonSet", "metadata": {"name": "cilium", "namespace": "kube-system"},
        "spec": {"template": {"spec": {"containers": [{"image": "quay.io/cilium/cilium:v1"}]}}}}),
    ));
    let request = |name: &str, signer: &str, condition: &str| {
        object(json!({"kind": "CertificateSigningRequest", "metadata": {"name": name},
            "spec": {"signerName": signer, "username": "jane", "groups": ["g"]}, "status": {"conditions": [{"type": condition}]}}))
    };
    index.note(&request("r", "kubernetes.io/kube-apiserver-client", "Approved"));
    index.note(&request("s", "kubernetes.io/kube-apiserver-client", "Denied"));
    index.note(&request("t", "kubernetes.io/kube-apiserver-client-kubelet", "Approved"));
    let cluster = json!({"kind": "Cluster", "metadata": {"name": "c"}});
    let known = related(&index, cluster.clone());
    assert_eq!(
        Value::Object(known.related),
        json!({
            "apiServers": [], "admissionFiles": [], "webhooks": [], "externalSecrets": [], "networkPolicies": [], "roleUsers": [],
            "workloads": [{"namespace": "shop", "pods": 2}],
            "daemonSets": [{"namespace": "kube-system", "name": "cilium", "images": ["quay.io/cilium/cilium:v1"],
                "policySwitches": []}],
            "clientCertificates": [{"name": "r", "username": "jane", "groups": ["g"]}],
        })
    );
    gap(&mut index, "ExternalSecret");
    assert_eq!(unread_at(&related(&index, cluster.clone())), ["$.related.externalSecrets"]);
    index.note(&object(json!({"kind": "SecretProviderClass", "metadata": {"name": "s"}})));
    assert_eq!(related(&index, cluster).related["externalSecrets"], json!(["SecretProviderClass"]));
}

#[test]
fn kube_proxy_s_set_knows_its_configuration() {
    let set = || json!({"kind": "DaemonSet", "metadata": {"name": "kube-proxy", "namespace": "kube-system"}});
    let map = |config: &str| {
        object(json!({"kind": "ConfigMap", "metadata": {"name": "kube-proxy", "namespace": "kube-system"},
            "data": {"config.conf": config}}))
    };
    let mut known = index();
    known.note(&map("kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nmetricsBindAddress: ''\n"));
    assert_eq!(related(&known, set()).related["kubeProxy"]["metricsBindAddress"], "");
    assert!(!related(&index(), set()).related.contains_key("kubeProxy"));
    let mut broken = index();
    broken.note(&map("kind: Secret"));
    assert_eq!(unread_at(&related(&broken, set())), ["$.related.kubeProxy"]);
    gap(&mut known, "ConfigMap");
    assert_eq!(unread_at(&related(&known, set())), ["$.related.kubeProxy"]);
}

#[test]
fn etcd_knows_the_api_servers_of_its_node() {
    let process = |component: &str, raw: Value, unread: Vec<Unread>| Resource {
        unread,
        ..Resource::observed(Kind::Process, "process".into(), "1".into(), component.into(), {
            let mut raw = raw;
            raw["component"] = component.into();
            raw
        })
    };
    let etcd = |index: &Index| {
        let mut etcd = process("etcd", json!({}), Vec::new());
        index.relate(&mut etcd);
        etcd
    };
    let mut index = index();
    assert_eq!(etcd(&index).related["processes"], json!({}));
    index.note(&process("kube-apiserver", json!({"authorities": ["ab"]}), Vec::new()));
    assert_eq!(etcd(&index).related["processes"], json!({"kube-apiserver": [{"authorities": ["ab"]}]}));
    let hidden = vec![Unread::new("$.authorities", Reason::Denied, "read /ca.crt")];
    index.note(&process("kube-apiserver", json!({}), hidden));
    assert_eq!(unread_at(&etcd(&index)), ["$.related.processes['kube-apiserver'][1].authorities"]);
    let node = Owner { id: "node/x".into(), name: "x".into() };
    let selector = Selector::new(Kind::Process, "kube-apiserver");
    index.note(&Resource::unlisted(&selector, &node, Gap::new(Reason::Denied, "list /proc")));
    assert_eq!(unread_at(&etcd(&index)), ["$.related.processes"]);
}
