//! Kubernetes objects as [`Resource`]s.

use serde_json::Value;

use crate::resource::{Kind, Resource, at, is_cluster_scoped, object_kind};

/// The id is the object's UID. Without one, as in a manifest, it is made of version, kind, namespace and name, and of
/// `place` (file and document number) where two would be equal.
pub(super) fn resource(mut raw: Value, place: Option<&str>) -> Resource {
    fn text<'r>(raw: &'r Value, pointer: &str) -> &'r str {
        at(raw, pointer).and_then(Value::as_str).unwrap_or_default()
    }
    let (kind, name) = (text(&raw, "/kind").to_owned(), text(&raw, "/metadata/name").to_owned());
    let sub_type = object_kind(text(&raw, "/apiVersion"), &kind);
    drop_stray_namespace(&mut raw, &sub_type);
    let id = match (text(&raw, "/metadata/uid"), place) {
        ("", place) => {
            let (version, namespace) = (text(&raw, "/apiVersion"), text(&raw, "/metadata/namespace"));
            let whole = format!("{version}/{kind}/{namespace}/{name}");
            place.map_or(whole.clone(), |place| format!("{whole}#{place}"))
        }
        (uid, _) => uid.to_owned(),
    };
    Resource::observed(Kind::K8sObject, sub_type, id, name, raw)
}

/// Drops the namespace that a manifest gives to an object of a kind without one, as the API server does, and an empty one,
/// which is none.
fn drop_stray_namespace(raw: &mut Value, kind: &str) {
    if let Some(Value::Object(metadata)) = raw.get_mut("metadata")
        && let Some(namespace) = metadata.get("namespace")
        && (is_cluster_scoped(kind) || namespace == "")
    {
        metadata.remove("namespace");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_kind_without_a_namespace_loses_a_stray_one() {
        let namespace = |version: &str, kind: &str| {
            let raw =
                json!({"apiVersion": version, "kind": kind, "metadata": {"name": "a", "namespace": "shop"}});
            resource(raw, None).namespace().map(str::to_owned)
        };
        assert_eq!(namespace("rbac.authorization.k8s.io/v1", "ClusterRole"), None);
        assert_eq!(namespace("storage.k8s.io/v1", "StorageClass"), None);
        let empty = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": ""}});
        assert_eq!(resource(empty, None).namespace(), None, "a chart with an empty value");
        assert_eq!(namespace("rbac.authorization.k8s.io/v1", "Role").as_deref(), Some("shop"));
        assert_eq!(
            namespace("access.example.com/v1", "ClusterRole").as_deref(),
            Some("shop"),
            "a foreign kind"
        );
    }
}
