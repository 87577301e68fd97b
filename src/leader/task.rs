//! The election task: it alone writes the Lease for this process, one request after the other.

use jiff::Timestamp;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::api::Api;
use super::election_log::ElectionLog;
use super::hold::Hold;
use super::lease::{LeaseReply, LeaseRequest, Verb};
use super::machine::{ElectionEvent, Machine, Moment, NextStep, TimedRequest};
use super::{ElectionSettings, NoSequence};

/// How long releasing the Lease may take.
const RELEASE: Duration = Duration::from_secs(3);
/// Between two tries to release it.
const RELEASE_PAUSE: Duration = Duration::from_millis(250);

/// A request for a sequence number.
pub(super) struct Order {
    /// In this term only.
    pub of: Arc<Hold>,
    pub now: i64,
    pub reply: oneshot::Sender<Result<i64, NoSequence>>,
}

/// See the module.
pub(super) struct Task {
    api: Api,
    machine: Machine,
    log: ElectionLog,
    orders: mpsc::Receiver<Order>,
    /// Who waits for a sequence number.
    pending: Option<oneshot::Sender<Result<i64, NoSequence>>>,
    leads: watch::Sender<Option<Arc<Hold>>>,
    times: Arc<AtomicU64>,
    ending: CancellationToken,
}

impl Task {
    pub(super) fn new(
        client: kube::Client,
        settings: ElectionSettings,
        orders: mpsc::Receiver<Order>,
        leads: watch::Sender<Option<Arc<Hold>>>,
        times: Arc<AtomicU64>,
        ending: CancellationToken,
    ) -> Self {
        let lease = format!("{}/{}", settings.namespace, settings.lease_name);
        let log = ElectionLog::new(lease, settings.identity.clone());
        let api = Api::new(client, &settings);
        let machine = Machine::new(settings);
        Self { api, machine, log, orders, pending: None, leads, times, ending }
    }

    pub(super) async fn run(mut self) {
        let ending = self.ending.clone();
        loop {
            let step = self.machine.step(moment());
            self.tell();
            match step {
                NextStep::Send(ask) => {
                    let answer = tokio::select! {
                        biased;
                        () = ending.cancelled() => break,
                        answer = self.ask(&ask) => answer,
                    };
                    self.log.reply(ask.request.verb(), &answer);
                    self.machine.answered(ask, moment(), answer);
                    self.tell();
                }
                NextStep::Rest(until) => tokio::select! {
                    biased;
                    () = ending.cancelled() => break,
                    Some(order) = self.orders.recv(), if self.pending.is_none() => self.take(order),
                    () = sleep_until(until) => {}
                },
            }
        }
        let release = self.machine.resign();
        self.tell();
        if release && timeout(RELEASE, self.release()).await.is_err() {
            tracing::warn!("cannot release the Lease; others wait until it expires");
        }
    }

    async fn ask(&self, ask: &TimedRequest) -> LeaseReply {
        let answer = timeout(ask.limit, self.api.send(&ask.request)).await;
        answer.unwrap_or_else(|_| self.api.timed_out(ask.request.verb()))
    }

    fn take(&mut self, order: Order) {
        if self.machine.term().is_some_and(|term| Arc::ptr_eq(term, &order.of)) {
            self.machine.want_sequence(order.now);
            self.pending = Some(order.reply);
        } else {
            // The receiver may be gone.
            let _ = order.reply.send(Err(NoSequence::Lost));
        }
    }

    /// Passes on what happened.
    fn tell(&mut self) {
        for event in self.machine.take_events() {
            self.log.event(&event);
            let reply = match event {
                ElectionEvent::Leads => {
                    self.times.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                ElectionEvent::Sequence(number) => Ok(number),
                ElectionEvent::NoSequence(gap) => Err(NoSequence::Refused(gap.to_string())),
                ElectionEvent::Lost(_) => Err(NoSequence::Lost),
                ElectionEvent::Follows(_) | ElectionEvent::Garbage(_) => continue,
            };
            if let Some(pending) = self.pending.take() {
                let _ = pending.send(reply);
            }
        }
        let is_same = |told: &Option<Arc<Hold>>| match (told, self.machine.term()) {
            (Some(told), Some(term)) => Arc::ptr_eq(told, term),
            (told, term) => told.is_none() && term.is_none(),
        };
        self.leads.send_if_modified(|told| {
            let changes = !is_same(told);
            if changes {
                *told = self.machine.term().cloned();
            }
            changes
        });
    }

    /// Empties the Lease, unless it is another's.
    async fn release(&mut self) {
        loop {
            match self.api.send(&LeaseRequest::Get).await {
                LeaseReply::Missing => return,
                LeaseReply::Lease(record) => {
                    let Some(update) = self.machine.release(&record, Timestamp::now()) else { return };
                    match self.api.send(&update).await {
                        LeaseReply::Lease(_) | LeaseReply::Missing => return,
                        // Our own last renewal may have come in between.
                        LeaseReply::Conflict => continue,
                        failed @ LeaseReply::Failed(_) => self.log.reply(Verb::Update, &failed),
                    }
                }
                failed => self.log.reply(Verb::Get, &failed),
            }
            sleep(RELEASE_PAUSE).await;
        }
    }
}

impl Drop for Task {
    /// The Lease is no longer renewed.
    fn drop(&mut self) {
        self.machine.resign();
    }
}

fn moment() -> Moment {
    // Each state has keys of its own: chance enough to keep processes from asking in step.
    let chance = RandomState::new().hash_one(()) as f64 / u64::MAX as f64;
    Moment { now: Instant::now(), wall: Timestamp::now(), chance }
}
