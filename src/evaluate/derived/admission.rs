//! The enabled admission plugins of an API server.

use serde_json::Value;

use super::{last, list};
use crate::resource::minor_version;

/// Plugins that are enabled by default, and since which minor version of Kubernetes 1, as listed by the help text of
/// 1.37.2. Plugins that no rule asks about have the version in which they were seen.
const DEFAULT_ON: [(&str, u32); 25] = [
    ("NamespaceLifecycle", 0),
    ("LimitRanger", 0),
    ("ServiceAccount", 0),
    ("TaintNodesByCondition", 12),
    ("PodSecurity", 22),
    ("Priority", 11),
    ("DefaultTolerationSeconds", 0),
    ("DefaultStorageClass", 0),
    ("StorageObjectInUseProtection", 10),
    ("PersistentVolumeClaimResize", 11),
    ("RuntimeClass", 14),
    ("CertificateApproval", 18),
    ("CertificateSigning", 18),
    ("ClusterTrustBundleAttest", 27),
    ("CertificateSubjectRestriction", 18),
    ("DefaultIngressClass", 18),
    ("PodTopologyLabels", 33),
    ("PodGroupProtection", 37),
    ("NodeDeclaredFeatureValidator", 37),
    ("PodResizeValidator", 37),
    ("MutatingAdmissionWebhook", 9),
    ("ValidatingAdmissionWebhook", 9),
    ("MutatingAdmissionPolicy", 37),
    ("ValidatingAdmissionPolicy", 26),
    ("ResourceQuota", 0),
];

/// Defaults plus `--enable-admission-plugins` minus `--disable-admission-plugins`; the deprecated `--admission-control`
/// replaces the whole set.
pub(super) fn plugins(root: &Value) -> Value {
    if last(root, "admission-control").is_some() {
        return Value::from(list(root, "admission-control"));
    }
    let version = root.get("version").and_then(Value::as_str).and_then(minor_version);
    let minor = version.map_or(u32::MAX, |(_, minor)| minor);
    let mut plugins: Vec<String> =
        DEFAULT_ON.iter().filter(|(_, since)| *since <= minor).map(|(name, _)| (*name).to_owned()).collect();
    for name in list(root, "enable-admission-plugins") {
        if !plugins.contains(&name) {
            plugins.push(name);
        }
    }
    let off = list(root, "disable-admission-plugins");
    plugins.retain(|name| !off.contains(name));
    Value::from(plugins)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn has(root: &Value, name: &str) -> bool {
        plugins(root).as_array().unwrap().contains(&json!(name))
    }

    #[test]
    fn defaults_plus_enabled_less_disabled() {
        let root = json!({"version": "1.37", "args": {
            "enable-admission-plugins": ["NodeRestriction,PodSecurity"],
            "disable-admission-plugins": ["ServiceAccount"],
        }});
        assert!(has(&root, "NodeRestriction") && has(&root, "PodSecurity") && has(&root, "LimitRanger"));
        assert!(!has(&root, "ServiceAccount"));
    }

    #[test]
    fn the_old_flag_is_the_whole_set() {
        let root = json!({"args": {"admission-control": ["NamespaceLifecycle,AlwaysAdmit"]}});
        assert_eq!(plugins(&root), json!(["NamespaceLifecycle", "AlwaysAdmit"]));
        assert_eq!(
            plugins(&json!({"args": {"admission-control": [""]}})),
            json!([]),
            "an empty set is a set"
        );
    }

    #[test]
    fn pod_security_came_with_1_22() {
        assert!(!has(&json!({"version": "1.21"}), "PodSecurity"));
        assert!(has(&json!({"version": "1.22"}), "PodSecurity"), "but its gate is off there");
        assert!(has(&json!({}), "PodSecurity"), "an unknown version is the newest known");
    }
}
