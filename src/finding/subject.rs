//! The part of a document about the resource, rendered once for all its findings.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Context, cloud, ecs, ids, milliseconds, raw};
use crate::event::Text;
use crate::resource::{Origin, Resource};

/// Initial buffer size: a typical resource and a dozen findings.
const ROOM: usize = 16 * 1024;

/// The part of a document that is the same for every rule about a resource.
#[derive(Debug, Clone)]
pub struct Subject {
    /// `resource.id`.
    pub id: String,
    /// Where the resource was written.
    pub(super) origin: Option<Origin>,
    /// Whether `resource.raw` was cut.
    pub(super) truncated: bool,
    /// `{"@timestamp":"…"`: the start of every document.
    pub(super) time: String,
    /// `,"sequence":N,"created":"…"`: the cycle, and the time of judgement.
    pub(super) event: String,
    /// `,"resource":{…},"orchestrator":{…}` and the other ECS fields.
    pub(super) text: Text,
}

impl Subject {
    /// Renders a resource.
    pub fn new(resource: &Resource, context: &Context, now: Timestamp) -> Self {
        let id = ids::resource_id(resource, &context.identity, context.shared_cloud_id);
        let (kind, sub_type) = resource.shown_type();
        let mut text = Text::own(ROOM);
        for piece in [",\"resource\":{\"id\":\"", &id, "\",\"type\":\"", kind, "\",\"sub_type\":"] {
            text.push(piece);
        }
        text.push_json(&sub_type);
        text.push(",\"name\":");
        text.push_json(&resource.name);
        text.push(",\"raw\":");
        let truncated = raw::write(&resource.raw, &mut text);
        text.push("},\"orchestrator\":");
        text.push_json(&orchestrator(resource, context));
        for (name, value) in ecs::of(resource, now) {
            for piece in [",\"", name, "\":"] {
                text.push(piece);
            }
            text.push_json(&value);
        }
        text.push(",\"related\":");
        text.push_json(&cloud::related(resource));
        if let Some(cloud) = cloud::of(resource, context.identity.cluster.cloud.as_ref()) {
            text.push(",\"cloud\":");
            text.push_json(&cloud);
        }
        Self {
            id,
            origin: resource.origin.clone(),
            truncated,
            time: format!("{{\"@timestamp\":\"{}\"", milliseconds(now)),
            event: format!(",\"sequence\":{},\"created\":\"{now}\"", context.sequence),
            text,
        }
    }
}

fn orchestrator(resource: &Resource, context: &Context) -> Value {
    let cluster = &context.identity.cluster;
    let mut out = json!({"type": "kubernetes", "cluster": {"id": cluster.id}});
    if let Some(name) = &cluster.name {
        out["cluster"]["name"] = Value::from(name.as_str());
    }
    if let Some(version) = &cluster.version {
        out["cluster"]["version"] = Value::from(version.as_str());
    }
    if let Some(resource) = ecs::orchestrated(resource) {
        out["resource"] = resource;
    }
    out
}
