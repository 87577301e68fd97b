//! The section `keystore`. It is looked up before references are resolved, because they may refer to the keystore.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use crate::config::form::{Checker, SectionForm};
use crate::config::mistake::Mistake;

/// The section as written.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct KeystoreForm {
    /// The file. Default: `posturebeat.keystore` in `path.data`.
    #[schemars(example = &"/etc/posturebeat/posturebeat.keystore")]
    pub path: Option<PathBuf>,
}

impl SectionForm for KeystoreForm {
    type Settings = ();

    fn check(self, _: &Checker<'_>) -> Result<(), Mistake> {
        Ok(())
    }
}
