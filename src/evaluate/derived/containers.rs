//! A pod's containers with their effective security context.

use serde_json::{Map, Value};

/// The three lists of a pod spec.
const LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// Fields that a container inherits from its pod.
const INHERITED: [&str; 7] = [
    "runAsUser",
    "runAsGroup",
    "runAsNonRoot",
    "seccompProfile",
    "seLinuxOptions",
    "appArmorProfile",
    "windowsOptions",
];

/// Every container of all three lists as `{list, name, securityContext}`.
pub(super) fn of(pod: &Value) -> Value {
    let Some(spec) = pod.get("spec") else { return Value::Array(Vec::new()) };
    let shared = spec.get("securityContext").and_then(Value::as_object);
    let mut out = Vec::new();
    for list in LISTS {
        for container in spec.get(list).and_then(Value::as_array).into_iter().flatten() {
            out.push(Value::Object(Map::from_iter([
                ("list".to_owned(), Value::from(list)),
                ("name".to_owned(), container.get("name").cloned().unwrap_or(Value::Null)),
                ("securityContext".to_owned(), context(container, shared)),
            ])));
        }
    }
    Value::Array(out)
}

fn context(container: &Value, shared: Option<&Map<String, Value>>) -> Value {
    let own = container.get("securityContext").and_then(Value::as_object);
    let mut context = own.cloned().unwrap_or_default();
    context.retain(|_, value| !value.is_null());
    for field in INHERITED {
        let inherited = shared.and_then(|shared| shared.get(field)).filter(|value| !value.is_null());
        if let (false, Some(value)) = (context.contains_key(field), inherited) {
            context.insert(field.to_owned(), value.clone());
        }
    }
    if let Some(capabilities) = context.get_mut("capabilities").and_then(Value::as_object_mut) {
        for (list, names) in capabilities {
            for name in names.as_array_mut().into_iter().flatten() {
                let Some(text) = name.as_str() else { continue };
                let upper = text.to_ascii_uppercase();
                // containerd adds the prefix `CAP_` to any name, so `drop: [CAP_NET_RAW]` drops nothing.
                let plain = if list == "add" { upper.trim_start_matches("CAP_") } else { &upper };
                *name = Value::from(plain);
            }
        }
    }
    Value::Object(context)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_pod_fills_in_what_a_container_leaves_out() {
        let pod = json!({"spec": {
            "securityContext": {"runAsUser": 0, "runAsNonRoot": true, "fsGroup": 5},
            "containers": [{"name": "a", "securityContext": {"runAsUser": 7, "capabilities": {"drop": ["net_raw", "CAP_CHOWN"], "add": ["cap_kill"]}}}],
            "initContainers": [{"name": "b"}],
            "ephemeralContainers": [{"name": "c", "securityContext": {"runAsUser": null}}],
        }});
        assert_eq!(
            of(&pod),
            json!([
                {"list": "containers", "name": "a", "securityContext":
                    {"runAsUser": 7, "runAsNonRoot": true, "capabilities": {"drop": ["NET_RAW", "CAP_CHOWN"], "add": ["KILL"]}}},
                {"list": "initContainers", "name": "b", "securityContext": {"runAsUser": 0, "runAsNonRoot": true}},
                {"list": "ephemeralContainers", "name": "c", "securityContext": {"runAsUser": 0, "runAsNonRoot": true}},
            ])
        );
    }
}
