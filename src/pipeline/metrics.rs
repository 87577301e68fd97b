//! The pipeline's counters, under the names that Beats use.
//!
//! A Beat's `failed` events are retried, its `dropped` ones are lost. An event is `active` until it is delivered or
//! refused.

use super::queue::Levels;
use super::stats::DeliveryCounts;
use crate::telemetry::metrics::Samples;

pub(super) fn sample(counts: &DeliveryCounts, levels: &Levels, samples: &mut Samples) {
    let ended = counts.delivered + counts.refused;
    let waiting = counts.sent - ended - counts.left;
    samples.counter("libbeat.pipeline.events.total", "Events sent to the pipeline", counts.sent);
    samples.counter("libbeat.pipeline.events.published", "Events accepted by the queue", counts.sent);
    samples.counter("libbeat.pipeline.events.retry", "Events put back for another attempt", counts.retried);
    samples.counter("libbeat.pipeline.events.dropped", "Events not delivered at shutdown", counts.left);
    samples.gauge("libbeat.pipeline.events.active", "Events not yet delivered or refused", waiting);

    samples.counter("libbeat.pipeline.queue.acked", "Events delivered or refused", ended);
    samples.gauge("libbeat.pipeline.queue.max_events", "Queue capacity in events", levels.max_events);
    samples.gauge("libbeat.pipeline.queue.max_bytes", "Queue capacity in bytes", levels.max_bytes);
    samples.gauge("libbeat.pipeline.queue.filled.events", "Events in the queue", waiting);
    samples.gauge("libbeat.pipeline.queue.filled.bytes", "Bytes in the queue", levels.bytes);
    let filled = waiting as f64 / levels.max_events.max(1) as f64;
    samples.fraction("libbeat.pipeline.queue.filled.pct", "How full the queue is, from 0 to 1", filled);

    // An attempt ends as one of these; the others are in flight.
    let active = counts.tried - counts.delivered - counts.refused - counts.retried;
    let stored = counts.delivered - counts.duplicates;
    samples.counter("libbeat.output.events.total", "Events handed to the output, with retries", counts.tried);
    samples.counter("libbeat.output.events.acked", "Events stored", stored);
    samples.counter("libbeat.output.events.duplicates", "Events that were already stored", counts.duplicates);
    samples.counter("libbeat.output.events.dropped", "Events rejected for good", counts.refused);
    samples.counter("libbeat.output.events.failed", "Events to be retried", counts.retried);
    samples.gauge("libbeat.output.events.active", "Events in flight", active);
    samples.counter("libbeat.output.events.batches", "Batches handed to the output", counts.batches);
}
