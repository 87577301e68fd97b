//! What the built-in benchmarks say about themselves, for rooms that do not know rules.

use std::path::Path;

use super::engine::rule_files;
use crate::config::FleetInput;
use crate::resource::Platform;
use crate::rule::{Benchmark, RuleFile, benchmarks, built_in};

/// The folder that the built-in rules come from.
const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");

/// The built-in rules. A debug build reads them from the checkout it was built in, so that an edited rule needs no
/// build, and falls back to those in the binary; a release never looks there.
pub(super) fn built_in_files() -> Vec<RuleFile> {
    if cfg!(debug_assertions) {
        match rule_files(Path::new(RULES)) {
            Ok(files) if !files.is_empty() => return files.into_iter().map(below_rules).collect(),
            _ => {
                tracing::debug!(folder = RULES, "cannot read the checkout's rules, using those in the binary")
            }
        }
    }
    built_in()
}

/// Named as in the binary: `controls/kubelet/kubelet-anonymous-auth.yml`.
fn below_rules(file: RuleFile) -> RuleFile {
    let name = file.name.strip_prefix(RULES).map(|name| name.trim_start_matches('/').to_owned());
    RuleFile { name: name.unwrap_or(file.name), text: file.text }
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

/// Whether a benchmark, named with or without a version, is one of `names`.
pub fn is_among(benchmark: &str, names: &[String]) -> bool {
    let name = benchmark.split_once('@').map_or(benchmark, |(name, _)| name);
    names.iter().any(|known| known == name)
}
