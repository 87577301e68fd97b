//! The kubelet's configuration: the file of `--config` with the drop-ins of `--config-dir` merged in.
//!
//! In: its arguments and its view of the file system. Out: the merged document, without flags and defaults, and the
//! files that it came from. Every rule here was verified on a kubelet of 1.37.

use rustix::fs::FileType;
use serde_json::{Map, Value};

use crate::collect::arguments::{self, Arguments};
use crate::collect::bounds::{MAX_DEPTH, MAX_ENTRIES};
use crate::collect::config_files;
use crate::collect::config_files::kinds::KUBELET;
use crate::collect::node::filesystem::hostfs::HostRoot;
use crate::collect::node::filesystem::process_view::{ProcessView, beside};
use crate::resource::{Gap, Reason};

/// The configuration of a kubelet.
#[derive(Debug)]
pub(super) struct KubeletConfiguration {
    /// The merged document, if a file is named. If one file cannot be read, all of it is unknown.
    pub document: Option<Result<Value, Gap>>,
    /// Host paths of the drop-ins.
    pub drop_ins: Result<Vec<String>, Gap>,
}

/// Reads the files in the way the kubelet does.
pub(super) fn configuration(view: &ProcessView<'_>, arguments: &Arguments) -> KubeletConfiguration {
    let base = arguments::last(arguments, "config")
        .map(|path| view.parse(path, &KUBELET).map(|document| with_whole_paths(document, path)));
    let (drop_ins, merged) = match arguments::last(arguments, "config-dir") {
        None => (Ok(Vec::new()), base),
        Some(directory) => {
            let drop_ins = drop_ins(view, directory);
            let base = base.unwrap_or_else(|| Ok(Value::Object(Map::new())));
            let merged = match &drop_ins {
                Ok(paths) => base.and_then(|base| merge_all(view.host(), base, paths)),
                Err(unreadable) => Err(unreadable.clone()),
            };
            (drop_ins, Some(merged))
        }
    };
    let document = merged.map(|merged| merged.map(without_zero_durations));
    KubeletConfiguration { document, drop_ins }
}

/// Paths in the main file are relative to that file. Those in a drop-in stay as they are: relative to where the kubelet
/// was started.
fn with_whole_paths(mut document: Value, file: &str) -> Value {
    for pointer in ["/authentication/x509/clientCAFile", "/staticPodPath"] {
        if let Some(Value::String(path)) = document.pointer_mut(pointer)
            && !path.is_empty()
        {
            *path = beside(file, path);
        }
    }
    document
}

