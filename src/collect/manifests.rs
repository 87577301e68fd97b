//! Plain Kubernetes YAML and JSON: manifests, and what `kubectl get -o json` prints.

use serde_json::Value;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::{object, redact};
use crate::resource::Resource;
use crate::yaml;

/// The largest file of manifests that is read.
const MAX_FILE: u64 = 256 * 1024 * 1024;

/// A file of manifests that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It could not be opened or read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is neither YAML nor JSON, or not of Kubernetes.
    #[error("{path}:{message}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where, and what was wrong.
        message: String,
    },
}

/// Reads files of manifests, and folders of them, as resources. Lists are taken apart.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Resource>, ManifestError> {
    let mut resources = Vec::new();
    let mut seen = HashSet::new();
    for path in files(paths)? {
        for (number, document) in documents(&path)?.into_iter().enumerate() {
            for (item, mut raw) in objects(document).into_iter().enumerate() {
                if raw.get("kind").and_then(Value::as_str).is_none() {
                    let message = format!(" document {}: no `kind`: not a Kubernetes object", number + 1);
                    return Err(ManifestError::Malformed { path, message });
                }
                redact::kubernetes_object(&mut raw);
                let mut resource = object::resource(raw, None);
                if !seen.insert(resource.id.clone()) {
                    let place = format!("{}:{}.{}", path.display(), number + 1, item + 1);
                    resource = object::resource(resource.raw, Some(&place));
                }
                resources.push(resource);
            }
        }
    }
    Ok(resources)
}

fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ManifestError> {
    let mut files = Vec::new();
    for path in paths {
        let io = |source| ManifestError::Io { path: path.clone(), source };
        if !std::fs::metadata(path).map_err(io)?.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(io)? {
            let entry = entry.map_err(io)?.path();
            let ending = entry.extension().and_then(|ending| ending.to_str());
            if entry.is_file() && ending.is_some_and(|ending| ["yaml", "yml", "json"].contains(&ending)) {
                inside.push(entry);
            }
        }
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

fn documents(path: &Path) -> Result<Vec<Value>, ManifestError> {
    let io = |source| ManifestError::Io { path: path.to_path_buf(), source };
    let size = std::fs::metadata(path).map_err(io)?.len();
    let malformed = |message| ManifestError::Malformed { path: path.to_path_buf(), message };
    if size > MAX_FILE {
        return Err(malformed(format!(" {size} bytes, and {MAX_FILE} are the most that is read")));
    }
    let text = std::fs::read_to_string(path).map_err(io)?;
    // JSON is read by its own parser: a list from kubectl may be far larger than any hand-written YAML.
    if text.trim_start().starts_with(['{', '[']) {
        return serde_json::from_str(&text)
            .map(|document| vec![document])
            .map_err(|error| malformed(format!("{}:{}: {error}", error.line(), error.column())));
    }
    let documents: Vec<Value> = yaml::all_from_str(&text).map_err(|error| malformed(error.to_string()))?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// The objects of a document: of a list its items, which take `kind` and `apiVersion` from it.
fn objects(document: Value) -> Vec<Value> {
    let kind = document.get("kind").and_then(Value::as_str).unwrap_or_default();
    let item_kind = kind.strip_suffix("List").filter(|_| document.get("items").is_some()).map(str::to_owned);
    let Some(item_kind) = item_kind else {
        return match document {
            Value::Array(documents) => documents.into_iter().flat_map(objects).collect(),
            document => vec![document],
        };
    };
    let version = document.get("apiVersion").cloned();
    let Value::Object(mut list) = document else { return Vec::new() };
    let Some(Value::Array(items)) = list.remove("items") else { return Vec::new() };
    items
        .into_iter()
        .map(|mut item| {
            if let Some(object) = item.as_object_mut()
                && !item_kind.is_empty()
            {
                object.entry("kind").or_insert_with(|| Value::from(item_kind.as_str()));
                if let Some(version) = &version {
                    object.entry("apiVersion").or_insert_with(|| version.clone());
                }
            }
            item
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(name: &str, text: &str) -> Result<Vec<Resource>, ManifestError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        read(&[path])
    }

    #[test]
    fn documents_lists_and_equal_names() {
        let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\n---\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}}\n";
        let resources = read_text("m.yaml", text).unwrap();
        assert_eq!(resources.len(), 2);
        assert_eq!(resources[0].id, "v1/Pod/shop/a");
        assert!(
            resources[1].id.starts_with("v1/Pod/shop/a#") && resources[1].id.ends_with("m.yaml:2.1"),
            "{}",
            resources[1].id
        );
    }

    #[test]
    fn what_kubectl_prints() {
        let text =
            r#"{"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "a", "uid": "u"}}]}"#;
        let resources = read_text("m.json", text).unwrap();
        assert_eq!((resources[0].id.as_str(), resources[0].sub_type.as_str()), ("u", "Pod"));
    }

    #[test]
    fn mistakes_say_where() {
        let message = read_text("m.yaml", "a: [\n").unwrap_err().to_string();
        assert!(message.contains("m.yaml:2:") || message.contains("m.yaml:1:"), "{message}");
        assert!(read_text("m.yaml", "a: 1\n").unwrap_err().to_string().contains("no `kind`"));
    }
}
