//! The delivery task: gather, publish, settle, wait.
//!
//! In: messages from the queue, verdicts from the output. Out: counters and log lines.
//! At every await each event is waiting, in flight or counted, so the task may be aborted at any time.

use super::backoff::Backoff;
use super::batch::{Batch, Waiting};
use super::queue::Message;
use super::stats::DeliveryStats;
use crate::event::Event;
use crate::output::{BatchError, Output, Verdict};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

/// The most ids in one log line about refused events.
const LOGGED_IDS: usize = 20;

/// When a batch is complete, and whether it can be split.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) batch_events: usize,
    pub(super) flush_timeout: Duration,
    /// Whether a batch that is too large goes out in halves.
    pub(super) splits_batches: bool,
}

/// The delivery task.
pub(super) struct Worker {
    output: Box<dyn Output>,
    intake: mpsc::Receiver<Message>,
    limits: Limits,
    backoff: Backoff,
    closing: CancellationToken,
    stats: Arc<DeliveryStats>,
    waiting: Waiting,
    /// When the waiting events go out, even if the batch is not full.
    due: Option<Instant>,
    /// Pending flushes. Until they are answered, no new events are taken.
    flushes: Vec<oneshot::Sender<()>>,
    /// The intake is closed and empty.
    ended: bool,
    /// The backoff was reset for a shutdown.
    hurried: bool,
}

impl Worker {
    pub(super) fn new(
        output: Box<dyn Output>,
        intake: mpsc::Receiver<Message>,
        limits: Limits,
        backoff: Backoff,
        closing: CancellationToken,
        stats: Arc<DeliveryStats>,
    ) -> Self {
        Self {
            output,
            intake,
            limits,
            backoff,
            closing,
            stats,
            waiting: Waiting::default(),
            due: None,
            flushes: Vec::new(),
            ended: false,
            hurried: false,
        }
    }

    /// Delivers until the intake has ended and nothing waits.
    pub(super) async fn run(mut self) {
        loop {
            self.gather().await;
            if !self.waiting.is_empty() {
                let batch = self.waiting.take(self.limits.batch_events);
                self.deliver(batch).await;
                continue;
            }
            for flush in self.flushes.drain(..) {
                // The receiver may have been dropped.
                let _ = flush.send(());
            }
            if self.ended {
                return;
            }
        }
    }

    /// Takes messages until a batch is full or due, a flush is requested, or the intake has ended.
    async fn gather(&mut self) {
        if self.waiting.is_empty() {
            self.due = None;
        }
        while !self.ended && self.flushes.is_empty() && !self.waiting.is_full(self.limits.batch_events) {
            let message = match self.due {
                None => self.next().await,
                Some(due) => match timeout_at(due, self.next()).await {
                    Ok(message) => message,
                    Err(_) => return,
                },
            };
            match message {
                Some(Message::Events(events)) => {
                    self.due.get_or_insert_with(|| Instant::now() + self.limits.flush_timeout);
                    for event in events {
                        self.waiting.push(event);
                    }
                }
                Some(Message::Flush(flush)) => self.flushes.push(flush),
                None => self.ended = true,
            }
        }
    }

    /// The next message. Once the pipeline is closing: those that are left, then `None`.
    async fn next(&mut self) -> Option<Message> {
        if !self.closing.is_cancelled() {
            tokio::select! {
                message = self.intake.recv() => return message,
                () = self.closing.cancelled() => {}
            }
        }
        self.intake.close();
        self.intake.recv().await
    }

    async fn deliver(&mut self, batch: Batch) {
        let events = batch.events.len();
        self.stats.add_batch(events);
        match self.output.publish(&batch.events).await {
            Ok(verdicts) => self.settle(batch, verdicts).await,
            Err(BatchError::TooLarge) if events == 1 || !self.limits.splits_batches => {
                let why = "larger than the output accepts in one request";
                let refused: Vec<_> = batch.events.iter().map(|event| (event, why)).collect();
                self.refuse(&refused);
            }
            Err(BatchError::TooLarge) => {
                tracing::debug!(events, "the batch is too large, sending it in halves");
                self.stats.add_retried(events);
                self.waiting.put_back_halved(batch);
            }
            Err(BatchError::Again { why }) => {
                let wait = self.next_wait();
                tracing::warn!(events, ?wait, %why, "cannot deliver, will retry");
                self.try_again(batch, wait).await;
            }
            Err(BatchError::Denied { why }) => {
                let wait = self.next_wait();
                tracing::error!(events, ?wait, %why, "access denied by the output, will retry");
                self.try_again(batch, wait).await;
            }
        }
    }

    /// Counts the events that were delivered or refused, and retries the rest.
    async fn settle(&mut self, mut batch: Batch, verdicts: Vec<Verdict>) {
        let missing = || Verdict::Again { why: "the output returned no verdict".to_owned() };
        let verdicts = verdicts.into_iter().chain(std::iter::repeat_with(missing));
        let events = std::mem::take(&mut batch.events);
        let slots = std::mem::take(&mut batch.slots);
        let total = events.len();
        let (mut refused, mut again, mut first_why) = (Vec::new(), Vec::new(), None);
        for ((event, slot), verdict) in events.into_iter().zip(slots).zip(verdicts) {
            match verdict {
                Verdict::Done => self.stats.add_delivered(),
                Verdict::Duplicate => self.stats.add_duplicate(),
                Verdict::Refused { why } => refused.push((event, why)),
                Verdict::Again { why } => {
                    first_why.get_or_insert(why);
                    again.push((event, slot));
                }
            }
        }
        let refused: Vec<_> = refused.iter().map(|(event, why)| (event, why.as_str())).collect();
        self.refuse(&refused);
        if again.len() < total {
            self.backoff.reset();
        }
        if let Some(why) = first_why {
            let wait = self.next_wait();
            tracing::warn!(events = again.len(), of = total, ?wait, %why, "cannot deliver some events, will retry");
            self.try_again(batch.rest(again), wait).await;
        }
    }

    /// Counts and logs refused events: a line for each reason, never the documents.
    fn refuse(&self, refused: &[(&Event, &str)]) {
        let mut reasons: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for (event, why) in refused {
            self.stats.add_refused();
            reasons.entry((event.index(), *why)).or_default().push(event.id());
        }
        for ((index, why), ids) in reasons {
            let (named, more) = ids.split_at(ids.len().min(LOGGED_IDS));
            tracing::error!(
                events = ids.len(),
                index,
                ids = named.join(" "),
                not_named = more.len(),
                why,
                "the output refused events"
            );
        }
    }

    /// The next wait. A shutdown starts over with short waits, because it has no time for the long ones of an outage.
    fn next_wait(&mut self) -> Duration {
        if self.closing.is_cancelled() && !self.hurried {
            self.hurried = true;
            self.backoff.reset();
        }
        self.backoff.wait()
    }

    /// Puts `batch` back and waits. A shutdown ends the wait, because this may be the last chance.
    async fn try_again(&mut self, batch: Batch, wait: Duration) {
        self.stats.add_retried(batch.events.len());
        self.waiting.put_back(batch);
        self.due = Some(Instant::now());
        tokio::select! {
            () = sleep(wait) => {}
            () = self.closing.cancelled(), if !self.hurried => {}
        }
    }
}
