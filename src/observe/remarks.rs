//! Remarks about a cluster before it is judged: its platform, and a version that was not checked. Logged once a cycle.

use std::collections::BTreeSet;

use crate::collect::cluster::API_SERVER;
use crate::resource::{Gap, Identity, Kind, Platform, Selector, minor_version};

/// The minor versions of Kubernetes 1 that the verdicts were checked for: each in the cases of rules whose defaults
/// changed, the newest on a running cluster too.
const CHECKED: std::ops::RangeInclusive<u32> = 21..=37;

/// Logs them.
pub(crate) fn log(identity: &Identity) {
    if let Some(platform) = identity.cluster.platform {
        let name = platform.as_str();
        if platform.hides_control_plane() {
            tracing::info!(
                platform = name,
                "detected a managed control plane: rules about its components are not applicable, unless the API server shows its flags"
            );
        } else if platform == Platform::OpenShift {
            tracing::info!(
                platform = name,
                "detected platform: its operators keep arguments where they are not read, so rules about those are errors"
            );
        } else {
            tracing::info!(platform = name, "detected platform");
        }
    }
    if let Some(version) = identity.cluster.version.as_deref().filter(|version| is_unchecked(version)) {
        tracing::warn!(
            version,
            oldest = format!("1.{}", CHECKED.start()),
            newest = format!("1.{}", CHECKED.end()),
            "verdicts were not checked for this version of Kubernetes, whose defaults may differ"
        );
    }
}

fn is_unchecked(version: &str) -> bool {
    minor_version(version).is_some_and(|(major, minor)| major != 1 || !CHECKED.contains(&minor))
}

/// Why there is no resource that a rule judges. `absent_kinds`: the kinds that the API server does not have. `closed`: why
/// its flags are out of sight.
pub(crate) fn why_absent(
    platform: Option<Platform>,
    absent_kinds: &BTreeSet<String>,
    closed: Option<&Gap>,
    judged: &[Selector],
) -> String {
    let list = |selectors: &mut dyn Iterator<Item = &Selector>, text: fn(&Selector) -> String| {
        selectors.map(text).collect::<Vec<_>>().join(", ")
    };
    let is_absent = |it: &Selector| it.kind == Kind::K8sObject && absent_kinds.contains(&it.name);
    if judged.iter().all(is_absent) {
        return format!("the API server does not have {}", list(&mut judged.iter(), |it| it.name.clone()));
    }
    hidden_by(platform, closed, judged)
        .unwrap_or_else(|| format!("no {} found", list(&mut judged.iter(), ToString::to_string)))
}

/// Why the platform does not show what a rule judges, where that is so.
fn hidden_by(platform: Option<Platform>, closed: Option<&Gap>, judged: &[Selector]) -> Option<String> {
    let platform = platform.filter(|platform| platform.hides_control_plane())?;
    let of_control_plane = |selector: &Selector| match selector.kind {
        Kind::Process => !matches!(selector.name.as_str(), "kubelet" | "kube-proxy"),
        Kind::File => !selector.name.starts_with("kubelet-") && selector.name != "proxy-kubeconfig",
        Kind::K8sObject | Kind::Caas | Kind::LoadBalancer | Kind::ContainerRegistry => false,
    };
    let why = judged
        .iter()
        .any(of_control_plane)
        .then(|| format!("{} manages the control plane", platform.as_str()))?;
    let of_api_server = |selector: &Selector| selector.kind == Kind::Process && selector.name == API_SERVER;
    Some(match closed.filter(|_| judged.iter().any(of_api_server)) {
        Some(gap) => format!("{why} and keeps the API server's flags closed ({gap})"),
        None => why,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Reason;
    use crate::telemetry::log_capture::LogCapture;

    fn identity(version: &str, platform: Option<Platform>) -> Identity {
        let mut identity = Identity::default();
        identity.cluster.version = Some(version.to_owned());
        identity.cluster.platform = platform;
        identity
    }

    fn logged(version: &str, platform: Option<Platform>) -> Vec<String> {
        let logs = LogCapture::text();
        log(&identity(version, platform));
        logs.lines()
    }

    #[test]
    fn a_version_that_was_not_checked_is_logged() {
        for version in ["v1.20.15", "v1.38.0", "v2.0.0"] {
            assert!(logged(version, None)[0].contains("were not checked"), "{version}");
        }
        for version in ["v1.21.0", "v1.37.2", "v1.33.1+k3s1", "v1.33.1-gke.1107000", "unknown"] {
            assert!(logged(version, None).is_empty(), "{version}");
        }
    }

    #[test]
    fn a_managed_control_plane_is_logged() {
        let line = |platform| logged("v1.33.1", Some(platform)).concat();
        assert!(line(Platform::Gke).contains("managed control plane") && line(Platform::Gke).contains("GKE"));
        assert!(
            line(Platform::K3s).contains("detected platform platform=\"k3s\""),
            "{}",
            line(Platform::K3s)
        );
    }

    #[test]
    fn the_platform_explains_only_what_is_missing_of_a_control_plane() {
        let why = |platform, selector: &str| {
            why_absent(Some(platform), &BTreeSet::new(), None, &[selector.parse().unwrap()])
        };
        assert_eq!(why(Platform::Eks, "process/kube-apiserver"), "EKS manages the control plane");
        assert_eq!(why(Platform::Aks, "file/etcd-data-dir"), "AKS manages the control plane");
        assert_eq!(why(Platform::Eks, "file/kubelet-config"), "no file/kubelet-config found");
        assert_eq!(why(Platform::Eks, "k8s_object/Pod"), "no k8s_object/Pod found");
        assert_eq!(why(Platform::Rke2, "process/kube-apiserver"), "no process/kube-apiserver found");
        let closed = Gap::new(Reason::Denied, "get /flagz: HTTP 403");
        let why = |selector: &str| {
            why_absent(Some(Platform::Eks), &BTreeSet::new(), Some(&closed), &[selector.parse().unwrap()])
        };
        assert!(why("process/kube-apiserver").ends_with("closed (get /flagz: HTTP 403)"));
        assert_eq!(why("process/etcd"), "EKS manages the control plane");
    }

    #[test]
    fn a_kind_that_the_server_lacks_is_the_reason_where_nothing_else_could_be_judged() {
        let absent = BTreeSet::from(["Certificate.cert-manager.io".to_owned()]);
        let why = |selectors: &[&str]| {
            let judged: Vec<Selector> = selectors.iter().map(|it| it.parse().unwrap()).collect();
            why_absent(None, &absent, None, &judged)
        };
        assert_eq!(
            why(&["k8s_object/Certificate.cert-manager.io"]),
            "the API server does not have Certificate.cert-manager.io"
        );
        assert_eq!(
            why(&["k8s_object/Certificate.cert-manager.io", "k8s_object/Pod"]),
            "no k8s_object/Certificate.cert-manager.io, k8s_object/Pod found"
        );
    }
}
