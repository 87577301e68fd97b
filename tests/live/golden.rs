//! The verdict of every recommendation on a fresh kubeadm node, as it was reviewed once.
//!
//! `UPDATE=1 cargo test --test live golden` writes `golden/kubeadm-1.37.txt`, on a test bed as tests/testbed/up leaves it.
//! Each changed line is a claim about a real node: look at the node before it is committed.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::bed::Bed;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/live/golden/kubeadm-1.37.txt");
const BENCHMARKS: [&str; 3] = ["cis_k8s@2.0.1", "cis_k8s@1.12.0", "cis_k8s@1.0.1"];

/// Resources of a kind are named up to this number, else counted.
const NAMED: usize = 6;

/// What runs and which namespaces there are once the bed is at rest.
const AT_REST: [&str; 12] = [
    "namespace/bare",
    "namespace/default",
    "namespace/demo",
    "namespace/kube-node-lease",
    "namespace/kube-public",
    "namespace/kube-system",
    "pod/etcd-cp-1",
    "pod/hardened",
    "pod/kube-apiserver-cp-1",
    "pod/kube-controller-manager-cp-1",
    "pod/kube-scheduler-cp-1",
    "pod/ordinary",
];

/// A resource's kind, and its name.
fn called(resource: &Value) -> (String, String) {
    let text = |key: &str| resource[key].as_str().unwrap_or_default().to_owned();
    match resource["type"].as_str().unwrap() {
        "k8s_object" if resource["namespace"].is_string() => {
            (text("sub_type"), format!("{}/{}", text("namespace"), text("name")))
        }
        "k8s_object" => (text("sub_type"), text("name")),
        kind => (kind.to_owned(), text("name")),
    }
}

/// A line for each outcome of each recommendation.
fn render(report: &Value) -> String {
    // Rule → outcome → kind → names.
    let mut outcomes: BTreeMap<&str, BTreeMap<&str, BTreeMap<String, Vec<String>>>> = BTreeMap::new();
    for resource in report["resources"].as_array().unwrap() {
        let (kind, name) = called(resource);
        for (rule, outcome) in resource["results"].as_object().unwrap() {
            let of_rule = outcomes.entry(rule).or_default();
            let kinds = of_rule.entry(outcome.as_str().unwrap()).or_default();
            kinds.entry(kind.clone()).or_default().push(name.clone());
        }
    }
    let mut controls: Vec<(String, &str, Vec<&str>)> = Vec::new();
    for rule in report["rules"].as_array().unwrap() {
        let text = |key: &str| rule[key].as_str().unwrap();
        let id = format!("{}/{}", text("benchmark"), text("number"));
        match controls.last_mut().filter(|(last, ..)| *last == id) {
            Some((.., controls)) => controls.push(text("control")),
            None => controls.push((id, text("number"), vec![text("control")])),
        }
    }
    let mut out = String::new();
    for benchmark in BENCHMARKS {
        writeln!(out, "{benchmark}").unwrap();
        for (id, number, controls) in controls.iter().filter(|(id, ..)| id.starts_with(benchmark)) {
            let controls = controls.join(", ");
            match outcomes.get(id.as_str()) {
                None => writeln!(out, "  {number} {controls}: nothing to judge").unwrap(),
                Some(of_rule) => {
                    for (outcome, kinds) in of_rule {
                        writeln!(out, "  {number} {controls}: {outcome} {}", listed(kinds)).unwrap();
                    }
                }
            }
        }
    }
    out
}

fn listed(kinds: &BTreeMap<String, Vec<String>>) -> String {
    let of_kind = |(kind, names): (&String, &Vec<String>)| {
        let mut names = names.clone();
        names.sort();
        if names.len() > NAMED {
            format!("{} {kind}", names.len())
        } else {
            format!("{kind} {}", names.join(", "))
        }
    };
    kinds.iter().map(of_kind).collect::<Vec<_>>().join("; ")
}

/// Each line with its benchmark.
fn lines(text: &str) -> BTreeSet<(&str, &str)> {
    let mut benchmark = "";
    let mut lines = BTreeSet::new();
    for line in text.lines() {
        match line.strip_prefix("  ") {
            Some(line) => _ = lines.insert((benchmark, line)),
            None => benchmark = line,
        }
    }
    lines
}

#[test]
fn a_fresh_kubeadm_node_is_judged_as_it_was_reviewed() {
    let bed = Bed::take();
    bed.until("the cluster to be at rest", || {
        let listed = bed.kubectl(&["get", "namespaces,pods", "--all-namespaces", "-o", "name"]);
        let mut listed: Vec<&str> = listed.lines().collect();
        listed.sort_unstable();
        (listed == AT_REST).then_some(())
    });
    let benchmarks = BENCHMARKS.map(|benchmark| ["--benchmark", benchmark]);
    let output = bed.output(&[&["scan", "--format", "json"], benchmarks.concat().as_slice()].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen = render(&serde_json::from_slice(&output.stdout).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PATH, &seen).unwrap();
        return;
    }
    let golden = std::fs::read_to_string(PATH).unwrap();
    let (golden, seen) = (lines(&golden), lines(&seen));
    let missing: Vec<_> = golden.difference(&seen).collect();
    let new: Vec<_> = seen.difference(&golden).collect();
    assert!(missing.is_empty() && new.is_empty(), "reviewed: {missing:#?}\nseen: {new:#?}");
}
