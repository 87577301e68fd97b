//! The section `output`, whose keys depend on the kinds of output that there are: see `config::outputs`.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::config::form::{Checker, SectionForm};
use crate::config::mistake::Mistake;

/// Any section: each kind of output reads its part with its own form.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(in crate::config) struct AnyOutputForm {}

impl<'de> Deserialize<'de> for AnyOutputForm {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self {})
    }
}

impl SectionForm for AnyOutputForm {
    type Settings = ();

    fn check(self, _: &Checker<'_>) -> Result<(), Mistake> {
        Ok(())
    }
}
