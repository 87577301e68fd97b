//! Queues events, delivers them in batches, and accounts for every one of them.
//!
//! In: events from a [`Producer`], which waits while the queue is full. Out: batches to an [`Output`]. An event leaves
//! only as delivered or refused. Until then it is retried, ahead of newer ones, without limit. Only
//! [`Pipeline::shutdown`] gives up, at its deadline, and reports how many events were left.

use crate::config::settings;
use crate::output::{Delivery, Output};
use crate::telemetry::metrics::Registry;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use queue::{Closed, Producer};
pub use stats::{DeliveryCounts, DeliveryStats};

mod backoff;
mod batch;
mod metrics;
mod queue;
mod stats;
#[cfg(test)]
mod tests;
mod worker;

/// A running pipeline. Whoever starts it also shuts it down.
#[derive(Debug)]
pub struct Pipeline {
    worker: JoinHandle<()>,
    closing: CancellationToken,
    producer: Producer,
    stats: Arc<DeliveryStats>,
}

impl Pipeline {
    /// Starts delivering to `output`. The producer may be cloned.
    pub fn start(output: Box<dyn Output>, queue: &settings::Queue, delivery: Delivery) -> (Producer, Self) {
        let capacity = queue.events.clamp(1, Semaphore::MAX_PERMITS);
        let (sender, intake) = mpsc::channel(capacity);
        let stats = Arc::new(DeliveryStats::default());
        let producer = Producer::new(sender, capacity, Arc::clone(&stats));
        let closing = CancellationToken::new();
        let limits = worker::Limits {
            // A batch that the queue can never fill would always wait for the flush timeout.
            batch_events: delivery.batch_events.clamp(1, capacity),
            flush_timeout: queue.flush_timeout,
            splits_batches: delivery.splits_batches,
        };
        let backoff = backoff::Backoff::new(delivery.backoff_init, delivery.backoff_max);
        let worker =
            worker::Worker::new(output, intake, limits, backoff, closing.clone(), Arc::clone(&stats));
        let worker = tokio::spawn(worker.run());
        (producer.clone(), Self { worker, closing, producer, stats })
    }

    /// The delivery counters. They can be read at any time, even after the shutdown.
    pub fn stats(&self) -> Arc<DeliveryStats> {
        Arc::clone(&self.stats)
    }

    /// Registers the counters. They can be read after the shutdown too.
    pub fn register(&self, registry: &Registry) {
        let (stats, producer) = (self.stats(), self.producer.clone());
        registry.register(move |samples| metrics::sample(&stats.counts(), &producer.levels(), samples));
    }

    /// Closes the queue, delivers its events until `deadline` has passed, and returns how many were left. Events in
    /// flight at the deadline count as left, because their fate is unknown.
    pub async fn shutdown(mut self, deadline: Duration) -> u64 {
        self.producer.close();
        self.closing.cancel();
        let ended = if let Ok(ended) = tokio::time::timeout(deadline, &mut self.worker).await {
            ended
        } else {
            self.worker.abort();
            (&mut self.worker).await
        };
        if ended.is_err_and(|error| error.is_panic()) {
            tracing::error!("the delivery task panicked");
        }
        let left = self.stats.leave();
        if left > 0 {
            tracing::error!(left, ?deadline, "events were not delivered before the shutdown deadline");
        }
        left
    }
}
