//! What is asked of namespaces, of tokens and of the cluster as a whole: sections 3.1, 4.3 and 5.2 to 5.6.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::bed::{Bed, env};
use crate::certificates::signing_request;
use crate::kept::Undo;
use crate::verdicts::{Verdicts, assert_changes, flip, flipped};

/// An operator's kind, as far as it is needed to make an object of it.
fn external_secrets() -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "externalsecrets.external-secrets.io"},
        "spec": {"group": "external-secrets.io", "scope": "Namespaced",
            "names": {"kind": "ExternalSecret", "plural": "externalsecrets"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}]}})
}

/// A DaemonSet of kube-system that no node is good enough for.
fn daemon_set(name: &str, image: &str, command: Value) -> Value {
    let labels = json!({"test": name});
    let container = json!({"name": "c", "image": image, "command": command});
    json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": name, "namespace": "kube-system"}, "spec": {
        "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"nodeSelector": {"nowhere": "true"}, "containers": [container]}}}})
}

/// A verifier of images that never gets to see one.
fn webhook(resource: &str) -> Value {
    let rule =
        json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [resource]});
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "policy.sigstore.dev"}, "webhooks": [{"name": "policy.sigstore.dev",
            "clientConfig": {"url": "https://127.0.0.1:9/"}, "rules": [rule], "failurePolicy": "Ignore",
            "objectSelector": {"matchLabels": {"nowhere": "true"}}, "sideEffects": "None",
            "admissionReviewVersions": ["v1"], "timeoutSeconds": 1}]})
}

/// A pod of no node, as the account of that name.
fn pod(namespace: &str, account: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "test", "namespace": namespace}, "spec": {
        "nodeSelector": {"nowhere": "true"}, "serviceAccountName": account,
        "containers": [{"name": "c", "image": "posturebeat.test/pause:1"}]}})
}

fn bootstrap_token(expiration: Option<&str>) -> Value {
    let mut data = json!({"token-id": "test00", "token-secret": "0123456789abcdef",
        "usage-bootstrap-authentication": "true", "usage-bootstrap-signing": "true"});
    if let Some(expiration) = expiration {
        data["expiration"] = json!(expiration);
    }
    json!({"apiVersion": "v1", "kind": "Secret", "type": "bootstrap.kubernetes.io/token",
        "metadata": {"name": "bootstrap-token-test00", "namespace": "kube-system"}, "stringData": data})
}

fn config_map(namespace: &str, name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data})
}

/// Everything that makes a difference, in one state and in another.
fn objects(second: bool) -> Value {
    let metrics = if second { "0.0.0.0:10249" } else { "127.0.0.1:10249" };
    let proxy = format!(
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmetricsBindAddress: {metrics}\n"
    );
    let account = json!({"kubernetes.io/service-account.name": "test"});
    let mut items = vec![
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": "test", "namespace": "bare"}, "spec": {"podSelector": {}}}),
        daemon_set("test", if second { "flannel/flannel:v1" } else { "calico/node:v3" }, json!([])),
        config_map("kube-system", "kube-proxy", json!({"config.conf": proxy})),
        daemon_set(
            "kube-proxy",
            "kube-proxy",
            json!(["kube-proxy", "--config=/var/lib/kube-proxy/config.conf"]),
        ),
        webhook(if second { "configmaps" } else { "pods" }),
        json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
            "metadata": {"name": "test", "namespace": "demo"}}),
        config_map("default", "test", json!({})),
        pod("default", "default"),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "test", "namespace": "demo"}}),
        json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
            "metadata": {"name": "test", "namespace": "demo", "annotations": account}}),
        bootstrap_token(second.then_some("2100-01-01T00:00:00Z")),
    ];
    if second {
        items.push(pod("demo", "test"));
    }
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

