//! Kubernetes manifests as YAML or JSON, including the output of `kubectl get -o json`: files, folders as repositories
//! have them, and standard input.
//!
//! What is no Kubernetes object is skipped and named. What was meant as one and cannot be read is an
//! [`UnreadManifest`], and the rest is judged; only where the user named the file itself, the whole read fails.

mod advice;
mod files;
mod objects;
mod several;
#[cfg(test)]
mod tests;
mod text;

use serde_json::Value;
use std::collections::{BTreeSet, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::collect::object;
use crate::redact::{self, Reveal};
use crate::resource::{
    DocumentPositions as _, Gap, Kind, ObjectDemands, Origin, OriginPosition, Owner, Reason, Resource,
    Selector, SkippedInput, Unread, is_built_in,
};
use files::ManifestFile;
use objects::{DocumentObjects, PlacedObject};
pub use several::joined;
use text::{BrokenDocument, ManifestDocument};

/// The largest file that is read, in bytes: ten times the list of all pods of a cluster with 5,000 of them.
const MAX_FILE: u64 = 256 * 1024 * 1024;

/// The most values with template marks that are named in one object; one with more is unread as a whole.
const MAX_MARKS: usize = 20;

/// What marks a template.
const MARK: &str = "{{";

/// A file of manifests that could not be read, although the user named it.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It could not be opened or read.
    #[error("cannot read `{path}`")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// It is neither YAML nor JSON, or not a Kubernetes object.
    #[error("{message}")]
    Malformed {
        /// File, position and problem.
        message: String,
    },
}

/// What manifests hold.
#[derive(Debug, Default)]
pub struct ManifestSet {
    /// Their objects.
    pub resources: Vec<Resource>,
    /// What may hold objects and could not be read.
    pub unread: Vec<UnreadManifest>,
    /// What holds none, or none before it is rendered.
    pub skipped: SkippedInput,
}

/// A file, a folder or a document that may hold any object and could not be read.
#[derive(Debug, Clone, PartialEq)]
pub struct UnreadManifest {
    /// Why, with the file and the position in it.
    pub gap: Gap,
    origin: Origin,
}

impl UnreadManifest {
    /// A file or folder as a whole.
    fn file(path: &Path, gap: Gap) -> Self {
        Self { gap, origin: Origin::fixed(path.display().to_string().into(), 0, None) }
    }

    /// What stands for the objects of this kind that may be in it: every rule about it becomes one error.
    pub fn stand_in(&self, kind: &str) -> Resource {
        let Origin { file, document, .. } = &self.origin;
        let owner = Owner { id: format!("manifest/{file}#{document}"), name: file.to_string() };
        let selector = Selector::new(Kind::K8sObject, kind);
        let mut unseen = Resource::unlisted(&selector, &owner, self.gap.clone());
        unseen.origin = Some(self.origin.clone());
        unseen
    }
}

/// Reads files of manifests, folders recursively, and standard input (`-`). Lists are split into their items. Of kinds
/// that are not built in, only what the demands name is kept.
pub fn read(
    paths: &[PathBuf],
    demands: &ObjectDemands,
    reveal: &Reveal,
) -> Result<ManifestSet, ManifestError> {
    let found = files::find(paths)?;
    let mut reader = ManifestReader {
        demands,
        reveal,
        seen: HashSet::new(),
        charts: BTreeSet::new(),
        set: ManifestSet { unread: found.unread, ..ManifestSet::default() },
    };
    for file in &found.files {
        reader.file(file)?;
    }
    let ManifestReader { mut set, charts, .. } = reader;
    set.skipped.render = advice::commands(&charts, &found.kustomizations);
    Ok(set)
}

struct ManifestReader<'d> {
    demands: &'d ObjectDemands,
    reveal: &'d Reveal,
    /// Ids, to tell objects of the same name apart.
    seen: HashSet<String>,
    /// Those that a file was seen of.
    charts: BTreeSet<PathBuf>,
    set: ManifestSet,
}

