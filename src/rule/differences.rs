//! Where other tools or a recommendation's own text decide differently: a page generated from the controls' `differs`.
//!
//! In: the catalogue. Out: Markdown, one table for each key, ordered by recommendation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Benchmark, Catalogue, Control};

/// A key of `differs`, its heading and its introduction. Other keys have their own name as heading.
const KEYS: [(&str, &str, &str); 4] = [
    ("cloudbeat", "cloudbeat", "What Elastic's own collector does differently."),
    ("kube-bench", "kube-bench", "What kube-bench does differently."),
    (
        "pod-security",
        "Pod Security Standards",
        "What Kubernetes' own Pod Security Standards allow and a control fails. Whatever else they refuse for a reason that a recommendation has too, the controls fail. No recommendation asks for their checks of AppArmor, SELinux, sysctls, /proc mounts, types of volumes (other than hostPath), and hosts of probes and lifecycle hooks.",
    ),
    (
        "effect",
        "The recommendation's own text",
        "Where a control checks what a setting does instead of what the recommendation asks for, or checks less than that.",
    ),
];

/// Markdown.
pub(super) fn page(catalogue: &Catalogue) -> String {
    let entries = by_recommendation(catalogue);
    let own = entries.iter().flat_map(|(_, control)| control.differs.keys()).map(String::as_str);
    let own: BTreeSet<&str> = own.filter(|name| !KEYS.iter().any(|(key, ..)| key == name)).collect();
    let mut out = String::new();
    for (key, heading, about) in KEYS.into_iter().chain(own.into_iter().map(|name| (name, name, ""))) {
        // Writing to a String cannot fail.
        let _ = section(&mut out, key, heading, about, &entries);
    }
    out
}

fn section(
    out: &mut String,
    key: &str,
    heading: &str,
    about: &str,
    entries: &[(String, &Control)],
) -> std::fmt::Result {
    writeln!(out, "## {heading}\n")?;
    if !about.is_empty() {
        writeln!(out, "{about}\n")?;
    }
    writeln!(out, "| number | control | {key} |")?;
    writeln!(out, "|---|---|---|")?;
    for (number, control) in entries {
        if let Some(text) = control.differs.get(key) {
            writeln!(out, "| {number} | `{}` | {} |", control.id, cell(text))?;
        }
    }
    writeln!(out)
}

/// Every control once, under its first number in the newest benchmark version that has it: first those of the newest
/// versions, then those of older ones with the version after the number, then those in no benchmark. With several
/// benchmarks, their names come before the numbers.
fn by_recommendation(catalogue: &Catalogue) -> Vec<(String, &Control)> {
    let mut newest: BTreeMap<&str, &Benchmark> = BTreeMap::new();
    for table in catalogue.benchmarks() {
        newest.insert(&table.benchmark, table);
    }
    let mut tables: Vec<&Benchmark> = catalogue.benchmarks().into_iter().rev().map(AsRef::as_ref).collect();
    tables.sort_by_key(|table| newest[table.benchmark.as_str()].version != table.version);
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for table in tables {
        let current = newest[table.benchmark.as_str()].version == table.version;
        // Numbers mean different recommendations in different benchmarks.
        let of = if newest.len() > 1 { format!("{} ", table.benchmark) } else { String::new() };
        for row in &table.rules {
            let version = if current { String::new() } else { format!(" ({})", table.version) };
            let number = format!("{of}{}{version}", row.number);
            let controls = row.controls().filter_map(|id| catalogue.control(id));
            for control in controls.filter(|control| seen.insert(&control.id)) {
                out.push((number.clone(), control.as_ref()));
            }
        }
    }
    let in_none = catalogue.controls().filter(|control| !seen.contains(&control.id));
    out.extend(in_none.map(|control| (String::new(), control.as_ref())));
    out
}

/// A text as one table cell, with Markdown's special characters escaped.
fn cell(text: &str) -> String {
    let mut out = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for sign in ["|", "<", "*"] {
        out = out.replace(sign, &format!("\\{sign}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::RuleFile;

    fn control(id: &str, differs: &str) -> RuleFile {
        RuleFile {
            name: format!("controls/{id}.yml"),
            text: format!(
                "id: {id}\ntitle: T\nresource: k8s_object/Pod\nseverity: low\ncheck: {{some: $.a}}\nwhy: W\nremediation: R\ndiffers: {differs}\n"
            ),
        }
    }

    fn table(version: &str, rules: &str) -> RuleFile {
        RuleFile {
            name: format!("benchmarks/{version}.yml"),
            text: format!(
                "benchmark: my\nversion: {version}\nname: N\nposture_type: kspm\nkubernetes: any\nrecommendations: 1\nsections: {{'1': One}}\nrules: {rules}\n"
            ),
        }
    }

    #[test]
    fn each_control_stands_once_under_its_newest_number() {
        let files = [
            control("gone", "{cloudbeat: passes}"),
            control("moved", "{cloudbeat: \"a | b\\n <c>\", other: fails}"),
            control("unused", "{cloudbeat: warns}"),
            table(
                "1.0",
                "[{number: '1.1', control: gone, level: 1, assessment: manual}, {number: '1.2', control: moved, level: 1, assessment: manual}]",
            ),
            table("1.10", "[{number: '1.1', control: moved, level: 1, assessment: manual}]"),
        ];
        let page = page(&Catalogue::load(&files).unwrap());
        let lines: Vec<&str> = page.lines().filter(|line| line.contains('`')).collect();
        assert_eq!(
            lines,
            [
                "| 1.1 | `moved` | a \\| b \\<c> |",
                "| 1.1 (1.0) | `gone` | passes |",
                "|  | `unused` | warns |",
                "| 1.1 | `moved` | fails |"
            ]
        );
        assert!(page.contains("## other\n\n| number"), "{page}");
    }
}
