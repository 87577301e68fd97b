//! The pipeline's counters under the names that Beats have for them.
//!
//! A Beat's `failed` events are retried, its `dropped` ones are lost. An event is `active` until it is delivered or
//! refused.

use super::queue::Levels;
use super::stats::DeliveryCounts;
use crate::telemetry::metrics::Samples;

pub(super) fn sample(counts: &DeliveryCounts, levels: &Levels, samples: &mut Samples) {
    let ended = counts.delivered + counts.refused;
    let waiting = counts.sent - ended - counts.left;
    samples.counter("libbeat.pipeline.events.total", "Events that were to be delivered", counts.sent);
    samples.counter("libbeat.pipeline.events.published", "Events that the queue took", counts.sent);
    samples.counter("libbeat.pipeline.events.retry", "Events put back for another try", counts.retried);
    samples.counter("libbeat.pipeline.events.dropped", "Events not delivered before the end", counts.left);
    samples.gauge("libbeat.pipeline.events.active", "Events without an end yet", waiting);

    samples.counter("libbeat.pipeline.queue.acked", "Events that left the queue at their end", ended);
    samples.gauge("libbeat.pipeline.queue.max_events", "Events that the queue holds", levels.max_events);
    samples.gauge("libbeat.pipeline.queue.max_bytes", "Bytes that the queue holds", levels.max_bytes);
    samples.gauge("libbeat.pipeline.queue.filled.events", "Events in the queue", waiting);
    samples.gauge("libbeat.pipeline.queue.filled.bytes", "Bytes in the queue", levels.bytes);
    let filled = waiting as f64 / levels.max_events.max(1) as f64;
    samples.fraction("libbeat.pipeline.queue.filled.pct", "How full the queue is, from 0 to 1", filled);

    // A try ends as one of these, or has not ended.
    let active = counts.tried - counts.delivered - counts.refused - counts.retried;
    let stored = counts.delivered - counts.duplicates;
    samples.counter("libbeat.output.events.total", "Events handed to the output, at each try", counts.tried);
    samples.counter("libbeat.output.events.acked", "Events that were stored", stored);
    samples.counter("libbeat.output.events.duplicates", "Events stored by an earlier try", counts.duplicates);
    samples.counter("libbeat.output.events.dropped", "Events that were refused for good", counts.refused);
    samples.counter("libbeat.output.events.failed", "Events to be tried again", counts.retried);
    samples.gauge("libbeat.output.events.active", "Events on their way", active);
    samples.counter("libbeat.output.events.batches", "Batches handed to the output", counts.batches);
}
