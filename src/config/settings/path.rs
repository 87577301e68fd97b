//! The section `path`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use crate::config::form::{Checker, SectionForm, UnsupportedKeys};
use crate::config::mistake::Mistake;

/// The section as written.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct PathForm {
    /// Directory for persistent state, such as the agent's id.
    pub data: PathBuf,
}

impl Default for PathForm {
    fn default() -> Self {
        Self { data: PathBuf::from("data") }
    }
}

impl SectionForm for PathForm {
    /// `path.data`.
    type Settings = PathBuf;

    const UNSUPPORTED: UnsupportedKeys = &[("config", ""), ("home", ""), ("logs", "logs go to stderr")];

    fn check(self, checker: &Checker<'_>) -> Result<PathBuf, Mistake> {
        checker.not_empty("data", self.data)
    }
}
