//! Kubernetes manifests as YAML or JSON, including the output of `kubectl get -o json`.

use serde_json::Value;
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use crate::collect::object;
use crate::redact::{self, Reveal};
use crate::resource::{ObjectDemands, Resource, is_built_in};
use crate::yaml;

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 256 * 1024 * 1024;

/// The most files that are read from folders; the repository of a large platform has thousands.
const MAX_FILES: usize = 10_000;

/// The depth to which folders are read.
const MAX_DEPTH: usize = 16;

/// A file of manifests that could not be read.
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
    #[error("{path}:{message}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Position and problem.
        message: String,
    },
    /// A folder exceeds a bound; reading only a part would look like the whole.
    #[error("`{path}` {message}")]
    TooMuch {
        /// The folder.
        path: PathBuf,
        /// The bound, and what to do.
        message: String,
    },
}

/// Reads files of manifests, and folders recursively, as resources. Lists are split into their items. Of kinds that are
/// not built in, only what the demands name is kept.
pub fn read(
    paths: &[PathBuf],
    demands: &ObjectDemands,
    reveal: &Reveal,
) -> Result<Vec<Resource>, ManifestError> {
    let mut resources = Vec::new();
    let (mut seen, nothing) = (HashSet::new(), BTreeSet::new());
    for path in files(paths)? {
        for (number, document) in documents(&path)?.into_iter().enumerate() {
            let malformed = |what: &str| {
                let message = format!(" document {}: {what}", number + 1);
                ManifestError::Malformed { path: path.clone(), message }
            };
            let mut raws = Vec::new();
            objects(document, &mut raws).map_err(|what| malformed(&what))?;
            for (item, mut raw) in raws.into_iter().enumerate() {
                if raw.get("kind").and_then(Value::as_str).is_none() {
                    return Err(malformed("no `kind`: not a Kubernetes object"));
                }
                let revealed = redact::revealing(&mut raw, reveal);
                let mut resource = object::resource(raw, None);
                if !seen.insert(resource.id.clone()) {
                    let place = format!("{}:{}.{}", path.display(), number + 1, item + 1);
                    resource = object::resource(resource.raw, Some(&place));
                }
                if !is_built_in(&resource.sub_type) {
                    let reads = demands.get(&resource.sub_type).map_or(&nothing, |demand| &demand.reads);
                    let cut = redact::foreign_object(&mut resource.raw, reads);
                    resource.unread.extend(cut);
                }
                resource.revealed = revealed;
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
        if std::fs::metadata(path).map_err(io)?.is_dir() {
            let first = files.len();
            descend(path, MAX_DEPTH, &mut files)?;
            files[first..].sort();
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// Links to folders are not followed and hidden folders are skipped: a mounted ConfigMap has its files in both, and
/// they would be read twice.
fn descend(folder: &Path, levels: usize, files: &mut Vec<PathBuf>) -> Result<(), ManifestError> {
    let io = |source| ManifestError::Io { path: folder.to_path_buf(), source };
    let too_much = |message| ManifestError::TooMuch { path: folder.to_path_buf(), message };
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let path = entry.path();
        if entry.file_type().map_err(io)?.is_dir() {
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let Some(levels) = levels.checked_sub(1) else {
                let message =
                    format!("has folders more than {MAX_DEPTH} levels deep; name those folders directly");
                return Err(too_much(message));
            };
            descend(&path, levels, files)?;
            continue;
        }
        let ending = path.extension().and_then(|ending| ending.to_str());
        if ending.is_some_and(|ending| ["yaml", "yml", "json"].contains(&ending)) && path.is_file() {
            if files.len() >= MAX_FILES {
                let message = format!("exceeds the limit of {MAX_FILES} files; name fewer folders");
                return Err(too_much(message));
            }
            files.push(path);
        }
    }
    Ok(())
}

fn documents(path: &Path) -> Result<Vec<Value>, ManifestError> {
    let io = |source| ManifestError::Io { path: path.to_path_buf(), source };
    let size = std::fs::metadata(path).map_err(io)?.len();
    let malformed = |message| ManifestError::Malformed { path: path.to_path_buf(), message };
    if size > MAX_FILE {
        return Err(malformed(format!(" {size} bytes exceed the limit of {MAX_FILE}")));
    }
    let text = std::fs::read_to_string(path).map_err(io)?;
    // JSON has its own parser, as a list from kubectl may be far larger than any hand-written YAML.
    if text.trim_start().starts_with(['{', '[']) {
        return serde_json::from_str(&text)
            .map(|document| vec![document])
            .map_err(|error| malformed(format!("{}:{}: {error}", error.line(), error.column())));
    }
    let documents: Vec<Value> = yaml::all_of_own_str(&text).map_err(|error| malformed(error.to_string()))?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// The objects of a document; for a list its items, which inherit `kind` and `apiVersion` and may be lists
/// themselves. Fails with the problem. The parser bounds the depth.
fn objects(document: Value, out: &mut Vec<Value>) -> Result<(), String> {
    let mut list = match document {
        Value::Array(documents) => return documents.into_iter().try_for_each(|item| objects(item, out)),
        Value::Object(map) => map,
        other => {
            out.push(other);
            return Ok(());
        }
    };
    let kind = list.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(item_kind) = kind.strip_suffix("List").filter(|_| list.contains_key("items")) else {
        out.push(Value::Object(list));
        return Ok(());
    };
    let version = list.remove("apiVersion");
    let items = match list.remove("items") {
        Some(Value::Array(items)) => items,
        // An empty list, as Go serialises it.
        None | Some(Value::Null) => return Ok(()),
        Some(_) => return Err(format!("expected `items` of a `{kind}` to be a list")),
    };
    for mut item in items {
        if let Some(object) = item.as_object_mut()
            && !item_kind.is_empty()
        {
            object.entry("kind").or_insert_with(|| Value::from(item_kind));
            if let Some(version) = &version {
                object.entry("apiVersion").or_insert_with(|| version.clone());
            }
        }
        objects(item, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(name: &str, text: &str) -> Result<Vec<Resource>, ManifestError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        read(&[path], &ObjectDemands::new(), &Reveal::default())
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

    #[test]
    fn lists_within_lists() {
        let pods = r#"{"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "a"}}]}"#;
        let text = format!(r#"{{"kind": "List", "items": [{{"kind": "List", "items": [{pods}]}}, {pods}]}}"#);
        let resources = read_text("m.json", &text).unwrap();
        let kinds: Vec<&str> = resources.iter().map(|resource| resource.sub_type.as_str()).collect();
        assert_eq!(kinds, ["Pod", "Pod"]);
        assert_eq!(resources[0].id, "v1/Pod//a");
    }

    #[test]
    fn items_that_are_no_list_are_an_error() {
        let pod = "kind: Pod\nmetadata: {name: a}\n";
        let message = read_text("m.yaml", &format!("{pod}---\nkind: PodList\nitems: {{a: 1}}\n"))
            .unwrap_err()
            .to_string();
        assert!(message.contains("m.yaml: document 2: expected `items` of a `PodList`"), "{message}");
        assert!(read_text("m.yaml", "kind: PodList\nitems: null\n").unwrap().is_empty());
    }

    #[test]
    fn folders_are_read_with_the_folders_inside_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let pod = |path: &str, name: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("kind: Pod\nmetadata: {{name: {name}}}\n")).unwrap();
        };
        pod("c.yml", "third");
        pod("a/z.json.yaml", "second");
        pod("a/b/y.yaml", "first");
        pod("a/b/notes.txt", "no manifest");
        pod("..2026/d.yaml", "hidden");
        std::os::unix::fs::symlink("..2026", folder.path().join("..data")).unwrap();
        std::os::unix::fs::symlink("..data/d.yaml", folder.path().join("d.yaml")).unwrap();
        let resources =
            read(&[folder.path().to_path_buf()], &ObjectDemands::new(), &Reveal::default()).unwrap();
        let names: Vec<&str> = resources.iter().map(|resource| resource.name.as_str()).collect();
        assert_eq!(names, ["first", "second", "third", "hidden"]);
    }

    #[test]
    fn folders_with_too_much_in_them_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = vec![folder.path().to_path_buf()];
        std::fs::create_dir_all(folder.path().join(["a"; MAX_DEPTH].join("/"))).unwrap();
        assert!(read(&root, &ObjectDemands::new(), &Reveal::default()).unwrap().is_empty());
        std::fs::create_dir_all(folder.path().join(["a"; MAX_DEPTH + 1].join("/"))).unwrap();
        assert!(
            read(&root, &ObjectDemands::new(), &Reveal::default())
                .unwrap_err()
                .to_string()
                .contains("16 levels")
        );

        let folder = tempfile::tempdir().unwrap();
        let mut found = vec![PathBuf::new(); MAX_FILES - 1];
        std::fs::write(folder.path().join("last.json"), "[]").unwrap();
        descend(folder.path(), MAX_DEPTH, &mut found).unwrap();
        let message = descend(folder.path(), MAX_DEPTH, &mut found).unwrap_err().to_string();
        assert!(message.contains("limit of 10000"), "{message}");
    }

    #[test]
    fn what_the_system_said_is_said_once() {
        let error = anyhow::Error::from(
            read(&["/nowhere/m.yaml".into()], &ObjectDemands::new(), &Reveal::default()).unwrap_err(),
        );
        let text = format!("{error:#}");
        assert_eq!(text, "cannot read `/nowhere/m.yaml`: No such file or directory (os error 2)");
    }

    #[test]
    fn a_bundle_of_definitions_may_be_large() {
        let mut text = "kind: CustomResourceDefinition\nspec:\n".to_owned();
        (0..20_000).for_each(|number| text.push_str(&format!("  p{number}: {{type: string}}\n")));
        assert_eq!(read_text("m.yaml", &text).unwrap().len(), 1);
    }
}
