//! `rules`: the catalogue, and tools for rule authors.

use anyhow::{Context as _, anyhow, bail};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::args::RulesCommand;
use crate::collect::cluster::rights::{self, Extent};
use crate::config::settings::Settings;
use crate::evaluate::{demands_of, run_cases, survivors};
use crate::finding::audit_text;
use crate::report::safe;
use crate::rule::{Catalogue, Control, RuleFile};
use crate::runtime::{load_catalogue, load_catalogue_without_cases, rule_files};

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
        RulesCommand::Check { path, replace, mutate } => {
            return check(settings, &CheckOptions { path, replace, mutate });
        }
        RulesCommand::Coverage => print!("{}", load_catalogue(&settings.posture.rule_paths)?.coverage()),
        RulesCommand::Differences => {
            print!("{}", load_catalogue(&settings.posture.rule_paths)?.differences());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn unknown(catalogue: &Catalogue, id: &str) -> anyhow::Error {
    let known: Vec<&str> = catalogue.controls().map(|control| control.id.as_str()).collect();
    anyhow!("unknown control `{id}` (known: {})", known.join(", "))
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

/// What `rules check` was asked for.
struct CheckOptions {
    path: Option<PathBuf>,
    replace: bool,
    mutate: bool,
}

/// Runs the cases of every control; with a path, only of those in it, beside the built-in ones.
fn check(settings: &Settings, options: &CheckOptions) -> anyhow::Result<ExitCode> {
    let paths = &settings.posture.rule_paths;
    let mut catalogue =
        if options.replace { load_catalogue_without_cases(paths) } else { load_catalogue(paths) }?;
    let mut only = None;
    if let Some(path) = &options.path {
        let files = files_at(path)?;
        if files.is_empty() {
            bail!("{}: no .yml files", path.display());
        }
        only = Some(ids(&files));
        let added = if options.replace { catalogue.replace(&files) } else { catalogue.add(&files) };
        added.map_err(|errors| {
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
                "{}: no cases; write {}.cases.yml beside it, with one that passes and one that fails",
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
            println!("{}: {}: {}", control.id, failure.case, safe(&failure.message));
        }
        if options.mutate {
            for change in survivors(control, own) {
                unnoticed += 1;
                println!("{}: no case notices: {}", control.id, safe(&change));
            }
        }
    }
    if failures > 0 {
        bail!("{failures} problems in {cases} cases of {controls} controls");
    }
    if unnoticed > 0 {
        bail!(
            "no case notices {unnoticed} changes to {controls} controls; write a case for each, or shorten the control"
        );
    }
    println!("{controls} controls, {cases} cases: OK");
    Ok(ExitCode::SUCCESS)
}

/// The rule files below a directory; of a file, it and its control or cases beside it.
fn files_at(path: &Path) -> anyhow::Result<Vec<RuleFile>> {
    if path.is_dir() {
        return rule_files(path).context("rules check");
    }
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let Some(id) = name.strip_suffix(".cases.yml").or_else(|| name.strip_suffix(".yml")) else {
        bail!("rules check {}: expected a .yml file or a directory", path.display());
    };
    let beside = [path.with_file_name(format!("{id}.yml")), path.with_file_name(format!("{id}.cases.yml"))];
    let wanted = beside.into_iter().filter(|file| file == path || file.exists());
    wanted
        .map(|file| {
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("rules check: cannot read {}", file.display()))?;
            Ok(RuleFile { name: file.display().to_string(), text })
        })
        .collect()
}

/// Which rights a control takes, and which of its resources' names are a guess.
fn say_rights(control: &Control) {
    let demands = demands_of(control);
    if demands.is_empty() {
        return;
    }
    let extent = Extent { watch: true, secrets: true, ..Extent::default() };
    let needs = rights::needs(&demands, &rights::guessed(&demands), extent);
    println!("{} needs: {}", control.id, rights::lines(needs.iter().map(|need| &need.right)).join("; "));
}

fn ids(files: &[RuleFile]) -> Vec<String> {
    let stem = |file: &RuleFile| {
        let base = file.name.rsplit('/').next().unwrap_or_default();
        base.strip_suffix(".cases.yml").or_else(|| base.strip_suffix(".yml")).unwrap_or(base).to_owned()
    };
    files.iter().map(stem).collect()
}
