//! The kinds that are listed, and where.

use super::list::url_escaped;

/// A kind of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindInfo {
    /// `Pod`.
    pub name: &'static str,
    /// `v1`, `rbac.authorization.k8s.io/v1`.
    pub api_version: &'static str,
    /// `pods`.
    pub plural: &'static str,
    /// Which of its objects.
    pub lists: &'static [List],
}

/// One list of a kind's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// All.
    All,
    /// Those of one namespace.
    In(&'static str),
    /// Those of one namespace (empty: all) that a field selector picks: field and value.
    Where(&'static str, &'static str, &'static str),
}

const EVERYWHERE: &[List] = &[List::All];
/// Only whether the namespace is used is asked, so nothing else is read.
const DEFAULT_NAMESPACE: &[List] = &[List::In("default")];

/// In the order they are read and recorded: what others are joined with comes first.
pub const KINDS: [KindInfo; 23] = [
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
    kind(
        "ConfigMap",
        "v1",
        "configmaps",
        &[List::Where("kube-system", "metadata.name", "kube-proxy"), List::In("default")],
    ),
    kind("CertificateSigningRequest", "certificates.k8s.io/v1", "certificatesigningrequests", EVERYWHERE),
    kind("DaemonSet", "apps/v1", "daemonsets", EVERYWHERE),
    kind("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", EVERYWHERE),
    kind("Role", "rbac.authorization.k8s.io/v1", "roles", EVERYWHERE),
    kind("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", EVERYWHERE),
    kind("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings", EVERYWHERE),
    kind("Node", "v1", "nodes", EVERYWHERE),
    kind("Deployment", "apps/v1", "deployments", DEFAULT_NAMESPACE),
    kind("ReplicaSet", "apps/v1", "replicasets", DEFAULT_NAMESPACE),
    kind("StatefulSet", "apps/v1", "statefulsets", DEFAULT_NAMESPACE),
    kind("Job", "batch/v1", "jobs", DEFAULT_NAMESPACE),
    kind("CronJob", "batch/v1", "cronjobs", DEFAULT_NAMESPACE),
    kind("Service", "v1", "services", DEFAULT_NAMESPACE),
    kind("PersistentVolumeClaim", "v1", "persistentvolumeclaims", DEFAULT_NAMESPACE),
    kind("Ingress", "networking.k8s.io/v1", "ingresses", DEFAULT_NAMESPACE),
    kind("Pod", "v1", "pods", EVERYWHERE),
    kind("ServiceAccount", "v1", "serviceaccounts", EVERYWHERE),
    // Tokens only: no other Secret is ever read.
    kind(
        SECRET,
        "v1",
        "secrets",
        &[
            List::Where("", "type", "kubernetes.io/service-account-token"),
            List::Where("kube-system", "type", "bootstrap.kubernetes.io/token"),
        ],
    ),
    kind("Namespace", "v1", "namespaces", EVERYWHERE),
];

/// The kind that stands for the cluster as a whole: no object of the API.
pub const CLUSTER: &str = "Cluster";
/// The kind that is listed only when `collect.secrets` asks for it.
pub const SECRET: &str = "Secret";
/// A kind of an operator that keeps secrets outside of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Store {
    /// `ExternalSecret`.
    pub name: &'static str,
    /// `external-secrets.io`.
    pub group: &'static str,
    /// `externalsecrets`.
    pub plural: &'static str,
}

/// Every such kind.
pub const STORES: [Store; 7] = [
    Store {
        name: "SecretProviderClass",
        group: "secrets-store.csi.x-k8s.io",
        plural: "secretproviderclasses",
    },
    Store { name: "SecretStore", group: "external-secrets.io", plural: "secretstores" },
    Store { name: "ClusterSecretStore", group: "external-secrets.io", plural: "clustersecretstores" },
    Store { name: "ExternalSecret", group: "external-secrets.io", plural: "externalsecrets" },
    Store { name: "VaultStaticSecret", group: "secrets.hashicorp.com", plural: "vaultstaticsecrets" },
    Store { name: "VaultDynamicSecret", group: "secrets.hashicorp.com", plural: "vaultdynamicsecrets" },
    Store { name: "SealedSecret", group: "bitnami.com", plural: "sealedsecrets" },
];

