//! The report as text for people: score, sections, failures with their resources, and errors.

use comfy_table::{Cell, CellAlignment, Table, presets};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::text::{cut, safe};
use super::{OutcomeDetail, Report, ReportContent, ReportFormat};
use crate::evaluate::{Outcome, OutcomeCounts};
use crate::resource::IdentitySource;
use crate::rule::Severity;

/// Width of a bar in characters.
const BAR: usize = 20;
/// Line width; names of resources may be longer.
const WIDTH: usize = 96;
/// Indentation below a rule's line.
const INDENT: &str = "          ";
/// The most resources named below one rule; the rest are counted.
const MAX_RESOURCES: usize = 5;
/// The most errors that are named above one list of rules; the rest are counted.
const MAX_MESSAGES: usize = 20;
/// The most rules that are named because they judged nothing. Most of a node's and a control plane's do not apply to
/// manifests, and a list of them says less than their number.
const MAX_IDLE: usize = 40;

pub(super) const FORMAT: ReportFormat = ReportFormat {
    name: "table",
    help: "Text for people",
    content: ReportContent::PerSource(|report, style, out| {
        out.write_all(render(report, style.colour).as_bytes())
    }),
};

/// The whole report, with colours for a terminal if `colour` is set.
pub fn render(report: &Report, colour: bool) -> String {
    let paint = Paint { colour };
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = head(&mut out, report, &paint);
    let _ = sections(&mut out, report, &paint);
    let _ = failures(&mut out, report, &paint);
    let _ = reviews(&mut out, report, &paint);
    let _ = excepted(&mut out, report, &paint);
    let _ = unseen(&mut out, report, &paint);
    let _ = idle(&mut out, report, &paint);
    let _ = skipped(&mut out, report, &paint);
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

fn score_text(counts: &OutcomeCounts) -> String {
    counts.score().map_or_else(|| "-".to_owned(), |score| format!("{score:.1} %"))
}

fn of_what(counts: &OutcomeCounts) -> &'static str {
    if counts.of(Outcome::Error) > 0 { " of everything that could be judged" } else { "" }
}

