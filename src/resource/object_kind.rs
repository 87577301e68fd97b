//! Names of kinds of API objects: `Pod`, `Certificate.cert-manager.io`.
//!
//! Kind and group make the name together, so that a foreign `Cluster` or `NetworkPolicy` is never ours. The kinds below
//! and those of the core group go by their Kind alone.

/// The kinds that are collected whole, each with its group, and the one that stands for the cluster as a whole.
const BUILT_IN: [(&str, &str); 24] = [
    ("Cluster", ""),
    ("NetworkPolicy", "networking.k8s.io"),
    ("ValidatingWebhookConfiguration", "admissionregistration.k8s.io"),
    ("MutatingWebhookConfiguration", "admissionregistration.k8s.io"),
    ("ConfigMap", ""),
    ("CertificateSigningRequest", "certificates.k8s.io"),
    ("DaemonSet", "apps"),
    ("ClusterRole", "rbac.authorization.k8s.io"),
    ("Role", "rbac.authorization.k8s.io"),
    ("ClusterRoleBinding", "rbac.authorization.k8s.io"),
    ("RoleBinding", "rbac.authorization.k8s.io"),
    ("Node", ""),
    ("Deployment", "apps"),
    ("ReplicaSet", "apps"),
    ("StatefulSet", "apps"),
    ("Job", "batch"),
    ("CronJob", "batch"),
    ("Service", ""),
    ("PersistentVolumeClaim", ""),
    ("Ingress", "networking.k8s.io"),
    ("Pod", ""),
    ("ServiceAccount", ""),
    ("Secret", ""),
    ("Namespace", ""),
];

/// Kinds of operators that keep secrets outside of the cluster, each with its group.
pub const SECRET_STORES: [(&str, &str); 7] = [
    ("SecretProviderClass", "secrets-store.csi.x-k8s.io"),
    ("SecretStore", "external-secrets.io"),
    ("ClusterSecretStore", "external-secrets.io"),
    ("ExternalSecret", "external-secrets.io"),
    ("VaultStaticSecret", "secrets.hashicorp.com"),
    ("VaultDynamicSecret", "secrets.hashicorp.com"),
    ("SealedSecret", "bitnami.com"),
];

/// The group that these kinds were in before Kubernetes 1.22.
const FORMER_GROUP: &str = "extensions";
const FORMER_KINDS: [&str; 5] = ["DaemonSet", "Deployment", "Ingress", "NetworkPolicy", "ReplicaSet"];
/// The other kinds of the core group, which is closed: new kinds get a group.
const CORE_KINDS: [&str; 9] = [
    "Binding",
    "ComponentStatus",
    "Endpoints",
    "Event",
    "LimitRange",
    "PersistentVolume",
    "PodTemplate",
    "ReplicationController",
    "ResourceQuota",
];
/// Kinds of Kubernetes that have no namespace, by the names that controls use.
const CLUSTER_SCOPED: [&str; 29] = [
    "APIService.apiregistration.k8s.io",
    "CSIDriver.storage.k8s.io",
    "CSINode.storage.k8s.io",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterTrustBundle.certificates.k8s.io",
    "ComponentStatus",
    "CustomResourceDefinition.apiextensions.k8s.io",
    "DeviceClass.resource.k8s.io",
    "FlowSchema.flowcontrol.apiserver.k8s.io",
    "IPAddress.networking.k8s.io",
    "IngressClass.networking.k8s.io",
    "MutatingAdmissionPolicy.admissionregistration.k8s.io",
    "MutatingAdmissionPolicyBinding.admissionregistration.k8s.io",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PodSecurityPolicy.policy",
    "PriorityClass.scheduling.k8s.io",
    "PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io",
    "ResourceSlice.resource.k8s.io",
    "RuntimeClass.node.k8s.io",
    "ServiceCIDR.networking.k8s.io",
    "StorageClass.storage.k8s.io",
    "ValidatingAdmissionPolicy.admissionregistration.k8s.io",
    "ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io",
    "ValidatingWebhookConfiguration",
];
/// Stands for the core group, which has no name, where the Kind alone would be another's.
const CORE: &str = "core";

/// A kind of API object: its group, and its Kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupKind {
    /// Empty for the core group.
    pub group: String,
    /// `Certificate`.
    pub kind: String,
}

impl GroupKind {
    /// Of an object with this `apiVersion` and `kind`.
    pub fn of(api_version: &str, kind: &str) -> Self {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        // An object that names no version is one of ours, if any.
        let moved = || group == FORMER_GROUP && FORMER_KINDS.contains(&kind);
        let own = group_of(kind).filter(|_| api_version.is_empty() || moved());
        Self { group: own.unwrap_or(group).to_owned(), kind: kind.to_owned() }
    }

