//! Why a configuration was rejected.

use std::path::PathBuf;

use super::keystore::KeystoreError;
use super::mistake::Mistake;
use super::settings::Settings;

/// Why a configuration was rejected.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file named with `-c` cannot be read.
    #[error("cannot read configuration file `{}`", path.display())]
    ReadFile {
        /// The file, as it was named.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Users other than the owner can write the file.
    #[error("{message}")]
    CheckPermissions {
        /// The file, who can write it, and how to fix that.
        message: String,
    },
    /// The keystore cannot be used.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// A setting is wrong.
    #[error(transparent)]
    Invalid(#[from] Mistake),
    /// Exceptions are wrong, and perhaps one other setting.
    #[error("{}", lines(mistakes))]
    Exceptions {
        /// All mistakes.
        mistakes: Vec<Mistake>,
        /// All other settings, with every exception as far as it could be read. They serve to check the rules that
        /// exceptions name, never to run with. `None`: another setting is wrong too.
        settings: Option<Box<Settings>>,
    },
}

/// One mistake a line.
fn lines(mistakes: &[Mistake]) -> String {
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
