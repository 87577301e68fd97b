//! The kinds that are listed.

/// A kind of the API and where its list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindInfo {
    /// `Pod`.
    pub name: &'static str,
    /// `/api/v1/pods`.
    pub path: &'static str,
}

/// In the order they are read and recorded: what others are joined with comes first.
pub const KINDS: [KindInfo; 11] = [
    KindInfo { name: "NetworkPolicy", path: "/apis/networking.k8s.io/v1/networkpolicies" },
    KindInfo {
        name: "ValidatingWebhookConfiguration",
        path: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    },
    KindInfo {
        name: "MutatingWebhookConfiguration",
        path: "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    },
    KindInfo { name: "ServiceAccount", path: "/api/v1/serviceaccounts" },
    KindInfo { name: "ClusterRole", path: "/apis/rbac.authorization.k8s.io/v1/clusterroles" },
    KindInfo { name: "Role", path: "/apis/rbac.authorization.k8s.io/v1/roles" },
    KindInfo { name: "ClusterRoleBinding", path: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings" },
    KindInfo { name: "RoleBinding", path: "/apis/rbac.authorization.k8s.io/v1/rolebindings" },
    KindInfo { name: "Node", path: "/api/v1/nodes" },
    KindInfo { name: "Pod", path: "/api/v1/pods" },
    KindInfo { name: "Namespace", path: "/api/v1/namespaces" },
];

impl KindInfo {
    /// `pods`.
    pub fn plural(&self) -> &'static str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// `v1`, `rbac.authorization.k8s.io/v1`.
    pub fn api_version(&self) -> &'static str {
        let group = self.path.trim_start_matches("/apis/").trim_start_matches("/api/");
        group.rsplit_once('/').map_or(group, |(version, _)| version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_plurals_come_from_the_path() {
        let find = |name: &str| KINDS.iter().find(|kind| kind.name == name).copied().unwrap();
        assert_eq!((find("Pod").api_version(), find("Pod").plural()), ("v1", "pods"));
        let role = find("Role");
        assert_eq!((role.api_version(), role.plural()), ("rbac.authorization.k8s.io/v1", "roles"));
    }
}
