//! The joins that objects get from other objects.

mod again;
mod aws;
mod part;

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
fn where_pods_were_refused_nobody_knows_whether_the_pod_security_plugin_is_on() {
    let owner = Owner { id: "cluster/x".into(), name: "x".into() };
    let mut index = index();
    // One API server was seen before the list failed; another one may have the plug-in off.
    index.note(&api_server(json!(["kube-apiserver"]), json!({"kubernetes.io/config.mirror": "hash"})));
    let selector = Selector::new(Kind::K8sObject, "Pod");
    index.note(&Resource::unlisted(&selector, &owner, Gap::new(Reason::Denied, "list pods")));
    let namespace = namespace(&index);
    assert!(!namespace.related.contains_key("podSecurityPlugin"));
    let unread = ["$.related.admissionFiles", "$.related.podSecurityPlugin", "$.related.podSecurityDefault"];
    assert_eq!(unread_at(&namespace), unread);
}

fn api_server(command: Value, annotations: Value) -> Resource {
    object(json!({"kind": "Pod", "metadata": {"name": "kube-apiserver-a", "namespace": "kube-system",
        "uid": command.to_string(), "labels": {"component": "kube-apiserver"}, "annotations": annotations,
        "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "a", "controller": true}]},
        "spec": {"nodeName": "a", "containers": [{"command": command}]}}))
}

#[test]
fn an_api_server_that_may_load_policies_from_files_is_named() {
    let server = || {
        let command = json!(["kube-apiserver", "--admission-control-config-file=/etc/admission.yaml"]);
        api_server(command, json!({"kubernetes.io/config.mirror": "hash"}))
    };
    let named = |version: &str| {
        let mut index = index().of_version(Some(version));
        index.note(&server());
        let cluster = related(&index, json!({"kind": "Cluster", "metadata": {"name": "c"}}));
        assert_eq!(cluster.related["admissionFiles"], namespace(&index).related["admissionFiles"]);
        cluster.related["admissionFiles"].clone()
    };
    assert_eq!(named("v1.37.2"), json!([{"name": "kube-apiserver-a", "file": "/etc/admission.yaml"}]));
    assert_eq!(named("v1.35.5"), json!([]));
}

#[test]
fn the_pod_security_plugin_is_known_from_the_mirror_pods() {
    let plugin = |lines: &[&str]| {
        let mut index = index();
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
    let mut index = index();
    index.note(&api_server(json!(["--disable-admission-plugins=PodSecurity"]), json!({})));
    assert!(!namespace(&index).related.contains_key("podSecurityPlugin"), "no mirror pod");
}

#[test]
fn the_default_level_is_known_from_the_mirror_pod_only() {
    let pod = api_server;
    let mirror = json!({"kubernetes.io/config.mirror": "hash"});
    let default = |pods: Vec<Resource>| {
        let mut index = index();
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
fn an_api_server_s_flags_are_read_through_shells_and_wrappers_or_are_unread() {
    let mirror = json!({"kubernetes.io/config.mirror": "hash"});
    let related = |command: Value| {
        let mut index = index();
        index.note(&api_server(command, mirror.clone()));
        let mut cluster = object(json!({"kind": "Cluster", "metadata": {"name": "c"}}));
        cluster.sub_type = "Cluster".into();
        index.relate(&mut cluster);
        (namespace(&index), cluster)
    };
    for command in [
        json!(["/bin/sh", "-c", "exec kube-apiserver --disable-admission-plugins=PodSecurity"]),
        json!([
            "/go-runner",
            "--log-file=/x",
            "/usr/local/bin/kube-apiserver",
            "--disable-admission-plugins=PodSecurity"
        ]),
        json!(["/hyperkube", "apiserver", "--disable-admission-plugins", "PodSecurity"]),
    ] {
        let (namespace, cluster) = related(command.clone());
        assert_eq!(namespace.related["podSecurityPlugin"], "disabled", "{command}");
        let flags = &cluster.related["apiServers"][0]["args"];
        assert_eq!(flags["disable-admission-plugins"], json!(["PodSecurity"]), "{command}");
    }
    for command in [
        json!(["/bin/sh", "-c", "exec kube-apiserver --disable-admission-plugins=$OFF"]),
        json!(["/opt/start", "kube-apiserver", "--disable-admission-plugins=PodSecurity"]),
        json!(["/start.sh"]),
        json!(["/bin/bash", "-ec", "exec hyperkube kube-apiserver --openshift-config=/etc/config.yaml"]),
    ] {
        let (namespace, cluster) = related(command.clone());
        assert_eq!(
            unread_at(&namespace),
            ["$.related.podSecurityPlugin", "$.related.podSecurityDefault"],
            "{command}"
        );
        assert_eq!(unread_at(&cluster), ["$.related.apiServers[0].args"], "{command}");
        assert_eq!(cluster.related["apiServers"], json!([{"name": "kube-apiserver-a"}]));
    }
}

#[test]
fn a_mirror_pod_that_no_kubelet_can_have_made_does_not_count() {
    let mirror = json!({"kubernetes.io/config.mirror": "hash"});
    let pod = |patch: Value| {
        let mut pod =
            api_server(json!(["kube-apiserver", "--disable-admission-plugins=PodSecurity"]), mirror.clone());
        for (pointer, value) in patch.as_object().unwrap() {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            pod.raw.pointer_mut(parent).unwrap()[key] = value.clone();
        }
        pod
    };
    let plugin = |pods: &[Resource], nodes: &[&str]| {
        let mut index = index();
        for name in nodes {
            index.note(&object(json!({"kind": "Node", "metadata": {"name": name, "uid": name}})));
        }
        for pod in pods {
            index.note(pod);
        }
        let namespace = namespace(&index);
        let plugin =
            namespace.related.get("podSecurityPlugin").map(|plugin| plugin.as_str().unwrap().to_owned());
        (plugin, unread_at(&namespace).contains(&"$.related.podSecurityPlugin"))
    };
    let disabled = || (Some("disabled".to_owned()), false);
    assert_eq!(plugin(&[pod(json!({}))], &[]), disabled());
    assert_eq!(plugin(&[pod(json!({}))], &["b", "a"]), disabled());
    let owner = |kind: &str, name: &str| json!([{"kind": kind, "name": name}]);
    for patch in [
        json!({"/metadata/deletionTimestamp": "2026-11-30T00:00:00Z"}),
        json!({"/spec/nodeName": "b"}),
        json!({"/metadata/name": "kube-apiserver-b"}),
        json!({"/metadata/ownerReferences": owner("ReplicaSet", "a")}),
        json!({"/metadata/ownerReferences": owner("Node", "b")}),
        json!({"/metadata/ownerReferences": [{"kind": "Node", "name": "a"}, {"kind": "Node", "name": "a"}]}),
    ] {
        assert_eq!(plugin(&[pod(patch.clone())], &["a"]), (None, false), "{patch}");
    }
    // Nothing contradicts these, and nothing shows that a kubelet made them.
    let no_owner = || pod(json!({"/metadata/ownerReferences": null, "/metadata/uid": "u"}));
    assert_eq!(plugin(&[no_owner()], &["a"]), (None, true));
    assert_eq!(plugin(&[pod(json!({}))], &["b"]), (None, true), "no Node of that name");
    // Beside a real one it decides nothing.
    let real = api_server(json!(["kube-apiserver"]), mirror.clone());
    assert_eq!(plugin(&[no_owner(), real], &["a"]), (Some("enabled".to_owned()), false));
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