/// Every kind that a cycle can come upon.
pub fn known() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name).chain(STORES.iter().map(|store| store.name)).chain([CLUSTER])
}

const fn kind(
    name: &'static str,
    api_version: &'static str,
    plural: &'static str,
    lists: &'static [List],
) -> KindInfo {
    KindInfo { name, api_version, plural, lists }
}

impl KindInfo {
    /// The paths of its lists, with their selectors as queries.
    pub fn paths(&self) -> Vec<String> {
        let path = |list: &List| match list {
            List::All => self.base(""),
            List::In(namespace) => self.base(namespace),
            List::Where(namespace, field, value) => {
                format!("{}?fieldSelector={}", self.base(namespace), equals(field, value))
            }
        };
        self.lists.iter().map(path).collect()
    }

    /// The list of one object, of its first list: that takes no right beyond those for the whole.
    pub fn one(&self, namespace: &str, name: &str) -> String {
        let whose = equals("metadata.name", name);
        let also = match self.lists.first() {
            Some(List::Where(_, field, value)) if *field != "metadata.name" => {
                format!("%2C{}", equals(field, value))
            }
            _ => String::new(),
        };
        format!("{}?fieldSelector={whose}{also}", self.base(namespace))
    }

    /// The list of those of a namespace that a field picks.
    pub fn by_field(&self, namespace: &str, field: &str, value: &str) -> String {
        format!("{}?fieldSelector={}", self.base(namespace), equals(field, value))
    }

    /// The path of those of one namespace (empty: of all).
    fn base(&self, namespace: &str) -> String {
        let root = if self.api_version.contains('/') { "/apis" } else { "/api" };
        match namespace {
            "" => format!("{root}/{}/{}", self.api_version, self.plural),
            namespace => format!("{root}/{}/namespaces/{namespace}/{}", self.api_version, self.plural),
        }
    }
}

/// A field selector's term, escaped.
fn equals(field: &str, value: &str) -> String {
    format!("{field}%3D{}", url_escaped(value).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(name: &str) -> Vec<String> {
        KINDS.iter().find(|kind| kind.name == name).unwrap().paths()
    }

    #[test]
    fn paths_are_those_of_the_api() {
        assert_eq!(paths("Pod"), ["/api/v1/pods"]);
        assert_eq!(paths("Role"), ["/apis/rbac.authorization.k8s.io/v1/roles"]);
        assert_eq!(paths("Deployment"), ["/apis/apps/v1/namespaces/default/deployments"]);
        assert_eq!(
            paths("ConfigMap"),
            [
                "/api/v1/namespaces/kube-system/configmaps?fieldSelector=metadata.name%3Dkube-proxy",
                "/api/v1/namespaces/default/configmaps"
            ]
        );
        assert_eq!(
            paths("Secret"),
            [
                "/api/v1/secrets?fieldSelector=type%3Dkubernetes.io%2Fservice-account-token",
                "/api/v1/namespaces/kube-system/secrets?fieldSelector=type%3Dbootstrap.kubernetes.io%2Ftoken"
            ]
        );
    }

    #[test]
    fn one_object_is_listed_by_its_name_and_never_another_secret() {
        let one = |kind: &str, namespace: &str, name: &str| {
            KINDS.iter().find(|it| it.name == kind).unwrap().one(namespace, name)
        };
        assert_eq!(one("Namespace", "", "shop"), "/api/v1/namespaces?fieldSelector=metadata.name%3Dshop");
        assert_eq!(
            one("RoleBinding", "shop", "system:a"),
            "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings?fieldSelector=metadata.name%3Dsystem%3Aa"
        );
        assert_eq!(
            one("Secret", "shop", "t"),
            "/api/v1/namespaces/shop/secrets?fieldSelector=metadata.name%3Dt%2Ctype%3Dkubernetes.io%2Fservice-account-token"
        );
    }

    #[test]
    fn what_others_are_joined_with_is_read_before_them_or_twice() {
        let position = |name: &str| known().position(|kind| kind == name).unwrap();
        let twice: Vec<&str> = KINDS
            .iter()
            .filter(|kind| {
                let about = crate::collect::join::Index::needed_by(kind.name);
                about.iter().any(|about| position(about) <= position(kind.name))
            })
            .map(|kind| kind.name)
            .collect();
        assert_eq!(twice, ["ServiceAccount"], "its list is small, and pods are many");
    }
}
