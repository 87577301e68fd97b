//! The Kubernetes objects of a document, and the places of the containers in one.

use serde_json::{Map, Value};

/// What a document holds.
#[derive(Debug, PartialEq)]
pub(super) enum DocumentObjects {
    /// Objects, each with its place in the document.
    Objects(Vec<PlacedObject>),
    /// No Kubernetes object, and nothing that was meant as one.
    Other,
}

/// An object and where it stands in its document.
#[derive(Debug, PartialEq)]
pub(super) struct PlacedObject {
    pub place: Vec<String>,
    pub raw: Value,
}

/// The lists of containers in a pod's spec, in the order in which rules see them.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// The objects of a document; for a list its items, which inherit `kind` and `apiVersion` and may be lists
/// themselves. Fails with the problem of something that was meant as an object. The parser bounds the depth.
pub(super) fn objects(document: Value) -> Result<DocumentObjects, String> {
    let mut found = Vec::new();
    let is_list = document.is_array();
    let mut others = 0;
    gather(document, Vec::new(), &mut found, &mut others)?;
    if !found.is_empty() && others > 0 {
        return Err("items of the list are no Kubernetes objects: they have no `kind`".to_owned());
    }
    Ok(if others > 0 || (is_list && found.is_empty()) {
        DocumentObjects::Other
    } else {
        DocumentObjects::Objects(found)
    })
}

fn gather(
    value: Value,
    place: Vec<String>,
    found: &mut Vec<PlacedObject>,
    others: &mut usize,
) -> Result<(), String> {
    let step = |list: Option<&str>, index: usize| {
        let steps = list.map(str::to_owned).into_iter().chain([index.to_string()]);
        place.iter().cloned().chain(steps).collect::<Vec<_>>()
    };
    let mut map = match value {
        Value::Array(items) => {
            let mut items = items.into_iter().enumerate();
            return items.try_for_each(|(index, item)| gather(item, step(None, index), found, others));
        }
        Value::Object(map) => map,
        _ => {
            *others += 1;
            return Ok(());
        }
    };
    let kind = map.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(item_kind) = kind.strip_suffix("List").filter(|_| map.contains_key("items")) else {
        match is_object(&map) {
            Some(true) => found.push(PlacedObject { place, raw: Value::Object(map) }),
            Some(false) => return Err("no `kind`: expected that of a Kubernetes object".to_owned()),
            None => *others += 1,
        }
        return Ok(());
    };
    let version = map.remove("apiVersion");
    let items = match map.remove("items") {
        Some(Value::Array(items)) => items,
        // An empty list, as Go serialises it.
        None | Some(Value::Null) => return Ok(()),
        Some(_) => return Err(format!("expected `items` of a `{kind}` to be a list")),
    };
    for (index, mut item) in items.into_iter().enumerate() {
        if let Some(object) = item.as_object_mut()
            && !item_kind.is_empty()
        {
            object.entry("kind").or_insert_with(|| Value::from(item_kind));
            if let Some(version) = &version {
                object.entry("apiVersion").or_insert_with(|| version.clone());
            }
        }
        gather(item, step(Some("items"), index), found, others)?;
    }
    Ok(())
}

/// Whether a map is an object of the Kubernetes API. `Some(false)`: it was meant as one. `None`: it is something else,
/// such as a chart's `Chart.yaml` with its `apiVersion`, or a pipeline with its `kind`.
fn is_object(map: &Map<String, Value>) -> Option<bool> {
    let text = |key: &str| map.get(key).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    let has_metadata = map.get("metadata").is_some_and(Value::is_object);
    match (text("kind"), text("apiVersion")) {
        (true, true) => (!is_kustomization(map)).then_some(true),
        (true, false) => has_metadata.then_some(true),
        (false, true) => has_metadata.then_some(false),
        (false, false) => None,
    }
}

/// kustomize reads it, the API server never does.
fn is_kustomization(map: &Map<String, Value>) -> bool {
    let version = map.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    version.starts_with("kustomize.config.k8s.io/")
}

/// Where the containers of an object stand, in the order in which rules see them: in the outermost pod spec.
pub(super) fn containers(object: &Value) -> Vec<Vec<String>> {
    // Nearly every other kind is large and has none: no place is written down for it.
    let mut level = if has_lists(object) { vec![(Vec::new(), object)] } else { Vec::new() };
    while !level.is_empty() {
        let mut below = Vec::new();
        for (place, value) in level {
            let own = lists(&place, value);
            if !own.is_empty() {
                return own;
            }
            below.extend(children(&place, value));
        }
        level = below;
    }
    Vec::new()
}

fn has_lists(value: &Value) -> bool {
    match value {
        Value::Object(map) => {
            let is_named = |key: &str| CONTAINERS.contains(&key) || ["container", "image"].contains(&key);
            map.iter().any(|(key, value)| is_named(key) || has_lists(value))
        }
        Value::Array(items) => items.iter().any(has_lists),
        _ => false,
    }
}

