//! Files of exceptions, whose entries follow those of the configuration.

use config::Value;
use globset::Glob;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::ExceptionList;
use crate::config::form::Checker;
use crate::config::mistake::Mistake;
use crate::config::permissions;
use crate::config::tree;

const KEY: &str = "posturebeat.exceptions_files";

impl ExceptionList {
    /// Reads every file that `named` matches. A name that matches no file is a mistake, because missing exceptions
    /// would go unnoticed.
    pub(crate) fn files(&mut self, named: &[PathBuf], tree: &Value, strict_perms: bool) {
        let checker = Checker::new(tree);
        for (index, path) in named.iter().enumerate() {
            let key = format!("{KEY}.{index}");
            match expand(path, &key, &checker) {
                Ok(paths) => {
                    for path in paths {
                        if let Err(message) = self.file(&path, strict_perms) {
                            self.mistakes.push(checker.wrong(&key, message));
                        }
                    }
                }
                Err(message) => self.mistakes.push(checker.wrong(&key, message)),
            }
        }
    }

    /// An error concerns the whole file; mistakes in its content are collected.
    fn file(&mut self, path: &Path, strict_perms: bool) -> Result<(), String> {
        let shown = path.display();
        let unreadable = |error: std::io::Error| format!("cannot read `{shown}`: {error}");
        let mut file = File::open(path).map_err(unreadable)?;
        if strict_perms {
            let metadata = file.metadata().map_err(unreadable)?;
            permissions::check(path, &metadata, rustix::process::geteuid().as_raw())?;
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(unreadable)?;
        let name = shown.to_string();
        match tree::parse(&name, &text, "the key `exceptions`, with a list", |_| false) {
            Ok(table) => self.content(&name, &table),
            Err(Mistake { at, message }) => self.mistakes.push(Mistake { at, message }),
        }
        Ok(())
    }
}

/// The files of a path: itself, or those whose names match its pattern, in order of name.
fn expand(path: &Path, key: &str, checker: &Checker<'_>) -> Result<Vec<PathBuf>, String> {
    if !is_pattern(path) {
        return Ok(vec![checker.located(key, path)]);
    }
    let beside = checker.beside(key, path).filter(|_| path.is_relative());
    for path in std::iter::once(path).chain(beside.as_deref()) {
        let paths = matching(path)?;
        if !paths.is_empty() {
            return Ok(paths);
        }
    }
    Err(format!("no file matches `{}`", path.display()))
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains('*')
}

fn matching(path: &Path) -> Result<Vec<PathBuf>, String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if is_pattern(folder) {
        return Err("a `*` is allowed in the file name only, not in the folder".to_owned());
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let matcher = Glob::new(&name).map_err(|error| error.to_string())?.compile_matcher();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("cannot list `{}`: {error}", folder.display())),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| format!("cannot list `{}`: {error}", folder.display()))?;
        let (name, path) = (entry.file_name(), folder.join(entry.file_name()));
        // A mounted ConfigMap contains `..data` and a dated folder beside its files.
        if !name.as_encoded_bytes().starts_with(b".") && matcher.is_match(&name) && !path.is_dir() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
