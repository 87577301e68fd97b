//! Outcomes to documents: one ECS finding per rule and resource, with stable ids.
//!
//! In: rules, one resource, its judgements, and the context of the cycle. Out: [`Event`](crate::event::Event)s. Parts
//! that findings share are rendered once: a rule's texts per run, a resource per judgement, the context per cycle.

mod audit;
mod cloud;
mod coverage;
mod data_stream;
mod ecs;
mod ids;
mod origin;
mod raw;
mod rule_text;
mod subject;
#[cfg(test)]
mod tests;
mod writer;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::exception::Exception;
use crate::resource::Identity;

pub use coverage::Totals;
pub use origin::{decided_at, written_at};
pub use rule_text::{applies_text, audit_text};
pub use subject::Subject;
pub use writer::FindingWriter;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The dataset of passed and failed findings, the same as in Elastic's integration.
pub const FINDINGS: &str = "cloud_security_posture.findings";
/// The dataset of all other outcomes.
pub const OUTCOMES: &str = "posturebeat.outcomes";
/// The dataset of cycle totals.
pub const COVERAGE: &str = "posturebeat.coverage";

/// What all documents of a cycle share: cluster, node, agent and cycle.
#[derive(Debug, Clone)]
pub struct Context {
    /// The cluster and node.
    pub identity: Identity,
    /// `posturebeat.coverage.of`: the scope of the cycle.
    pub of: &'static str,
    /// `agent.*`.
    pub agent: Agent,
    /// `host.*`, already in ECS names.
    pub host: Map<String, Value>,
    /// `cloud_security_posture.package_policy.*`; empty id and 0 outside of Fleet.
    pub package_policy: (String, u64),
    /// `data_stream.namespace`.
    pub namespace: String,
    /// Whether all cloud resources of a cluster share one `resource.id`, as in Elastic's findings.
    pub shared_cloud_id: bool,
    /// `event.sequence`: Unix seconds at the start of the cycle, strictly increasing.
    pub sequence: i64,
}

/// `agent.*`.
#[derive(Debug, Clone)]
pub struct Agent {
    /// `posturebeat`, or `cloudbeat` for compatibility.
    pub kind: String,
    /// `agent.name`.
    pub name: String,
    /// Stored in `path.data`.
    pub id: String,
    /// New in every process.
    pub ephemeral_id: String,
}

/// RFC 3339 in UTC with milliseconds, as `@timestamp` is written.
pub fn milliseconds(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// `posturebeat.exception`: reason, owner and expiry.
pub fn granted(exception: &Exception) -> Value {
    let mut out = json!({"reason": exception.reason, "owner": exception.owner});
    if let Some(expires) = exception.expires {
        out["expires"] = milliseconds(expires).into();
    }
    out
}
