//! The table of the roles that Kubernetes creates by itself, against those of the real API server.

use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use crate::bed::Bed;

#[derive(Deserialize)]
struct Line {
    role: String,
    since: u32,
    #[serde(default)]
    gone: bool,
    #[serde(default)]
    part_of: BTreeSet<String>,
    #[serde(default)]
    aggregates: BTreeSet<String>,
    #[serde(default)]
    rules: Vec<Value>,
}

/// What the table says of each role in Kubernetes 1.`minor`.
fn table(minor: u32) -> BTreeMap<String, Line> {
    let mut table = BTreeMap::new();
    for line in include_str!("../../src/collect/join/roles/built_in.ndjson").lines() {
        let line: Line = serde_json::from_str(line).unwrap();
        if line.since <= minor {
            table.insert(line.role.clone(), line);
        }
    }
    table.retain(|_, line| !line.gone);
    table
}

fn sorted(rules: &[Value]) -> BTreeSet<String> {
    rules.iter().map(Value::to_string).collect()
}

#[test]
fn the_table_of_built_in_roles_is_what_the_api_server_creates() {
    let bed = Bed::take();
    let version: Value = serde_json::from_str(&bed.kubectl(&["version", "-o", "json"])).unwrap();
    let minor = version["serverVersion"]["minor"].as_str().unwrap().parse().unwrap();
    let table = table(minor);
    let of_server = bed.kubectl(&[
        "get",
        "clusterroles,roles",
        "--all-namespaces",
        "--selector=kubernetes.io/bootstrapping=rbac-defaults",
        "--output=json",
    ]);
    let list: Value = serde_json::from_str(&of_server).unwrap();
    let mut seen = BTreeSet::new();
    for role in list["items"].as_array().unwrap() {
        let metadata = &role["metadata"];
        let place = [role["kind"].as_str(), metadata["namespace"].as_str(), metadata["name"].as_str()];
        let key = place.into_iter().flatten().collect::<Vec<_>>().join("/");
        let line = table.get(&key).unwrap_or_else(|| panic!("the table lacks {key}"));
        let labels = metadata["labels"].as_object().unwrap().keys();
        let part_of: BTreeSet<String> = labels.filter(|it| it.contains("/aggregate-to-")).cloned().collect();
        assert_eq!(part_of, line.part_of, "{key}");
        let selectors = role["aggregationRule"]["clusterRoleSelectors"].as_array();
        let labels = selectors.into_iter().flatten().filter_map(|it| it["matchLabels"].as_object());
        let aggregates: BTreeSet<String> = labels.flat_map(|it| it.keys().cloned()).collect();
        assert_eq!(aggregates, line.aggregates, "{key}");
        // The controller has filled in the rules of an aggregated role.
        if aggregates.is_empty() {
            assert_eq!(
                sorted(role["rules"].as_array().map_or(&[], Vec::as_slice)),
                sorted(&line.rules),
                "{key}"
            );
        }
        seen.insert(key);
    }
    let known: BTreeSet<String> = table.into_keys().collect();
    assert_eq!(seen, known);
}
