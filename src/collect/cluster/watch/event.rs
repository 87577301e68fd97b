//! One line of a watch.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::time::Duration;

use crate::collect::cluster::pages::ListItem;
use crate::kube_api::Refusal;

/// An event of a watch.
pub(crate) enum WatchEvent {
    /// An object was created or changed: as it is now, and the version.
    Is(ListItem, String),
    /// An object was deleted.
    Gone(ListItem, String),
    /// Nothing else happened up to a version.
    Bookmark(String),
    /// The changes since the last version have expired, or cannot be read.
    Lost(String),
    /// The server failed; how long it asks us to wait, and its words.
    Broken(Option<Duration>, String),
}

#[derive(Deserialize)]
struct EventLine<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// Reads a line.
pub(crate) fn read(line: &[u8]) -> WatchEvent {
    let line: EventLine<'_> = match serde_json::from_slice(line) {
        Ok(line) => line,
        Err(error) => return WatchEvent::Lost(format!("an event cannot be parsed: {error}")),
    };
    match &*line.kind {
        "ERROR" => status(line.object),
        "BOOKMARK" => match serde_json::from_str::<Value>(line.object.get()) {
            Ok(object) => version(&object).map_or_else(unversioned, WatchEvent::Bookmark),
            Err(error) => WatchEvent::Lost(format!("a bookmark cannot be parsed: {error}")),
        },
        kind @ ("ADDED" | "MODIFIED" | "DELETED") => match ListItem::parse(line.object) {
            Ok(item) => match version(item.json()) {
                Some(version) if kind == "DELETED" => WatchEvent::Gone(item, version),
                Some(version) => WatchEvent::Is(item, version),
                None => unversioned(),
            },
            Err(gap) => WatchEvent::Lost(gap.what),
        },
        other => {
            let other: String = other.chars().filter(|c| !c.is_control()).take(40).collect();
            WatchEvent::Lost(format!("an event of the unknown type `{other}`"))
        }
    }
}

fn version(object: &Value) -> Option<String> {
    object.pointer("/metadata/resourceVersion").and_then(Value::as_str).map(str::to_owned)
}

fn unversioned() -> WatchEvent {
    WatchEvent::Lost("an event has no resourceVersion".into())
}

fn status(status: &RawValue) -> WatchEvent {
    let status: Value = serde_json::from_str(status.get()).unwrap_or_default();
    let refusal = Refusal::of_status(&status);
    let words = refusal.to_string();
    if refusal.status == http::StatusCode::GONE {
        return WatchEvent::Lost(words);
    }
    WatchEvent::Broken(refusal.retry_after, words)
}
