//! Recorded resources: NDJSON, plain or compressed, one resource a line.
//!
//! `related` and `derived` are not stored but computed at load, so that an old recording gets today's verdicts.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::resource::{Cluster, Identity, Kind, Node, Presence, Resource, Unread, object_kind};

/// The version of the format; a newer one is rejected.
const VERSION: u32 = 1;
/// The longest line, in bytes: an object of the largest size that etcd accepts, escaped.
const MAX_LINE: u64 = 16 * 1024 * 1024;

/// The largest window of a zstd stream, as a power of two: 128 MiB, what `zstd` itself takes without `--long`. A stream
/// asks for that much memory before its first byte.
const MAX_WINDOW: u32 = 27;

/// A recording that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file could not be opened, read or written.
    #[error("cannot {operation} `{path}`")]
    Io {
        /// `read` or `write`.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A line is malformed.
    #[error("{path}:{line}: {message}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Its number, from 1.
        line: u64,
        /// The problem.
        message: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Header {
    snapshot: HeaderBody,
}

#[derive(Serialize, Deserialize)]
struct HeaderBody {
    version: u32,
    #[serde(default)]
    cluster: Cluster,
    #[serde(default)]
    node: Node,
    #[serde(default)]
    taken: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedLine {
    #[serde(rename = "type")]
    kind: Kind,
    sub_type: String,
    id: String,
    name: String,
    raw: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unread: Vec<Unread>,
}

/// Reads a recording and passes each resource to `emit`, which returns `Ok(false)` to stop. Returns the identity in
/// the first line, if there is one.
pub fn read(
    path: &Path,
    emit: &mut dyn FnMut(Resource) -> Result<bool, SnapshotError>,
) -> Result<Option<Identity>, SnapshotError> {
    let io = |source| SnapshotError::Io { operation: "read", path: path.to_path_buf(), source };
    let mut reader = open(path).map_err(io)?;
    let mut identity = None;
    let mut text = Vec::new();
    let mut number = 0;
    loop {
        text.clear();
        number += 1;
        let at = |message: String| SnapshotError::Line { path: path.to_path_buf(), line: number, message };
        let read = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut text);
        let read = read.map_err(|error| at(format!("the file ends here: {error}")))?;
        if read == 0 {
            return Ok(identity);
        }
        if read as u64 == MAX_LINE {
            return Err(at(format!("the line exceeds {MAX_LINE} bytes")));
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        if number == 1
            && let Ok(header) = serde_json::from_slice::<Header>(&text)
        {
            let header = header.snapshot;
            if header.version != VERSION {
                return Err(at(format!(
                    "snapshot version {} is not supported; this program reads version {VERSION}",
                    header.version
                )));
            }
            identity = Some(Identity { cluster: header.cluster, node: header.node });
            continue;
        }
        let line: RecordedLine = serde_json::from_slice(&text).map_err(|error| {
            let cut = if text.ends_with(b"\n") { "" } else { " (the file ends in the middle of a line)" };
            at(format!("not a resource: {error}{cut}"))
        })?;
        if !emit(line.into_resource())? {
            return Ok(identity);
        }
    }
}

/// Only the identity in the first line of a recording.
pub fn identity(path: &Path) -> Result<Option<Identity>, SnapshotError> {
    read(path, &mut |_| Ok(false))
}

fn open(path: &Path) -> std::io::Result<BufReader<Box<dyn Read>>> {
    let file = File::open(path)?;
    let reader: Box<dyn Read> = match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(file)),
        Some("zst") => {
            let mut decoder = zstd::stream::read::Decoder::new(file)?;
            decoder.window_log_max(MAX_WINDOW)?;
            Box::new(decoder)
        }
        _ => Box::new(file),
    };
    Ok(BufReader::new(reader))
}

impl RecordedLine {
    /// A line stands for a whole kind if its id is that of the cluster or node, and nothing of it could be read.
    fn presence(&self) -> Presence {
        let is_owner = self.id.starts_with("cluster/") || self.id.starts_with("node/");
        if is_owner && self.unread.iter().any(|unread| unread.at == "$") {
            Presence::Unlisted
        } else {
            Presence::Observed
        }
    }

    fn into_resource(self) -> Resource {
        let presence = self.presence();
        let text = |key: &str| self.raw.get(key).and_then(Value::as_str).unwrap_or_default();
        let sub_type = match (self.kind, text("kind")) {
            (Kind::K8sObject, kind) if !kind.is_empty() => object_kind(text("apiVersion"), kind),
            _ => self.sub_type,
        };
        Resource {
            unread: self.unread,
            presence,
            ..Resource::observed(self.kind, sub_type, self.id, self.name, Value::Object(self.raw))
        }
    }
}

