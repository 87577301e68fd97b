//! The ConfigMap `aws-auth`, which, like access entries, lets IAM roles and users into an EKS cluster. Its values are
//! YAML text.

use serde_json::{Value, json};

use crate::redact::AWS_AUTH;
use crate::resource::{Reason, Resource, Unread};

const AT: &str = "$.related.mappings";
/// The most mappings in one value; EKS has room for a few hundred.
const MAX_MAPPINGS: usize = 10_000;

/// Adds `mappings` to `aws-auth`: `{arn, username, groups}` of every role and user.
pub(super) fn relate(map: &mut Resource) {
    let (namespace, name, keys) = AWS_AUTH;
    if map.namespace() != Some(namespace) || map.name != name {
        return;
    }
    let mut mappings = Vec::new();
    for (key, arn) in keys {
        let Some(text) = map.raw.get("data").and_then(|data| data.get(key)) else { continue };
        match mapped(text, arn) {
            Ok(more) => mappings.extend(more),
            Err(why) => {
                let what = format!("understand {key} of the ConfigMap {namespace}/{name}: {why}");
                map.unread.push(Unread::new(AT, Reason::Malformed, what));
                return;
            }
        }
    }
    map.related.insert("mappings".into(), Value::Array(mappings));
}

fn mapped(text: &Value, arn: &str) -> Result<Vec<Value>, String> {
    let text = text.as_str().ok_or("expected text")?;
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let list: Value = crate::yaml::from_str(text).map_err(|error| error.to_string())?;
    let list = match list {
        Value::Array(list) if list.len() <= MAX_MAPPINGS => list,
        Value::Null => return Ok(Vec::new()),
        _ => return Err(format!("expected a list of at most {MAX_MAPPINGS}")),
    };
    let one = |entry: Value| match (&entry[arn], &entry["groups"]) {
        (Value::String(who), groups @ (Value::Array(_) | Value::Null)) => {
            Ok(json!({"arn": who, "username": entry["username"], "groups": groups}))
        }
        _ => Err(format!("expected `{arn}` and a list of groups in every entry")),
    };
    list.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Map;

    fn related(data: Value) -> Resource {
        let raw = json!({"kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system"}, "data": data});
        let mut map = crate::collect::object::resource(raw, None);
        relate(&mut map);
        map
    }

    #[test]
    fn roles_and_users_are_listed_alike() {
        let roles = "- rolearn: arn:aws:iam::1:role/nodes\n  username: system:node:{{EC2PrivateDNSName}}\n  groups: [system:nodes]\n";
        let users = "- userarn: arn:aws:iam::1:user/ann\n  username: ann\n  groups:\n  - system:masters\n";
        let map = related(json!({"mapRoles": roles, "mapUsers": users, "mapAccounts": "[]"}));
        let mappings = map.related["mappings"].as_array().unwrap();
        assert_eq!(mappings[0]["groups"], json!(["system:nodes"]));
        assert_eq!(
            mappings[1],
            json!({"arn": "arn:aws:iam::1:user/ann", "username": "ann", "groups": ["system:masters"]})
        );
        assert_eq!(related(json!({"mapRoles": "[]"})).related["mappings"], json!([]));
        assert_eq!(related(json!({})).related["mappings"], json!([]));
    }

    #[test]
    fn what_is_not_understood_is_unread() {
        for text in ["{", "a: b", "- rolearn: [x]", "- {rolearn: x, groups: all}", "- 7"] {
            let map = related(json!({"mapRoles": text}));
            assert_eq!(map.related, Map::new(), "{text}");
            assert_eq!(
                (map.unread[0].at.as_str(), map.unread[0].gap.reason),
                (AT, Reason::Malformed),
                "{text}"
            );
        }
    }

    #[test]
    fn other_config_maps_are_left_alone() {
        let raw = json!({"kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "shop"}, "data": {"mapRoles": "{"}});
        let mut map = crate::collect::object::resource(raw, None);
        relate(&mut map);
        assert!(map.related.is_empty() && map.unread.is_empty());
    }
}
