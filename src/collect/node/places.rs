//! Which files have which role: what counts for it, and where each platform keeps it.
//!
//! Data only; the patterns are in [`tables`]. Globs know `*` (within a name) and `**` (any depth).

mod tables;

use std::sync::LazyLock;

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
    /// Whether a path that a process names makes the patterns moot: a configuration file nobody reads
    /// is of no interest, a kubeconfig nobody reads still holds a credential.
    pub named_wins: bool,
    /// Where to look, on whatever platform.
    pub patterns: Vec<&'static str>,
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

/// The kubelet's configuration, its drop-ins included.
pub const KUBELET_CONFIG: &[&str] = &["kubelet-config"];
/// The kubelet's kubeconfig.
pub const KUBELET_KUBECONFIG: &[&str] = &["kubelet-kubeconfig"];

/// Roles, what counts for them, and whether a name beats the patterns.
const ROLES: &[(&[&str], Takes, bool)] = &[
    (&["api-server-manifest"], Takes::Any, false),
    (&["controller-manager-manifest"], Takes::Any, false),
    (&["scheduler-manifest"], Takes::Any, false),
    (&["etcd-manifest"], Takes::Any, false),
    (&["cni-config"], Takes::Files, false),
    (&["etcd-data-dir"], Takes::Any, false),
    (&["admin-kubeconfig"], Takes::Any, false),
    (&["scheduler-kubeconfig"], Takes::Any, false),
    (&["controller-manager-kubeconfig"], Takes::Any, false),
    (PKI_ROLES, Takes::Pki, false),
    (&["kubelet-service"], Takes::Files, false),
    (KUBELET_KUBECONFIG, Takes::Any, false),
    (KUBELET_CONFIG, Takes::Any, true),
    (&["proxy-kubeconfig"], Takes::Any, false),
    (&["kubelet-client-ca"], Takes::Any, true),
];

/// What each role is, for rule authors.
pub const ROLE_MEANINGS: [(&str, &str); 18] = [
    ("api-server-manifest", "the static pod manifest of kube-apiserver"),
    ("controller-manager-manifest", "the static pod manifest of kube-controller-manager"),
    ("scheduler-manifest", "the static pod manifest of kube-scheduler"),
    ("etcd-manifest", "the static pod manifest of etcd"),
    ("cni-config", "CNI configuration files"),
    ("etcd-data-dir", "etcd's data directory"),
    ("admin-kubeconfig", "kubeconfigs of cluster administrators"),
    ("scheduler-kubeconfig", "the kubeconfig of kube-scheduler"),
    ("controller-manager-kubeconfig", "the kubeconfig of kube-controller-manager"),
    (PKI_DIR, "directories of the cluster's certificates and keys"),
    (PKI_CERT, "certificates of the cluster"),
    (PKI_KEY, "private keys of the cluster, whatever the file is called"),
    (PKI_OTHER, "other files beside the cluster's certificates and keys"),
    ("kubelet-service", "the kubelet's systemd unit and its drop-ins"),
    ("kubelet-kubeconfig", "the kubelet's kubeconfig"),
    ("kubelet-config", "the kubelet's configuration file and its drop-ins"),
    ("proxy-kubeconfig", "the kubeconfig of kube-proxy"),
    ("kubelet-client-ca", "the CA that the kubelet trusts for client certificates"),
];

/// Every place: the roles with the patterns of all platforms joined. One node has the files of one
/// platform, so nobody needs to know which.
pub static PLACES: LazyLock<Vec<Place>> = LazyLock::new(|| {
    let place = |(roles, takes, named_wins): &(&'static [&'static str], Takes, bool)| {
        let rows = tables::PLATFORMS.iter().flat_map(|table| *table).filter(|(role, _)| *role == roles[0]);
        let patterns = rows.flat_map(|(_, patterns)| *patterns).copied().collect();
        Place { roles, takes: *takes, named_wins: *named_wins, patterns }
    };
    ROLES.iter().map(place).collect()
});

/// Every role that a file may have.
pub fn roles() -> Vec<&'static str> {
    ROLES.iter().flat_map(|(roles, ..)| *roles).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_one_place() {
        let mut roles = roles();
        let count = roles.len();
        roles.sort_unstable();
        roles.dedup();
        assert_eq!(roles.len(), count);
    }

    #[test]
    fn each_role_has_a_meaning() {
        assert_eq!(ROLE_MEANINGS.map(|(role, _)| role).to_vec(), roles());
    }

    #[test]
    fn each_row_is_of_a_role_and_each_pattern_stands_once() {
        let rows = || tables::PLATFORMS.iter().flat_map(|table| *table);
        let known: Vec<&str> = ROLES.iter().map(|(roles, ..)| roles[0]).collect();
        assert!(rows().all(|(role, _)| known.contains(role)), "{known:?}");
        for place in PLACES.iter() {
            let mut patterns = place.patterns.clone();
            patterns.sort_unstable();
            patterns.dedup();
            assert_eq!(patterns.len(), place.patterns.len(), "{:?}", place.patterns);
            assert!(patterns.iter().all(|pattern| pattern.starts_with('/')), "{patterns:?}");
        }
    }
}
