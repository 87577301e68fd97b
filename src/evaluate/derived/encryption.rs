//! The encryption provider that writes each resource to etcd.

use serde_json::{Map, Value};

use crate::resource::minor_version;

/// The first minor version that knows `*.*` and `*.group`. Earlier ones take them for names, which nothing has.
const WILDCARDS_SINCE: (u32, u32) = (1, 27);

/// Resource → the first provider of the first entry that covers it. A resource that no entry covers is not encrypted and
/// not in the map. `None` without a configuration.
pub(super) fn of(root: &Value) -> Option<Value> {
    let entries = entries(root)?;
    let version = root.get("version").and_then(Value::as_str).and_then(minor_version);
    let wildcards = version.is_none_or(|version| version >= WILDCARDS_SINCE);
    let mut names: Vec<&str> =
        entries.iter().flat_map(covered).map(plain).filter(|name| !name.contains('*')).collect();
    names.push("secrets");
    let mut out = Map::new();
    for name in names {
        let writer =
            entries.iter().find(|entry| covered(entry).any(|pattern| covers(pattern, name, wildcards)));
        if let Some(provider) = writer.and_then(first_provider) {
            out.insert(name.to_owned(), Value::from(provider));
        }
    }
    Some(Value::Object(out))
}

/// Whether it depends on the version what the configuration means.
pub(super) fn has_wildcards(root: &Value) -> bool {
    entries(root).into_iter().flatten().flat_map(covered).any(|pattern| pattern.starts_with("*."))
}

fn entries(root: &Value) -> Option<&Vec<Value>> {
    root.pointer("/files/encryptionConfiguration/resources")?.as_array()
}

fn covered(entry: &Value) -> impl Iterator<Item = &str> {
    entry.get("resources").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// `secrets.` is the same as `secrets`, a resource of the core group.
fn plain(name: &str) -> &str {
    name.strip_suffix('.').filter(|name| *name != "*").unwrap_or(name)
}

/// `*.*` is everything, `*.` the core group, `*.apps` the group apps.
fn covers(pattern: &str, name: &str, wildcards: bool) -> bool {
    let group = name.split_once('.').map_or("", |(_, group)| group);
    match pattern.strip_prefix("*.") {
        Some(_) if !wildcards => false,
        Some("*") => true,
        Some(whole) => whole == group,
        None => plain(pattern) == name,
    }
}

fn first_provider(entry: &Value) -> Option<&str> {
    let provider = entry.get("providers")?.as_array()?.first()?.as_object()?;
    // A provider that is null is not there.
    provider.iter().find(|(_, settings)| !settings.is_null()).map(|(name, _)| name.as_str())
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
    fn wildcards_match_nothing_before_1_27() {
        let aes = json!({"aescbc": {"keys": []}});
        let of = |version: &str, pattern: &str| {
            let resources = json!([
                {"resources": [pattern], "providers": [aes]},
                {"resources": ["secrets"], "providers": [{"identity": {}}]},
            ]);
            of(&json!({"version": version, "files": {"encryptionConfiguration": {"resources": resources}}}))
                .unwrap()["secrets"]
                .take()
        };
        for pattern in ["*.*", "*."] {
            assert_eq!(of("1.26", pattern), "identity");
            assert_eq!(of("1.27", pattern), "aescbc");
        }
        assert_eq!(of("1.26", "secrets."), "aescbc");
    }

    #[test]
    fn a_provider_that_is_null_writes_nothing() {
        let providers = json!([{"aescbc": null, "identity": {}}]);
        assert_eq!(
            writers(json!([{"resources": ["secrets"], "providers": providers}]))["secrets"],
            "identity"
        );
    }

    #[test]
    fn without_a_configuration_nothing_is_said() {
        assert_eq!(of(&json!({"files": {}})), None);
        assert_eq!(writers(json!([])), json!({}));
    }
}
