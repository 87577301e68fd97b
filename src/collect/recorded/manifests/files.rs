//! Which files a path means: the file itself, standard input, or what lies in a folder.

use std::ffi::OsStr;
use std::fs::{DirEntry, FileType};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use super::{ManifestError, UnreadManifest};
use crate::resource::{Gap, Reason};

/// The most files that are read from folders; the repository of a large platform has thousands.
const MAX_FILES: usize = 10_000;

/// The depth to which folders are read: that of a repository with the packages of others in it.
const MAX_DEPTH: usize = 64;

/// The path that means standard input.
const STANDARD_INPUT: &str = "-";

/// The names that kustomize knows.
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
const CHART: &str = "Chart.yaml";
/// The folder of a chart's templates.
const TEMPLATES: &str = "templates";

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ManifestFile {
    /// `None`: standard input.
    pub path: Option<PathBuf>,
    /// Whether the user named it, rather than the folder that it lies in.
    pub named: bool,
    /// The chart whose template it is.
    pub chart: Option<PathBuf>,
}

impl ManifestFile {
    /// Its name in messages.
    pub(super) fn shown(&self) -> String {
        self.path.as_ref().map_or_else(|| "<stdin>".to_owned(), |path| path.display().to_string())
    }
}

/// What was found below the paths.
#[derive(Debug, Default)]
pub(super) struct FoundFiles {
    pub files: Vec<ManifestFile>,
    /// Folders with a kustomization.
    pub kustomizations: Vec<PathBuf>,
    /// What could not be looked at.
    pub unread: Vec<UnreadManifest>,
    /// Files so far, and what could not be looked at: over the bound, one outcome stands for the rest.
    seen: usize,
}

/// The files of these paths, those of a folder in the order of their names.
pub(super) fn find(paths: &[PathBuf]) -> Result<FoundFiles, ManifestError> {
    let mut found = FoundFiles::default();
    for path in paths {
        if path.as_os_str() == STANDARD_INPUT {
            found.files.push(ManifestFile { path: None, named: true, chart: None });
            continue;
        }
        let io = |source| ManifestError::Io { path: path.clone(), source };
        if std::fs::metadata(path).map_err(io)?.is_dir() {
            let first = found.files.len();
            let entries = entries(path).map_err(io)?;
            found.descend(path, entries, &FolderPlace { levels: MAX_DEPTH, chart: chart_above(path) });
            found.files[first..].sort_by(|one, other| one.path.cmp(&other.path));
        } else {
            let chart = path.parent().and_then(chart_above);
            found.files.push(ManifestFile { path: Some(path.clone()), named: true, chart });
        }
    }
    Ok(found)
}

/// Where a folder lies.
struct FolderPlace {
    /// How many levels deeper may be read.
    levels: usize,
    /// The chart of whose templates it is one.
    chart: Option<PathBuf>,
}

impl FoundFiles {
    /// Links to folders are not followed and hidden folders are skipped: a mounted ConfigMap has its files in both, and
    /// they would be read twice.
    fn descend(&mut self, folder: &Path, entries: Vec<(DirEntry, FileType)>, place: &FolderPlace) {
        let is_chart = entries.iter().any(|(entry, _)| entry.file_name() == CHART);
        if entries.iter().any(|(entry, _)| KUSTOMIZATIONS.iter().any(|name| entry.file_name() == *name)) {
            self.kustomizations.push(folder.to_path_buf());
        }
        for (entry, kind) in entries {
            let path = entry.path();
            if !kind.is_dir() {
                self.file(path, place);
                continue;
            }
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let Some(levels) = place.levels.checked_sub(1) else {
                let what = format!("read `{}`: more than {MAX_DEPTH} folders deep", path.display());
                self.unread.push(UnreadManifest::file(&path, Gap::new(Reason::TooLarge, what)));
                continue;
            };
            let starts = is_chart && entry.file_name() == TEMPLATES;
            let chart = if starts { Some(folder.to_path_buf()) } else { place.chart.clone() };
            match self::entries(&path) {
                Ok(entries) => self.descend(&path, entries, &FolderPlace { levels, chart }),
                Err(error) => self.unread.push(unreadable(&path, &error)),
            }
        }
    }

    fn file(&mut self, path: PathBuf, place: &FolderPlace) {
        let ending = path.extension().and_then(OsStr::to_str);
        if !ending.is_some_and(|ending| ["yaml", "yml", "json"].contains(&ending)) {
            return;
        }
        self.seen += 1;
        if self.seen > MAX_FILES {
            if self.seen == MAX_FILES + 1 {
                let what =
                    format!("read `{}`: more than {MAX_FILES} files; name fewer folders", path.display());
                self.unread.push(UnreadManifest::file(&path, Gap::new(Reason::TooLarge, what)));
            }
            return;
        }
        match std::fs::metadata(&path) {
            Err(error) => self.unread.push(unreadable(&path, &error)),
            // A link to a folder.
            Ok(metadata) if metadata.is_dir() => {}
            Ok(metadata) if metadata.is_file() => {
                self.files.push(ManifestFile { path: Some(path), named: false, chart: place.chart.clone() });
            }
            Ok(_) => {
                let what = format!("read `{}`: not a regular file", path.display());
                self.unread.push(UnreadManifest::file(&path, Gap::new(Reason::Malformed, what)));
            }
        }
    }
}

/// Whether kustomize reads this file.
pub(super) fn is_kustomization(path: &Path) -> bool {
    KUSTOMIZATIONS.iter().any(|name| path.file_name().is_some_and(|own| own == *name))
}

/// The chart of whose templates a folder is one that was named by itself.
fn chart_above(folder: &Path) -> Option<PathBuf> {
    let folder = std::path::absolute(folder).ok()?;
    let templates =
        folder.ancestors().find(|above| above.file_name().is_some_and(|name| name == TEMPLATES))?;
    let chart = templates.parent()?;
    chart.join(CHART).is_file().then(|| chart.to_path_buf())
}

fn entries(folder: &Path) -> std::io::Result<Vec<(DirEntry, FileType)>> {
    std::fs::read_dir(folder)?
        .map(|entry| {
            let entry = entry?;
            let kind = entry.file_type()?;
            Ok((entry, kind))
        })
        .collect()
}

/// A file or folder that the system does not let us read.
pub(super) fn unreadable(path: &Path, error: &Error) -> UnreadManifest {
    let reason = match error.kind() {
        ErrorKind::PermissionDenied => Reason::Denied,
        ErrorKind::NotFound => Reason::Missing,
        _ => Reason::Unavailable,
    };
    UnreadManifest::file(path, Gap::new(reason, format!("read `{}`: {error}", path.display())))
}
