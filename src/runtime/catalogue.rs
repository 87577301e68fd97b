//! Loads the rules: the built-in ones and those of a rule author's folders.

use anyhow::{Context as _, anyhow};
use std::path::{Path, PathBuf};

use crate::rule::{Catalogue, RuleError, RuleFile, built_in};

/// The built-in rules and those of a rule author's folders.
pub fn load_catalogue(paths: &[PathBuf]) -> anyhow::Result<Catalogue> {
    let all = |errors: Vec<RuleError>| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow!("{}", lines.join("\n"))
    };
    let mut catalogue = Catalogue::load(&built_in()).map_err(all)?;
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
        let entries =
            std::fs::read_dir(&folder).with_context(|| format!("rules.paths: read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            // A mounted ConfigMap shows each file twice more, below `..data` and a dated folder.
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"..")) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yml") {
                let text =
                    std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
                files.push(RuleFile { name: path.display().to_string(), text });
            }
        }
    }
    files.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(files)
}
