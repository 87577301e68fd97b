//! What is worth saying of a cluster before it is judged: one log line each, once a cycle.

use crate::resource::{Identity, Kind, Platform, Selector};
use crate::rule::minor_version;

/// The minor versions of Kubernetes 1 that the verdicts hold for: all of them in a rule's cases, where a
/// default has changed; the newest was tried on a running cluster too.
const CHECKED: std::ops::RangeInclusive<u32> = 21..=37;

/// Says them.
pub(crate) fn say(identity: &Identity) {
    if let Some(remark) = of_platform(identity) {
        tracing::info!("{remark}");
    }
    if let Some(remark) = of_version(identity) {
        tracing::warn!("{remark}");
    }
}

fn of_platform(identity: &Identity) -> Option<String> {
    let platform = identity.cluster.platform?;
    let name = platform.as_str();
    Some(if platform.hides_control_plane() {
        format!(
            "the cluster is taken for {name}, whose control plane is out of sight: what is about it is not applicable"
        )
    } else if platform == Platform::OpenShift {
        format!(
            "the cluster is taken for {name}, whose operators keep arguments where they are not read: what hangs on them is an error"
        )
    } else {
        format!("the cluster is taken for {name}")
    })
}

fn of_version(identity: &Identity) -> Option<String> {
    let version = identity.cluster.version.as_deref()?;
    let (major, minor) = minor_version(version)?;
    let (first, last) = (CHECKED.start(), CHECKED.end());
    (major != 1 || !CHECKED.contains(&minor)).then(|| {
        format!(
            "the API server is {version}: verdicts were checked for Kubernetes 1.{first} to 1.{last}, and other versions may have other defaults"
        )
    })
}

/// Why nothing was found of what a rule judges, where the platform explains it.
pub(crate) fn why_absent(platform: Option<Platform>, judged: &[Selector]) -> Option<String> {
    let platform = platform.filter(|platform| platform.hides_control_plane())?;
    let of_control_plane = |selector: &Selector| match selector.kind {
        Kind::Process => !matches!(selector.name.as_str(), "kubelet" | "kube-proxy"),
        Kind::File => !selector.name.starts_with("kubelet-") && selector.name != "proxy-kubeconfig",
        Kind::K8sObject | Kind::Caas | Kind::LoadBalancer | Kind::ContainerRegistry => false,
    };
    judged
        .iter()
        .any(of_control_plane)
        .then(|| format!("the control plane of {} is out of sight", platform.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(version: &str, platform: Option<Platform>) -> Identity {
        let mut identity = Identity::default();
        identity.cluster.version = Some(version.to_owned());
        identity.cluster.platform = platform;
        identity
    }

    #[test]
    fn a_version_outside_what_was_checked_is_said() {
        let said = |version: &str| of_version(&identity(version, None)).is_some();
        assert!(said("v1.20.15") && said("v1.38.0") && said("v2.0.0"));
        assert!(
            !said("v1.21.0") && !said("v1.37.2") && !said("v1.33.1+k3s1") && !said("v1.33.1-gke.1107000")
        );
        assert!(!said("unknown") && of_version(&Identity::default()).is_none());
    }

    #[test]
    fn a_managed_control_plane_is_said_to_be_out_of_sight() {
        let said = |platform| of_platform(&identity("v1.33.1", Some(platform))).unwrap();
        assert!(said(Platform::Gke).contains("GKE, whose control plane is out of sight"));
        assert_eq!(said(Platform::K3s), "the cluster is taken for k3s");
        assert_eq!(of_platform(&Identity::default()), None);
    }

    #[test]
    fn the_platform_explains_only_what_is_missing_of_a_control_plane() {
        let why = |platform, selector: &str| why_absent(Some(platform), &[selector.parse().unwrap()]);
        assert_eq!(
            why(Platform::Eks, "process/kube-apiserver").as_deref(),
            Some("the control plane of EKS is out of sight")
        );
        assert!(why(Platform::Aks, "file/etcd-data-dir").is_some());
        assert!(why(Platform::Eks, "file/kubelet-config").is_none());
        assert!(why(Platform::Eks, "k8s_object/Pod").is_none());
        assert!(why(Platform::Rke2, "process/kube-apiserver").is_none());
    }
}
