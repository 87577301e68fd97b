//! Documents on their way to the store, through the pipeline's queue.

use anyhow::Context as _;
use async_trait::async_trait;
use std::time::Duration;

use super::Sink;
use crate::event::Event;
use crate::pipeline::Producer;
use crate::runtime::stop::Stop;

/// Findings that are queued together, those of some forty pods: each time wakes the worker, which costs as much as a
/// pod.
const BATCH: usize = 512;
/// How long findings wait for room in the queue after a stop was requested.
const LAST_CALL: Duration = Duration::from_secs(3);

/// Queues documents.
pub(in crate::runtime) struct PipelineSink<'p> {
    producer: &'p Producer,
    pending: Vec<Event>,
    /// Whether a few findings are sent without waiting for a batch to fill.
    prompt: bool,
}

impl<'p> PipelineSink<'p> {
    /// For a sweep: in batches.
    pub(in crate::runtime) fn new(producer: &'p Producer) -> Self {
        Self { producer, pending: Vec::with_capacity(BATCH), prompt: false }
    }

    /// For changes between sweeps: as soon as no other change is waiting.
    pub(in crate::runtime) fn prompt(producer: &'p Producer) -> Self {
        Self { producer, pending: Vec::new(), prompt: true }
    }

    fn send_now(&self) {
        let producer = self.producer.clone();
        tokio::spawn(async move {
            // It fails when the pipeline shuts down, which sends everything anyway.
            let _ = producer.flush().await;
        });
    }
}

#[async_trait]
impl Sink for PipelineSink<'_> {
    fn takes_documents(&self) -> bool {
        true
    }

    fn documents(&mut self, events: Vec<Event>) -> anyhow::Result<()> {
        self.pending.extend(events);
        Ok(())
    }

    fn is_due(&self, idle: bool) -> bool {
        self.pending.len() >= BATCH || (self.prompt && idle && !self.pending.is_empty())
    }

    /// A store that takes nothing must not keep us from stopping: after a stop we wait for room a little longer, and
    /// then log what is lost.
    async fn deliver(&mut self, stop: &Stop<'_>) -> anyhow::Result<bool> {
        let capacity = if self.prompt { 0 } else { BATCH };
        let events = std::mem::replace(&mut self.pending, Vec::with_capacity(capacity));
        let count = events.len();
        if count == 0 {
            return Ok(true);
        }
        let patience = async {
            stop.reached().await;
            tokio::time::sleep(LAST_CALL).await;
        };
        tokio::select! {
            biased;
            sent = self.producer.send_all(events) => sent.context("queue findings")?,
            () = patience => {
                tracing::error!(events = count, "findings lost at shutdown: the queue is full and the output accepts nothing");
                return Ok(false);
            }
        }
        if self.prompt {
            self.send_now();
        }
        Ok(true)
    }
}
