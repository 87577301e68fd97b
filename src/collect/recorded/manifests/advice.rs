//! What to do about files that only another program turns into objects: charts and kustomizations.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::ManifestError;
use super::files::is_kustomization;

/// Where the rendered objects go.
const JUDGE: &str = "posturebeat scan --manifests -";

/// Whether a file describes a chart.
pub(super) fn is_chart(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "Chart.yaml")
}

/// The commands that render what was found, a line each.
pub(super) fn commands(charts: &BTreeSet<PathBuf>, kustomizations: &[PathBuf]) -> Vec<String> {
    // The charts that another one has in its folder `charts` are rendered with it.
    let is_own = |chart: &&PathBuf| !charts.iter().any(|other| other != *chart && chart.starts_with(other));
    let charts = charts.iter().filter(is_own).map(|chart| helm(chart));
    let kustomizations: BTreeSet<&PathBuf> = kustomizations.iter().collect();
    charts.chain(kustomizations.into_iter().map(|folder| kustomize(folder))).collect()
}

/// A template that the user named.
pub(super) fn template(what: &str, chart: &Path) -> ManifestError {
    let message = format!("{what} (a template of a chart: render it with `{}`)", helm(chart));
    ManifestError::Malformed { message }
}

/// A file that the user named and that holds no object.
pub(super) fn no_object(path: Option<&Path>, name: &str, document: usize) -> ManifestError {
    let folder = |path: &Path| match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let advice = match path {
        Some(path) if is_chart(path) => format!(" but a chart: `{}`", helm(&folder(path))),
        Some(path) if is_kustomization(path) => {
            format!(" but a kustomization: `{}`", kustomize(&folder(path)))
        }
        _ => ": it has no `kind`".to_owned(),
    };
    ManifestError::Malformed {
        message: format!("{name}: document {document}: not a Kubernetes object{advice}"),
    }
}

fn helm(chart: &Path) -> String {
    format!("helm template {} | {JUDGE}", quoted(chart))
}

fn kustomize(folder: &Path) -> String {
    format!("kustomize build {} | {JUDGE}", quoted(folder))
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
