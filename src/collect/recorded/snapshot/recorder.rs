//! Writes a recording.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::{End, EndBody, Header, HeaderBody, RecordedLine, SnapshotError, VERSION};
use crate::resource::{Identity, Resource, SourceExtent};

/// Writes a recording. The file gets its final name only when it is complete.
pub struct Recorder {
    path: PathBuf,
    partial: PathBuf,
    writer: RecordingWriter,
    /// Lines by kind.
    counts: BTreeMap<String, u64>,
}

enum RecordingWriter {
    Plain(std::io::BufWriter<File>),
    Gzip(flate2::write::GzEncoder<File>),
    Zstd(zstd::stream::write::Encoder<'static, File>),
}

impl Recorder {
    /// Starts a recording, compressed according to the file's extension.
    pub fn create(path: &Path, identity: &Identity, taken: &str) -> Result<Self, SnapshotError> {
        let not_a_file = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
        if not_a_file {
            // Renaming a recording over a device would replace the device.
            let source = std::io::Error::other("not a regular file: name one for the recording");
            return Err(SnapshotError::Io { operation: "write", path: path.to_path_buf(), source });
        }
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let io = |source| SnapshotError::Io { operation: "write", path: partial.clone(), source };
        let file = create_anew(&partial).map_err(io)?;
        let writer = match path.extension().and_then(|extension| extension.to_str()) {
            Some("gz") => {
                RecordingWriter::Gzip(flate2::write::GzEncoder::new(file, flate2::Compression::best()))
            }
            Some("zst") => RecordingWriter::Zstd(zstd::stream::write::Encoder::new(file, 0).map_err(io)?),
            _ => RecordingWriter::Plain(std::io::BufWriter::new(file)),
        };
        let mut recorder = Self { path: path.to_path_buf(), partial, writer, counts: BTreeMap::new() };
        let header = HeaderBody {
            version: VERSION,
            cluster: identity.cluster.clone(),
            node: identity.node.clone(),
            taken: taken.to_owned(),
        };
        recorder.line(&Header { snapshot: header })?;
        Ok(recorder)
    }

    /// Adds a resource.
    pub fn add(&mut self, resource: &Resource) -> Result<(), SnapshotError> {
        *self.counts.entry(SourceExtent::kind_of(resource).to_owned()).or_default() += 1;
        self.line(&RecordedLine {
            kind: resource.kind,
            sub_type: resource.sub_type.clone(),
            id: resource.id.clone(),
            name: resource.name.clone(),
            raw: resource.raw.as_object().cloned().unwrap_or_default(),
            unread: resource
                .unread
                .iter()
                .filter(|unread| !unread.at.starts_with("$.related"))
                .cloned()
                .collect(),
        })
    }

    /// Completes the recording, which holds all there is of the kinds `whole`, and renames it to its final name.
    pub fn finish(mut self, whole: &BTreeSet<String>) -> Result<(), SnapshotError> {
        let count = |kind: &String| self.counts.get(kind).copied().unwrap_or_default();
        let whole = whole.iter().map(|kind| (kind.clone(), count(kind))).collect();
        self.line(&End { end: EndBody { whole } })?;
        let Self { path, partial, writer, .. } = self;
        let ended = match writer {
            RecordingWriter::Plain(writer) => {
                writer.into_inner().map_err(std::io::IntoInnerError::into_error)
            }
            RecordingWriter::Gzip(writer) => writer.finish(),
            RecordingWriter::Zstd(writer) => writer.finish(),
        };
        ended
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(&partial, &path))
            .map_err(|source| SnapshotError::Io { operation: "write", path, source })
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), SnapshotError> {
        let Self { partial, writer, .. } = self;
        let writer: &mut dyn Write = match writer {
            RecordingWriter::Plain(writer) => writer,
            RecordingWriter::Gzip(writer) => writer,
            RecordingWriter::Zstd(writer) => writer,
        };
        serde_json::to_writer(&mut *writer, value)
            .map_err(std::io::Error::from)
            .and_then(|()| writer.write_all(b"\n"))
            .map_err(|source| SnapshotError::Io { operation: "write", path: partial.clone(), source })
    }
}

/// Creates a new file that only its owner can read, as it shows how a cluster is protected. A leftover of an earlier
/// run is removed first, and a planted link is not followed.
fn create_anew(path: &Path) -> std::io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => OpenOptions::new().write(true).create_new(true).mode(0o600).open(path),
    }
}
