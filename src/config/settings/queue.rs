//! The section `queue`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::config::form::{Checker, SectionForm, UnsupportedKeys};
use crate::config::mistake::Mistake;
use crate::config::values::Span;

/// The queue's settings.
#[derive(Debug, Clone)]
pub struct Queue {
    /// The most events that wait.
    pub events: usize,
    /// The longest that an event waits for a batch to fill.
    pub flush_timeout: Duration,
}

/// The section as written.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct QueueForm {
    /// The memory queue.
    pub mem: MemQueueForm,
}

/// `queue.mem`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct MemQueueForm {
    /// The most findings that wait. A full queue pauses collection.
    pub events: u64,
    /// When a batch that is not full goes out.
    pub flush: FlushForm,
}

impl Default for MemQueueForm {
    fn default() -> Self {
        Self { events: 3200, flush: FlushForm::default() }
    }
}

/// `queue.mem.flush`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct FlushForm {
    /// The longest that a finding waits for a batch to fill.
    pub timeout: Span,
}

impl Default for FlushForm {
    fn default() -> Self {
        Self { timeout: Span::seconds(10) }
    }
}

impl SectionForm for QueueForm {
    type Settings = Queue;

    const UNSUPPORTED: UnsupportedKeys =
        &[("disk", "set `queue.mem`"), ("mem.flush.min_events", "set the output's `bulk_max_size`")];

    fn check(self, checker: &Checker<'_>) -> Result<Queue, Mistake> {
        Ok(Queue {
            events: checker.at_least_one("mem.events", self.mem.events)?,
            flush_timeout: self.mem.flush.timeout.0,
        })
    }
}
