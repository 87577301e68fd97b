//! Leader election: the holder of one Lease of the API server leads.
//!
//! In: a client, and the Lease's name and times. Out: a [`LeaderTerm`] whenever this process leads, which knows at each
//! instant whether it still does, and hands out the numbers of the leader's sweeps.
//!
//! It is our own because no crate notices without a timer that a process which was stopped has lost the Lease, none
//! writes an annotation in the same update as the renewal, and the one for this version of `kube` compares the clocks of
//! two machines.
//!
//! What keeps two from leading at once:
//! - A leader leads for `renew_deadline` from the moment at which it *began* the last renewal that got through.
//! - Everybody else waits for `lease_duration` from the moment at which they *saw* the Lease change, by their own
//!   monotonic clock. What they saw was written after the renewal began, so they always wait longer.
//! - Each write names the version that it replaces, and changes it, even where the clock stands still.
//! - What was lost stays lost: a renewal that gets through late begins another term.
//!
//! So a leader that resigns is followed within `retry_period`, and one that died within `lease_duration` and
//! `retry_period`, plus the time that three requests take. Chance only shortens waits, by up to a fifth.
//!
//! Who deletes the Lease takes it from its holder: those who knew of the holder wait, but a process that has just
//! started does not know that there was one.

mod api;
mod election_log;
mod hold;
mod lease;
mod machine;
mod record;
mod task;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::telemetry::metrics::Registry;
use hold::Hold;
use task::{Order, Task};

/// The Lease, and the times of its election.
#[derive(Debug, Clone)]
pub struct ElectionSettings {
    /// The Lease's name.
    pub lease_name: String,
    /// Its namespace.
    pub namespace: String,
    /// This process's identity: no other may have the same, nor this one after a restart.
    pub identity: String,
    /// How long others wait for a leader that does not renew.
    pub lease_duration: Duration,
    /// How long a leader that cannot renew goes on leading.
    pub renew_deadline: Duration,
    /// How often the leader renews and the others check.
    pub retry_period: Duration,
}

/// Settings that would break the election.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("leader election: {0}")]
pub struct Unusable(String);

impl ElectionSettings {
    fn check(&self) -> Result<(), Unusable> {
        let Self { lease_duration, renew_deadline, retry_period, .. } = self;
        let wrong = |text: String| Err(Unusable(text));
        for (what, name) in [("name", &self.lease_name), ("namespace", &self.namespace)] {
            let is_plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
            if name.is_empty() || !name.bytes().all(is_plain) || name.starts_with('.') {
                return wrong(format!(
                    "the Lease's {what} is `{name}`, but names are of lower-case letters, digits, `-` and `.`"
                ));
            }
        }
        if self.identity.is_empty() {
            return wrong("this process has no identity, and a Lease without a holder is free".into());
        }
        if retry_period.is_zero() {
            return wrong("retry_period is 0: set it to a second or more".into());
        }
        if retry_period >= renew_deadline {
            return wrong(format!(
                "retry_period ({retry_period:?}) is not less than renew_deadline ({renew_deadline:?}), so the leader could not try twice"
            ));
        }
        if renew_deadline >= lease_duration {
            return wrong(format!(
                "renew_deadline ({renew_deadline:?}) is not less than lease_duration ({lease_duration:?}), so two could lead at once"
            ));
        }
        Ok(())
    }
}

/// This process as a candidate, until it is ended or dropped.
#[derive(Debug)]
pub struct Election {
    orders: mpsc::Sender<Order>,
    leads: watch::Receiver<Option<Arc<Hold>>>,
    times: Arc<AtomicU64>,
    ending: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl Election {
    /// Starts to compete. Only inside a runtime.
    pub fn start(client: kube::Client, settings: ElectionSettings) -> Result<Self, Unusable> {
        settings.check()?;
        let (orders, received) = mpsc::channel(8);
        let (told, leads) = watch::channel(None);
        let (times, ending) = (Arc::new(AtomicU64::new(0)), CancellationToken::new());
        let task = Task::new(client, settings, received, told, Arc::clone(&times), ending.clone());
        Ok(Self { orders, leads, times, ending, task: AbortOnDropHandle::new(tokio::spawn(task.run())) })
    }

    /// Waits until this process leads; at once while it does.
    pub async fn lead(&mut self) -> LeaderTerm {
        let leads = |hold: &Option<Arc<Hold>>| hold.as_ref().is_some_and(|hold| hold.holds(Instant::now()));
        if let Ok(hold) = self.leads.wait_for(leads).await
            && let Some(hold) = hold.clone()
        {
            return LeaderTerm { hold, orders: self.orders.clone() };
        }
        // The task ends only with us, unless it panicked: then the Lease is not renewed, so we do not lead.
        tracing::error!("leader election task ended unexpectedly; this process will not lead again");
        std::future::pending().await
    }

    /// Gives the Lease up if it is held, so that another takes it at once. Takes a few seconds at most.
    pub async fn end(self) {
        self.ending.cancel();
        // Bounded by the task itself; what broke it off has been told by its panic.
        let _ = self.task.await;
    }

    /// Shows whether this process leads `of` to whoever reads `registry`.
    pub fn register(&self, of: &str, registry: &Registry) {
        let (leads, times, of) = (self.leads.clone(), Arc::clone(&self.times), of.to_owned());
        registry.register(move |samples| {
            let now = Instant::now();
            let is_leader = leads.borrow().as_ref().is_some_and(|hold| hold.holds(now));
            let labels = [("of", of.as_str())];
            let help = "1 while this process leads";
            samples.gauge_of("posturebeat.leader.is_leader", help, &labels, is_leader.into());
            let help = "Times that this process became leader";
            let times = times.load(Ordering::Relaxed);
            samples.counter_of("posturebeat.leader.transitions", help, &labels, times);
        });
    }
}

/// One term as the leader. Once lost, it stays lost.
#[derive(Debug, Clone)]
pub struct LeaderTerm {
    hold: Arc<Hold>,
    orders: mpsc::Sender<Order>,
}

/// Why there is no number for a sweep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSequence {
    /// Another may lead by now.
    #[error("this process no longer leads")]
    Lost,
    /// The API server refused to write it.
    #[error("{0}")]
    Refused(String),
}

impl LeaderTerm {
    /// Whether the Lease is held for certain: a question of the clock alone, so it is answered rightly also by a
    /// process that was stopped for an hour a moment ago.
    pub fn holds(&self) -> bool {
        self.hold.holds(Instant::now())
    }

    /// Waits until it is lost.
    pub async fn lost(&self) {
        self.hold.lost().await;
    }

    /// The number of the next sweep: `now`, or above the highest that any leader has had. It stands in the Lease before
    /// it is returned.
    pub async fn next_sequence(&self, now: i64) -> Result<i64, NoSequence> {
        let (reply, answer) = oneshot::channel();
        let order = Order { of: Arc::clone(&self.hold), now, reply };
        self.orders.send(order).await.map_err(|_| NoSequence::Lost)?;
        answer.await.unwrap_or(Err(NoSequence::Lost))
    }
}
