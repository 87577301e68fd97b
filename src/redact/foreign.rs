//! Objects of kinds that are not built in: only metadata and what rules read leaves the collector.
//!
//! In: an object, and the places that rules read. Out: the same cut down, and each cut as a gap, so that a rule that was
//! not there when the object was recorded cannot mistake what was cut for what is absent.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

use crate::resource::{Reason, Unread};

/// What a document holds in any case.
const ALWAYS: [&str; 3] = ["kind", "apiVersion", "metadata"];
/// What metadata holds only where a rule reads it: people keep anything there.
const ANNOTATIONS: &str = "annotations";
/// What no rule needs to read.
const MANAGED_FIELDS: &str = "managedFields";

/// Cuts an object to its metadata, without annotations, and the places that rules read.
pub fn foreign_object(object: &mut Value, reads: &BTreeSet<Vec<String>>) -> Vec<Unread> {
    let mut cut = Vec::new();
    if let Value::Object(map) = object {
        let reads: Vec<&[String]> = reads.iter().map(Vec::as_slice).collect();
        retain(map, "$", &reads, &|key| ALWAYS.contains(&key), &mut cut);
        if let Some(Value::Object(metadata)) = map.get_mut("metadata") {
            metadata.remove(MANAGED_FIELDS);
            let below: Vec<&[String]> = below(&reads, "metadata").collect();
            retain(metadata, "$.metadata", &below, &|key| key != ANNOTATIONS, &mut cut);
        }
    }
    cut
}

/// Of places, those below a key, from there on.
fn below<'r>(reads: &[&'r [String]], key: &str) -> impl Iterator<Item = &'r [String]> {
    let under =
        |place: &&'r [String]| place.split_first().filter(|(first, _)| *first == key).map(|(_, rest)| rest);
    reads.iter().filter_map(under).collect::<Vec<_>>().into_iter()
}

fn retain(
    map: &mut Map<String, Value>,
    at: &str,
    reads: &[&[String]],
    always: &dyn Fn(&str) -> bool,
    cut: &mut Vec<Unread>,
) {
    // A path that reads everything at once.
    if reads.iter().any(|place| place.is_empty()) {
        return;
    }
    map.retain(|key, value| {
        if always(key) {
            return true;
        }
        let below: Vec<&[String]> = below(reads, key).collect();
        let place = place(at, key);
        if below.is_empty() {
            let what = format!("read {place}: not collected, because no rule read it");
            cut.push(Unread::new(place, Reason::Missing, what));
            return false;
        }
        if let Value::Object(map) = value {
            retain(map, &place, &below, &|_| false, cut);
        }
        true
    });
}

fn place(at: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { format!("{at}.{key}") } else { format!("{at}['{key}']") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cut(reads: &[&str]) -> (Value, Vec<String>) {
        let mut object = json!({
            "apiVersion": "cert-manager.io/v1", "kind": "Certificate",
            "metadata": {"name": "a", "labels": {"x": "y"}, "annotations": {"note": "private", "b.c/d": "1"}, "managedFields": []},
            "spec": {"dnsNames": ["a.b"], "secretName": "tls", "keystores": {"jks": {"alias": "k"}}},
            "status": {"conditions": []},
        });
        let reads = reads.iter().map(|place| place.split(' ').map(str::to_owned).collect()).collect();
        let cut = foreign_object(&mut object, &reads);
        (object, cut.into_iter().map(|unread| unread.at).collect())
    }

    #[test]
    fn what_no_rule_reads_does_not_leave_the_collector() {
        let (object, gaps) = cut(&["spec dnsNames", "spec keystores jks"]);
        assert_eq!(object["metadata"], json!({"name": "a", "labels": {"x": "y"}}));
        assert_eq!(object["spec"], json!({"dnsNames": ["a.b"], "keystores": {"jks": {"alias": "k"}}}));
        assert!(object.get("status").is_none() && object["kind"] == "Certificate");
        assert_eq!(gaps, ["$.spec.secretName", "$.status", "$.metadata.annotations"]);
    }

    #[test]
    fn an_annotation_that_a_rule_reads_stays_alone() {
        let (object, gaps) = cut(&["metadata annotations b.c/d", "derived kindAndName"]);
        assert_eq!(object["metadata"]["annotations"], json!({"b.c/d": "1"}));
        assert_eq!(gaps, ["$.spec", "$.status", "$.metadata.annotations.note"]);
    }

    #[test]
    fn a_path_over_everything_reads_everything() {
        let mut object = json!({"spec": {"a": 1}});
        assert!(foreign_object(&mut object, &BTreeSet::from([vec![]])).is_empty());
        assert_eq!(object, json!({"spec": {"a": 1}}));
    }
}
