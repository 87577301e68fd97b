//! The benchmarks' tables against what each version is known to hold: every number, once, with its level,
//! assessment and id.

use std::collections::BTreeMap;

use posturebeat::rule::{Benchmark, Recommendation};

use crate::catalogue;

/// Name of a version → number → level, assessment and, where the version has ids, the id.
fn facts() -> BTreeMap<&'static str, BTreeMap<&'static str, Vec<&'static str>>> {
    let mut facts: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    let mut version = "";
    for line in include_str!("recommendations.txt").lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            [""] => {}
            [name] => version = name,
            [number, rest @ ..] => {
                let twice = facts.entry(version).or_default().insert(*number, rest.to_vec());
                assert!(twice.is_none(), "{version}: {number} stands twice");
            }
            [] => unreachable!("a split has at least one part"),
        }
    }
    facts
}

/// What a row says, in the words of the facts. An `id` that the facts do not have is one too many: it is derived.
fn said(row: &Recommendation) -> Vec<String> {
    let mut said = vec![row.level.to_string(), row.assessment.as_str().to_owned()];
    said.extend(row.id.clone());
    said
}

fn check(table: &Benchmark, facts: &BTreeMap<&str, Vec<&str>>, wrong: &mut Vec<String>) {
    let name = table.full_name();
    for (number, fact) in facts {
        match table.rules.iter().find(|row| row.number == *number) {
            None => wrong.push(format!("{name}: {number} has no row")),
            Some(row) if row.controls().next().is_none() => {
                wrong.push(format!("{name}: {number} has no control"));
            }
            Some(row) if said(row) != *fact => {
                wrong.push(format!("{name}: {number} is {fact:?}, the table says {:?}", said(row)));
            }
            Some(_) => {}
        }
    }
    for row in table.rules.iter().filter(|row| !facts.contains_key(row.number.as_str())) {
        wrong.push(format!("{name}: there is no recommendation {}", row.number));
    }
    if table.recommendations != facts.len() {
        wrong.push(format!("{name}: `recommendations` is {}, not {}", table.recommendations, facts.len()));
    }
}

#[test]
fn every_recommendation_of_every_version_has_a_control() {
    let catalogue = catalogue();
    let facts = facts();
    let mut wrong = Vec::new();
    for (version, facts) in &facts {
        match catalogue.benchmark(version) {
            Ok(table) => check(table, facts, &mut wrong),
            Err(message) => wrong.push(message),
        }
    }
    for table in catalogue.benchmarks() {
        if !facts.contains_key(table.full_name().to_string().as_str()) {
            wrong.push(format!("{}: no facts about it", table.full_name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
