//! A Lease as JSON: the fields that decide the election, and those that we write.
//!
//! It stays the object that the server sent, so that fields of others go back unchanged, also those that did not exist
//! when this was built.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The annotation with the number of the last sweep that a leader began.
pub(super) const SEQUENCE: &str = "posturebeat.dev/sequence";

/// Larger numbers are invalid: Unix time stays far below, and one can always be added.
const MAX_SEQUENCE: i64 = i64::MAX / 2;

/// A Lease that the server sent.
#[derive(Debug, Clone)]
pub(super) struct Record {
    object: Value,
    version: String,
    holder: String,
}

/// The value of the annotation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sequence<'r> {
    Number(i64),
    Garbage(&'r str),
}

/// What a holder writes.
pub(super) struct Taking<'t> {
    pub identity: &'t str,
    pub lease_duration: Duration,
    pub wall: Timestamp,
    pub sequence: Option<i64>,
}

impl Record {
    /// Takes only what is shaped like a Lease. Without a version an update would replace whatever is there.
    pub(super) fn parse(object: Value) -> Result<Self, &'static str> {
        let text = |at: &str| object.pointer(at).and_then(Value::as_str);
        if text("/kind") != Some("Lease") {
            return Err("the answer is not a Lease");
        }
        let is_object_or_missing =
            |at: &str| object.pointer(at).is_none_or(|it| it.is_object() || it.is_null());
        if !["/spec", "/metadata/annotations"].into_iter().all(is_object_or_missing) {
            return Err("the answer is not a Lease: spec or annotations are not objects");
        }
        let version = text("/metadata/resourceVersion").filter(|version| !version.is_empty());
        let version = version.ok_or("the answer is not a Lease: it has no resourceVersion")?.to_owned();
        let holder = text("/spec/holderIdentity").unwrap_or_default().to_owned();
        Ok(Self { object, version, holder })
    }

    /// The holder's identity; empty where the Lease is free.
    pub(super) fn holder(&self) -> &str {
        &self.holder
    }

    /// Whether nothing was written since `other`.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.version == other.version
    }

    /// How long its holder may go without renewing, as the holder wrote.
    pub(super) fn lasts(&self) -> Duration {
        let seconds = self.number("/spec/leaseDurationSeconds").unwrap_or_default();
        Duration::from_secs(seconds.clamp(0, i32::MAX.into()).unsigned_abs())
    }

    /// The value of the annotation, if it is there.
    pub(super) fn sequence(&self) -> Option<Sequence<'_>> {
        let text = self.object.pointer("/metadata/annotations")?.get(SEQUENCE)?.as_str()?;
        let number = text.parse().ok().filter(|number| (0..=MAX_SEQUENCE).contains(number));
        Some(number.map_or(Sequence::Garbage(text), Sequence::Number))
    }

    /// The Lease with its holder's renewal, or taken over from another.
    pub(super) fn taken(&self, by: &Taking<'_>) -> Value {
        let time = self.unlike_before(by.wall);
        let changes_hands = self.holder != by.identity;
        let transitions = self.number("/spec/leaseTransitions").unwrap_or_default();
        let mut object = self.object.clone();
        let spec = section(&mut object, "spec");
        if changes_hands {
            spec.insert("acquireTime".into(), micro_time(time));
            let transitions = transitions.clamp(0, i64::from(i32::MAX) - 1) + 1;
            spec.insert("leaseTransitions".into(), transitions.into());
        }
        by.fill(&mut object, time);
        object
    }

    /// The Lease given up.
    pub(super) fn released(&self, wall: Timestamp) -> Value {
        let mut object = self.object.clone();
        let spec = section(&mut object, "spec");
        spec.insert("holderIdentity".into(), "".into());
        // The API takes no 0.
        spec.insert("leaseDurationSeconds".into(), 1.into());
        spec.insert("renewTime".into(), micro_time(self.unlike_before(wall)));
        object
    }

    /// A time that is not the record's own: an update that changes nothing gets no new version, and others would take
    /// a leader whose clock stands still for dead.
    fn unlike_before(&self, wall: Timestamp) -> Timestamp {
        if self.object.pointer("/spec/renewTime") == Some(&micro_time(wall)) {
            wall.checked_add(SignedDuration::from_micros(1)).unwrap_or(Timestamp::UNIX_EPOCH)
        } else {
            wall
        }
    }

    fn number(&self, at: &str) -> Option<i64> {
        self.object.pointer(at).and_then(Value::as_i64)
    }
}

impl Taking<'_> {
    /// A Lease where there was none.
    pub(super) fn new_lease(&self, name: &str, namespace: &str) -> Value {
        let mut object = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"acquireTime": micro_time(self.wall), "leaseTransitions": 0},
        });
        self.fill(&mut object, self.wall);
        object
    }

    fn fill(&self, object: &mut Value, time: Timestamp) {
        let spec = section(object, "spec");
        spec.insert("holderIdentity".into(), self.identity.into());
        spec.insert("renewTime".into(), micro_time(time));
        // Whole seconds, and never less than we say that others wait.
        let seconds = self.lease_duration.as_secs() + u64::from(self.lease_duration.subsec_nanos() > 0);
        spec.insert("leaseDurationSeconds".into(), seconds.into());
        if let Some(sequence) = self.sequence {
            let annotations = section(section_value(object, "metadata"), "annotations");
            annotations.insert(SEQUENCE.into(), sequence.to_string().into());
        }
    }
}

/// The object at `key`, made where it is missing.
fn section<'o>(object: &'o mut Value, key: &str) -> &'o mut Map<String, Value> {
    let section = section_value(object, key);
    if !section.is_object() {
        *section = json!({});
    }
    section.as_object_mut().expect("it is one now")
}

fn section_value<'o>(object: &'o mut Value, key: &str) -> &'o mut Value {
    &mut object[key]
}

fn micro_time(time: Timestamp) -> Value {
    serde_json::to_value(MicroTime(time)).unwrap_or_default()
}
