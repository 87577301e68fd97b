//! The section `output.console`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::ConsoleOutput;
use crate::config::{Checker, Mistake, OutputForm, SectionForm, UnsupportedKeys};
use crate::output::{ConfiguredOutput, Delivery, Output, OutputError, OutputSettings};

/// Findings go to standard output.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::output) struct ConsoleForm {
    /// Whether this output is used.
    pub enabled: bool,
    /// Indent the documents.
    pub pretty: bool,
}

impl Default for ConsoleForm {
    fn default() -> Self {
        Self { enabled: true, pretty: false }
    }
}

impl OutputForm for ConsoleForm {
    const NAME: &'static str = "console";
}

impl SectionForm for ConsoleForm {
    type Settings = ConfiguredOutput;

    const UNSUPPORTED: UnsupportedKeys =
        &[("bulk_max_size", ""), ("codec", "set `output.console.pretty`"), ("queue", "set `queue.mem`")];

    fn check(self, _: &Checker<'_>) -> Result<ConfiguredOutput, Mistake> {
        Ok(Arc::new(ConsoleSettings { pretty: self.pretty }))
    }
}

/// The settings.
#[derive(Debug)]
struct ConsoleSettings {
    pretty: bool,
}

impl OutputSettings for ConsoleSettings {
    fn name(&self) -> &'static str {
        ConsoleForm::NAME
    }

    fn delivery(&self) -> Delivery {
        Delivery::default()
    }

    fn uses_standard_output(&self) -> bool {
        true
    }

    fn build(&self) -> Result<Box<dyn Output>, OutputError> {
        Ok(Box::new(ConsoleOutput::new(tokio::io::stdout(), self.pretty)))
    }
}
