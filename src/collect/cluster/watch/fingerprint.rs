//! Whether an object changed in anything that is judged or joined.

use serde_json::Value;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use crate::resource::{Resource, is_built_in};

/// Built-in kinds of whose `status` something is judged. That of others changes often, and only a sweep looks at it. Of
/// kinds that are not built in, an object holds its status only where a rule reads it.
const STATUS: [&str; 3] = ["Namespace", "Node", "CertificateSigningRequest"];
/// Parts of a Node that change by the minute.
const BEATS: [&str; 2] = ["conditions", "images"];
/// What the API server counts, and the marks of an object that is being deleted: the rest of it stays.
const COUNTED: [&str; 4] =
    ["resourceVersion", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"];

/// Makes fingerprints; its key is random, so that no one can craft two objects with the same one.
#[derive(Debug, Default)]
pub(super) struct Fingerprints(RandomState);

impl Fingerprints {
    /// A hash of what matters of an object.
    pub(super) fn of(&self, kind: &str, resource: &Resource) -> u64 {
        let mut hasher = self.0.build_hasher();
        resource.revealed.hash(&mut hasher);
        for (key, value) in resource.raw.as_object().into_iter().flatten() {
            match key.as_str() {
                "status" if is_built_in(kind) && !STATUS.contains(&kind) => {}
                "status" if kind == "Node" => without(value, &BEATS, &mut hasher),
                "metadata" => without(value, &COUNTED, &mut hasher),
                _ => (key, value).hash(&mut hasher),
            }
        }
        hasher.finish()
    }
}

fn without(value: &Value, left_out: &[&str], hasher: &mut impl Hasher) {
    match value {
        Value::Object(map) => {
            map.iter().filter(|(key, _)| !left_out.contains(&key.as_str())).for_each(|it| it.hash(hasher));
        }
        other => other.hash(hasher),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{self, Reveal, RevealEntry};
    use serde_json::json;

    #[test]
    fn what_no_rule_reads_leaves_the_fingerprint_as_it_is() {
        let prints = Fingerprints::default();
        let print = |kind: &str, raw: Value| prints.of(kind, &crate::collect::object::resource(raw, None));
        let same = |kind: &str, a: Value, b: Value| print(kind, a) == print(kind, b);
        let version =
            |version: &str| json!({"metadata": {"name": "a", "resourceVersion": version, "generation": 1}});
        assert!(same("Pod", version("1"), version("2")));
        let label = |value: &str| json!({"metadata": {"labels": {"a": value}}});
        assert!(!same("Pod", label("1"), label("2")));
        let phase = |phase: &str| json!({"spec": {}, "status": {"phase": phase}});
        assert!(same("Pod", phase("PendingRereads"), phase("Running")));
        assert!(!same("Namespace", phase("Active"), phase("Terminating")));
        let spec = |privileged: bool| json!({"spec": {"containers": [{"securityContext": {"privileged": privileged}}]}});
        assert!(!same("Pod", spec(false), spec(true)));
        let node = |beat: &str, address: &str| json!({"status": {"conditions": [{"lastHeartbeatTime": beat}], "addresses": [address]}});
        assert!(same("Node", node("1", "a"), node("2", "a")));
        assert!(!same("Node", node("1", "a"), node("1", "b")));
    }

    #[test]
    fn what_a_rule_may_compare_counts_although_it_is_blanked() {
        let prints = Fingerprints::default();
        let print = |entry: &str, level: &str| {
            let mut raw = json!({"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"LEVEL": level}});
            let reveal: Reveal = [entry.parse::<RevealEntry>().unwrap()].into_iter().collect();
            let revealed = redact::revealing(&mut raw, &reveal);
            let resource = Resource { revealed, ..crate::collect::object::resource(raw, None) };
            prints.of("ConfigMap", &resource)
        };
        let (own, other) = ("configmap:default/a#LEVEL", "configmap:default/b#LEVEL");
        assert_ne!(print(own, "info"), print(own, "debug"));
        assert_eq!(print(other, "info"), print(other, "debug"));
    }
}