impl ManifestReader<'_> {
    fn file(&mut self, file: &ManifestFile) -> Result<(), ManifestError> {
        let shown = file.shown();
        let text = match content(file) {
            Ok(text) => text,
            Err(ContentError::Io(source)) if file.named => {
                return Err(ManifestError::Io { path: shown.into(), source });
            }
            Err(ContentError::Io(error)) => {
                self.set.unread.push(files::unreadable(Path::new(&shown), &error));
                return Ok(());
            }
            Err(ContentError::Unusable(reason, why)) => {
                let gap = Gap::new(reason, format!("read `{shown}`: {why}"));
                return self.unread(file, UnreadManifest::file(Path::new(&shown), gap));
            }
        };
        if file.path.as_deref().is_some_and(advice::is_chart) {
            self.charts.extend(file.path.as_deref().and_then(Path::parent).map(Path::to_path_buf));
        }
        let name: Arc<str> = shown.into();
        let documents = text::documents(&text);
        let several = documents.len() > 1;
        for document in documents {
            self.document(file, &name, document, several)?;
        }
        Ok(())
    }

    fn document(
        &mut self,
        file: &ManifestFile,
        name: &Arc<str>,
        document: ManifestDocument,
        several: bool,
    ) -> Result<(), ManifestError> {
        let ManifestDocument { number, content, text } = document;
        let shown = if several { format!("{name} (document {number})") } else { name.to_string() };
        let is_marked = text.as_str().contains(MARK);
        let broken = |BrokenDocument { at, message }| {
            let hint = if is_marked { " (`{{` marks a template: render it first)" } else { "" };
            broken(name, number, at, &format!("{message}{hint}"))
        };
        match content {
            Err(error) => match &file.chart {
                Some(chart) if is_marked => {
                    if file.named {
                        return Err(advice::template(&broken(error).gap.what, chart));
                    }
                    self.charts.insert(chart.clone());
                    self.set.skipped.templates.push(shown);
                }
                // Whatever is wrong with it, an object has a kind.
                _ if !file.named && !text.as_str().contains("kind") => {
                    self.set.skipped.without_objects.push(format!("{shown} (not YAML: {})", error.message));
                }
                _ => return self.unread(file, broken(error)),
            },
            Ok(value) => match objects::objects(value) {
                Err(message) => {
                    let at = text.locate(&[]).map(|(at, _)| at);
                    return self.unread(file, broken(BrokenDocument { at, message }));
                }
                Ok(DocumentObjects::Other) if file.named => {
                    return Err(advice::no_object(file.path.as_deref(), name, number));
                }
                Ok(DocumentObjects::Other) => self.set.skipped.without_objects.push(shown),
                Ok(DocumentObjects::Objects(found)) => {
                    for (item, object) in found.into_iter().enumerate() {
                        let PlacedObject { place, raw } = object;
                        let containers = objects::containers(&raw);
                        let origin = Origin::new(Arc::clone(name), number, place, Arc::clone(&text) as _);
                        let fallback = format!("{name}:{number}.{}", item + 1);
                        let mut resource = self.resource(raw, &fallback);
                        if file.chart.is_some() {
                            resource.unread.extend(marked(&resource.raw));
                        }
                        resource.origin = Some(origin.with_containers(containers));
                        self.set.resources.push(resource);
                    }
                }
            },
        }
        Ok(())
    }

    /// An object as the collectors emit it.
    fn resource(&mut self, mut raw: Value, place: &str) -> Resource {
        let revealed = redact::revealing(&mut raw, self.reveal);
        let mut resource = object::resource(raw, None);
        if !self.seen.insert(resource.id.clone()) {
            resource = object::resource(resource.raw, Some(place));
        }
        if !is_built_in(&resource.sub_type) {
            let nothing = BTreeSet::new();
            let reads = self.demands.get(&resource.sub_type).map_or(&nothing, |demand| &demand.reads);
            let cut = redact::foreign_object(&mut resource.raw, reads);
            resource.unread.extend(cut);
        }
        resource.revealed = revealed;
        resource
    }

    /// An outcome of its own; the end, where the user named the file.
    fn unread(&mut self, file: &ManifestFile, unread: UnreadManifest) -> Result<(), ManifestError> {
        if file.named {
            let message = unread.gap.what;
            return Err(ManifestError::Malformed { message });
        }
        self.set.unread.push(unread);
        Ok(())
    }
}

fn broken(name: &Arc<str>, document: usize, at: Option<OriginPosition>, message: &str) -> UnreadManifest {
    let place = at.map_or_else(String::new, |at| format!(":{}:{}", at.line, at.column));
    let what = format!("{name}{place}: document {document}: {message}");
    let gap = Gap::new(Reason::Malformed, what);
    UnreadManifest { gap, origin: Origin::fixed(Arc::clone(name), document, at) }
}

enum ContentError {
    Io(std::io::Error),
    Unusable(Reason, String),
}

/// The text of a file, within the bound.
fn content(file: &ManifestFile) -> Result<String, ContentError> {
    let source: Box<dyn Read> = match &file.path {
        Some(path) => Box::new(std::fs::File::open(path).map_err(ContentError::Io)?),
        None => Box::new(std::io::stdin().lock()),
    };
    let mut bytes = Vec::new();
    source.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(ContentError::Io)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(ContentError::Unusable(Reason::TooLarge, format!("more than {MAX_FILE} bytes")));
    }
    let not_text = |_| ContentError::Unusable(Reason::Malformed, "not UTF-8 text".to_owned());
    let text = String::from_utf8(bytes).map_err(not_text)?;
    // Editors of Windows put a mark of the encoding before it.
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// The values of a template that parses: what they will be is not known before it is rendered.
fn marked(raw: &Value) -> Vec<Unread> {
    let mut found = Vec::new();
    marks(raw, "$", &mut found);
    let unread = |at: String| {
        let what = format!("render `{at}`: the chart's template was not rendered");
        Unread::new(at, Reason::Malformed, what)
    };
    if found.len() > MAX_MARKS {
        vec![unread("$".to_owned())]
    } else {
        found.into_iter().map(unread).collect()
    }
}

fn marks(value: &Value, at: &str, found: &mut Vec<String>) {
    if found.len() > MAX_MARKS {
        return;
    }
    match value {
        Value::String(text) if text.contains(MARK) => found.push(at.to_owned()),
        Value::Object(map) => {
            for (key, value) in map {
                if key.contains(MARK) {
                    found.push(at.to_owned());
                }
                marks(value, &format!("{at}['{key}']"), found);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| marks(item, &format!("{at}[{index}]"), found));
        }
        _ => {}
    }
}
