//! The encryption provider that writes each resource to etcd.

use serde_json::{Map, Value};

/// Resource → the first provider of the first entry that covers it. A resource that no entry covers is not encrypted and
/// not in the map. `None` without a configuration.
pub(super) fn of(root: &Value) -> Option<Value> {
    let entries = root.pointer("/files/encryptionConfiguration/resources")?.as_array()?;
    let mut names: Vec<&str> =
        entries.iter().flat_map(covered).map(plain).filter(|name| !name.contains('*')).collect();
    names.push("secrets");
    let mut out = Map::new();
    for name in names {
        let writer = entries.iter().find(|entry| covered(entry).any(|pattern| covers(pattern, name)));
        if let Some(provider) = writer.and_then(first_provider) {
            out.insert(name.to_owned(), Value::from(provider));
        }
    }
    Some(Value::Object(out))
}

fn covered(entry: &Value) -> impl Iterator<Item = &str> {
    entry.get("resources").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// `secrets.` is the same as `secrets`, a resource of the core group.
fn plain(name: &str) -> &str {
    name.strip_suffix('.').filter(|name| *name != "*").unwrap_or(name)
}

/// `*.*` is everything, `*.` the core group, `*.apps` the group apps.
fn covers(pattern: &str, name: &str) -> bool {
    let group = name.split_once('.').map_or("", |(_, group)| group);
    match pattern.strip_prefix("*.") {
        Some("*") => true,
        Some(whole) => whole == group,
        None => plain(pattern) == name,
    }
}

fn first_provider(entry: &Value) -> Option<&str> {
    let provider = entry.get("providers")?.as_array()?.first()?.as_object()?;
    provider.keys().next().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn writers(resources: Value) -> Value {
        of(&json!({"files": {"encryptionConfiguration": {"resources": resources}}})).unwrap()
    }

    #[test]
    fn the_first_entry_and_its_first_provider_decide() {
        let aes = json!({"aescbc": {"keys": []}});
        let plain = json!({"identity": {}});
        assert_eq!(
            writers(json!([
                {"resources": ["configmaps"], "providers": [plain]},
                {"resources": ["secrets"], "providers": [aes, plain]},
                {"resources": ["*.*"], "providers": [plain]},
            ])),
            json!({"configmaps": "identity", "secrets": "aescbc"})
        );
        for pattern in ["secrets.", "*.", "*.*"] {
            let first = json!([{"resources": [pattern], "providers": [plain]}, {"resources": ["secrets"], "providers": [aes]}]);
            assert_eq!(writers(first)["secrets"], "identity", "{pattern}");
        }
        assert_eq!(
            writers(json!([{"resources": ["*.apps", "secrets.apps"], "providers": [aes]}])),
            json!({"secrets.apps": "aescbc"})
        );
    }

    #[test]
    fn without_a_configuration_nothing_is_said() {
        assert_eq!(of(&json!({"files": {}})), None);
        assert_eq!(writers(json!([])), json!({}));
    }
}
