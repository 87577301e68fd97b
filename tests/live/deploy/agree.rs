//! Helm and kustomize install the same thing: whoever changes one of them changes the other.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use crate::bed::Bed;
use crate::deploy::render::{self, OVERLAYS, Rendering};

#[test]
fn the_chart_and_the_overlays_mean_the_same() {
    let bed = Bed::share();
    let all = render::all(&bed);
    for (overlay, values) in OVERLAYS {
        let kustomize = meaning(render::named(all, &format!("kustomize {overlay}")));
        let helm = meaning(render::named(all, &format!("helm {values}")));
        let names = |it: &BTreeMap<String, Value>| it.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&kustomize), names(&helm), "{overlay}");
        for (name, object) in &kustomize {
            assert_eq!(object, &helm[name], "{overlay}, {name}: kustomize left, Helm right");
        }
    }
}

/// Objects by kind, namespace and name, without what the two ways differ in by nature.
fn meaning(rendering: &Rendering) -> BTreeMap<String, Value> {
    let mut text = json!(rendering.objects).to_string();
    // A hash of the content ends their names; the chart has a checksum in the pods' annotations.
    for map in rendering.of_kind("ConfigMap") {
        let name = map["metadata"]["name"].as_str().unwrap();
        if let Some((plain, hash)) = name.rsplit_once('-').filter(|(_, hash)| hash.len() == 10)
            && hash != "exceptions"
        {
            text = text.replace(name, plain);
        }
    }
    let objects: Vec<Value> = serde_json::from_str(&text).unwrap();
    objects.into_iter().filter(|object| !is_helm_s_callers(object)).map(stripped).collect()
}

/// A namespace is there before a chart is, and so is its account `default`: NOTES.txt says what to do about them.
fn is_helm_s_callers(object: &Value) -> bool {
    object["kind"] == "Namespace"
        || (object["kind"] == "ServiceAccount" && object["metadata"]["name"] == "default")
}

fn stripped(mut object: Value) -> (String, Value) {
    let metadata = object["metadata"].clone();
    let key = format!("{} {}/{}", object["kind"], metadata["namespace"], metadata["name"]);
    let own = |labels: &Value| {
        let labels = labels.as_object().cloned().unwrap_or_default();
        let strange = ["helm.sh/chart", "app.kubernetes.io/managed-by"];
        labels.into_iter().filter(|(name, _)| !strange.contains(&name.as_str())).collect::<Map<_, _>>()
    };
    object["metadata"] = json!({"labels": own(&metadata["labels"])});
    if let Some(annotations) = object.pointer_mut("/spec/template/metadata/annotations") {
        annotations.as_object_mut().unwrap().remove("checksum/config");
        if annotations == &json!({}) {
            object["spec"]["template"]["metadata"].as_object_mut().unwrap().remove("annotations");
        }
    }
    for (_, text) in object.get_mut("data").and_then(Value::as_object_mut).into_iter().flatten() {
        let parsed: Value = posturebeat::yaml::from_str(text.as_str().unwrap()).unwrap();
        *text = nested(parsed);
    }
    (key, object)
}

/// `a.b: c` as `a: {b: c}`.
fn nested(value: Value) -> Value {
    let Value::Object(map) = value else { return value };
    let mut out = json!({});
    for (key, value) in map {
        let place = key.split('.').fold(&mut out, |place, part| &mut place[part]);
        match (place, nested(value)) {
            (Value::Object(there), Value::Object(more)) => there.extend(more),
            (place, value) => *place = value,
        }
    }
    out
}
