//! Objects in the real API server that name what is in the emulated AWS: Pods that run the seed's images, Services and
//! Ingresses whose status has the seed's load balancers.

use serde_json::{Value, json};

use super::seed::{AWAY, HOME, Seed, image};
use crate::bed::{Applied, Bed};

/// Where they are.
pub const NAMESPACE: &str = "at-aws";

/// Puts them there until they are dropped.
pub fn apply<'b>(bed: &'b Bed, seed: &Seed) -> Applied<'b> {
    let applied = bed.apply(&list(seed));
    let debugger = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "debugged", "namespace": NAMESPACE},
        "spec": {"ephemeralContainers": [{"name": "debugger", "image": image(HOME, "open")}]}});
    let file = bed.path("debugger.json");
    std::fs::write(&file, debugger.to_string()).unwrap();
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/debugged/ephemeralcontainers");
    bed.kubectl(&["replace", "--raw", &path, "-f", file.to_str().unwrap()]);
    for (name, host) in &seed.hosts {
        let kind = if name.starts_with("alb") { "ingress" } else { "service" };
        // As the controller writes it, and as the API does not.
        let front = if *name == "alb-https" { "dualstack." } else { "" };
        balance(bed, kind, name, &format!("{front}{host}"));
    }
    applied
}

/// Says that this load balancer is a Service's or an Ingress's.
pub fn balance(bed: &Bed, kind: &str, name: &str, host: &str) {
    let status = json!({"status": {"loadBalancer": {"ingress": [{"hostname": host}]}}}).to_string();
    bed.kubectl(&[
        "patch",
        kind,
        name,
        "-n",
        NAMESPACE,
        "--subresource=status",
        "--type=merge",
        "-p",
        &status,
    ]);
}

fn list(seed: &Seed) -> Value {
    let mut items = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}),
        pod(
            "plain",
            &json!({"containers": [{"name": "one", "image": image(HOME, "good")}, {"name": "two", "image": image(HOME, "unscanned")}]}),
        ),
        pod(
            "begun",
            &json!({"initContainers": [{"name": "first", "image": image(HOME, "shared")}],
            "containers": [{"name": "one", "image": image(HOME, "good")}]}),
        ),
        pod("debugged", &json!({"containers": [{"name": "one", "image": image(AWAY, "away")}]})),
    ];
    for name in seed.hosts.keys() {
        items.push(if name.starts_with("alb") {
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name, "namespace": NAMESPACE},
                "spec": {"defaultBackend": {"service": {"name": "nobody", "port": {"number": 80}}}}})
        } else {
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": NAMESPACE},
                "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}})
        });
    }
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"name": NAMESPACE}, "items": items})
}

/// A Pod that no node takes: its image is nowhere to be had.
fn pod(name: &str, spec: &Value) -> Value {
    let mut spec = spec.clone();
    spec["nodeSelector"] = json!({"none": "such"});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec})
}
