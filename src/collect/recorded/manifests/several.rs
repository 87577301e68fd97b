//! Several objects of one name among manifests, as a base and its overlays have them.
//!
//! Any of them may be the one that is applied, so what is joined with them sees the worst: a role has the rules of all, and
//! an account mounts tokens if one of them lets it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::resource::Resource;

/// The kinds whose objects of one name are joined as one.
const KINDS: [&str; 3] = ["ClusterRole", "Role", "ServiceAccount"];

type ObjectName<'r> = (&'r str, &'r str, &'r str);

fn name(resource: &Resource) -> ObjectName<'_> {
    (&resource.sub_type, resource.namespace_or_default(), &resource.name)
}

/// The objects as rules join them.
pub fn joined(resources: &[Resource]) -> impl Iterator<Item = Cow<'_, Resource>> {
    let mut several: BTreeMap<ObjectName<'_>, Vec<&Resource>> = BTreeMap::new();
    for resource in resources.iter().filter(|resource| KINDS.contains(&resource.sub_type.as_str())) {
        several.entry(name(resource)).or_default().push(resource);
    }
    several.retain(|_, of_one| of_one.len() > 1);
    let merged: Vec<Resource> = several.values().map(|of_one| merged(of_one)).collect();
    let singles = resources.iter().filter(move |resource| !several.contains_key(&name(resource)));
    singles.map(Cow::Borrowed).chain(merged.into_iter().map(Cow::Owned))
}

fn merged(of_one: &[&Resource]) -> Resource {
    let mut merged = of_one[0].clone();
    for other in &of_one[1..] {
        add(&mut merged.raw, &other.raw, &["rules"]);
        add(&mut merged.raw, &other.raw, &["aggregationRule", "clusterRoleSelectors"]);
        add(&mut merged.raw, &other.raw, &["metadata", "labels"]);
        const AUTOMOUNT: &str = "automountServiceAccountToken";
        if other.raw.get(AUTOMOUNT) != Some(&Value::Bool(false))
            && let Some(account) = merged.raw.as_object_mut()
        {
            account.remove(AUTOMOUNT);
        }
        merged.unread.extend(other.unread.iter().cloned());
    }
    merged
}

/// Adds the elements that `other` has at a place. A value of a wrong type stays, for those that read it.
fn add(own: &mut Value, other: &Value, keys: &[&str]) {
    let Some((key, below)) = keys.split_first() else { return };
    let (Value::Object(own), Some(more)) = (own, other.get(*key).filter(|more| !more.is_null())) else {
        return;
    };
    match own.get_mut(*key).filter(|value| !value.is_null()) {
        None => drop(own.insert((*key).to_owned(), more.clone())),
        Some(value) if !below.is_empty() => add(value, more, below),
        Some(Value::Array(own)) if more.is_array() => {
            own.extend(more.as_array().into_iter().flatten().cloned());
        }
        Some(Value::Object(own)) if more.is_object() => {
            own.extend(
                more.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())),
            );
        }
        Some(value) if value.is_array() || value.is_object() => *value = more.clone(),
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Kind;
    use serde_json::json;

    fn object(kind: &str, id: &str, mut raw: Value) -> Resource {
        raw["metadata"]["name"] = "a".into();
        Resource::observed(Kind::K8sObject, kind.into(), id.into(), "a".into(), raw)
    }

    #[test]
    fn a_role_has_the_rules_of_all_of_its_name() {
        let role = |id, verb: &str| object("ClusterRole", id, json!({"rules": [{"verbs": [verb]}]}));
        let selects = |id, label: &str| {
            object(
                "ClusterRole",
                id,
                json!({"rules": null, "aggregationRule": {"clusterRoleSelectors": [label]},
                "metadata": {"labels": {label: ""}}}),
            )
        };
        let resources = [role("1", "get"), role("2", "list"), selects("3", "x"), selects("4", "y")];
        let joined: Vec<_> = joined(&resources).collect();
        assert_eq!(joined.len(), 1);
        assert_eq!(joined[0].raw["rules"], json!([{"verbs": ["get"]}, {"verbs": ["list"]}]));
        assert_eq!(joined[0].raw["aggregationRule"]["clusterRoleSelectors"], json!(["x", "y"]));
        assert_eq!(joined[0].raw["metadata"]["labels"], json!({"x": "", "y": ""}));
        let odd = [role("1", "get"), object("ClusterRole", "2", json!({"rules": 7}))];
        assert_eq!(super::joined(&odd).next().unwrap().raw["rules"], 7, "unread for those that read it");
    }

    #[test]
    fn an_account_mounts_tokens_if_one_of_its_name_does() {
        let account =
            |id, mounts: Value| object("ServiceAccount", id, json!({"automountServiceAccountToken": mounts}));
        let automount = |second: Value| {
            let resources = [account("1", json!(false)), account("2", second)];
            joined(&resources).next().unwrap().raw["automountServiceAccountToken"].clone()
        };
        assert_eq!(automount(json!(false)), json!(false));
        assert_eq!(automount(json!(true)), json!(null));
        assert_eq!(automount(json!(null)), json!(null));
    }

    #[test]
    fn objects_of_other_kinds_and_names_stay_as_they_are() {
        let resources =
            [object("Pod", "1", json!({})), object("Pod", "2", json!({})), object("Role", "3", json!({}))];
        assert_eq!(joined(&resources).count(), 3);
    }
}