fn lists(place: &[String], value: &Value) -> Vec<Vec<String>> {
    let mut own = Vec::new();
    // A list of names is none of containers.
    let has_image = |value: &Value| value.as_object().is_some_and(|map| map.contains_key("image"));
    let of_list = |list: &str, items: &[Value]| -> Vec<Vec<String>> {
        let item = |index: usize| [place, &[list.to_owned(), index.to_string()]].concat();
        (0..items.len()).map(item).collect()
    };
    for list in CONTAINERS {
        match value.get(list).and_then(Value::as_array) {
            Some(items) if items.iter().any(has_image) => own.extend(of_list(list, items)),
            _ => {}
        }
    }
    // Operators have other names for them: steps, sidecars, a script.
    for (key, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Array(items) if !CONTAINERS.contains(&key.as_str()) && items.iter().any(runs) => {
                own.extend(of_list(key, items));
            }
            Value::Object(_) if runs(value) || key == "container" && has_image(value) => {
                own.push([place, std::slice::from_ref(key)].concat());
            }
            _ => {}
        }
    }
    own
}

/// Whether this is a container under whatever name: an image, and how it is run.
fn runs(value: &Value) -> bool {
    const HOW: [&str; 7] = ["args", "command", "env", "envFrom", "script", "securityContext", "volumeMounts"];
    value.get("image").is_some_and(Value::is_string) && HOW.iter().any(|key| value.get(key).is_some())
}

fn children<'v>(place: &[String], value: &'v Value) -> Vec<(Vec<String>, &'v Value)> {
    let child = |step: String, value| ([place, &[step]].concat(), value);
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| child(key.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| child(index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kinds(document: Value) -> Result<Option<Vec<String>>, String> {
        Ok(match objects(document)? {
            DocumentObjects::Other => None,
            DocumentObjects::Objects(found) => {
                let text = |object: PlacedObject| {
                    format!("{} {}", object.place.join("."), object.raw["kind"].as_str().unwrap_or_default())
                };
                Some(found.into_iter().map(text).collect())
            }
        })
    }

    #[test]
    fn what_is_no_object_of_the_api_is_told_from_what_was_meant_as_one() {
        for other in [
            json!({"apiVersion": "v2", "name": "shop", "version": "0.1.0"}),
            json!({"replicas": 2}),
            json!({"resources": ["web.yaml"]}),
            json!({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}),
            json!({"kind": "pipeline", "type": "docker", "name": "default"}),
            json!([{"op": "remove", "path": "/spec"}]),
            json!([]),
            json!("text"),
        ] {
            assert_eq!(kinds(other.clone()), Ok(None), "{other}");
        }
        let meant = kinds(json!({"apiVersion": "v1", "metadata": {"name": "a"}, "spec": {}}));
        assert!(meant.as_ref().unwrap_err().starts_with("no `kind`"), "{meant:?}");
        for object in [json!({"kind": "Pod", "metadata": {}}), json!({"apiVersion": "v1", "kind": "Pod"})] {
            assert_eq!(kinds(object), Ok(Some(vec![" Pod".to_owned()])));
        }
    }

    #[test]
    fn items_of_lists_have_their_places() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod"});
        let inner = json!({"kind": "List", "items": [pod]});
        let list =
            json!({"kind": "List", "items": [inner, {"kind": "PodList", "items": [{"metadata": {}}]}]});
        let expected = ["items.0.items.0 Pod", "items.1.items.0 Pod"];
        assert_eq!(kinds(list), Ok(Some(expected.map(str::to_owned).to_vec())));
        assert_eq!(kinds(json!({"kind": "PodList", "items": null})), Ok(Some(Vec::new())));
        let broken = kinds(json!({"kind": "PodList", "items": {"a": 1}}));
        assert!(broken.unwrap_err().starts_with("expected `items` of a `PodList`"));
        let mixed = kinds(json!({"kind": "List", "items": [pod, {"a": 1}]}));
        assert!(mixed.as_ref().unwrap_err().starts_with("items of the list"), "{mixed:?}");
    }

    #[test]
    fn containers_are_found_wherever_they_are() {
        let spec =
            json!({"initContainers": [{"image": "b"}], "containers": [{"image": "a"}, {"name": "patch"}]});
        let places = |object: &Value| -> Vec<String> {
            containers(object).into_iter().map(|place| place.join(".")).collect()
        };
        let all = ["containers.0", "containers.1", "initContainers.0"];
        assert_eq!(places(&json!({"spec": spec})), all.map(|place| format!("spec.{place}")));
        let job = json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}});
        assert_eq!(places(&job)[0], "spec.jobTemplate.spec.template.spec.containers.0");
        let workflow = json!({"spec": {"templates": [{"name": "a"}, {"container": {"image": "a"}}]}});
        assert_eq!(places(&workflow), ["spec.templates.1.container"]);
        let definition =
            json!({"spec": {"properties": {"containers": {"items": {"properties": {"image": {}}}}}}});
        assert!(places(&definition).is_empty() && places(&json!({"containers": ["a"]})).is_empty());
    }
}
