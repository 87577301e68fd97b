//! Takes events in, delivers them in batches, and accounts for every one of them.
//!
//! In: events from a [`Producer`], which waits while the queue is full. Out: batches to an [`Output`].
//! An event leaves only as delivered or refused; until then it is tried again, ahead of newer ones,
//! for ever. Only [`Pipeline::shutdown`] gives up, at its deadline, and says how many were left.

use crate::config::settings;
use crate::output::Output;
use crate::telemetry::metrics::Registry;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use queue::{Closed, Producer};
pub use stats::{Counts, Stats};

mod backoff;
mod batch;
mod metrics;
mod queue;
mod stats;
#[cfg(test)]
mod tests;
mod worker;

/// How batches are made and tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// The most events in one batch.
    pub batch_events: usize,
    /// About the first wait before another try.
    pub backoff_init: Duration,
    /// The longest.
    pub backoff_max: Duration,
}

impl Delivery {
    /// As the output's settings say; files and the console have no such settings.
    pub fn of(output: &settings::Output) -> Self {
        match output {
            settings::Output::Elasticsearch(settings) => Self {
                batch_events: settings.bulk_max_size,
                backoff_init: settings.backoff_init,
                backoff_max: settings.backoff_max,
            },
            settings::Output::File(_) | settings::Output::Console { .. } | settings::Output::None => Self {
                batch_events: 2048,
                backoff_init: Duration::from_secs(1),
                backoff_max: Duration::from_mins(1),
            },
        }
    }
}

/// The running pipeline; whoever started it also ends it.
#[derive(Debug)]
pub struct Pipeline {
    worker: JoinHandle<()>,
    closing: CancellationToken,
    producer: Producer,
    stats: Arc<Stats>,
}

impl Pipeline {
    /// Starts delivering to `output`. The producer may be cloned.
    pub fn start(output: Box<dyn Output>, queue: &settings::Queue, delivery: Delivery) -> (Producer, Self) {
        let capacity = queue.events.clamp(1, Semaphore::MAX_PERMITS);
        let (sender, intake) = mpsc::channel(capacity);
        let stats = Arc::new(Stats::default());
        let producer = Producer::new(sender, capacity, Arc::clone(&stats));
        let closing = CancellationToken::new();
        let limits = worker::Limits {
            // A batch that the queue can never fill would always wait for its time.
            batch_events: delivery.batch_events.clamp(1, capacity),
            flush_timeout: queue.flush_timeout,
        };
        let backoff = backoff::Backoff::new(delivery.backoff_init, delivery.backoff_max);
        let worker =
            worker::Worker::new(output, intake, limits, backoff, closing.clone(), Arc::clone(&stats));
        let worker = tokio::spawn(worker.run());
        (producer.clone(), Self { worker, closing, producer, stats })
    }

    /// What became of the events so far; it may be read at any time, also after the end.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.stats)
    }

    /// Shows the counters to whoever reads `registry`, also after the end.
    pub fn register(&self, registry: &Registry) {
        let (stats, producer) = (self.stats(), self.producer.clone());
        registry.register(move |samples| metrics::sample(&stats.counts(), &producer.levels(), samples));
    }

    /// Takes nothing more, delivers what is queued until `deadline` has passed, and answers how many
    /// events were left. What was under way at the deadline counts as left: nobody knows.
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
            tracing::error!("the delivery of events failed by a defect of this program");
        }
        let left = self.stats.leave();
        if left > 0 {
            tracing::error!(left, ?deadline, "events were not delivered before the deadline of the shutdown");
        }
        left
    }
}
