//! What a section of the configuration consists of: its form in the file, its check, its settings.
//!
//! A [`SectionForm`] is the section as written, defaults filled in; the doc comment of each field is its text in
//! `posturebeat.reference.yml`. [`SectionForm::check`] turns it into settings, and reports what is wrong through a
//! [`Checker`], which knows where each key is written.

use config::Value;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

use super::location::SourceLocation;
use super::mistake::Mistake;
use super::tree;

/// Keys of Beats that a section does not support, relative to the section, each with what to do instead (or nothing).
pub type UnsupportedKeys = &'static [(&'static str, &'static str)];

/// A section as it is written, with defaults.
pub trait SectionForm: Default + Serialize + DeserializeOwned + JsonSchema {
    /// What the program runs with.
    type Settings;

    /// Keys that Beats have in this section and posturebeat has not.
    const UNSUPPORTED: UnsupportedKeys = &[];

    /// Turns the form into settings.
    fn check(self, checker: &Checker<'_>) -> Result<Self::Settings, Mistake>;
}

/// The keys of a form, their texts and their defaults.
#[derive(Clone, Copy)]
pub(super) struct FormDescription {
    pub schema: fn() -> serde_json::Value,
    /// JSON text, because JSON objects in memory do not keep the order of the fields.
    pub defaults: fn() -> String,
}

impl FormDescription {
    pub(super) const fn of<F: SectionForm>() -> Self {
        Self {
            schema: || schemars::schema_for!(F).to_value(),
            defaults: || serde_json::to_string(&F::default()).expect("plain data has a JSON form"),
        }
    }
}

/// Reports mistakes in one section at the place where they are written.
pub struct Checker<'a> {
    tree: &'a Value,
    /// The dotted key of the section.
    section: String,
}

impl<'a> Checker<'a> {
    /// For the whole configuration.
    pub(super) fn new(tree: &'a Value) -> Self {
        Self { tree, section: String::new() }
    }

    /// For a section inside this one.
    #[must_use]
    pub fn section(&self, name: &str) -> Self {
        Self { tree: self.tree, section: self.full(name) }
    }

    /// A mistake in the value of `key`, or in the nearest written section around it.
    pub fn wrong(&self, key: &str, message: impl std::fmt::Display) -> Mistake {
        let key = self.full(key);
        Mistake::at_value(self.location(&key).as_ref(), format!("`{key}`: {message}"))
    }

    /// A path relative to the working directory, else to the folder of the file that names it; unchanged if it
    /// exists in neither.
    pub fn located(&self, key: &str, path: &Path) -> PathBuf {
        if path.is_absolute() || path.exists() {
            return path.to_owned();
        }
        self.beside(key, path).filter(|path| path.exists()).unwrap_or_else(|| path.to_owned())
    }

    /// A path relative to the folder of the file that names it.
    pub(super) fn beside(&self, key: &str, path: &Path) -> Option<PathBuf> {
        let location = self.location(&self.full(key))?;
        Some(Path::new(&location.source).parent()?.join(path))
    }

    /// [`Checker::located`] for each item of a list.
    pub(super) fn all_located(&self, key: &str, paths: &[PathBuf]) -> Vec<PathBuf> {
        let paths = paths.iter().enumerate();
        paths.map(|(index, path)| self.located(&format!("{key}.{index}"), path)).collect()
    }

    /// A number that must not be zero.
    pub fn at_least_one(&self, key: &str, number: u64) -> Result<usize, Mistake> {
        match usize::try_from(number) {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(self.wrong(key, format!("expected a number from 1 up, found `{number}`"))),
        }
    }

    /// A path that must be set.
    pub fn not_empty(&self, key: &str, path: PathBuf) -> Result<PathBuf, Mistake> {
        if path.as_os_str().is_empty() { Err(self.wrong(key, "expected a path")) } else { Ok(path) }
    }

    fn full(&self, key: &str) -> String {
        tree::dotted(&self.section, key)
    }

    fn location(&self, key: &str) -> Option<SourceLocation> {
        let mut key = key;
        loop {
            if let Some(location) = tree::find(self.tree, key).and_then(SourceLocation::find) {
                return Some(location);
            }
            key = key.rsplit_once('.')?.0;
        }
    }
}
