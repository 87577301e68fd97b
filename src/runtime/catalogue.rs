//! Rule files from disk and binary, and what the built-in benchmarks say about themselves for rooms that do not know
//! rules.

use anyhow::{Context as _, anyhow};
use std::path::{Path, PathBuf};

use crate::config::FleetInput;
use crate::resource::Platform;
use crate::rule::{Benchmark, Catalogue, RuleFile, benchmarks, built_in};

/// The built-in rules and those of a rule author's folders.
pub fn load_catalogue(paths: &[PathBuf]) -> anyhow::Result<Catalogue> {
    load(&built_in_files(), paths)
}

/// The same without the cases of built-in controls, which take most of the time to read.
pub fn load_catalogue_without_cases(paths: &[PathBuf]) -> anyhow::Result<Catalogue> {
    let mut files = built_in_files();
    files.retain(|file| !file.name.ends_with(".cases.yml"));
    load(&files, paths)
}

fn load(built_in: &[RuleFile], paths: &[PathBuf]) -> anyhow::Result<Catalogue> {
    let all = |errors: Vec<crate::rule::RuleError>| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow!("{}", lines.join("\n"))
    };
    let mut catalogue = Catalogue::load(built_in).map_err(all)?;
    for path in paths {
        let files = rule_files(path)?;
        catalogue.add(&files).map_err(all)?;
    }
    Ok(catalogue)
}

/// Every `.yml` file below a folder, in order of name.
pub fn rule_files(folder: &Path) -> anyhow::Result<Vec<RuleFile>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("rules.paths: cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            // A mounted ConfigMap shows each file twice more, below `..data` and a dated folder.
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"..")) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yml") {
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                files.push(RuleFile { name: path.display().to_string(), text });
            }
        }
    }
    files.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(files)
}

/// The built-in rules: those in the binary.
#[cfg(not(debug_assertions))]
fn built_in_files() -> Vec<RuleFile> {
    built_in()
}

/// The built-in rules. A debug build reads them from the checkout it was built in, so that an edited rule needs no build,
/// and falls back to those in the binary.
#[cfg(debug_assertions)]
fn built_in_files() -> Vec<RuleFile> {
    const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/");
    // Named as in the binary: `controls/kubelet/kubelet-anonymous-auth.yml`.
    let below_rules = |file: RuleFile| {
        let name = file.name.strip_prefix(RULES).map(str::to_owned);
        RuleFile { name: name.unwrap_or(file.name), text: file.text }
    };
    match rule_files(Path::new(RULES)) {
        Ok(files) if !files.is_empty() => files.into_iter().map(below_rules).collect(),
        _ => {
            tracing::debug!(folder = RULES, "cannot read the checkout's rules, using those in the binary");
            built_in()
        }
    }
}

/// The Fleet inputs that ask for a built-in benchmark.
pub fn fleet_inputs() -> Vec<FleetInput> {
    let input = |table: Benchmark| {
        Some(FleetInput { kind: table.fleet_input?, benchmark: table.benchmark, version: table.version })
    };
    benchmarks(&built_in_files()).into_iter().filter_map(input).collect()
}

/// The names, without version, of the built-in benchmarks that were written for a platform.
pub fn benchmarks_for(platform: Platform) -> Vec<String> {
    let tables = benchmarks(&built_in_files()).into_iter();
    let of_platform = tables.filter(|table| table.platform.as_deref() == Some(platform.as_str()));
    let mut names: Vec<String> = of_platform.map(|table| table.benchmark).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The benchmarks that are checked where none is configured, without version.
pub(super) fn default_benchmarks(catalogue: &Catalogue) -> Vec<String> {
    let tables = catalogue.benchmarks().into_iter();
    tables.filter(|table| table.default).map(|table| table.benchmark.clone()).collect()
}

/// Whether a benchmark, named with or without a version, is one of `names`.
pub fn is_among(benchmark: &str, names: &[String]) -> bool {
    let name = benchmark.split_once('@').map_or(benchmark, |(name, _)| name);
    names.iter().any(|known| known == name)
}
