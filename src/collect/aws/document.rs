//! The documents of resources that several calls fill.

mod policy;

use serde_json::{Map, Value};

use crate::resource::{Gap, Kind, Resource};

pub(super) use policy::policy_document;

/// A resource of which only this is known yet.
pub(super) fn draft(
    kind: Kind,
    sub_type: &str,
    id: String,
    name: String,
    raw: Map<String, Value>,
) -> Resource {
    Resource::observed(kind, sub_type.to_owned(), id, name, Value::Object(raw))
}

/// Puts the result of a call under a key of the document, or the reason why the key is missing beside it.
pub(super) fn fill(resource: &mut Resource, key: &str, given: Result<Value, Gap>) {
    match given {
        Ok(value) => {
            if let Value::Object(raw) = &mut resource.raw {
                raw.insert(key.to_owned(), value);
            }
        }
        Err(gap) => resource.unread.push(gap.at(format!("$.{key}"))),
    }
}

/// The object of those fields that have a value.
pub(super) fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// A list with `each` of these as an object, where there is a list.
pub(super) fn list<T>(items: Option<Vec<T>>, each: impl Fn(T) -> Map<String, Value>) -> Option<Value> {
    items.map(|items| items.into_iter().map(|item| Value::Object(each(item))).collect())
}
