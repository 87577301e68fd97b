//! `output.file`: documents appended to a file, one a line.
//!
//! In: a batch. Out: its lines at the end of the file, on the disk before the verdicts. The file is opened for each
//! batch, so a file that was moved away is created again.

use super::line::lines;
use super::{BatchError, Output, OutputError, Verdict};
use crate::event::Event;
use async_trait::async_trait;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

pub(super) use config::FileForm;

mod config;

/// Findings name weak spots: only the owner and its group may enter the folder, only the owner may read the file.
const FOLDER_MODE: u32 = 0o750;
const FILE_MODE: u32 = 0o600;

/// `output.file`.
#[derive(Debug)]
pub(super) struct FileOutput {
    path: PathBuf,
}

impl FileOutput {
    /// Appends to the file at `path`; nothing is opened yet.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

#[async_trait]
impl Output for FileOutput {
    async fn publish(&mut self, batch: &[Event]) -> Result<Vec<Verdict>, BatchError> {
        let text = lines(batch);
        let path = self.path.clone();
        match off_the_runtime(move || append(&path, text)).await {
            Ok(()) => Ok(vec![Verdict::Done; batch.len()]),
            Err(error) => {
                let why = format!("cannot write `{}`: {error}", self.path.display());
                Err(match error.kind() {
                    ErrorKind::PermissionDenied => BatchError::Denied { why },
                    _ => BatchError::Again { why },
                })
            }
        }
    }

    async fn check(&mut self) -> Result<(), OutputError> {
        let path = self.path.clone();
        off_the_runtime(move || open(&path).map(drop))
            .await
            .map_err(|source| OutputError::OpenFile { path: self.path.clone(), source })
    }
}

/// Disks are slow: this runs where blocking is allowed.
async fn off_the_runtime(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> Result<(), io::Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn open(path: &Path) -> io::Result<std::fs::File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
    }
    OpenOptions::new().create(true).read(true).append(true).mode(FILE_MODE).open(path)
}

fn append(path: &Path, mut text: Vec<u8>) -> io::Result<()> {
    let mut file = open(path)?;
    let end = file.metadata()?.len();
    if is_torn(&file, end)? {
        // A process killed in the middle of a line lost that line; it must not spoil ours.
        text.insert(0, b'\n');
    }
    let written = file.write_all(&text).and_then(|()| file.sync_data());
    if written.is_err() {
        // The whole batch will be written again: a part of it (a full disk) must not remain as half a line.
        file.set_len(end)?;
    }
    written
}

fn is_torn(file: &std::fs::File, end: u64) -> io::Result<bool> {
    let Some(last) = end.checked_sub(1) else { return Ok(false) };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn event(body: &str) -> Event {
        Event::single("logs-a-b", "1", body)
    }

    fn output(folder: &Path) -> FileOutput {
        FileOutput::new(folder.join("new/findings.ndjson"))
    }

    #[tokio::test]
    async fn appends_lines_to_a_file_that_only_its_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = output(folder.path());
        file.check().await.unwrap();
        assert_eq!(file.publish(&[event(r#"{"a":1}"#)]).await, Ok(vec![Verdict::Done]));
        assert_eq!(output(folder.path()).publish(&[event(r#"{"b":2}"#)]).await, Ok(vec![Verdict::Done]));
        assert_eq!(std::fs::read_to_string(&file.path).unwrap(), "{\"a\":1}\n{\"b\":2}\n");
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&file.path), 0o600);
        assert_eq!(mode(&folder.path().join("new")) & 0o027, 0, "no write for the group, nothing for others");
    }

    #[tokio::test]
    async fn a_line_torn_by_a_crash_does_not_take_the_next_one_along() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = output(folder.path());
        file.check().await.unwrap();
        std::fs::write(&file.path, "{\"a\":").unwrap();
        file.publish(&[event(r#"{"b":2}"#)]).await.unwrap();
        assert_eq!(std::fs::read_to_string(&file.path).unwrap(), "{\"a\":\n{\"b\":2}\n");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_opened_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("new"), "in the way").unwrap();
        let mut file = output(folder.path());
        let error = file.check().await.unwrap_err();
        assert!(error.to_string().contains("new/findings.ndjson"), "{error}");
        assert!(!error.is_temporary());
        assert!(matches!(file.publish(&[event("{}")]).await, Err(BatchError::Again { .. })));
    }
}
