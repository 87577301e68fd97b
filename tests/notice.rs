//! NOTICE names every crate in the binary with its licence; `make update` generates it from the lock file.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const HEAD: &str = "posturebeat\nCopyright The posturebeat authors\n\nLicensed under the Apache License, Version 2.0.\n\n\
This product is built with the following crates, each under its own licence:\n\n";

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--filter-platform=x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Everything that the program itself is built with: neither tests' nor build scripts' own needs.
fn linked(metadata: &Value) -> BTreeSet<&str> {
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["id"].as_str().unwrap(), node))
        .collect();
    let mut seen = BTreeSet::new();
    let mut next = vec![metadata["resolve"]["root"].as_str().unwrap()];
    while let Some(id) = next.pop() {
        if !seen.insert(id) {
            continue;
        }
        for dependency in nodes[id]["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            if kinds.iter().any(|kind| kind["kind"].is_null()) {
                next.push(dependency["pkg"].as_str().unwrap());
            }
        }
    }
    seen
}

#[test]
fn notice_is_current() {
    let metadata = metadata();
    let linked = linked(&metadata);
    let mut lines: Vec<String> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| {
            package["name"] != "posturebeat" && linked.contains(package["id"].as_str().unwrap())
        })
        .map(|package| {
            let text = |key: &str| package[key].as_str().unwrap_or("see its repository");
            format!("{} {}: {}\n", text("name"), text("version"), text("license"))
        })
        .collect();
    lines.sort();
    let wanted = format!("{HEAD}{}", lines.concat());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/NOTICE");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == wanted, "NOTICE is stale: run `make update`");
}
