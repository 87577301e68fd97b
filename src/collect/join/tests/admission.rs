//! What the API servers' pods tell about admission.

use serde_json::{Value, json};

use super::*;
use crate::resource::Reason;

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

pub(super) fn api_server(command: Value, annotations: Value) -> Resource {
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
        "kube-apiserver --admission-control=",
        "kube-apiserver --feature-gates=A=true,PodSecurity=false",
    ] {
        assert_eq!(plugin(&[line]).as_deref(), Some("disabled"), "{line}");
        assert_eq!(plugin(&[line, "kube-apiserver"]).as_deref(), Some("disabled"), "{line}");
    }
    for line in [
        "kube-apiserver",
        "kube-apiserver --disable-admission-plugins=A --enable-admission-plugins=PodSecurity",
        "kube-apiserver --admission-control=A,PodSecurity",
        "kube-apiserver --admission-control-config-file=/x",
        "kube-apiserver --feature-gates=AllBeta=false",
        "kube-apiserver --feature-gates=PodSecurity=false,PodSecurity=true",
    ] {
        assert_eq!(plugin(&[line]).as_deref(), Some("enabled"), "{line}");
    }
    assert_eq!(plugin(&[]), None);
    let mut index = index();
    index.note(&api_server(json!(["--disable-admission-plugins=PodSecurity"]), json!({})));
    assert!(!namespace(&index).related.contains_key("podSecurityPlugin"), "no mirror pod");
}

#[test]
fn before_1_25_a_feature_gate_may_have_the_plugin_admit_everything() {
    let plugin = |version: &str, gates: &str| {
        let mut index = index().of_version(Some(version));
        let words = json!(["kube-apiserver", format!("--feature-gates={gates}")]);
        index.note(&api_server(words, json!({"kubernetes.io/config.mirror": "hash"})));
        namespace(&index).related["podSecurityPlugin"].as_str().unwrap().to_owned()
    };
    for (version, gates, state) in [
        ("v1.22.4", "A=true", "disabled"),
        ("v1.22.4", "AllAlpha=true", "enabled"),
        ("v1.22.4", "PodSecurity=true", "enabled"),
        ("v1.23.0", "A=true", "enabled"),
        ("v1.24.0", "AllBeta=false", "disabled"),
        ("v1.24.0", "AllBeta=false,PodSecurity=true", "enabled"),
        ("v1.25.0", "AllBeta=false", "enabled"),
    ] {
        assert_eq!(plugin(version, gates), state, "{version} {gates}");
    }
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
