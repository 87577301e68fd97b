//! Which platform a cluster runs on.
//!
//! In: a Node, and the API server's version. Out: the platform, where a sign is certain: clusters that people
//! install on Amazon's, Azure's or Google's machines have the same `providerID` as those of the services.

use serde_json::Value;

use crate::resource::Platform;

/// The platform, in the order in which one may be built on another.
pub(super) fn of(node: &Value, server_version: Option<&str>) -> Option<Platform> {
    let label = |name: &str| node["metadata"]["labels"].get(name).is_some();
    let provider = node["spec"]["providerID"].as_str().unwrap_or_default();
    let versions = [node["status"]["nodeInfo"]["kubeletVersion"].as_str(), server_version];
    let version_has = |sign: &str| versions.iter().flatten().any(|version| version.contains(sign));
    if label("node.openshift.io/os_id") {
        Some(Platform::OpenShift)
    } else if version_has("+rke2r") {
        Some(Platform::Rke2)
    } else if version_has("+k3s") {
        Some(Platform::K3s)
    } else if version_has("-gke.") {
        Some(Platform::Gke)
    } else if version_has("-eks-") && provider.starts_with("aws://") {
        // Amazon's distribution has such versions wherever it is installed.
        Some(Platform::Eks)
    } else if provider.starts_with("azure://") && label("kubernetes.azure.com/cluster") {
        Some(Platform::Aks)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(version: &str, provider: &str, label: &str) -> Value {
        json!({
            "metadata": {"labels": {label: "x"}},
            "spec": {"providerID": provider},
            "status": {"nodeInfo": {"kubeletVersion": version}},
        })
    }

    #[test]
    fn each_platform_has_its_signs() {
        for (version, provider, label, platform) in [
            ("v1.33.1+k3s1", "k3s://cp-1", "a", Some(Platform::K3s)),
            ("v1.33.1+rke2r1", "aws:///eu-west-1a/i-1", "a", Some(Platform::Rke2)),
            ("v1.33.1-gke.1107000", "gce://p/z/n", "a", Some(Platform::Gke)),
            ("v1.33.1-eks-113cf36", "aws:///eu-west-1a/i-1", "a", Some(Platform::Eks)),
            ("v1.33.1", "azure:///subscriptions/1/vm/2", "kubernetes.azure.com/cluster", Some(Platform::Aks)),
            ("v1.33.1", "aws:///eu-west-1a/i-1", "node.openshift.io/os_id", Some(Platform::OpenShift)),
        ] {
            assert_eq!(of(&node(version, provider, label), None), platform, "{version} {provider} {label}");
        }
    }

    #[test]
    fn machines_of_a_cloud_are_not_its_service() {
        for (version, provider) in [
            ("v1.33.1", "aws:///eu-west-1a/i-1"),
            ("v1.33.1", "azure:///subscriptions/1/vm/2"),
            ("v1.33.1", "gce://p/z/n"),
            ("v1.33.1-eks-113cf36", "vsphere://4230"),
            ("v1.37.2", ""),
        ] {
            assert_eq!(of(&node(version, provider, "a"), Some(version)), None, "{version} {provider}");
        }
        assert_eq!(of(&Value::Null, Some("v1.33.1-gke.1")), Some(Platform::Gke), "no node is looked at");
        assert_eq!(of(&Value::Null, None), None);
    }
}
