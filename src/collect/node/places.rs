//! The files of a node by role: which kinds of file count for a role, and where each platform keeps them.
//!
//! The paths are data, in `src/collect/node/places/platforms.yml`, which is part of the binary. The roles are here, because the code asks for
//! them by name.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::collect::component::Component;
use crate::yaml;

/// Which files at a path have the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFilter {
    /// Anything.
    Any,
    /// Regular files only.
    RegularFiles,
    /// Regular files that hold configuration or credentials, and not the state of a network plug-in.
    CniFiles,
    /// The role depends on the file: [`PKI_DIR`], [`PKI_CERT`], [`PKI_KEY`] or [`PKI_OTHER`].
    KeyMaterial,
}

/// A role, or the four roles of key material, and the paths where its files are.
#[derive(Debug)]
pub struct RolePaths {
    /// The roles that the files may have.
    pub roles: &'static [&'static str],
    /// Which files count.
    pub filter: FileFilter,
    /// When the patterns count.
    pub relevance: Relevance,
    /// The patterns of all platforms.
    pub patterns: Vec<String>,
}

/// When the files at a role's patterns count: a configuration file that no process reads does not matter, a kubeconfig
/// that no process reads still holds a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relevance {
    /// Always.
    Always,
    /// Unless a process names a file of the role.
    UnlessNamed,
    /// The same, and if this component may run here.
    WhileRunning(Component),
}

/// A directory of key material.
pub const PKI_DIR: &str = "pki-dir";
/// A certificate.
pub const PKI_CERT: &str = "pki-cert";
/// A file that holds a private key, whatever its name.
pub const PKI_KEY: &str = "pki-key";
/// Any other file among the key material.
pub const PKI_OTHER: &str = "pki-other";
/// The roles of key material.
pub const PKI_ROLES: &[&str] = &[PKI_DIR, PKI_CERT, PKI_KEY, PKI_OTHER];

/// The kubelet's configuration, including drop-ins.
pub const KUBELET_CONFIG: &[&str] = &["kubelet-config"];
/// CNI configuration.
pub const CNI_CONFIG: &[&str] = &["cni-config"];
/// The kubelet's kubeconfig.
pub const KUBELET_KUBECONFIG: &[&str] = &["kubelet-kubeconfig"];

/// Roles, which files count for them, and when the patterns do.
const ROLES: &[(&[&str], FileFilter, Relevance)] = &[
    (&["api-server-manifest"], FileFilter::Any, Relevance::Always),
    (&["controller-manager-manifest"], FileFilter::Any, Relevance::Always),
    (&["scheduler-manifest"], FileFilter::Any, Relevance::Always),
    (&["etcd-manifest"], FileFilter::Any, Relevance::Always),
    (CNI_CONFIG, FileFilter::CniFiles, Relevance::Always),
    (&["etcd-data-dir"], FileFilter::Any, Relevance::WhileRunning(Component::Etcd)),
    (&["admin-kubeconfig"], FileFilter::Any, Relevance::Always),
    (&["scheduler-kubeconfig"], FileFilter::Any, Relevance::Always),
    (&["controller-manager-kubeconfig"], FileFilter::Any, Relevance::Always),
    (PKI_ROLES, FileFilter::KeyMaterial, Relevance::Always),
    (&["kubelet-service"], FileFilter::RegularFiles, Relevance::Always),
    (KUBELET_KUBECONFIG, FileFilter::Any, Relevance::Always),
    (KUBELET_CONFIG, FileFilter::Any, Relevance::UnlessNamed),
    (&["proxy-kubeconfig"], FileFilter::Any, Relevance::Always),
    (&["kubelet-client-ca"], FileFilter::Any, Relevance::UnlessNamed),
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

/// The paths of each platform.
const PLATFORMS: &str = include_str!("places/platforms.yml");

/// Every role with the patterns of all platforms. A node has the files of one platform, so it does not matter which it
/// is.
pub static PLACES: LazyLock<Vec<RolePaths>> =
    LazyLock::new(|| load(PLATFORMS).expect("a test loads the file that is part of the binary"));

/// The files of one platform, by role.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlatformFiles {
    platform: String,
    files: BTreeMap<String, Vec<String>>,
}

/// Joins the platforms. A role that is unknown, or a pattern that is relative or stands twice, is an error.
fn load(text: &str) -> Result<Vec<RolePaths>, String> {
    let platforms: Vec<PlatformFiles> = yaml::from_str(text).map_err(|error| error.to_string())?;
    let place = |(roles, filter, relevance): &(&'static [&'static str], FileFilter, Relevance)| RolePaths {
        roles,
        filter: *filter,
        relevance: *relevance,
        patterns: Vec::new(),
    };
    let mut places: Vec<RolePaths> = ROLES.iter().map(place).collect();
    for PlatformFiles { platform, files } in platforms {
        for (role, patterns) in files {
            let place = places
                .iter_mut()
                .find(|place| place.roles[0] == role)
                .ok_or_else(|| format!("platform {platform}: unknown role `{role}`"))?;
            for pattern in patterns {
                if !pattern.starts_with('/') {
                    return Err(format!("platform {platform}, role {role}: `{pattern}` is not absolute"));
                }
                if place.patterns.contains(&pattern) {
                    return Err(format!("platform {platform}, role {role}: `{pattern}` is listed twice"));
                }
                place.patterns.push(pattern);
            }
        }
    }
    Ok(places)
}

/// Every role that a file may have.
pub fn roles() -> Vec<&'static str> {
    ROLES.iter().flat_map(|(roles, ..)| *roles).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_is_defined_once() {
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
    fn the_file_of_places_loads_and_every_role_has_patterns() {
        let places = load(PLATFORMS).unwrap();
        assert!(places.iter().all(|place| !place.patterns.is_empty()));
        for pattern in places.iter().flat_map(|place| &place.patterns) {
            globset::Glob::new(pattern).unwrap();
        }
    }

    #[test]
    fn a_mistake_in_the_file_of_places_names_platform_and_role() {
        let error = |files: &str| load(&format!("- platform: p\n  files: {{{files}}}\n")).unwrap_err();
        assert_eq!(error("x: [/a]"), "platform p: unknown role `x`");
        assert_eq!(error("cni-config: [a]"), "platform p, role cni-config: `a` is not absolute");
        assert_eq!(error("cni-config: [/a, /a]"), "platform p, role cni-config: `/a` is listed twice");
        assert!(load("- platform: p\n  paths: {}\n").is_err());
    }
}