    /// Of a name as controls write it: `Pod`, `Certificate.cert-manager.io`.
    pub fn named(name: &str) -> Self {
        let (kind, group) = match name.split_once('.') {
            Some((kind, CORE)) => (kind, ""),
            Some((kind, group)) => (kind, group),
            None => (name, group_of(name).unwrap_or_default()),
        };
        Self { group: group.to_owned(), kind: kind.to_owned() }
    }

    /// The name that controls use.
    pub fn name(&self) -> String {
        let Self { group, kind } = self;
        match group_of(kind) {
            Some(own) if own == group => kind.clone(),
            None if group.is_empty() => kind.clone(),
            Some(_) if group.is_empty() => format!("{kind}.{CORE}"),
            _ => format!("{kind}.{group}"),
        }
    }

    /// Whether it would be a kind of the core group, and that has no such kind.
    pub fn is_unknown_core(&self) -> bool {
        self.group.is_empty() && group_of(&self.kind).is_none() && !CORE_KINDS.contains(&self.kind.as_str())
    }

    /// How RBAC and `kubectl` name its resource, as far as convention knows: `certificates.cert-manager.io`.
    pub fn guessed_resource(&self) -> String {
        let plural = self.guessed_plural();
        if self.group.is_empty() { plural } else { format!("{plural}.{}", self.group) }
    }

    /// The plural that its resource has by convention. Only discovery knows the real one.
    pub fn guessed_plural(&self) -> String {
        let word = self.kind.to_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| word.ends_with(ending));
        match word.strip_suffix('y') {
            Some(stem) if !ends(&["ay", "ey", "oy", "uy"]) => format!("{stem}ies"),
            _ if ends(&["s", "x", "ch", "sh"]) => format!("{word}es"),
            _ => format!("{word}s"),
        }
    }
}

/// Whether it is a kind of Kubernetes that has no namespace: its API server drops one that a manifest names. Of kinds
/// that are not Kubernetes' own, only discovery knows.
pub fn is_cluster_scoped(name: &str) -> bool {
    CLUSTER_SCOPED.contains(&name)
}

/// The group of a kind that goes by its Kind alone.
fn group_of(kind: &str) -> Option<&'static str> {
    BUILT_IN.iter().chain(&SECRET_STORES).find(|(name, _)| *name == kind).map(|(_, group)| *group)
}

/// The name of the kind of an object, as controls, exceptions and `resource.sub_type` use it.
pub fn object_kind(api_version: &str, kind: &str) -> String {
    GroupKind::of(api_version, kind).name()
}

/// Whether a kind is collected whole. Of others, only metadata and what rules read leave the collector.
pub fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|(built_in, _)| *built_in == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_and_kind_make_the_name_together() {
        for (api_version, kind, name) in [
            ("v1", "Pod", "Pod"),
            ("apps/v1", "Deployment", "Deployment"),
            ("extensions/v1beta1", "Ingress", "Ingress"),
            ("external-secrets.io/v1beta1", "SecretStore", "SecretStore"),
            ("", "Cluster", "Cluster"),
            ("", "Deployment", "Deployment"),
            ("v1", "LimitRange", "LimitRange"),
            ("cert-manager.io/v1", "Certificate", "Certificate.cert-manager.io"),
            ("cluster.x-k8s.io/v1beta1", "Cluster", "Cluster.cluster.x-k8s.io"),
            ("crd.projectcalico.org/v1", "NetworkPolicy", "NetworkPolicy.crd.projectcalico.org"),
            ("authorization.openshift.io/v1", "ClusterRole", "ClusterRole.authorization.openshift.io"),
            ("serving.knative.dev/v1", "Service", "Service.serving.knative.dev"),
            ("extensions/v1beta1", "Service", "Service.extensions"),
            ("policy/v1", "PodDisruptionBudget", "PodDisruptionBudget.policy"),
            ("v1", "Deployment", "Deployment.core"),
        ] {
            assert_eq!(object_kind(api_version, kind), name);
            let read = GroupKind::named(name);
            assert_eq!((read.kind.as_str(), read.name().as_str()), (kind, name));
        }
        assert_eq!(GroupKind::named("Deployment.apps").name(), "Deployment");
        assert_eq!(GroupKind::named("Pod.core").name(), "Pod");
    }

    #[test]
    fn plurals_by_convention() {
        let plural = |kind: &str| GroupKind::named(kind).guessed_plural();
        let all =
            ["NetworkPolicy", "SecretProviderClass", "Gateway.gateway.networking.k8s.io", "SealedSecret"];
        assert_eq!(
            all.map(plural),
            ["networkpolicies", "secretproviderclasses", "gateways", "sealedsecrets"]
        );
    }

    #[test]
    fn a_foreign_kind_is_not_collected_whole() {
        assert!(is_built_in("Cluster") && is_built_in("Deployment"));
        assert!(
            !is_built_in("Cluster.cluster.x-k8s.io")
                && !is_built_in("SecretStore")
                && !is_built_in("LimitRange")
        );
    }
}