fn head(out: &mut String, report: &Report, paint: &Paint) -> std::fmt::Result {
    let cluster = &report.identity.cluster;
    let name = cluster.name.as_deref().unwrap_or("unnamed");
    let version = cluster.version.as_deref().map_or_else(String::new, |version| format!(", {version}"));
    let source = match cluster.source {
        IdentitySource::Api => "",
        IdentitySource::LastKnown => " (API unreachable; last known id)",
        IdentitySource::MachineId => " (API never reached; machine id)",
        IdentitySource::Cloud => " (through the AWS API)",
        IdentitySource::None => " (identity unknown)",
    };
    writeln!(out, "Cluster {}{version}{source}", safe(name))?;
    if !report.identity.node.name.is_empty() {
        writeln!(out, "Node    {}", safe(&report.identity.node.name))?;
    }
    let totals = report.totals();
    let excepted = match totals.excepted() {
        0 => String::new(),
        excepted => format!(" ({excepted} excepted)"),
    };
    writeln!(out)?;
    writeln!(
        out,
        "{}  {} passed, {} failed{excepted}, {} need review, {} errors, {} not applicable",
        paint.with("1", &format!("Score {}{}", score_text(&totals), of_what(&totals))),
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
        let mut by_section: BTreeMap<&str, OutcomeCounts> = BTreeMap::new();
        for index in rules {
            let counts = by_section.entry(report.rules[index].row.section()).or_default();
            counts.merge(&report.tally.rule(index));
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        for (section, counts) in by_section {
            if counts.judged() + counts.of(Outcome::Error) + counts.of(Outcome::NeedsReview) == 0 {
                continue;
            }
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

/// The shares of passed, failed and errors; a share above zero has at least one character.
fn bar(counts: &OutcomeCounts, paint: &Paint) -> String {
    let errors = counts.of(Outcome::Error);
    let all = counts.judged() + errors;
    if all == 0 {
        return "·".repeat(BAR);
    }
    let share = |count: u64| (count as usize * BAR).div_ceil(all as usize).min(BAR);
    let unseen = share(errors);
    let failed = share(counts.of(Outcome::Failed)).min(BAR - unseen);
    let passed = BAR - unseen - failed;
    format!(
        "{}{}{}",
        paint.with("32", &"█".repeat(passed)),
        paint.with("31", &"░".repeat(failed)),
        paint.with("33", &"?".repeat(unseen))
    )
}

/// The wanted details by rule, highest severity first.
fn by_rule(report: &Report, wanted: impl Fn(&OutcomeDetail) -> bool) -> Vec<(usize, Vec<&OutcomeDetail>)> {
    let mut rules: BTreeMap<usize, Vec<&OutcomeDetail>> = BTreeMap::new();
    for detail in report.details.iter().filter(|detail| wanted(detail)) {
        rules.entry(detail.rule).or_default().push(detail);
    }
    let mut rules: Vec<_> = rules.into_iter().collect();
    rules.sort_by_key(|(rule, _)| std::cmp::Reverse(report.rules[*rule].control.severity));
    rules
}

fn failures(out: &mut String, report: &Report, paint: &Paint) -> std::fmt::Result {
    let rules = by_rule(report, |detail| detail.outcome == Outcome::Failed && detail.exception.is_none());
    if rules.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.with("1", "Failures"))?;
    for (rule, details) in rules {
        let control = &report.rules[rule].control;
        writeln!(out, "{}", title(report, rule, paint))?;
        resources(out, report, &details, paint)?;
        for (number, line) in wrapped(&control.remediation, WIDTH - INDENT.len() - 2).iter().enumerate() {
            let mark = if number == 0 { "→ " } else { "  " };
            writeln!(out, "{INDENT}{}", paint.with("2", &format!("{mark}{line}")))?;
        }
    }
    Ok(())
}

/// The resources and their evidence.
fn resources(
    out: &mut String,
    report: &Report,
    details: &[&OutcomeDetail],
    paint: &Paint,
) -> std::fmt::Result {
    for detail in details.iter().take(MAX_RESOURCES) {
        let label = &report.seen[detail.seen].label;
        writeln!(out, "{INDENT}{label}{}", place(report, detail))?;
        let evidence = safe(&evidence(&detail.evidence));
        writeln!(out, "{INDENT}  {}", paint.with("2", &cut(&evidence, WIDTH - INDENT.len() - 2)))?;
    }
    if details.len() > MAX_RESOURCES {
        writeln!(out, "{INDENT}and {} more", details.len() - MAX_RESOURCES)?;
    }
    Ok(())
}

/// Where what decided was written, as compilers name it.
fn place(report: &Report, detail: &OutcomeDetail) -> String {
    let Some(origin) = &report.seen[detail.seen].origin else { return String::new() };
    let at = detail.at.map_or_else(String::new, |at| format!(":{}:{}", at.line, at.column));
    format!("  {}{at}", safe(&origin.file))
}

/// A rule's severity, number and title.
fn title(report: &Report, rule: usize, paint: &Paint) -> String {
    let control = &report.rules[rule].control;
    let colour = match control.severity {
        Severity::Critical => "1;31",
        Severity::High => "31",
        Severity::Medium => "33",
        Severity::Low => "2",
    };
    let severity = paint.with(colour, &format!("{:<8}", control.severity.as_str()));
    format!(" {severity} {:<7} {}", number(report, rule), control.title)
}

/// `key = value`, shortest first, because the line is cut at its end.
fn evidence(evidence: &serde_json::Map<String, serde_json::Value>) -> String {
    let mut parts: Vec<String> = evidence
        .iter()
        .map(|(key, value)| match value {
            serde_json::Value::Null => format!("{key}: not set"),
            value => format!("{key} = {value}"),
        })
        .collect();
    parts.sort_by_key(String::len);
    parts.join("; ")
}

/// Lines of at most `width` characters, broken at blanks.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().filter(|line| line.chars().count() + word.chars().count() < width);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn reviews(out: &mut String, report: &Report, paint: &Paint) -> std::fmt::Result {
    let rules =
        by_rule(report, |detail| detail.outcome == Outcome::NeedsReview && detail.exception.is_none());
    if rules.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.with("1", "Needs review"))?;
    for (rule, details) in rules {
        writeln!(out, "{}", title(report, rule, paint))?;
        resources(out, report, &details, paint)?;
    }
    Ok(())
}

/// Findings with an exception: its owner, expiry and reason.
fn excepted(out: &mut String, report: &Report, paint: &Paint) -> std::fmt::Result {
    let rules = by_rule(report, |detail| detail.exception.is_some());
    if rules.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.with("1", "Exceptions"))?;
    for (rule, details) in rules {
        writeln!(out, "{}", title(report, rule, paint))?;
        for detail in details.iter().take(MAX_RESOURCES) {
            let label = &report.seen[detail.seen].label;
            let outcome = if detail.outcome == Outcome::Failed { "failed" } else { "needs review" };
            writeln!(out, "{INDENT}{label} ({outcome}){}", place(report, detail))?;
            let Some(exception) = &detail.exception else { continue };
            let until =
                exception.expires.map_or_else(String::new, |at| format!(" until {}", at.strftime("%F")));
            let why = safe(&format!("{}{until}: {}", exception.owner, exception.reason));
            writeln!(out, "{INDENT}  {}", paint.with("2", &cut(&why, WIDTH - INDENT.len() - 2)))?;
        }
        if details.len() > MAX_RESOURCES {
            writeln!(out, "{INDENT}and {} more", details.len() - MAX_RESOURCES)?;
        }
    }
    Ok(())
}

