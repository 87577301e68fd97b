//! A Kubernetes object, from wherever it was read, as a [`Resource`].

use serde_json::Value;

use crate::resource::{Kind, Resource, object_kind};

/// Its id is its UID; an object without one (a manifest) is named by what it is, and where two would be
/// equal by `place` (file and document number) too.
pub fn resource(raw: Value, place: Option<&str>) -> Resource {
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
