//! Recorded resources: NDJSON, plain or compressed, one resource a line.
//!
//! `related` and `derived` are not stored but computed at load, so that an old recording gets today's verdicts. The first
//! line has the identity, the last one the kinds that were recorded as a whole, with the number of each: of a recording
//! that was cut off, edited, or written by hand, nobody knows what is missing.

mod recorder;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::redact::{self, Reveal};
use crate::resource::{Cluster, Identity, Kind, Node, Presence, Resource, SourceExtent, Unread, object_kind};

pub use recorder::Recorder;

/// The version of the format; a newer one is rejected. Version 1 had no last line.
const VERSION: u32 = 2;
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

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    end: EndBody,
}

#[derive(Serialize, Deserialize)]
struct EndBody {
    /// The kinds ([`SourceExtent::kind_of`]) that were recorded as a whole, each with the number of its lines.
    #[serde(default)]
    whole: BTreeMap<String, u64>,
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

/// What a recording says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingFacts {
    /// The identity in its first line, if there is one.
    pub identity: Option<Identity>,
    /// The kinds that it holds all of. None where it was not read to its last line, or has no such line.
    pub extent: SourceExtent,
}

/// Reads a recording and passes each resource to `emit`, which returns `Ok(false)` to stop. What was written by hand is
/// redacted as a collector would have.
pub fn read(
    path: &Path,
    reveal: &Reveal,
    emit: &mut dyn FnMut(Resource) -> Result<bool, SnapshotError>,
) -> Result<RecordingFacts, SnapshotError> {
    let io = |source| SnapshotError::Io { operation: "read", path: path.to_path_buf(), source };
    let mut reader = open(path).map_err(io)?;
    let mut facts = RecordingFacts { identity: None, extent: SourceExtent::Kinds(BTreeSet::new()) };
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut has_ended = false;
    let mut text = Vec::new();
    let mut number = 0;
    loop {
        text.clear();
        number += 1;
        let at = |message: String| SnapshotError::Line { path: path.to_path_buf(), line: number, message };
        let read = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut text);
        let read = read.map_err(|error| at(format!("the file ends here: {error}")))?;
        if read == 0 {
            return Ok(facts);
        }
        if read as u64 == MAX_LINE {
            return Err(at(format!("the line exceeds {MAX_LINE} bytes")));
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        if has_ended {
            return Err(at("the recording goes on after its last line".to_owned()));
        }
        if number == 1
            && let Ok(header) = serde_json::from_slice::<Header>(&text)
        {
            let header = header.snapshot;
            if !(1..=VERSION).contains(&header.version) {
                return Err(at(format!(
                    "snapshot version {} is not supported; this program reads versions up to {VERSION}",
                    header.version
                )));
            }
            facts.identity = Some(Identity { cluster: header.cluster, node: header.node });
            continue;
        }
        if text.starts_with(b"{\"end\"")
            && let Ok(End { end }) = serde_json::from_slice(&text)
        {
            let is_whole =
                |(kind, count): &(String, u64)| counts.get(kind).copied().unwrap_or_default() == *count;
            facts.extent =
                SourceExtent::Kinds(end.whole.into_iter().filter(is_whole).map(|(kind, _)| kind).collect());
            has_ended = true;
            continue;
        }
        let line: RecordedLine = serde_json::from_slice(&text).map_err(|error| {
            let cut = if text.ends_with(b"\n") { "" } else { " (the file ends in the middle of a line)" };
            at(format!("not a resource: {error}{cut}"))
        })?;
        let mut resource = line.into_resource();
        redact::resource(&mut resource, reveal);
        let kind = SourceExtent::kind_of(&resource);
        match counts.get_mut(kind) {
            Some(count) => *count += 1,
            None => drop(counts.insert(kind.to_owned(), 1)),
        }
        if !emit(resource)? {
            return Ok(facts);
        }
    }
}

/// Only the identity in the first line of a recording.
pub fn identity(path: &Path) -> Result<Option<Identity>, SnapshotError> {
    read(path, &Reveal::default(), &mut |_| Ok(false)).map(|facts| facts.identity)
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

#[cfg(test)]
mod tests;