/// One line per error, with the rules that could not be judged. Errors of the same rules share a list of them.
fn unseen(out: &mut String, report: &Report, paint: &Paint) -> std::fmt::Result {
    let mut gaps: BTreeMap<String, (usize, Vec<String>)> = BTreeMap::new();
    for detail in report.details.iter().filter(|detail| detail.outcome == Outcome::Error) {
        let Some(gap) = &detail.gap else { continue };
        let (count, rules) = gaps.entry(safe(&gap.what)).or_default();
        *count += 1;
        let number = number(report, detail.rule);
        if !rules.contains(&number) {
            rules.push(number);
        }
    }
    if gaps.is_empty() {
        return Ok(());
    }
    let mut groups: Vec<(Vec<String>, usize, Vec<String>)> = Vec::new();
    for (message, (count, rules)) in gaps {
        match groups.iter_mut().find(|(known, ..)| *known == rules) {
            Some((_, total, messages)) => {
                *total += count;
                messages.push(message);
            }
            None => groups.push((rules, count, vec![message])),
        }
    }
    writeln!(out, "\n{}", paint.with("1", "Errors (not judged)"))?;
    for (rules, count, messages) in groups {
        for message in messages.iter().take(MAX_MESSAGES) {
            writeln!(out, " {}", cut(message, 300))?;
        }
        if messages.len() > MAX_MESSAGES {
            writeln!(out, " and {} more (all: --format json)", messages.len() - MAX_MESSAGES)?;
        }
        for line in wrapped(&format!("{count} errors: {}", rules.join(", ")), WIDTH - INDENT.len()) {
            writeln!(out, "{INDENT}{line}")?;
        }
    }
    Ok(())
}

/// The rules that judged nothing: their number, and by section where some of a section did judge. Their reasons are in
/// the JSON format.
fn idle(out: &mut String, report: &Report, paint: &Paint) -> std::fmt::Result {
    let idle: BTreeSet<usize> = super::not_applicable::idle(report).map(|(rule, _)| rule).collect();
    let all = 0..report.rules.len();
    // One of several controls of a number may have judged something.
    let busy: BTreeSet<String> =
        all.filter(|rule| !idle.contains(rule)).map(|rule| number(report, rule)).collect();
    let mut rules: Vec<String> = idle.iter().map(|rule| number(report, *rule)).collect();
    rules.retain(|number| !busy.contains(number));
    rules.dedup();
    if rules.is_empty() {
        return Ok(());
    }
    let heading = format!("Not applicable (reasons: --format json): {} recommendations", rules.len());
    writeln!(out, "\n{}", paint.with("1", &heading))?;
    if rules.len() > MAX_IDLE {
        return Ok(());
    }
    for line in wrapped(&rules.join(", "), WIDTH - 2) {
        writeln!(out, " {line}")?;
    }
    Ok(())
}

/// What was found and not judged.
fn skipped(out: &mut String, report: &Report, paint: &Paint) -> std::fmt::Result {
    let lines = report.skipped();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.with("1", "Skipped"))?;
    for line in lines {
        writeln!(out, " {}", safe(&line))?;
    }
    Ok(())
}

/// A rule's number, with its version if there are several benchmarks.
fn number(report: &Report, rule: usize) -> String {
    let rule = &report.rules[rule];
    if report.benchmarks().len() > 1 {
        format!("{}@{}", rule.row.number, rule.benchmark.version)
    } else {
        rule.row.number.clone()
    }
}