fn certificate_request(bed: &Bed) -> Value {
    let request = signing_request("/CN=jane", bed.path("jane.key").to_str().unwrap());
    let request = base64::engine::general_purpose::STANDARD.encode(request);
    json!({"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "jane"},
        "spec": {"signerName": "kubernetes.io/kube-apiserver-client", "request": request, "usages": ["client auth"]}})
}

/// What changed, without what is good about the pods that came.
fn changes(before: &Verdicts, after: &Verdicts) -> std::collections::BTreeSet<String> {
    let mut changes = flipped(before, after);
    changes.retain(|change| !(change.contains(" Pod ") && change.contains(": - → passed")));
    changes
}

#[test]
fn the_cluster_as_a_whole() {
    let bed = Bed::take();
    let whole = format!("Cluster {}", env("TESTBED_CLUSTER_NAME"));
    let scan = || bed.verdicts(&["-E", "posturebeat.collect.secrets=true"], &[]);
    let certificates = |scan: &Verdicts| scan.get("3.1.1", &whole).unwrap().evidence["certificates"].clone();
    let label = |label: &str| {
        let label = format!("pod-security.kubernetes.io/enforce{label}");
        bed.kubectl(&["label", "namespace", "bare", "--overwrite", &label]);
    };

    let before = scan();
    let kind = bed.apply(&external_secrets());
    bed.kubectl(&["wait", "--for=condition=Established", "crd", "externalsecrets.external-secrets.io"]);
    let applied = bed.apply(&objects(false));
    let request = bed.apply(&certificate_request(&bed));
    bed.kubectl(&["certificate", "approve", "jane"]);
    let undo = Undo(|| label("-"));
    label("=baseline");
    let first = scan();
    applied.change(&objects(true));
    label("=privileged");
    let second = scan();
    drop((request, applied, kind, undo));
    let after = scan();

    let new = |number, resource: &str, outcome| flip(number, resource, "-", outcome);
    let mut expected = vec![
        flip("4.3.1", "DaemonSet kube-system/kube-proxy", "-", "passed"),
        flip("5.2.1", "Namespace bare", "failed", "passed"),
        flip("5.3.1", &whole, "needs_review", "passed"),
        flip("5.3.2", "Namespace bare", "failed", "passed"),
        flip("5.4.2", &whole, "needs_review", "passed"),
        flip("5.5.1", &whole, "failed", "passed"),
        // Applications have namespaces of their own here, and now there is one that has not.
        flip("5.6.1", &whole, "passed", "needs_review"),
        new("3.1.2", "Secret demo/test", "failed"),
        new("3.1.3", "Secret kube-system/bootstrap-token-test00", "failed"),
        new("5.6.4", "ConfigMap default/test", "failed"),
        new("5.6.4", "Pod default/test", "failed"),
    ];
    let of_any_pod = ["5.1.6", "5.2.6", "5.2.7", "5.2.8", "5.2.9", "5.6.2", "5.6.3"];
    expected.extend(of_any_pod.map(|number| new(number, "Pod default/test", "failed")));
    expected.push(new("5.1.5", "Pod default/test", "failed"));
    assert_changes(&changes(&before, &first), &expected);
    assert_eq!(certificates(&before), json!([]));
    assert_eq!(certificates(&first)[0]["name"], "jane", "a person must be told who holds one");

    let mut expected = vec![
        flip("3.1.2", "Secret demo/test", "failed", "passed"),
        flip("3.1.3", "Secret kube-system/bootstrap-token-test00", "failed", "passed"),
        flip("4.3.1", "DaemonSet kube-system/kube-proxy", "passed", "failed"),
        flip("5.2.1", "Namespace bare", "passed", "failed"),
        flip("5.3.1", &whole, "passed", "failed"),
        flip("5.5.1", &whole, "passed", "failed"),
    ];
    expected.extend(of_any_pod.map(|number| new(number, "Pod demo/test", "failed")));
    assert_changes(&changes(&first, &second), &expected);
    assert_changes(&changes(&before, &after), &[]);
}
