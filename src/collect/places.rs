//! Which files have which role: the one table of paths.
//!
//! Data only. Globs know `*` (within a name) and `**` (any depth). kubeadm's layout; other platforms are
//! further patterns of the same roles.

/// What kind of thing at a path has the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Whatever is there.
    Any,
    /// Regular files only.
    Files,
    /// The role follows from what is there: [`PKI_DIR`], [`PKI_CERT`], [`PKI_KEY`] or [`PKI_OTHER`].
    Pki,
}

/// One role, or the four of key material, and where it is found.
#[derive(Debug)]
pub struct Place {
    /// The roles that the patterns may give.
    pub roles: &'static [&'static str],
    /// What counts.
    pub takes: Takes,
    /// Where to look.
    pub patterns: &'static [&'static str],
    /// Whether a path that a process names makes the patterns moot: a configuration file nobody reads
    /// is of no interest, a kubeconfig nobody reads still holds a credential.
    pub named_wins: bool,
}

/// A directory of key material.
pub const PKI_DIR: &str = "pki-dir";
/// A certificate.
pub const PKI_CERT: &str = "pki-cert";
/// A file that holds a private key, whatever it is called.
pub const PKI_KEY: &str = "pki-key";
/// Other files among the key material.
pub const PKI_OTHER: &str = "pki-other";
/// All that key material may turn out to be.
pub const PKI_ROLES: &[&str] = &[PKI_DIR, PKI_CERT, PKI_KEY, PKI_OTHER];

/// Every place.
pub const PLACES: &[Place] = &[
    manifest(
        &["api-server-manifest"],
        &["/etc/kubernetes/manifests/kube-apiserver.yaml", "/etc/kubernetes/manifests/kube-apiserver.yml"],
    ),
    manifest(
        &["controller-manager-manifest"],
        &[
            "/etc/kubernetes/manifests/kube-controller-manager.yaml",
            "/etc/kubernetes/manifests/kube-controller-manager.yml",
        ],
    ),
    manifest(
        &["scheduler-manifest"],
        &["/etc/kubernetes/manifests/kube-scheduler.yaml", "/etc/kubernetes/manifests/kube-scheduler.yml"],
    ),
    manifest(
        &["etcd-manifest"],
        &["/etc/kubernetes/manifests/etcd.yaml", "/etc/kubernetes/manifests/etcd.yml"],
    ),
    Place {
        roles: &["cni-config"],
        takes: Takes::Files,
        patterns: &["/etc/cni/net.d/*", "/var/lib/cni/networks/**"],
        named_wins: false,
    },
    Place { roles: &["etcd-data-dir"], takes: Takes::Any, patterns: &["/var/lib/etcd"], named_wins: false },
    kubeconfig(&["admin-kubeconfig"], &["/etc/kubernetes/admin.conf", "/etc/kubernetes/super-admin.conf"]),
    kubeconfig(&["scheduler-kubeconfig"], &["/etc/kubernetes/scheduler.conf"]),
    kubeconfig(&["controller-manager-kubeconfig"], &["/etc/kubernetes/controller-manager.conf"]),
    Place {
        roles: PKI_ROLES,
        takes: Takes::Pki,
        patterns: &["/etc/kubernetes/pki", "/etc/kubernetes/pki/**"],
        named_wins: false,
    },
    Place {
        roles: &["kubelet-service"],
        takes: Takes::Files,
        patterns: &[
            "/etc/systemd/system/kubelet.service",
            "/etc/systemd/system/kubelet.service.d/*.conf",
            "/lib/systemd/system/kubelet.service",
            "/lib/systemd/system/kubelet.service.d/*.conf",
            "/usr/lib/systemd/system/kubelet.service",
            "/usr/lib/systemd/system/kubelet.service.d/*.conf",
        ],
        named_wins: false,
    },
    kubeconfig(&["kubelet-kubeconfig"], &["/etc/kubernetes/kubelet.conf"]),
    Place {
        roles: &["kubelet-config"],
        takes: Takes::Any,
        patterns: &["/var/lib/kubelet/config.yaml", "/var/lib/kubelet/config.yml"],
        named_wins: true,
    },
    kubeconfig(&["proxy-kubeconfig"], &["/etc/kubernetes/proxy.conf"]),
    Place {
        roles: &["kubelet-client-ca"],
        takes: Takes::Any,
        patterns: &["/etc/kubernetes/pki/ca.crt"],
        named_wins: true,
    },
];

/// Every role that a file may have.
pub fn roles() -> Vec<&'static str> {
    PLACES.iter().flat_map(|place| place.roles).copied().collect()
}

const fn manifest(roles: &'static [&'static str], patterns: &'static [&'static str]) -> Place {
    Place { roles, takes: Takes::Any, patterns, named_wins: false }
}

const fn kubeconfig(roles: &'static [&'static str], patterns: &'static [&'static str]) -> Place {
    Place { roles, takes: Takes::Any, patterns, named_wins: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_one_place() {
        let mut roles: Vec<_> = PLACES.iter().flat_map(|place| place.roles).collect();
        let count = roles.len();
        roles.sort();
        roles.dedup();
        assert_eq!(roles.len(), count);
    }
}
