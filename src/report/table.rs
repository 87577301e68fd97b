//! The report for people: score, sections, what fails and where, and what could not be seen.

use comfy_table::{Cell, CellAlignment, Table, presets};
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::text::{cut, safe};
use super::{Detail, Report};
use crate::evaluate::{Counts, Outcome};
use crate::resource::IdentitySource;
use crate::rule::Severity;

/// Cells of a bar.
const BAR: usize = 20;
/// Resources named under one failing rule; the rest is counted.
const MAX_RESOURCES: usize = 5;

pub(super) fn render(report: &Report, colour: bool) -> String {
    let paint = Paint { colour };
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = head(&mut out, report, &paint);
    let _ = sections(&mut out, report, &paint);
    let _ = failures(&mut out, report, &paint);
    let _ = reviews(&mut out, report, &paint);
    let _ = unseen(&mut out, report, &paint);
    out
}

struct Paint {
    colour: bool,
}

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn score_text(counts: &Counts) -> String {
    counts.score().map_or_else(|| "-".to_owned(), |score| format!("{score:.1} %"))
}

fn head(out: &mut String, report: &Report, paint: &Paint) -> std::fmt::Result {
    let cluster = &report.identity.cluster;
    let name = cluster.name.as_deref().unwrap_or("unnamed");
    let version = cluster.version.as_deref().map_or_else(String::new, |version| format!(", {version}"));
    let source = match cluster.source {
        IdentitySource::Api => "",
        IdentitySource::LastKnown => " (the API is out of reach; the id is the last known one)",
        IdentitySource::MachineId => " (the API was never in reach; the id is the machine's)",
        IdentitySource::None => " (of unknown identity)",
    };
    writeln!(out, "Cluster {}{version}{source}", safe(name))?;
    if !report.identity.node.name.is_empty() {
        writeln!(out, "Node    {}", safe(&report.identity.node.name))?;
    }
    let totals = report.totals();
    writeln!(out)?;
    writeln!(
        out,
        "{}  {} passed, {} failed, {} to review, {} errors, {} not applicable",
        paint.with("1", &format!("Score {}", score_text(&totals))),
        totals.of(Outcome::Passed),
        totals.of(Outcome::Failed),
        totals.of(Outcome::NeedsReview),
        totals.of(Outcome::Error),
        totals.of(Outcome::NotApplicable),
    )
}

fn sections(out: &mut String, report: &Report, paint: &Paint) -> std::fmt::Result {
    for (benchmark, rules) in report.benchmarks() {
        writeln!(out, "\n{} ({})", paint.with("1", &benchmark.name), benchmark.full_name())?;
        let mut by_section: BTreeMap<&str, Counts> = BTreeMap::new();
        for index in rules {
            let counts = by_section.entry(report.rules[index].row.section()).or_default();
            counts.merge(&report.tally.rule(index));
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        for (section, counts) in by_section {
            let name = benchmark.sections.get(section).map_or("", String::as_str);
            let bar = bar(&counts, paint);
            table.add_row(vec![
                Cell::new(format!("{section} {name}")),
                Cell::new(bar),
                Cell::new(score_text(&counts)).set_alignment(CellAlignment::Right),
                Cell::new(format!("{} failed", counts.of(Outcome::Failed)))
                    .set_alignment(CellAlignment::Right),
                Cell::new(match counts.of(Outcome::Error) {
                    0 => String::new(),
                    errors => format!("{errors} errors"),
                }),
            ]);
        }
        for line in table.to_string().lines() {
            writeln!(out, " {}", line.trim_end())?;
        }
    }
    Ok(())
}

fn bar(counts: &Counts, paint: &Paint) -> String {
    let judged = counts.judged();
    if judged == 0 {
        return "·".repeat(BAR);
    }
    let passed = counts.of(Outcome::Passed) as usize * BAR / judged as usize;
    format!("{}{}", paint.with("32", &"█".repeat(passed)), paint.with("31", &"░".repeat(BAR - passed)))
}

/// Details of one outcome by rule, worst severity first.
fn by_rule(report: &Report, outcome: Outcome) -> Vec<(usize, Vec<&Detail>)> {
    let mut rules: BTreeMap<usize, Vec<&Detail>> = BTreeMap::new();
    for detail in report.details.iter().filter(|detail| detail.outcome == outcome) {
        rules.entry(detail.rule).or_default().push(detail);
    }
    let mut rules: Vec<_> = rules.into_iter().collect();
    rules.sort_by_key(|(rule, _)| std::cmp::Reverse(report.rules[*rule].control.severity));
    rules
}

fn failures(out: &mut String, report: &Report, paint: &Paint) -> std::fmt::Result {
    let rules = by_rule(report, Outcome::Failed);
    if rules.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.with("1", "What fails"))?;
    for (rule, details) in rules {
        let control = &report.rules[rule].control;
        let colour = match control.severity {
            Severity::Critical => "1;31",
            Severity::High => "31",
            Severity::Medium => "33",
            Severity::Low => "2",
        };
        let severity = paint.with(colour, &format!("{:<8}", control.severity.as_str()));
        writeln!(out, " {severity} {:<7} {}", number(report, rule), control.title)?;
        for detail in details.iter().take(MAX_RESOURCES) {
            let evidence = serde_json::Value::Object(detail.evidence.clone()).to_string();
            let label = report.seen[detail.seen].label.to_string();
            writeln!(out, "            {label}  {}", paint.with("2", &cut(&safe(&evidence), 100)))?;
        }
        if details.len() > MAX_RESOURCES {
            writeln!(out, "            and {} more", details.len() - MAX_RESOURCES)?;
        }
        writeln!(out, "            {}", paint.with("2", &format!("→ {}", control.remediation)))?;
    }
    Ok(())
}

fn reviews(out: &mut String, report: &Report, paint: &Paint) -> std::fmt::Result {
    let rules = by_rule(report, Outcome::NeedsReview);
    if rules.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.with("1", "For a person to decide"))?;
    for (rule, details) in rules {
        writeln!(
            out,
            " {:<7} {} ({} resources)",
            number(report, rule),
            report.rules[rule].control.title,
            details.len()
        )?;
    }
    Ok(())
}

/// One line for each thing that was in the way, with the rules it kept from being judged.
fn unseen(out: &mut String, report: &Report, paint: &Paint) -> std::fmt::Result {
    let mut problems: BTreeMap<String, (usize, Vec<String>)> = BTreeMap::new();
    for detail in report.details.iter().filter(|detail| detail.outcome == Outcome::Error) {
        let Some(problem) = &detail.problem else { continue };
        let (count, rules) = problems.entry(safe(&problem.message)).or_default();
        *count += 1;
        let number = number(report, detail.rule);
        if !rules.contains(&number) {
            rules.push(number);
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.with("1", "What could not be seen"))?;
    for (message, (count, rules)) in problems {
        writeln!(out, " {}", cut(&message, 300))?;
        let more = if rules.len() > 12 { ", …" } else { "" };
        let shown: Vec<&str> = rules.iter().take(12).map(String::as_str).collect();
        writeln!(out, "            {count} not judged: {}{more}", shown.join(", "))?;
    }
    Ok(())
}

/// A rule's number; with its version where there are several benchmarks.
fn number(report: &Report, rule: usize) -> String {
    let rule = &report.rules[rule];
    if report.benchmarks().len() > 1 {
        format!("{}@{}", rule.row.number, rule.benchmark.version)
    } else {
        rule.row.number.clone()
    }
}
