//! Pods of which each is wrong in one way: section 5.2, and what else is asked of pods.

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::verdicts::{assert_flipped, breaks};

/// A pod's name, what is wrong with its spec, and which numbers see it.
type Wrong = (&'static str, fn(&mut Value), &'static [&'static str]);

const WRONG: &[Wrong] = &[
    ("default-account", |spec| spec["serviceAccountName"] = json!("default"), &["5.1.5"]),
    ("token", |spec| spec["automountServiceAccountToken"] = json!(true), &["5.1.6"]),
    (
        "privileged",
        |spec| {
            context(spec)["privileged"] = json!(true);
            // The API server refuses a privileged container that says this.
            context(spec).as_object_mut().unwrap().remove("allowPrivilegeEscalation");
        },
        &["5.2.2", "5.2.6", "5.2.8", "5.2.9", "5.6.2"],
    ),
    ("host-pid", |spec| spec["hostPID"] = json!(true), &["5.2.3"]),
    ("host-ipc", |spec| spec["hostIPC"] = json!(true), &["5.2.4"]),
    ("host-network", |spec| spec["hostNetwork"] = json!(true), &["5.2.5"]),
    ("escalation", |spec| context(spec)["allowPrivilegeEscalation"] = json!(true), &["5.2.6"]),
    (
        "root",
        |spec| spec["securityContext"] = json!({"seccompProfile": {"type": "RuntimeDefault"}}),
        &["5.2.7"],
    ),
    ("raw-packets", |spec| context(spec)["capabilities"]["add"] = json!(["NET_RAW"]), &["5.2.8", "5.2.9"]),
    ("capability", |spec| context(spec)["capabilities"]["add"] = json!(["SYS_TIME"]), &["5.2.9"]),
    (
        "host-process",
        |spec| {
            spec["hostNetwork"] = json!(true);
            context(spec)["windowsOptions"] = json!({"hostProcess": true});
        },
        &["5.2.5", "5.2.10"],
    ),
    ("host-path", |spec| spec["volumes"] = json!([{"name": "v", "hostPath": {"path": "/tmp"}}]), &["5.2.11"]),
    (
        "host-port",
        |spec| container(spec)["ports"] = json!([{"containerPort": 80, "hostPort": 8080}]),
        &["5.2.12"],
    ),
    (
        "secret",
        |spec| {
            let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
            container(spec)["env"] = json!([{"name": "PASSWORD", "valueFrom": secret}]);
        },
        &["5.4.1"],
    ),
    ("no-seccomp", |spec| spec["securityContext"] = json!({"runAsNonRoot": true}), &["5.6.2"]),
    (
        "nothing-said",
        |spec| {
            spec["securityContext"] = json!({});
            *context(spec) = json!({});
        },
        &["5.2.6", "5.2.7", "5.2.8", "5.2.9", "5.6.2", "5.6.3"],
    ),
];

fn container(spec: &mut Value) -> &mut Value {
    &mut spec["containers"][0]
}

fn context(spec: &mut Value) -> &mut Value {
    &mut container(spec)["securityContext"]
}

/// A pod with which nothing is wrong. No node is good enough for it, so it never runs.
fn spec() -> Value {
    json!({
        "nodeSelector": {"nowhere": "true"},
        "serviceAccountName": "hardened",
        "automountServiceAccountToken": false,
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "c", "image": "posturebeat.test/pause:1", "securityContext":
            {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}],
    })
}

fn pods(are_wrong: bool) -> Value {
    let pod = |(name, wrong, _): &Wrong| {
        let mut spec = spec();
        if are_wrong {
            wrong(&mut spec);
        }
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "demo"}, "spec": spec})
    };
    json!({"apiVersion": "v1", "kind": "List", "items": WRONG.iter().map(pod).collect::<Vec<_>>()})
}

#[test]
fn every_way_in_which_a_pod_is_wrong() {
    let bed = Bed::take();
    let applied = bed.apply(&pods(false));
    let good = bed.verdicts(&[], &[]);
    // Most of a pod cannot be changed.
    applied.replace(&pods(true));
    let wrong = bed.verdicts(&[], &[]);
    applied.replace(&pods(false));
    let again = bed.verdicts(&[], &[]);

    let flips = WRONG.iter().flat_map(|(name, _, numbers)| breaks(&format!("Pod demo/{name}"), numbers));
    assert_flipped(&good, &wrong, &flips.collect::<Vec<_>>());
    assert_flipped(&good, &again, &[]);
}