/// The `*.conf` files below a directory in the order they are merged: each directory's names in byte
/// order, a subdirectory where its own name stands.
fn drop_ins(view: &ProcessView<'_>, directory: &str) -> Result<Vec<String>, Gap> {
    let path = view.host_path(directory)?;
    // The kubelet does not follow links here: a directory that is a link is empty to it.
    if !directory.ends_with('/') && view.host().is_link(&path) {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    descend(view.host(), &path, MAX_DEPTH, &mut paths)?;
    Ok(paths)
}

fn descend(host: &HostRoot, directory: &str, levels: usize, paths: &mut Vec<String>) -> Result<(), Gap> {
    let tried = || format!("list {directory}");
    let listing = host.list(directory, MAX_ENTRIES).map_err(|error| Gap::new(error.reason, tried()))?;
    if listing.cut || levels == 0 || paths.len() > MAX_ENTRIES {
        return Err(Gap::new(Reason::TooLarge, tried()));
    }
    for entry in listing.entries {
        let is_directory = entry.kind == FileType::Directory;
        let is_drop_in = entry.name.as_encoded_bytes().ends_with(b".conf");
        if !is_directory && !is_drop_in {
            continue;
        }
        let path = format!("{directory}/{}", entry.text(directory)?);
        if is_directory {
            descend(host, &path, levels - 1, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

fn merge_all(host: &HostRoot, mut base: Value, drop_ins: &[String]) -> Result<Value, Gap> {
    for path in drop_ins {
        let bytes = host.read(path)?;
        let refused = |gap: Gap| gap.during(format!("read {path}"));
        let document = config_files::first_document(&bytes).map_err(refused)?;
        if let Some(key) = in_other_case(&document, KUBELET.fields) {
            let what = format!(
                "read {path}: `{key}` differs from a known key only in case, so its effect is unclear"
            );
            return Err(Gap::new(Reason::Malformed, what));
        }
        merge(&mut base, config_files::cut(&KUBELET, document).map_err(refused)?);
    }
    Ok(base)
}

/// A JSON merge patch: maps by key, everything else replaced, null takes the key out.
fn merge(base: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *base = patch;
        return;
    };
    if !base.is_object() {
        *base = Value::Object(Map::new());
    }
    let Value::Object(map) = base else { return };
    for (key, value) in patch {
        if value.is_null() {
            map.remove(&key);
        } else {
            merge(map.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// A key that is known in another case. In a drop-in, unlike in the main file, the kubelet takes it; which of two spellings
/// counts depends on their order and on its defaults.
fn in_other_case(document: &Value, known: &[&'static str]) -> Option<String> {
    /// The keys below `authentication` and `authorization`.
    const NESTED: &[&str] = &[
        "anonymous",
        "cacheAuthorizedTTL",
        "cacheTTL",
        "cacheUnauthorizedTTL",
        "clientCAFile",
        "enabled",
        "mode",
        "webhook",
        "x509",
    ];
    let is_other = |key: &&String| {
        !known.contains(&key.as_str()) && known.iter().any(|name| name.eq_ignore_ascii_case(key))
    };
    let map = document.as_object()?;
    let own = map.keys().find(is_other).cloned();
    let below = || {
        map.iter().find_map(|(key, value)| match key.as_str() {
            "authentication" | "authorization" => in_other_case(value, NESTED),
            _ if std::ptr::eq(known, NESTED) => in_other_case(value, NESTED),
            _ => None,
        })
    };
    own.or_else(below)
}

/// In a file, a duration of zero means its default; only the flag can make it zero. kubeadm writes many.
fn without_zero_durations(mut document: Value) -> Value {
    const DURATIONS: &[&str] = &[
        "/authentication/webhook/cacheTTL",
        "/authorization/webhook/cacheAuthorizedTTL",
        "/authorization/webhook/cacheUnauthorizedTTL",
        "/cpuManagerReconcilePeriod",
        "/evictionPressureTransitionPeriod",
        "/fileCheckFrequency",
        "/httpCheckFrequency",
        "/imageMinimumGCAge",
        "/nodeStatusReportFrequency",
        "/nodeStatusUpdateFrequency",
        "/runtimeRequestTimeout",
        "/streamingConnectionIdleTimeout",
        "/syncFrequency",
        "/volumeStatsAggPeriod",
    ];
    for pointer in DURATIONS {
        let Some((parent, key)) = pointer.rsplit_once('/') else { continue };
        if let Some(Value::Object(map)) = document.pointer_mut(parent)
            && map.get(key).and_then(Value::as_str).is_some_and(is_zero_duration)
        {
            map.remove(key);
        }
    }
    document
}

/// `0`, `0s`, `0h0m0s`, `0.0s`: a Go duration without a digit but zero.
fn is_zero_duration(text: &str) -> bool {
    text.contains('0') && text.bytes().all(|byte| byte == b'0' || !byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn drop_ins_are_merge_patches() {
        let mut base = json!({"port": 1, "list": ["a", "b"], "gates": {"A": true, "B": true}, "gone": 1});
        merge(
            &mut base,
            json!({"list": ["c"], "gates": {"B": false, "C": true}, "gone": null, "new": {"x": null}}),
        );
        assert_eq!(
            base,
            json!({"port": 1, "list": ["c"], "gates": {"A": true, "B": false, "C": true}, "new": {}})
        );
    }

    #[test]
    fn a_key_of_a_drop_in_in_another_case_is_not_taken_for_known() {
        let other = |document: Value| in_other_case(&document, KUBELET.fields);
        assert_eq!(other(json!({"readOnlyPort": 0, "READONLYPORT": 1})).as_deref(), Some("READONLYPORT"));
        let nested = json!({"authentication": {"anonymous": {"ENABLED": true}}});
        assert_eq!(other(nested).as_deref(), Some("ENABLED"));
        assert_eq!(other(json!({"authentication": {"x509": {"clientCAFile": "/a"}}})), None);
        assert_eq!(other(json!({"featureGates": {"ENABLED": true}, "unknownKey": 1})), None);
    }

    #[test]
    fn a_zero_duration_in_a_file_is_not_set() {
        let document = json!({"streamingConnectionIdleTimeout": "0s", "syncFrequency": "10s",
            "authentication": {"webhook": {"cacheTTL": "0h0m0s", "enabled": true}}});
        assert_eq!(
            without_zero_durations(document),
            json!({"syncFrequency": "10s", "authentication": {"webhook": {"enabled": true}}})
        );
    }
}
