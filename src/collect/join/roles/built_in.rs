//! The roles that every API server creates for itself, by minor version of Kubernetes.
//!
//! `built_in.ndjson` has a line for each role and version from which it is as it says: its rules, the labels by which
//! other roles take it in (`part_of`), and the labels of the roles that it takes in (`aggregates`). `gone` says that it
//! is no longer created. From the test data of Kubernetes' RBAC bootstrap policy, 1.21 to 1.37; a live test holds the
//! newest lines to a real API server.

use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::RoleName;

/// A role as the API server creates it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::collect::join) struct BuiltInRole {
    /// Labels with the value `true`, by which other roles take in its rules.
    pub part_of: BTreeSet<String>,
    /// Labels with the value `true` of the roles whose rules it takes in.
    pub aggregates: BTreeSet<String>,
    /// Its own rules.
    pub rules: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
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

/// The minor version from which a role is so; `None`: it is no longer created.
type Versions = Vec<(u32, Option<BuiltInRole>)>;

/// Kind, namespace and name, as lines write them, to the versions in ascending order.
static TABLE: LazyLock<BTreeMap<String, Versions>> = LazyLock::new(|| {
    let mut table: BTreeMap<String, Versions> = BTreeMap::new();
    // A test reads every line.
    for line in include_str!("built_in.ndjson").lines().filter_map(|line| serde_json::from_str(line).ok()) {
        let Line { role, since, gone, part_of, aggregates, rules } = line;
        let then = (!gone).then_some(BuiltInRole { part_of, aggregates, rules });
        table.entry(role).or_default().push((since, then));
    }
    table
});

/// A role of Kubernetes 1.`minor`. Where the version is not known, what the role is in any version counts, so nothing
/// that it may grant is left out.
pub(in crate::collect::join) fn get(name: &RoleName, minor: Option<u32>) -> Option<BuiltInRole> {
    let RoleName { kind, namespace, name } = name;
    let key =
        if namespace.is_empty() { format!("{kind}/{name}") } else { format!("{kind}/{namespace}/{name}") };
    of_version(TABLE.get(&key)?, minor)
}

/// Every ClusterRole that others may take in, with its name.
pub(super) fn parts(minor: Option<u32>) -> impl Iterator<Item = (&'static str, BuiltInRole)> {
    TABLE.iter().filter_map(move |(key, versions)| {
        let name = key.strip_prefix("ClusterRole/")?;
        let role = of_version(versions, minor).filter(|role| !role.part_of.is_empty())?;
        Some((name, role))
    })
}

fn of_version(versions: &[(u32, Option<BuiltInRole>)], minor: Option<u32>) -> Option<BuiltInRole> {
    let Some(minor) = minor else {
        return versions.iter().filter_map(|(_, role)| role.clone()).reduce(union);
    };
    // The oldest line stands for older versions too.
    let of = versions.iter().rev().find(|(since, _)| *since <= minor).or_else(|| versions.first());
    of.and_then(|(_, role)| role.clone())
}

fn union(mut all: BuiltInRole, other: BuiltInRole) -> BuiltInRole {
    all.part_of.extend(other.part_of);
    all.aggregates.extend(other.aggregates);
    for rule in other.rules {
        if !all.rules.contains(&rule) {
            all.rules.push(rule);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster_role(name: &str, minor: Option<u32>) -> Option<BuiltInRole> {
        get(&RoleName { kind: "ClusterRole", namespace: String::new(), name: name.into() }, minor)
    }

    #[test]
    fn every_line_is_read_and_versions_ascend() {
        let lines = include_str!("built_in.ndjson").lines();
        lines.for_each(|line| drop(serde_json::from_str::<Line>(line).unwrap()));
        for (role, versions) in TABLE.iter() {
            assert!(versions.is_sorted_by(|(a, _), (b, _)| a < b), "{role}");
            assert!(role.starts_with("ClusterRole/") || role.matches('/').count() == 2, "{role}");
        }
        assert!(TABLE.len() > 70);
    }

    #[test]
    fn a_role_is_as_its_version_makes_it() {
        let resources = |minor| {
            let rules = cluster_role("system:aggregate-to-edit", minor).unwrap().rules;
            rules.iter().map(Value::to_string).collect::<String>()
        };
        assert!(!resources(Some(22)).contains("serviceaccounts/token"), "since 1.24");
        assert!(resources(Some(24)).contains("serviceaccounts/token"));
        assert!(resources(None).contains("serviceaccounts/token"), "some version grants it");
        assert_eq!(
            cluster_role("system:aggregate-to-edit", Some(20)),
            cluster_role("system:aggregate-to-edit", Some(21))
        );
        assert!(cluster_role("shop-operator", None).is_none());
    }
}
