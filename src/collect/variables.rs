//! The environment variables of a container, and references to them in its command and arguments.

use std::collections::BTreeMap;

use serde_json::Value;

/// Variables with literal values. A reference in a value stays as it is written.
pub(super) fn literal(container: &Value) -> BTreeMap<String, String> {
    let variables = container.get("env").and_then(Value::as_array).into_iter().flatten();
    variables
        .filter(|variable| variable.get("valueFrom").is_none_or(Value::is_null))
        .filter_map(|variable| {
            let value = variable.get("value").and_then(Value::as_str).unwrap_or_default();
            Some((variable.get("name")?.as_str()?.to_owned(), value.to_owned()))
        })
        .collect()
}

/// Whether it has variables whose values are elsewhere.
pub(super) fn has_others(container: &Value) -> bool {
    let list = |key: &str| container.get(key).and_then(Value::as_array).into_iter().flatten();
    let mut from = list("env").filter_map(|variable| variable.get("valueFrom"));
    from.any(|from| !from.is_null()) || list("envFrom").next().is_some()
}

/// `$(NAME)` as the kubelet replaces it: `$$` is a plain dollar, and unknown names stay, unless there are variables whose
/// values are elsewhere (`others`): then it fails with the name.
pub(super) fn expand(word: &str, env: &BTreeMap<String, String>, others: bool) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            match env.get(name) {
                // A variable may refer to those before it.
                Some(value) if value.contains("$(") => return Err(name.to_owned()),
                Some(value) => out.push_str(value),
                None if others => return Err(name.to_owned()),
                None => out.push_str(&format!("$({name})")),
            }
            rest = after;
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_replaced_as_the_kubelet_does() {
        let container = json!({"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)"}]});
        let env = literal(&container);
        assert_eq!(expand("a$(A)$(C)$$(A)$x$", &env, false).as_deref(), Ok("a1$(C)$(A)$x$"));
        assert_eq!(expand("$(B)", &env, false), Err("B".to_owned()), "a reference in a value");
    }

    #[test]
    fn a_value_that_is_elsewhere_is_unknown() {
        let secret =
            json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]});
        let map = json!({"envFrom": [{"configMapRef": {"name": "a"}}]});
        for container in [secret, map] {
            assert!(has_others(&container));
            assert_eq!(expand("--a=$(A)", &literal(&container), true), Err("A".to_owned()));
            assert_eq!(expand("--a=$$(A)", &literal(&container), true).as_deref(), Ok("--a=$(A)"));
        }
        assert!(!has_others(
            &json!({"env": [{"name": "A", "value": "1", "valueFrom": null}], "envFrom": []})
        ));
    }
}
