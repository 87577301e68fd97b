//! The section `setup`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::form::{Checker, SectionForm, UnsupportedKeys};
use crate::config::mistake::Mistake;

/// What `run` may set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// `setup.template.enabled`: install missing index templates at start.
    pub template_enabled: bool,
}

/// The section as written.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct SetupForm {
    /// Index templates.
    pub template: TemplateForm,
}

/// `setup.template`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct TemplateForm {
    /// Whether `run` installs missing index templates. Existing ones are not changed.
    pub enabled: bool,
}

impl Default for TemplateForm {
    fn default() -> Self {
        Self { enabled: true }
    }
}

impl SectionForm for SetupForm {
    type Settings = Setup;

    const UNSUPPORTED: UnsupportedKeys = &[
        ("dashboards", ""),
        ("ilm", ""),
        ("kibana", ""),
        ("template.append_fields", ""),
        ("template.fields", ""),
        ("template.json", ""),
        ("template.name", ""),
        ("template.overwrite", ""),
        ("template.pattern", ""),
        ("template.priority", ""),
        ("template.settings", ""),
    ];

    fn check(self, _: &Checker<'_>) -> Result<Setup, Mistake> {
        Ok(Setup { template_enabled: self.template.enabled })
    }
}
