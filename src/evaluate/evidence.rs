//! What a finding shows for its verdict, within bounds.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use super::answer::EvidenceFact;
use super::document::Document;
use crate::rule::Path;

/// The most places shown; the rest are counted.
const MAX_FACTS: usize = 20;
/// The most bytes of evidence in one finding.
const MAX_BYTES: usize = 4 * 1024;

/// The places and values that decided.
pub(super) fn of_facts(facts: &[EvidenceFact<'_>]) -> Map<String, Value> {
    let mut out = Map::new();
    let mut bytes = 0;
    let mut left_out = 0;
    for fact in facts {
        let value = fact.value.as_deref().unwrap_or(&Value::Null);
        let size = fact.place.len() + size_of(value, MAX_BYTES);
        if out.len() >= MAX_FACTS || bytes + size > MAX_BYTES {
            left_out += usize::from(!out.contains_key(fact.place.as_ref()));
            continue;
        }
        bytes += size;
        out.insert(fact.place.clone().into_owned(), value.clone());
    }
    if left_out > 0 {
        out.insert("left_out".into(), json!(left_out));
    }
    out
}

/// What the control's own `evidence` names: a singular path gives its value, any other a list.
pub(super) fn of_paths(paths: &BTreeMap<String, Path>, document: &Document) -> Map<String, Value> {
    let mut out = Map::new();
    let mut bytes = 0;
    for (key, path) in paths {
        let (found, _) = path.select_among(&document.root, &document.blanks);
        let mut left_out = 0;
        let value = if path.is_singular() {
            found.first().map_or(Value::Null, |found| found.value.clone())
        } else {
            let mut list = Vec::new();
            for found in found {
                let size = size_of(found.value, MAX_BYTES);
                if list.len() >= MAX_FACTS || bytes + size > MAX_BYTES {
                    left_out += 1;
                    continue;
                }
                bytes += size;
                list.push(found.value.clone());
            }
            Value::Array(list)
        };
        out.insert(key.clone(), value);
        if left_out > 0 {
            out.insert(format!("{key}_left_out"), json!(left_out));
        }
    }
    if size_of(&Value::Object(out.clone()), MAX_BYTES) > MAX_BYTES {
        let keys = out.keys().cloned().collect::<Vec<_>>();
        return Map::from_iter([("left_out".to_owned(), json!(keys))]);
    }
    out
}

/// The length of a value as JSON, roughly, without writing it; counting ends over `most`.
fn size_of(value: &Value, most: usize) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(elements) => {
            let mut size = 2;
            for element in elements {
                size += 1 + size_of(element, most);
                if size > most {
                    break;
                }
            }
            size
        }
        Value::Object(fields) => {
            let mut size = 2;
            for (key, element) in fields {
                size += key.len() + 4 + size_of(element, most);
                if size > most {
                    break;
                }
            }
            size
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    #[test]
    fn what_does_not_fit_is_counted() {
        let value = json!("x");
        let facts: Vec<EvidenceFact<'_>> = (0..30)
            .map(|index| EvidenceFact {
                place: format!("$.a[{index}]").into(),
                value: Some(Cow::Borrowed(&value)),
            })
            .collect();
        let out = of_facts(&facts);
        assert_eq!(out.len(), MAX_FACTS + 1);
        assert_eq!(out["left_out"], json!(10));
        let big = json!("y".repeat(MAX_BYTES));
        let out = of_facts(&[EvidenceFact { place: "$.a".into(), value: Some(Cow::Borrowed(&big)) }]);
        assert_eq!(out["left_out"], json!(1));
    }
}
