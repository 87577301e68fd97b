//! Objects whose verdicts turn, and where they are.

use serde_json::{Value, json};

/// A verdict: number, kind, name of the resource, outcome.
pub type Verdict<'a> = (&'a str, &'a str, &'a str, &'a str);

pub const NAMESPACES: &str = "/api/v1/namespaces";
pub const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
pub const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";

pub fn pods(namespace: &str) -> String {
    format!("{NAMESPACES}/{namespace}/pods")
}

pub fn policies(namespace: &str) -> String {
    format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies")
}

/// On no node, so that nothing runs.
pub fn pod(name: &str, privileged: bool) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
        "nodeSelector": {"nowhere": "true"},
        "containers": [{"name": "c", "image": "posturebeat.test/pause:1", "imagePullPolicy": "Never",
            "securityContext": {"privileged": privileged}}]}})
}

pub fn policy() -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "deny"},
        "spec": {"podSelector": {}}})
}

pub fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// How strictly a namespace takes pods, as a change of it.
pub fn enforce(level: &str) -> Value {
    json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": level}}})
}

/// Reads one resource.
pub fn role(name: &str, resource: &str) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name},
        "rules": reads(resource)})
}

pub fn reads(resource: &str) -> Value {
    json!([{"apiGroups": [""], "resources": [resource], "verbs": ["get"]}])
}

/// Gives a user a role.
pub fn binding(name: &str, role: &str, user: &str) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]})
}
