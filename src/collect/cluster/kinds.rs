//! The kinds that joins and order are known of, and which of their objects are listed.

mod discovery;
mod listed;

use std::borrow::Cow;

use crate::resource::SECRET_STORES;
pub(super) use discovery::Discovery;
pub use discovery::ServedKind;
pub(super) use listed::ListedKind;

/// A built-in kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownKind {
    /// `Pod`.
    pub name: &'static str,
    /// `v1`, `rbac.authorization.k8s.io/v1`.
    pub api_version: &'static str,
    /// `pods`.
    pub plural: &'static str,
    /// What is listed of it in any case.
    pub lists: &'static [ListScope],
    /// Whether its other objects are listed in the namespaces that rules ask about.
    pub by_namespace: bool,
}

/// One list of a kind's objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListScope {
    /// All.
    All,
    /// Those of one namespace.
    In(Cow<'static, str>),
    /// Those of one namespace (empty: all) that a field selector picks: field and value.
    Where(&'static str, &'static str, &'static str),
}

const EVERYWHERE: &[ListScope] = &[ListScope::All];

/// In the order they are read and recorded: what others are joined with comes first.
pub const KINDS: [KnownKind; 23] = [
    kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies", EVERYWHERE),
    kind(
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1",
        "validatingwebhookconfigurations",
        EVERYWHERE,
    ),
    kind(
        "MutatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1",
        "mutatingwebhookconfigurations",
        EVERYWHERE,
    ),
    asked("ConfigMap", "v1", "configmaps", &[ListScope::Where("kube-system", "metadata.name", "kube-proxy")]),
    kind("CertificateSigningRequest", "certificates.k8s.io/v1", "certificatesigningrequests", EVERYWHERE),
    kind("DaemonSet", "apps/v1", "daemonsets", EVERYWHERE),
    kind("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", EVERYWHERE),
    kind("Role", "rbac.authorization.k8s.io/v1", "roles", EVERYWHERE),
    kind("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", EVERYWHERE),
    kind("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings", EVERYWHERE),
    kind("Node", "v1", "nodes", EVERYWHERE),
    asked("Deployment", "apps/v1", "deployments", &[]),
    asked("ReplicaSet", "apps/v1", "replicasets", &[]),
    asked("StatefulSet", "apps/v1", "statefulsets", &[]),
    asked("CronJob", "batch/v1", "cronjobs", &[]),
    asked("Job", "batch/v1", "jobs", &[]),
    asked("Service", "v1", "services", &[]),
    asked("PersistentVolumeClaim", "v1", "persistentvolumeclaims", &[]),
    asked("Ingress", "networking.k8s.io/v1", "ingresses", &[]),
    kind("Pod", "v1", "pods", EVERYWHERE),
    kind("ServiceAccount", "v1", "serviceaccounts", EVERYWHERE),
    // Tokens only: no other Secret is ever read.
    kind(
        SECRET,
        "v1",
        "secrets",
        &[
            ListScope::Where("", "type", "kubernetes.io/service-account-token"),
            ListScope::Where("kube-system", "type", "bootstrap.kubernetes.io/token"),
        ],
    ),
    kind("Namespace", "v1", "namespaces", EVERYWHERE),
];

/// Objects that name load balancers, of all namespaces: read only where the cloud is asked.
pub(super) const BALANCED: [KnownKind; 2] = [
    kind("Service", "v1", "services", EVERYWHERE),
    kind("Ingress", "networking.k8s.io/v1", "ingresses", EVERYWHERE),
];

/// The kind that stands for the cluster as a whole: no object of the API.
pub const CLUSTER: &str = "Cluster";
/// The kind that is listed only when `collect.secrets` asks for it.
pub const SECRET: &str = "Secret";

/// Every kind that a recording holds, whatever rules ask for.
pub fn recorded() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name).chain(SECRET_STORES.iter().map(|(name, _)| *name)).chain([CLUSTER])
}

const fn kind(
    name: &'static str,
    api_version: &'static str,
    plural: &'static str,
    lists: &'static [ListScope],
) -> KnownKind {
    KnownKind { name, api_version, plural, lists, by_namespace: false }
}

const fn asked(
    name: &'static str,
    api_version: &'static str,
    plural: &'static str,
    lists: &'static [ListScope],
) -> KnownKind {
    KnownKind { name, api_version, plural, lists, by_namespace: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{is_built_in, object_kind};

    #[test]
    fn what_others_are_joined_with_is_read_before_them_or_twice() {
        let position = |name: &str| recorded().position(|kind| kind == name).unwrap();
        let twice: Vec<&str> = KINDS
            .iter()
            .filter(|kind| {
                let mut about = crate::collect::join::Index::needed_by(kind.name);
                about.any(|about| position(about) <= position(kind.name))
            })
            .map(|kind| kind.name)
            .collect();
        assert_eq!(twice, ["ServiceAccount"], "its list is small, and pods are many");
    }

    #[test]
    fn every_kind_here_is_built_in_under_its_group() {
        for kind in KINDS {
            assert_eq!(object_kind(kind.api_version, kind.name), kind.name);
            assert!(is_built_in(kind.name), "{}", kind.name);
        }
    }
}
