//! Manifests: what somebody is going to apply, without the cluster around it. What is not among them may exist.

use serde_json::{Value, json};

use crate::program::{Program, Ran};

/// The outcome of each rule of a named resource.
struct Judged {
    report: Value,
    ran: Ran,
}

impl Judged {
    fn of(objects: &[Value], more: &[&str]) -> Self {
        let program = Program::new();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        program.write("objects.json", &list.to_string());
        let ran = program.run(&[&["scan", "--manifests", "objects.json", "--format", "json"], more].concat());
        let report = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
        Self { report, ran }
    }

    /// `absent`: the rule says nothing about it.
    fn outcome(&self, name: &str, number: &str) -> &str {
        let resources = self.report["resources"].as_array().unwrap();
        let of_rule = |it: &Value| it["results"].get(format!("cis_k8s@2.0.1/{number}")).cloned();
        let found: Vec<Value> =
            resources.iter().filter(|it| it["name"] == name).filter_map(of_rule).collect();
        match found.as_slice() {
            [] => "absent",
            [one] => match one.as_str().unwrap() {
                "passed" => "passed",
                "failed" => "failed",
                "error" => "error",
                "needs_review" => "needs_review",
                _ => "not_applicable",
            },
            _ => "twice",
        }
    }
}

const RBAC: &str = "rbac.authorization.k8s.io/v1";

fn binding(role: (&str, &str), namespace: Option<&str>) -> Value {
    let kind = if namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
    let everybody =
        json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:authenticated"});
    json!({"apiVersion": RBAC, "kind": kind, "metadata": {"name": "people", "namespace": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role.0, "name": role.1}, "subjects": [everybody]})
}

fn role(kind: &str, metadata: Value, resource: &str, verbs: &[&str]) -> Value {
    json!({"apiVersion": RBAC, "kind": kind, "metadata": metadata,
        "rules": [{"apiGroups": [""], "resources": [resource], "verbs": verbs}]})
}

#[test]
fn a_role_that_is_not_among_them_is_no_role_without_rights() {
    let elsewhere = Judged::of(&[binding(("ClusterRole", "shop-operator"), None)], &["--fail-on", "error"]);
    for number in ["5.1.2", "5.1.4", "5.1.8"] {
        assert_eq!(elsewhere.outcome("people", number), "error");
    }
    assert_eq!(elsewhere.ran.code, Some(2));
    let missing = Judged::of(&[binding(("Role", "helper"), Some("shop"))], &[]);
    assert_eq!(missing.outcome("people", "5.1.2"), "error");
}

#[test]
fn the_roles_of_kubernetes_are_known() {
    for (role, fails, passes) in [
        ("admin", ["5.1.2", "5.1.4"].as_slice(), [].as_slice()),
        ("edit", &["5.1.2", "5.1.4"], &[]),
        ("cluster-admin", &["5.1.2", "5.1.4", "5.1.8", "5.1.10"], &[]),
        ("system:discovery", &[], &["5.1.2", "5.1.4", "5.1.8"]),
    ] {
        let judged = Judged::of(&[binding(("ClusterRole", role), None)], &[]);
        for number in fails {
            assert_eq!(judged.outcome("people", number), "failed", "{role} {number}");
        }
        for number in passes {
            assert_eq!(judged.outcome("people", number), "passed", "{role} {number}");
        }
    }
    // Other roles may be aggregated into it in the cluster.
    let judged = Judged::of(&[binding(("ClusterRole", "view"), Some("shop"))], &[]);
    assert_eq!(judged.outcome("people", "5.1.2"), "error");
}

#[test]
fn an_aggregated_role_grants_what_its_parts_grant() {
    let support = json!({"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": "support"}, "rules": [],
        "aggregationRule": {"clusterRoleSelectors": [{"matchExpressions": [{"key": "shop/support", "operator": "Exists"}]}]}});
    let part =
        role("ClusterRole", json!({"name": "part", "labels": {"shop/support": ""}}), "secrets", &["list"]);
    let judged = Judged::of(&[support, part, binding(("ClusterRole", "support"), None)], &[]);
    assert_eq!(judged.outcome("people", "5.1.2"), "failed");
    assert_eq!(judged.outcome("people", "5.1.4"), "error", "another part may grant it");
}

#[test]
fn names_are_those_that_the_api_server_gives() {
    let stray = role("ClusterRole", json!({"name": "helper", "namespace": "shop"}), "secrets", &["get"]);
    let judged = Judged::of(&[stray, binding(("ClusterRole", "helper"), None)], &[]);
    assert_eq!(judged.outcome("people", "5.1.2"), "failed");
    let in_default = role("Role", json!({"name": "helper", "namespace": "default"}), "secrets", &["get"]);
    let mut unnamed = binding(("Role", "helper"), Some("default"));
    unnamed["metadata"].as_object_mut().unwrap().remove("namespace");
    let judged = Judged::of(&[in_default, unnamed], &[]);
    assert_eq!(judged.outcome("people", "5.1.2"), "failed");
}

fn pod_spec() -> Value {
    json!({"hostPID": true, "containers": [{"name": "web", "image": "shop/web", "securityContext": {"privileged": true}}]})
}

