//! Which recommendations are covered, and by which controls: tables generated from the benchmarks.

use std::fmt::Write as _;

use super::control::Decision;
use super::{Benchmark, Catalogue, Control, Recommendation};

/// Markdown, one table for each benchmark.
pub(super) fn table(catalogue: &Catalogue) -> String {
    let mut out = String::new();
    for benchmark in catalogue.benchmarks() {
        // Writing to a String cannot fail.
        let _ = one(&mut out, catalogue, benchmark);
    }
    out
}

fn one(out: &mut String, catalogue: &Catalogue, benchmark: &Benchmark) -> std::fmt::Result {
    writeln!(out, "## {} (`{}`)\n", benchmark.name, benchmark.full_name())?;
    let published =
        benchmark.links.publisher.as_ref().map_or_else(String::new, |url| format!(" Published at <{url}>."));
    let covered = benchmark.rules.len();
    writeln!(out, "{covered} of {} recommendations are covered.{published}\n", benchmark.recommendations)?;
    writeln!(out, "| number | level | assessment | judged | control | resources |")?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    for row in &benchmark.rules {
        let controls: Vec<&Control> =
            row.controls().filter_map(|id| catalogue.control(id)).map(AsRef::as_ref).collect();
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            row.number,
            row.level,
            row.assessment.as_str(),
            judged(&controls),
            list(row),
            resources(&controls),
        )?;
    }
    writeln!(out)
}

fn judged(controls: &[&Control]) -> &'static str {
    let person = controls.iter().any(|control| matches!(control.decision, Decision::Sides { .. }));
    if person { "in part" } else { "fully" }
}

fn list(row: &Recommendation) -> String {
    row.controls().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}

fn resources(controls: &[&Control]) -> String {
    let mut names: Vec<String> =
        controls.iter().flat_map(|control| &control.resources).map(ToString::to_string).collect();
    names.dedup();
    names.join(", ")
}
