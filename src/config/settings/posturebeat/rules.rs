//! `posturebeat.rules`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::config::form::{Checker, SectionForm};
use crate::config::mistake::Mistake;

/// Rules beside the built-in ones, and parameters.
pub(in crate::config) struct RuleSettings {
    pub paths: Vec<PathBuf>,
    pub params: BTreeMap<String, BTreeMap<String, Value>>,
}

/// The section as written.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct RulesForm {
    /// Folders with your own controls and benchmarks.
    pub paths: Vec<PathBuf>,
    /// Parameters of controls: the control's id, the parameter's name, its value, such as
    /// `{"namespace-network-policy": {"exempt_namespaces": ["kube-system"]}}`.
    pub params: BTreeMap<String, BTreeMap<String, Value>>,
}

impl SectionForm for RulesForm {
    type Settings = RuleSettings;

    fn check(self, checker: &Checker<'_>) -> Result<RuleSettings, Mistake> {
        Ok(RuleSettings { paths: checker.all_located("paths", &self.paths), params: self.params })
    }
}
