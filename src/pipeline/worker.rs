//! The one task that delivers: gather, publish, settle, wait.
//!
//! In: messages of the queue, verdicts of the output. Out: counters and log lines.
//! Between two awaits every event is either waiting, under way or counted, so it may be stopped anywhere.

use super::backoff::Backoff;
use super::batch::{Batch, Waiting};
use super::queue::Message;
use super::stats::Stats;
use crate::event::Event;
use crate::output::{BatchError, Output, Verdict};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

/// How many ids one log line about refused events names.
const LOGGED_IDS: usize = 20;

/// When a batch is complete.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) batch_events: usize,
    pub(super) flush_timeout: Duration,
}

/// See the module.
pub(super) struct Worker {
    output: Box<dyn Output>,
    intake: mpsc::Receiver<Message>,
    limits: Limits,
    backoff: Backoff,
    closing: CancellationToken,
    stats: Arc<Stats>,
    waiting: Waiting,
    /// When the waiting events go out, complete batch or not.
    due: Option<Instant>,
    /// Those who wait for all that was sent before: until they are answered, nothing new is taken.
    flushes: Vec<oneshot::Sender<()>>,
    /// The intake is closed and empty.
    ended: bool,
    /// The waits have begun anew for a shutdown.
    hurried: bool,
}

impl Worker {
    pub(super) fn new(
        output: Box<dyn Output>,
        intake: mpsc::Receiver<Message>,
        limits: Limits,
        backoff: Backoff,
        closing: CancellationToken,
        stats: Arc<Stats>,
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
                // Whoever asked may have gone.
                let _ = flush.send(());
            }
            if self.ended {
                return;
            }
        }
    }

    /// Takes messages until a batch is complete, due, or asked for.
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

    /// The next message; once we are closing, those that are left, then none.
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
            Err(BatchError::TooLarge) if events == 1 => {
                self.refuse(&[(&batch.events[0], "larger than the store takes in one request")]);
            }
            Err(BatchError::TooLarge) => {
                tracing::debug!(events, "a batch is too large, it goes out in halves");
                self.stats.add_retried(events);
                self.waiting.put_back_halved(batch);
            }
            Err(BatchError::Again { why }) => {
                let wait = self.next_wait();
                tracing::warn!(events, ?wait, "cannot deliver, trying again: {why}");
                self.try_again(batch, wait).await;
            }
            Err(BatchError::Denied { why }) => {
                let wait = self.next_wait();
                tracing::error!(events, ?wait, "not permitted to deliver, trying again: {why}");
                self.try_again(batch, wait).await;
            }
        }
    }

    /// Counts what has come to its end; the rest comes back.
    async fn settle(&mut self, mut batch: Batch, verdicts: Vec<Verdict>) {
        let unsaid = || Verdict::Again { why: "the output did not say what became of it".to_owned() };
        let verdicts = verdicts.into_iter().chain(std::iter::repeat_with(unsaid));
        let events = std::mem::take(&mut batch.events);
        let places = std::mem::take(&mut batch.places);
        let total = events.len();
        let (mut refused, mut again, mut first_why) = (Vec::new(), Vec::new(), None);
        for ((event, place), verdict) in events.into_iter().zip(places).zip(verdicts) {
            match verdict {
                Verdict::Done => self.stats.add_delivered(),
                Verdict::Duplicate => self.stats.add_duplicate(),
                Verdict::Refused { why } => refused.push((event, why)),
                Verdict::Again { why } => {
                    first_why.get_or_insert(why);
                    again.push((event, place));
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
            tracing::warn!(events = again.len(), of = total, ?wait, "not all delivered, trying again: {why}");
            self.try_again(batch.rest(again), wait).await;
        }
    }

    /// Says and counts that events are given up: a line for each reason, never the documents.
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
                "refused: {why}"
            );
        }
    }

    /// How long to wait now. A shutdown has no time for the minutes that an outage grew it to.
    fn next_wait(&mut self) -> Duration {
        if self.closing.is_cancelled() && !self.hurried {
            self.hurried = true;
            self.backoff.reset();
        }
        self.backoff.wait()
    }

    /// Puts `batch` back and waits. The beginning of a shutdown ends the wait: it may be the last chance.
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
