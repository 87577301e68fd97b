//! The network plugins that a cluster runs.

use serde_json::Value;

use super::images::repository;
use crate::evaluate::parse::boolean;

/// The namespaces of network plugins. A DaemonSet elsewhere does not count, whatever its name.
const NAMESPACES: [&str; 10] = [
    "kube-system",
    "calico-system",
    "cilium",
    "kube-flannel",
    "weave",
    "kube-router",
    "ovn-kubernetes",
    "openshift-ovn-kubernetes",
    "openshift-sdn",
    "romana",
];

/// A plugin, and the names of its DaemonSet's images.
const PLUGINS: [(&str, &[&str]); 13] = [
    ("antrea", &["antrea-agent", "antrea-ubuntu", "antrea-ubi", "/antrea"]),
    (POLICY_AGENT, &["aws-network-policy-agent", "aws-eks-nodeagent"]),
    ("aws-node", &["amazon-k8s-cni"]),
    ("azure-npm", &["azure-npm"]),
    ("calico", &["calico/node", "calico-node"]),
    ("canal", &["hardened-canal"]),
    ("cilium", &["cilium/cilium", "mirrored-cilium-cilium"]),
    ("flannel", &["flannel"]),
    ("kindnet", &["kindnetd"]),
    ("kube-router", &["kube-router"]),
    ("ovn-kubernetes", &["ovn-kube", "ovnkube", "ovn-kubernetes"]),
    ("romana", &["romana"]),
    ("weave", &["weave-kube", "weave-npc"]),
];

/// The plugin that may be installed but inactive: EKS runs it on every node, disabled by default.
const POLICY_AGENT: &str = "aws-network-policy-agent";

/// The names of the plugins, sorted, each once.
pub(super) fn plugins(cluster: &Value) -> Vec<String> {
    let sets = cluster.pointer("/related/daemonSets").and_then(Value::as_array).into_iter().flatten();
    let mut found: Vec<String> = sets.filter(|set| is_installed(set)).flat_map(of_set).collect();
    found.sort();
    found.dedup();
    found
}

fn is_installed(set: &Value) -> bool {
    set.get("namespace").and_then(Value::as_str).is_some_and(|namespace| NAMESPACES.contains(&namespace))
}

fn of_set(set: &Value) -> impl Iterator<Item = String> {
    let images = set.get("images").and_then(Value::as_array).into_iter().flatten();
    let images: Vec<&str> = images.filter_map(Value::as_str).map(repository).collect();
    let idle = if is_switched_off(set) { POLICY_AGENT } else { "" };
    let named = PLUGINS
        .iter()
        .filter(move |(plugin, _)| *plugin != idle)
        .filter(move |(_, names)| names.iter().any(|name| images.iter().any(|image| image.contains(name))));
    let canal =
        set.get("name").and_then(Value::as_str).is_some_and(|name| name == "canal").then_some("canal");
    named.map(|(plugin, _)| *plugin).chain(canal).map(str::to_owned)
}

/// Whether the last of its switches turns policy enforcement off.
fn is_switched_off(set: &Value) -> bool {
    let switches = set.get("policySwitches").and_then(Value::as_array).into_iter().flatten();
    let last = switches.filter_map(Value::as_str).next_back();
    // A bare flag means true.
    let value = last.and_then(|switch| switch.split_once('=')).map(|(_, value)| value);
    value.is_some_and(|value| boolean(value) != Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(namespace: &str, name: &str, images: &[&str]) -> Vec<String> {
        plugins(
            &json!({"related": {"daemonSets": [{"namespace": namespace, "name": name, "images": images}]}}),
        )
    }

    #[test]
    fn a_plugin_is_known_by_its_images() {
        assert_eq!(of("kube-system", "cilium", &["quay.io/cilium/cilium:v1.18@sha256:ab"]), ["cilium"]);
        assert_eq!(of("kube-flannel", "kube-flannel-ds", &["ghcr.io/flannel-io/flannel:v0.27"]), ["flannel"]);
        assert_eq!(
            of("kube-system", "canal", &["docker.io/calico/node:v3", "docker.io/flannel/flannel:v0"]),
            ["calico", "canal", "flannel"]
        );
        assert_eq!(
            of(
                "kube-system",
                "aws-node",
                &["x:5000/amazon-k8s-cni:v1", "x/amazon/aws-network-policy-agent:v1"]
            ),
            ["aws-network-policy-agent", "aws-node"]
        );
    }

    #[test]
    fn a_policy_agent_that_is_switched_off_is_none() {
        let with = |switches: &[&str]| {
            let images = ["x/amazon-k8s-cni:v1", "x/amazon/aws-network-policy-agent:v1"];
            let set = json!({"namespace": "kube-system", "name": "aws-node", "images": images, "policySwitches": switches});
            plugins(&json!({"related": {"daemonSets": [set]}})).contains(&POLICY_AGENT.to_owned())
        };
        assert!(!with(&["--enable-network-policy=false"]) && !with(&["--enable-network-policy=no"]));
        assert!(with(&["--enable-network-policy=true"]) && with(&["--enable-network-policy"]) && with(&[]));
        assert!(with(&["--enable-network-policy=false", "--enable-network-policy=1"]));
    }

    #[test]
    fn a_set_of_somebody_s_own_is_no_plugin() {
        assert!(of("shop", "cilium", &["quay.io/cilium/cilium"]).is_empty());
        assert!(of("kube-system", "cilium", &["example.com/other:cilium"]).is_empty());
    }
}
