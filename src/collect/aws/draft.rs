//! Resources that are filled by several calls.

use serde_json::{Map, Value};

use super::access::Problem;
use crate::resource::{Kind, Resource};

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

/// Puts what a call gave at a place of the document, or says beside it why it is not there.
pub(super) fn fill(resource: &mut Resource, key: &str, given: Result<Value, Problem>) {
    match given {
        Ok(value) => {
            if let Value::Object(raw) = &mut resource.raw {
                raw.insert(key.to_owned(), value);
            }
        }
        Err(problem) => resource.unread.push(problem.unread(&format!("$.{key}"))),
    }
}

/// The object of those fields that are there.
pub(super) fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// A list of what each of these becomes, if there is a list.
pub(super) fn list<T>(items: Option<Vec<T>>, each: impl Fn(T) -> Map<String, Value>) -> Option<Value> {
    items.map(|items| items.into_iter().map(|item| Value::Object(each(item))).collect())
}