// === Recorder ===

/// Writes a recording. The file gets its final name only when it is complete.
pub struct Recorder {
    path: PathBuf,
    partial: PathBuf,
    writer: RecordingWriter,
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
        let mut recorder = Self { path: path.to_path_buf(), partial, writer };
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

    /// Completes the recording and renames it to its final name.
    pub fn finish(self) -> Result<(), SnapshotError> {
        let Self { path, partial, writer } = self;
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(name: &str) -> Resource {
        crate::collect::object::resource(
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}),
            None,
        )
    }

    fn all(path: &Path) -> Result<(Option<Identity>, Vec<Resource>), SnapshotError> {
        let mut out = Vec::new();
        let identity = read(path, &mut |resource| {
            out.push(resource);
            Ok(true)
        })?;
        Ok((identity, out))
    }

    #[test]
    fn what_is_recorded_reads_back_in_every_form() {
        let folder = tempfile::tempdir().unwrap();
        let mut identity = Identity::default();
        identity.cluster.id = "c".into();
        for name in ["a.ndjson", "a.ndjson.gz", "a.ndjson.zst"] {
            let path = folder.path().join(name);
            let mut recorder = Recorder::create(&path, &identity, "2026-01-01T00:00:00Z").unwrap();
            recorder.add(&pod("x")).unwrap();
            recorder.add(&pod("y")).unwrap();
            assert!(!path.exists(), "not before it is whole");
            recorder.finish().unwrap();
            let (back, resources) = all(&path).unwrap();
            assert_eq!(back.as_ref(), Some(&identity));
            assert_eq!(resources, [pod("x"), pod("y")]);
        }
    }

    /// A stream names the memory that it needs in its first bytes, and may lie.
    #[test]
    fn a_stream_that_asks_for_more_memory_than_is_usual_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ndjson.zst");
        let write = |log: u32| {
            let mut encoder = zstd::stream::write::Encoder::new(File::create(&path).unwrap(), 1).unwrap();
            encoder.window_log(log).unwrap();
            encoder.write_all(b"\n").unwrap();
            encoder.finish().unwrap();
        };
        write(MAX_WINDOW);
        assert!(all(&path).is_ok());
        write(MAX_WINDOW + 1);
        let message = all(&path).unwrap_err().to_string();
        assert!(message.contains("memory"), "{message}");
    }

    #[test]
    fn a_recording_is_for_its_owner_only_and_follows_no_link() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (path, partial) = (folder.path().join("a.ndjson"), folder.path().join("a.ndjson.partial"));
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, &partial).unwrap();
        Recorder::create(&path, &Identity::default(), "").unwrap().finish().unwrap();
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
        let recorded = std::fs::symlink_metadata(&path).unwrap();
        assert!(recorded.is_file());
        assert_eq!(recorded.permissions().mode() & 0o777, 0o600);

        std::fs::write(&partial, "of a run that broke off\n").unwrap();
        Recorder::create(&path, &Identity::default(), "").unwrap().finish().unwrap();
        assert!(all(&path).unwrap().0.is_some());
    }

    #[test]
    fn what_the_system_said_is_said_once() {
        let error = anyhow::Error::from(all(Path::new("/nowhere/a.ndjson")).unwrap_err());
        let text = format!("{error:#}");
        assert_eq!(text, "cannot read `/nowhere/a.ndjson`: No such file or directory (os error 2)");
        let error = Recorder::create(Path::new("/nowhere/a.ndjson"), &Identity::default(), "").err().unwrap();
        assert_eq!(error.to_string(), "cannot write `/nowhere/a.ndjson.partial`");
    }

    #[test]
    fn a_broken_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ndjson");
        std::fs::write(&path, "{\"snapshot\":{\"version\":1}}\n\n{\"type\":\"file\",\"sub").unwrap();
        let message = all(&path).unwrap_err().to_string();
        assert!(
            message.contains("a.ndjson:3: not a resource") && message.contains("middle of a line"),
            "{message}"
        );
        std::fs::write(&path, "{\"snapshot\":{\"version\":9}}\n").unwrap();
        assert!(all(&path).unwrap_err().to_string().contains(":1: snapshot version 9 is not supported"));
    }

    #[test]
    fn a_truncated_archive_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ndjson.gz");
        let mut recorder = Recorder::create(&path, &Identity::default(), "").unwrap();
        (0..100).for_each(|index| recorder.add(&pod(&format!("pod-{index}"))).unwrap());
        recorder.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(all(&path).unwrap_err().to_string().contains("the file ends here"));
    }
}
