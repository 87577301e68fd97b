//! What to do next: the election without clock, chance and network, which are parameters.
//!
//! [`Machine::step`] says what to ask of the API server or how long to rest, [`Machine::answered`] takes what became of
//! it, and both leave [`ElectionEvent`]s behind.

use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

use super::ElectionSettings;
use super::hold::Hold;
use super::lease::{LeaseReply, LeaseRequest, Verb};
use super::record::{Record, Sequence, Taking};
use crate::resource::Gap;

/// Reads in a row after conflicts, before a rest: who writes all the time must not keep us busy.
const REREADS: u8 = 2;
/// How much of a wait chance may take away.
const JITTER: f64 = 0.2;

/// Time and chance, which the election takes as parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub now: Instant,
    /// Only ever written into the Lease.
    pub wall: Timestamp,
    /// From 0 to 1.
    pub chance: f64,
}

/// What to do next.
#[derive(Debug)]
pub(super) enum NextStep {
    Send(TimedRequest),
    Rest(Instant),
}

/// A request to send.
#[derive(Debug)]
pub(super) struct TimedRequest {
    pub request: LeaseRequest,
    /// How long to wait for the reply.
    pub limit: Duration,
    started: Instant,
    sequence: Option<i64>,
}

/// A change to log, or to pass on to who waits for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ElectionEvent {
    /// This process became the leader.
    Leads,
    /// It no longer leads, and why.
    Lost(String),
    /// Another process leads: its identity.
    Follows(String),
    /// The requested sequence number is in the Lease.
    Sequence(i64),
    /// The API server refused to write it.
    NoSequence(Gap),
    /// The annotation holds no sequence number: its text.
    Garbage(String),
}

/// The election as one process sees it.
pub(super) struct Machine {
    settings: ElectionSettings,
    seen: Option<ObservedLease>,
    next: Planned,
    term: Option<Arc<Hold>>,
    /// The least number that somebody waits for.
    wanted: Option<i64>,
    /// The highest number that was ever seen in the Lease, or written by us: none may be at or below it.
    floor: i64,
    rereads: u8,
    /// A write is under way, or its result is unknown.
    writing: bool,
    leader: Option<String>,
    garbage: Option<String>,
    events: Vec<ElectionEvent>,
}

/// The Lease when it was last looked at.
struct ObservedLease {
    /// None where there was no Lease.
    record: Option<Record>,
    /// From when on it may be taken.
    free_at: Instant,
}

#[derive(Clone, Copy)]
enum Planned {
    Now(Action),
    At(Instant, Action),
}

#[derive(Clone, Copy)]
enum Action {
    Read,
    Write,
}

impl Machine {
    pub(super) fn new(settings: ElectionSettings) -> Self {
        Self {
            settings,
            seen: None,
            next: Planned::Now(Action::Read),
            term: None,
            wanted: None,
            floor: 0,
            rereads: 0,
            writing: false,
            leader: None,
            garbage: None,
            events: Vec::new(),
        }
    }

    /// What happened since the last call.
    pub(super) fn take_events(&mut self) -> Vec<ElectionEvent> {
        std::mem::take(&mut self.events)
    }

    /// This process's hold on the Lease, until it is noticed that it was lost.
    pub(super) fn term(&self) -> Option<&Arc<Hold>> {
        self.term.as_ref()
    }

    /// Asks for a number of at least `least`, in this term.
    pub(super) fn want_sequence(&mut self, least: i64) {
        self.wanted = Some(least);
    }

    /// What to do now.
    pub(super) fn step(&mut self, moment: Moment) -> NextStep {
        let Moment { now, .. } = moment;
        if self.term.as_ref().is_some_and(|term| !term.holds(now)) {
            self.lose("it could not be renewed in time");
            self.next = Planned::Now(Action::Read);
        }
        let deed = match self.next {
            Planned::Now(deed) => deed,
            Planned::At(at, deed) if now >= at => deed,
            // What was read or written last is the Lease still, as far as we know.
            Planned::At(_, Action::Write) if self.wanted.is_some() => Action::Write,
            Planned::At(at, _) => {
                return NextStep::Rest(self.term.as_ref().map_or(at, |term| at.min(term.until())));
            }
        };
        self.next = Planned::Now(deed);
        let (request, sequence) = match deed {
            Action::Read => (LeaseRequest::Get, None),
            Action::Write => self.write(moment),
        };
        NextStep::Send(TimedRequest { request, limit: self.limit(now), started: now, sequence })
    }

    /// Two tries must fit into a term, and none may outlast it.
    fn limit(&self, now: Instant) -> Duration {
        let half = self.settings.renew_deadline / 2;
        self.term.as_ref().map_or(half, |term| half.min(term.until().saturating_duration_since(now)))
    }

    fn write(&mut self, moment: Moment) -> (LeaseRequest, Option<i64>) {
        self.writing = true;
        let record = self.seen.as_ref().and_then(|seen| seen.record.as_ref());
        let sequence = self.wanted.map(|least| least.max(self.floor.saturating_add(1)));
        let ElectionSettings { lease_name, namespace, identity, lease_duration, .. } = &self.settings;
        let taking = Taking { identity, lease_duration: *lease_duration, wall: moment.wall, sequence };
        let request = match record {
            Some(record) => LeaseRequest::Update(record.taken(&taking)),
            None => LeaseRequest::Create(taking.new_lease(lease_name, namespace)),
        };
        (request, sequence)
    }

