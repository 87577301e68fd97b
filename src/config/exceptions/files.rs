//! Files of exceptions: found, read, and their exceptions put behind those of the configuration.

use config::Value;
use globset::Glob;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::Exceptions;
use crate::config::error::Mistake;
use crate::config::permissions;
use crate::config::resolve::Checker;
use crate::config::tree;

const KEY: &str = "posturebeat.exceptions_files";

impl Exceptions {
    /// Reads every file that `named` leads to. A name that leads to none is a mistake: exceptions that silently
    /// do nothing are what nobody notices.
    pub fn files(&mut self, named: &[PathBuf], tree: &Value, strict_perms: bool) {
        let checker = Checker { tree };
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

    /// An error is one of the file as a whole; mistakes in what it says are noted.
    fn file(&mut self, path: &Path, strict_perms: bool) -> Result<(), String> {
        let shown = path.display();
        let unreadable = |error: std::io::Error| format!("cannot read `{shown}`: {error}");
        let mut file = File::open(path).map_err(unreadable)?;
        if strict_perms {
            let metadata = file.metadata().map_err(unreadable)?;
            permissions::check(path, &metadata, rustix::process::geteuid().as_raw())
                .map_err(|error| error.to_string())?;
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(unreadable)?;
        let name = shown.to_string();
        match tree::parse_like(&name, &text, "the key `exceptions`, with a list") {
            Ok(table) => self.content(&name, &table),
            Err(Mistake { at, message }) => self.mistakes.push(Mistake { at, message }),
        }
        Ok(())
    }
}

/// The files that a path means: itself, or those whose name fits its pattern, in order of name.
fn expand(path: &Path, key: &str, checker: &Checker<'_>) -> Result<Vec<PathBuf>, String> {
    if !is_pattern(path) {
        return Ok(vec![checker.located(key, path)]);
    }
    let beside = checker.beside(key, path).filter(|_| path.is_relative());
    for path in std::iter::once(path).chain(beside.as_deref()) {
        let paths = fitting(path)?;
        if !paths.is_empty() {
            return Ok(paths);
        }
    }
    Err(format!("no file fits `{}`", path.display()))
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains('*')
}

fn fitting(path: &Path) -> Result<Vec<PathBuf>, String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if is_pattern(folder) {
        return Err("a `*` can only stand in the file's name, not in its folder's".to_owned());
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
        // A mounted ConfigMap has links beside its files, `..data` and a dated folder.
        if !name.as_encoded_bytes().starts_with(b".") && matcher.is_match(&name) && !path.is_dir() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