fn workload(version: &str, kind: &str, spec: Value) -> Value {
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": "web", "namespace": "shop"}, "spec": spec})
}

#[test]
fn every_workload_is_judged_by_its_template() {
    let template = || json!({"metadata": {"labels": {"app": "web"}}, "spec": pod_spec()});
    for (version, kind) in [
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "ReplicaSet"),
        ("v1", "ReplicationController"),
        ("batch/v1", "Job"),
        ("argoproj.io/v1alpha1", "Rollout"),
        ("serving.knative.dev/v1", "Service"),
    ] {
        let judged = Judged::of(&[workload(version, kind, json!({"template": template()}))], &[]);
        assert_eq!(judged.outcome("web", "5.2.2"), "failed", "{kind}");
        assert_eq!(judged.outcome("web", "5.2.3"), "failed", "{kind}");
    }
    let cron = workload(
        "batch/v1",
        "CronJob",
        json!({"suspend": true, "jobTemplate": {"spec": {"template": template()}}}),
    );
    let judged = Judged::of(&[cron], &[]);
    assert_eq!(judged.outcome("web", "5.2.2"), "failed");
    let mut bare = workload("v1", "PodTemplate", json!(null));
    bare["template"] = template();
    assert_eq!(Judged::of(&[bare], &[]).outcome("web", "5.2.3"), "failed");
}

#[test]
fn the_places_of_a_template_begin_at_the_workload() {
    let program = Program::new();
    let deployment = workload("apps/v1", "Deployment", json!({"template": {"spec": pod_spec()}}));
    program.write("web.json", &deployment.to_string());
    let ran = program.run(&["scan", "--manifests", "web.json", "--format", "ndjson"]);
    let finding = |number: &str| {
        let of_rule = |document: &Value| document["rule"]["benchmark"]["rule_number"] == number;
        ran.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).find(of_rule).unwrap()
    };
    let finding = finding("5.2.3");
    assert_eq!(finding["resource"]["sub_type"], "Deployment");
    assert_eq!(finding["result"]["evidence"], json!({"$.spec.template.spec.hostPID": true}));
}

#[test]
fn a_template_that_is_none_is_an_error() {
    let judged = Judged::of(&[workload("apps/v1", "Deployment", json!({"template": []}))], &[]);
    assert_eq!(judged.outcome("web", "5.2.2"), "error");
    let judged = Judged::of(&[workload("batch/v1", "CronJob", json!({}))], &[]);
    assert_eq!(judged.outcome("web", "5.2.2"), "error");
}

#[test]
fn a_kind_of_ones_own_can_have_a_template() {
    let fleet = workload("example.com/v1", "FleetJob", json!({"job": {"template": {"spec": pod_spec()}}}));
    let judged = Judged::of(
        &[fleet],
        &["-E", "posturebeat.collect.pod_templates=[{kind: FleetJob.example.com, path: spec.job.template}]"],
    );
    assert_eq!(judged.outcome("web", "5.2.2"), "failed");
}

#[test]
fn a_pod_of_a_judged_workload_counts_only_where_it_differs() {
    let owned = |kind: &str, version: &str, uid: &str, owner: &str, spec: Value| {
        json!({"apiVersion": version, "kind": kind, "spec": spec, "metadata": {"name": uid, "namespace": "shop",
            "uid": uid, "ownerReferences": [{"controller": true, "uid": owner}]}})
    };
    let mut deployment = workload("apps/v1", "Deployment", json!({"template": {"spec": pod_spec()}}));
    deployment["metadata"]["uid"] = "d".into();
    let set = owned("ReplicaSet", "apps/v1", "r", "d", json!({"template": {"spec": pod_spec()}}));
    let same = owned("Pod", "v1", "same", "r", pod_spec());
    let mut changed = pod_spec();
    changed["hostNetwork"] = true.into();
    let changed = owned("Pod", "v1", "changed", "r", changed);
    let judged = Judged::of(&[same, changed, set, deployment], &[]);
    assert_eq!(judged.outcome("web", "5.2.2"), "failed");
    for name in ["r", "same", "changed"] {
        assert_eq!(judged.outcome(name, "5.2.2"), "absent", "{name}");
    }
    assert_eq!(judged.outcome("web", "5.2.5"), "passed");
    assert_eq!(judged.outcome("changed", "5.2.5"), "failed", "admission put it on the host's network");
}

#[test]
fn an_account_that_is_not_among_them_is_an_error_for_pods_and_workloads_alike() {
    let spec = json!({"serviceAccountName": "web", "containers": [{"name": "web", "image": "shop/web"}]});
    let deployment = || workload("apps/v1", "Deployment", json!({"template": {"spec": spec}}));
    let mut pod = workload("v1", "Pod", spec.clone());
    pod["metadata"]["name"] = "pod".into();
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "automountServiceAccountToken": false,
        "metadata": {"name": "web", "namespace": "shop"}});
    let alone = Judged::of(&[deployment(), pod.clone()], &[]);
    assert_eq!((alone.outcome("web", "5.1.6"), alone.outcome("pod", "5.1.6")), ("error", "error"));
    let together = Judged::of(&[deployment(), pod, account], &[]);
    assert_eq!((together.outcome("web", "5.1.6"), together.outcome("pod", "5.1.6")), ("passed", "passed"));
}
