//! `rules`: the catalogue, and a rule author's tools.

use anyhow::{Context as _, anyhow, bail};
use std::path::Path;
use std::process::ExitCode;

use super::args::RulesCommand;
use crate::collect::cluster::rights::{self, Extent};
use crate::config::settings::Settings;
use crate::evaluate::{demands_of, run_cases, survivors};
use crate::finding::audit_text;
use crate::report::safe;
use crate::rule::{Catalogue, Control, RuleFile};
use crate::runtime::{load_catalogue, rule_files};

pub(super) fn rules(settings: &Settings, command: RulesCommand) -> anyhow::Result<ExitCode> {
    match command {
        RulesCommand::List => {
            for control in load_catalogue(&settings.posture.rule_paths)?.controls() {
                println!("{:<45} {:<8} {}", control.id, control.severity.as_str(), safe(&control.title));
            }
        }
        RulesCommand::Show { id } => {
            let catalogue = load_catalogue(&settings.posture.rule_paths)?;
            let control = catalogue.control(&id).ok_or_else(|| unknown(&catalogue, &id))?;
            show(&catalogue, control);
        }
        RulesCommand::Check { dir, mutate } => return check(settings, dir.as_deref(), mutate),
        RulesCommand::Coverage => print!("{}", load_catalogue(&settings.posture.rule_paths)?.coverage()),
        RulesCommand::Differences => {
            print!("{}", load_catalogue(&settings.posture.rule_paths)?.differences());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn unknown(catalogue: &Catalogue, id: &str) -> anyhow::Error {
    let known: Vec<&str> = catalogue.controls().map(|control| control.id.as_str()).collect();
    anyhow!("unknown rule `{id}` (known: {})", known.join(", "))
}

fn show(catalogue: &Catalogue, control: &Control) {
    println!("{}  ({})\n{}\n", control.id, control.severity.as_str(), safe(&control.title));
    for line in audit_text(control).lines() {
        println!("{}", safe(line));
    }
    println!("\nWhy:     {}", safe(&control.why));
    println!("Remedy:  {}", safe(&control.remediation));
    if let Some(default) = &control.default_value {
        println!("Default: {}", safe(default));
    }
    for (who, what) in &control.differs {
        println!("Differs from {}: {}", safe(who), safe(what));
    }
    for table in catalogue.benchmarks() {
        for row in table.rules.iter().filter(|row| row.controls().any(|id| id == control.id)) {
            println!("In:      {} {}", table.full_name(), row.number);
        }
    }
    for url in &control.references {
        println!("         {}", safe(url));
    }
}

/// Runs every control's cases. With a folder, only its own controls are run, beside the built-in ones.
fn check(settings: &Settings, dir: Option<&Path>, mutate: bool) -> anyhow::Result<ExitCode> {
    let mut catalogue = load_catalogue(&settings.posture.rule_paths)?;
    let mut only = None;
    if let Some(dir) = dir {
        let files = rule_files(dir).context("rules check")?;
        if files.is_empty() {
            bail!("{}: no .yml files", dir.display());
        }
        only = Some(ids(&files));
        catalogue.add(&files).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            anyhow!("{}", lines.join("\n"))
        })?;
    }
    let (mut controls, mut cases, mut failures, mut unnoticed) = (0, 0, 0, 0);
    for control in catalogue.controls() {
        if only.as_ref().is_some_and(|only: &Vec<String>| !only.contains(&control.id)) {
            continue;
        }
        controls += 1;
        let Some(own) = catalogue.cases(&control.id) else {
            failures += 1;
            println!(
                "{}: no cases: write {}.cases.yml beside it, with one that passes and one that fails",
                control.id, control.id
            );
            continue;
        };
        cases += own.cases.len();
        if only.is_some() {
            say_rights(control);
        }
        for failure in run_cases(control, own) {
            failures += 1;
            println!("{}: {}: {}", control.id, failure.case, failure.message);
        }
        if mutate {
            for change in survivors(control, own) {
                unnoticed += 1;
                println!("{}: no case notices: {}", control.id, safe(&change));
            }
        }
    }
    if failures > 0 {
        bail!("{failures} of {cases} cases of {controls} controls did not come out as they say");
    }
    if unnoticed > 0 {
        bail!(
            "{unnoticed} changes to {controls} controls went unnoticed: each wants a case, or the control says too much"
        );
    }
    println!("{controls} controls, {cases} cases: all as they say");
    Ok(ExitCode::SUCCESS)
}

/// Which rights a control takes, and which of its resources' names are a guess.
fn say_rights(control: &Control) {
    let demands = demands_of(control);
    if demands.is_empty() {
        return;
    }
    let extent = Extent { watch: true, secrets: true, ..Extent::default() };
    let needs = rights::needs(&demands, &rights::guessed(&demands), extent);
    println!("{}: takes {}", control.id, rights::lines(needs.iter().map(|need| &need.right)).join("; "));
}

fn ids(files: &[RuleFile]) -> Vec<String> {
    let stem = |file: &RuleFile| {
        let base = file.name.rsplit('/').next().unwrap_or_default();
        base.strip_suffix(".cases.yml").or_else(|| base.strip_suffix(".yml")).unwrap_or(base).to_owned()
    };
    files.iter().map(stem).collect()
}
