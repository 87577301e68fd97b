//! What can be wrong with a configuration.

use std::path::PathBuf;

use super::place::Place;
use super::settings::Settings;

/// Why a configuration was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file named by `-c` could not be read.
    #[error("cannot read configuration file `{}`", path.display())]
    ReadFile {
        /// The file, as it was named.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others than its owner could have written the file.
    #[error("{message}")]
    CheckPermissions {
        /// Which file, who may write it, and what to do.
        message: String,
    },
    /// The keystore cannot be used.
    #[error(transparent)]
    Keystore(#[from] super::keystore::KeystoreError),
    /// What is written makes no sense to us.
    #[error(transparent)]
    Understand(#[from] Mistake),
    /// There are mistakes in exceptions, and perhaps another one elsewhere.
    #[error("{}", lines(mistakes))]
    Exceptions {
        /// All of them.
        mistakes: Vec<Mistake>,
        /// The rest, with every exception as far as it could be read: to say what is wrong with their rules too,
        /// and nothing to run with. `None`: the rest has a mistake of its own.
        settings: Option<Box<Settings>>,
    },
}

/// A mistake in what is written: where, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistake {
    /// `FILE:LINE:COLUMN` or `-E KEY`; empty when it is nowhere in particular.
    pub at: String,
    /// What is wrong and what was expected.
    pub message: String,
}

/// One mistake a line.
fn lines(mistakes: &[Mistake]) -> String {
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.at.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.at, self.message)
        }
    }
}

impl Mistake {
    /// At the value that `place` tells of.
    pub(super) fn at_value(place: Option<&Place>, message: impl Into<String>) -> Self {
        Self { at: place.map(Place::of_value).unwrap_or_default(), message: message.into() }
    }

    /// At the key that `place` tells of.
    pub(super) fn at_key(place: Option<&Place>, message: impl Into<String>) -> Self {
        Self { at: place.map(Place::of_key).unwrap_or_default(), message: message.into() }
    }
}
