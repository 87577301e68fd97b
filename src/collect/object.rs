//! Kubernetes objects as [`Resource`]s.

use serde_json::Value;

use crate::resource::{Kind, Resource, object_kind};

/// The id is the object's UID. Without one, as in a manifest, it is made of version, kind, namespace and name, and of
/// `place` (file and document number) where two would be equal.
pub(super) fn resource(raw: Value, place: Option<&str>) -> Resource {
    let text = |pointer: &str| raw.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (kind, name) = (text("/kind").to_owned(), text("/metadata/name").to_owned());
    let id = match (text("/metadata/uid"), place) {
        ("", place) => {
            let whole = format!("{}/{kind}/{}/{name}", text("/apiVersion"), text("/metadata/namespace"));
            place.map_or(whole.clone(), |place| format!("{whole}#{place}"))
        }
        (uid, _) => uid.to_owned(),
    };
    let sub_type = object_kind(text("/apiVersion"), &kind);
    Resource::observed(Kind::K8sObject, sub_type, id, name, raw)
}