    /// Takes an answer in.
    pub(super) fn answered(&mut self, ask: TimedRequest, moment: Moment, answer: LeaseReply) {
        let began = ask.started;
        let wrote = ask.request.verb() != Verb::Get;
        if wrote && !matches!(answer, LeaseReply::Failed(_)) {
            self.writing = false;
        }
        match answer {
            LeaseReply::Failed(failure) => {
                if failure.is_final && ask.sequence.is_some() {
                    self.wanted = None;
                    self.events.push(ElectionEvent::NoSequence(failure.gap));
                }
                self.rest(began, moment, Action::Read);
            }
            LeaseReply::Conflict | LeaseReply::Missing if wrote => self.reread(began, moment),
            LeaseReply::Conflict => self.rest(began, moment, Action::Read),
            LeaseReply::Missing => {
                self.observe(None, moment.now);
                self.decide(began, moment);
            }
            LeaseReply::Lease(record) => {
                self.observe(Some(record), moment.now);
                if wrote && self.is_mine() {
                    self.hold(&ask, moment);
                } else {
                    self.decide(began, moment);
                }
            }
        }
    }

    /// The Lease is ours since `ask`.
    fn hold(&mut self, ask: &TimedRequest, moment: Moment) {
        let until = ask.started + self.settings.renew_deadline;
        self.floor = self.floor.max(ask.sequence.unwrap_or_default());
        if self.term.as_ref().is_some_and(|term| term.extend(moment.now, until)) {
            if let Some(sequence) = ask.sequence {
                self.wanted = None;
                self.events.push(ElectionEvent::Sequence(sequence));
            }
        } else {
            self.lose("its renewal came too late");
            if moment.now >= until {
                self.next = Planned::Now(Action::Read);
                return;
            }
            self.term = Some(Arc::new(Hold::new(until)));
            self.leader = None;
            self.events.push(ElectionEvent::Leads);
        }
        self.rest(ask.started, moment, Action::Write);
    }

    /// Notes what the Lease is.
    fn observe(&mut self, record: Option<Record>, now: Instant) {
        let before = self.seen.take();
        let Some(record) = record else {
            // Somebody deleted it, and its holder does not know yet.
            let free_at = before.map_or(now, |seen| seen.free_at);
            self.seen = Some(ObservedLease { record: None, free_at });
            return;
        };
        let holder = record.holder();
        let free_at = match before {
            _ if holder.is_empty() || holder == self.settings.identity => now,
            Some(ObservedLease { record: Some(same), free_at }) if record.is_same(&same) => free_at,
            _ => now + self.settings.lease_duration.max(record.lasts()),
        };
        if holder != self.settings.identity {
            let why = if holder.is_empty() {
                "somebody emptied the Lease".to_owned()
            } else {
                format!("`{}` took it", shown(holder))
            };
            self.lose(&why);
            if !holder.is_empty() && self.leader.as_deref() != Some(holder) {
                self.leader = Some(holder.to_owned());
                self.events.push(ElectionEvent::Follows(shown(holder)));
            }
        }
        match record.sequence() {
            Some(Sequence::Number(number)) => self.floor = self.floor.max(number),
            Some(Sequence::Garbage(text)) if self.garbage.as_deref() != Some(text) => {
                self.garbage = Some(text.to_owned());
                self.events.push(ElectionEvent::Garbage(shown(text)));
            }
            _ => {}
        }
        self.seen = Some(ObservedLease { record: Some(record), free_at });
    }

    /// The Lease was just looked at.
    fn decide(&mut self, began: Instant, moment: Moment) {
        let free_at = self.seen.as_ref().map_or(moment.now, |seen| seen.free_at);
        if moment.now >= free_at {
            self.next = Planned::Now(Action::Write);
        } else {
            self.rest(began, moment, Action::Read);
            if let Planned::At(at, deed) = self.next {
                self.next = Planned::At(at.min(free_at), deed);
            }
        }
    }

    fn reread(&mut self, began: Instant, moment: Moment) {
        if self.rereads < REREADS {
            self.rereads += 1;
            self.next = Planned::Now(Action::Read);
        } else {
            self.rest(began, moment, Action::Read);
        }
    }

    /// Waits for the next request. Counted from when this one began: where answers are slow, a term must still see two.
    fn rest(&mut self, began: Instant, moment: Moment, then: Action) {
        self.rereads = 0;
        let shorter = 1.0 - JITTER * moment.chance.clamp(0.0, 1.0);
        self.next = Planned::At(began + self.settings.retry_period.mul_f64(shorter), then);
    }

    fn lose(&mut self, why: &str) {
        if let Some(term) = self.term.take() {
            term.end();
            self.wanted = None;
            self.events.push(ElectionEvent::Lost(why.to_owned()));
        }
    }

    fn is_mine(&self) -> bool {
        let record = self.seen.as_ref().and_then(|seen| seen.record.as_ref());
        record.is_some_and(|record| record.holder() == self.settings.identity)
    }

    /// Leads no more; whether the Lease may still say so.
    pub(super) fn resign(&mut self) -> bool {
        self.lose("it was given up");
        self.is_mine() || self.writing
    }

    /// What to write after having resigned, if the Lease is this one.
    pub(super) fn release(&self, record: &Record, wall: Timestamp) -> Option<LeaseRequest> {
        (record.holder() == self.settings.identity).then(|| LeaseRequest::Update(record.released(wall)))
    }
}

/// Of others' text in a log: a little, in one line.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}
