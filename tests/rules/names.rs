//! A benchmark's facts are data: no code depends on the name of one.

use std::path::{Path, PathBuf};

use crate::catalogue;

#[test]
fn no_code_depends_on_a_benchmark_s_name() {
    let catalogue = catalogue();
    let mut names = Vec::new();
    for table in catalogue.benchmarks() {
        names.extend([table.benchmark.clone(), table.full_name().to_string(), table.name.clone()]);
        names.extend(table.fleet_input.clone());
    }
    let mut found = Vec::new();
    for (path, text) in sources() {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        // Examples in the reference file name one.
        let is_example = |line: &&str| line.trim_start().starts_with("#[schemars(example");
        let code: Vec<&str> = code.lines().filter(|line| !is_example(line)).collect();
        let code = code.join("\n");
        for name in names.iter().filter(|name| code.contains(&format!("\"{name}\""))) {
            found.push(format!("{}: \"{name}\"", path.display()));
        }
    }
    assert!(found.is_empty(), "a key of the benchmark's file belongs in their place:\n{}", found.join("\n"));
}

/// The code of the program, without its tests.
fn sources() -> Vec<(PathBuf, String)> {
    let mut out = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with("tests") || path.ends_with("tests.rs") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                out.push((path, text));
            }
        }
    }
    out
}
