//! Label selectors, as an aggregated role has them.

use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A selector for each label with the value `true`.
pub(super) fn selectors(labels: &BTreeSet<String>) -> Vec<Value> {
    labels.iter().map(|label| json!({"matchLabels": {label: "true"}})).collect()
}

/// These labels with the value `true`, as an object has them.
pub(super) fn as_object(labels: &BTreeSet<String>) -> Value {
    labels.iter().map(|label| (label.clone(), Value::from("true"))).collect::<serde_json::Map<_, _>>().into()
}

/// Whether a selector picks an object with these labels. An operator that Kubernetes does not have picks it, so that no
/// right is left out.
pub(super) fn select(selector: &Value, labels: &Value) -> bool {
    let label = |key: &str| labels.get(key).and_then(Value::as_str);
    let equal = selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
    let mut expressions = selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten();
    equal.into_iter().all(|(key, value)| label(key).is_some_and(|label| value == label))
        && expressions.all(|expression| {
            let key = expression.get("key").and_then(Value::as_str).unwrap_or_default();
            let is_listed = || {
                let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
                label(key).is_some_and(|label| values.into_iter().any(|value| value == label))
            };
            match expression.get("operator").and_then(Value::as_str) {
                Some("In") => is_listed(),
                Some("NotIn") => !is_listed(),
                Some("Exists") => label(key).is_some(),
                Some("DoesNotExist") => label(key).is_none(),
                _ => true,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_pick_as_kubernetes_does() {
        let labels = json!({"team": "shop", "tier": "web"});
        let picks = |selector: Value| select(&selector, &labels);
        let expression = |key: &str, operator: &str, values: Value| json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]});
        assert!(picks(json!({})) && picks(json!({"matchLabels": {"team": "shop"}})));
        assert!(!picks(json!({"matchLabels": {"team": "shop", "tier": "db"}})));
        assert!(picks(expression("tier", "In", json!(["db", "web"]))));
        assert!(!picks(expression("tier", "In", json!(["db"]))));
        assert!(
            !picks(expression("tier", "NotIn", json!(["web"])))
                && picks(expression("zone", "NotIn", json!(["a"])))
        );
        assert!(
            picks(expression("tier", "Exists", json!([]))) && !picks(expression("zone", "Exists", json!([])))
        );
        assert!(picks(expression("zone", "DoesNotExist", json!([]))));
        assert!(picks(expression("tier", "Near", json!([]))), "no right is left out");
    }
}
