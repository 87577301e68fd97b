//! The section `output.file`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;

use super::FileOutput;
use crate::config::{Checker, Mistake, OutputForm, SectionForm, UnsupportedKeys};
use crate::output::{ConfiguredOutput, Delivery, Output, OutputError, OutputSettings};

/// Findings go to a file, one JSON document a line.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::output) struct FileForm {
    /// Whether this output is used.
    pub enabled: bool,
    /// The folder (required).
    #[schemars(example = &"/tmp/posturebeat")]
    pub path: PathBuf,
    /// The name of the file in the folder.
    pub filename: String,
}

impl Default for FileForm {
    fn default() -> Self {
        Self { enabled: true, path: PathBuf::new(), filename: "posturebeat.ndjson".to_owned() }
    }
}

impl OutputForm for FileForm {
    const NAME: &'static str = "file";
}

impl SectionForm for FileForm {
    type Settings = ConfiguredOutput;

    const UNSUPPORTED: UnsupportedKeys = &[
        ("codec", ""),
        ("number_of_files", ""),
        ("permissions", ""),
        ("queue", "set `queue.mem`"),
        ("rotate_every_kb", ""),
        ("rotate_on_startup", ""),
    ];

    fn check(self, checker: &Checker<'_>) -> Result<ConfiguredOutput, Mistake> {
        for (key, text) in
            [("path", self.path.to_string_lossy()), ("filename", self.filename.as_str().into())]
        {
            if text.contains("%{") {
                let message = "`%{…}` is not supported (yet): write a fixed name";
                return Err(checker.wrong(key, message));
            }
        }
        if self.filename.is_empty() || self.filename.contains('/') {
            return Err(checker.wrong("filename", "expected the name of a file, without a folder"));
        }
        let folder = checker.not_empty("path", self.path)?;
        Ok(Arc::new(FileSettings { path: folder.join(self.filename) }))
    }
}

/// The settings.
#[derive(Debug)]
struct FileSettings {
    /// The file.
    path: PathBuf,
}

impl OutputSettings for FileSettings {
    fn name(&self) -> &'static str {
        FileForm::NAME
    }

    /// Each batch is on the disk before it counts as delivered.
    fn delivery(&self) -> Delivery {
        Delivery { durable: true, ..Delivery::default() }
    }

    fn build(&self) -> Result<Box<dyn Output>, OutputError> {
        Ok(Box::new(FileOutput::new(self.path.clone())))
    }
}
