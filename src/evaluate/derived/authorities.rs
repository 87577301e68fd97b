//! Certificate authorities that both etcd and an API server on its node trust.

use serde_json::Value;

/// The fingerprints in both lists; `None` if no API server runs on the node.
pub(super) fn shared(etcd: &Value) -> Option<Value> {
    let servers = etcd.pointer("/related/processes/kube-apiserver")?.as_array()?;
    let own = etcd.get("authorities").and_then(Value::as_array);
    let theirs: Vec<&Value> =
        servers.iter().filter_map(|server| server.get("authorities")?.as_array()).flatten().collect();
    let shared = own.into_iter().flatten().filter(|fingerprint| theirs.contains(fingerprint));
    Some(shared.cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_authority_in_both_is_shared() {
        let etcd = |own: Value, theirs: Value| {
            shared(
                &json!({"authorities": own, "related": {"processes": {"kube-apiserver": [{"authorities": theirs}]}}}),
            )
        };
        assert_eq!(etcd(json!(["a", "b"]), json!(["b", "c"])), Some(json!(["b"])));
        assert_eq!(etcd(json!(["a"]), json!(["b"])), Some(json!([])));
        assert_eq!(shared(&json!({"authorities": ["a"], "related": {}})), None);
    }
}
