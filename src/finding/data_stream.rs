//! A data stream: the index of its documents, and the fields at their end that all of them share.

use serde_json::json;

use super::{Context, VERSION};
use crate::event::{Piece, Text};

/// A data stream and the end of its documents in this cycle.
#[derive(Debug)]
pub(super) struct DataStream {
    pub(super) dataset: &'static str,
    pub(super) index: Piece,
    pub(super) tail: Piece,
}

impl DataStream {
    pub(super) fn new(dataset: &'static str, context: &Context, common: &mut Text) -> Self {
        let index = common.add(&format!("logs-{dataset}-{}", context.namespace));
        Self { dataset, index, tail: common.add(&tail(dataset, context)) }
    }
}

/// The fields that every document of a stream ends with.
pub(super) fn tail(dataset: &str, context: &Context) -> String {
    let agent = &context.agent;
    let (policy, revision) = &context.package_policy;
    let common = json!({
        "cluster_id": context.identity.cluster.id,
        "data_stream": {"type": "logs", "dataset": dataset, "namespace": context.namespace},
        "agent": {
            "type": agent.kind,
            "name": agent.name,
            "id": agent.id,
            "ephemeral_id": agent.ephemeral_id,
            "version": VERSION,
        },
        "host": context.host,
        "ecs": {"version": "8.6.0"},
        "observer": {"vendor": "posturebeat"},
        "cloudbeat": {"version": VERSION, "policy": {"version": VERSION}},
        "cloud_security_posture": {"package_policy": {"id": policy, "revision": revision}},
    })
    .to_string();
    format!(",{}", &common[1..])
}
