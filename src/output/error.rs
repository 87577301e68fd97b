//! Why an output cannot be made, or cannot be used now.

use std::path::PathBuf;

/// Why an output cannot be made, or cannot be used now.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// A setting cannot be used. Its value is not shown, because it may hold a secret.
    #[error("`output.{output}.{setting}`: {why}")]
    Setting {
        /// The output's name.
        output: &'static str,
        /// The setting.
        setting: String,
        /// What is wrong with it.
        why: String,
    },
    /// The client cannot be built.
    #[error("cannot build the client for `output.{output}`: {why}")]
    BuildClient {
        /// The output's name.
        output: &'static str,
        /// Why.
        why: String,
    },
    /// The receiver denied access.
    #[error("`{host}` denied access: {why}; check {settings}")]
    Denied {
        /// The receiver.
        host: String,
        /// What it reported.
        why: String,
        /// The settings that hold the credentials.
        settings: &'static str,
    },
    /// The receiver did not respond, or is not available now.
    #[error("`{host}` cannot be reached: {why}")]
    Unreachable {
        /// The receiver that was tried last.
        host: String,
        /// What went wrong.
        why: String,
    },
    /// A file cannot be opened.
    #[error("cannot open `{path}` for writing")]
    OpenFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl OutputError {
    /// Whether waiting may help: then the program continues and tries again.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}
