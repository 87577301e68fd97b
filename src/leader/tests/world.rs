//! A world of several processes and one Lease that fails in every way it can, on an invented clock.
//!
//! Requests are done late, or done and never answered; processes are stopped, die and come back under another name;
//! wall clocks differ by hours or stand still. At every event it is looked whether two lead.

use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tokio::time::Instant;

use super::settings;
use super::store::{Refusal, Store};
use crate::leader::api::Api;
use crate::leader::lease::{LeaseReply, LeaseRequest, Verb};
use crate::leader::machine::{ElectionEvent, Machine, Moment, NextStep, TimedRequest};
use crate::leader::record::Record;

/// From here on nothing fails any more.
pub(super) const QUIET: u64 = 185_000;

/// What happens to a process.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// It does nothing for so long.
    Stop(u64),
    /// It reaches nobody for so long.
    Cut(u64),
    /// Nobody reaches the server for so long.
    Outage(u64),
    /// It dies, and another comes in its place.
    Crash,
    /// It gives up properly, and another comes in its place.
    End,
}

#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub processes: usize,
    pub seed: u64,
    /// The longest way of a request or an answer.
    pub latency: u64,
    /// Of a thousand requests, as many fail somehow.
    pub failing: u64,
    pub faults: Vec<(u64, usize, Fault)>,
}

/// Not random, only unforeseen.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound.max(1)
    }
}

pub(super) struct Process {
    pub machine: Machine,
    doing: Doing,
    pub stopped_until: u64,
    cut_until: u64,
    wall: Wall,
    wants: bool,
}

enum Doing {
    Resting(u64),
    Asking { id: u64, ask: TimedRequest, started: u64, answer: Option<(u64, LeaseReply)> },
}

/// What it takes for the time of day.
#[derive(Clone, Copy)]
enum Wall {
    Off(i64),
    Still,
}

/// A request under way to the server.
struct Sent {
    at: u64,
    back: Option<u64>,
    id: u64,
    from: usize,
    request: LeaseRequest,
}

pub(super) struct World {
    plan: Plan,
    start: Instant,
    pub now: u64,
    chance: Chance,
    store: Store,
    api: Api,
    pub processes: Vec<Process>,
    sent: Vec<Sent>,
    outage_until: u64,
    ids: u64,
    pub numbers: Vec<i64>,
}

impl World {
    pub(super) fn new(plan: Plan) -> Self {
        let client = super::double::Server::default().client();
        let mut world = Self {
            start: Instant::now(),
            now: 0,
            chance: Chance(plan.seed),
            store: Store::default(),
            api: Api::new(client, &settings("nobody")),
            processes: Vec::new(),
            sent: Vec::new(),
            outage_until: 0,
            ids: 0,
            numbers: Vec::new(),
            plan,
        };
        for _ in 0..world.plan.processes {
            let process = world.born();
            world.processes.push(process);
        }
        world
    }

    fn born(&mut self) -> Process {
        self.ids += 1;
        let wall = match self.chance.below(4) {
            0 => Wall::Still,
            _ => Wall::Off(self.chance.below(7200).cast_signed() - 3600),
        };
        Process {
            machine: Machine::new(settings(&format!("p{}", self.ids))),
            doing: Doing::Resting(self.now + self.chance.below(3000)),
            stopped_until: 0,
            cut_until: 0,
            wall,
            wants: false,
        }
    }

    pub(super) fn instant(&self) -> Instant {
        self.start + Duration::from_millis(self.now)
    }

    fn wall(&self, of: usize) -> Timestamp {
        let base: Timestamp = "2026-08-21T07:10:03Z".parse().unwrap();
        match self.processes[of].wall {
            Wall::Still => base,
            Wall::Off(seconds) => {
                base + SignedDuration::from_secs(seconds)
                    + SignedDuration::from_millis(self.now.cast_signed())
            }
        }
    }

    fn moment(&mut self, of: usize) -> Moment {
        let chance = self.chance.below(1000) as f64 / 1000.0;
        Moment { now: self.instant(), wall: self.wall(of), chance }
    }

    /// Lives until `end`, or until `stop` says so.
    pub(super) fn run(&mut self, end: u64, stop: impl Fn(&Self) -> bool) {
        while self.now < end && !stop(self) {
            let fault = self.plan.faults.first().map(|(at, ..)| *at);
            let request = self.sent.iter().map(|sent| sent.at).min();
            let process = (0..self.processes.len()).map(|of| (self.wakes(of), of)).min();
            let (wakes, of) = process.unwrap();
            let next = [fault, request, Some(wakes)].into_iter().flatten().min().unwrap();
            self.now = self.now.max(next);
            if fault == Some(next) {
                let (_, of, fault) = self.plan.faults.remove(0);
                self.happens(of % self.processes.len(), fault);
            } else if request == Some(next) {
                self.arrives();
            } else {
                self.acts(of);
            }
            self.check();
        }
    }

    /// The one promise that matters most.
    fn check(&self) {
        let leaders = self.leaders();
        assert!(leaders <= 1, "{leaders} lead at {} ms", self.now);
    }

    pub(super) fn leaders(&self) -> usize {
        let holds =
            |process: &&Process| process.machine.term().is_some_and(|term| term.holds(self.instant()));
        self.processes.iter().filter(holds).count()
    }

    fn wakes(&self, of: usize) -> u64 {
        let process = &self.processes[of];
        let at = match &process.doing {
            Doing::Resting(until) => *until,
            Doing::Asking { answer: Some((at, _)), .. } => *at,
            Doing::Asking { ask, started, .. } => started + millis(ask.limit),
        };
        at.max(process.stopped_until)
    }

    pub(super) fn happens(&mut self, of: usize, fault: Fault) {
        match fault {
            Fault::Stop(time) => self.processes[of].stopped_until = self.now + time,
            Fault::Cut(time) => self.processes[of].cut_until = self.now + time,
            Fault::Outage(time) => self.outage_until = self.now + time,
            Fault::Crash => self.processes[of] = self.born(),
            Fault::End => {
                let wall = self.wall(of);
                let reaches = self.now >= self.outage_until.max(self.processes[of].cut_until);
                let machine = &mut self.processes[of].machine;
                if machine.resign()
                    && reaches
                    && let Ok(lease) = self.store.apply(&LeaseRequest::Get)
                    && let Some(update) = machine.release(&Record::parse(lease).unwrap(), wall)
                {
                    self.store.apply(&update).unwrap();
                }
                self.processes[of] = self.born();
            }
        }
    }

    /// The server does the next request that reaches it, whether or not anybody still waits for it.
    fn arrives(&mut self) {
        let first = (0..self.sent.len()).min_by_key(|of| self.sent[*of].at).unwrap();
        let sent = self.sent.swap_remove(first);
        let result = self.store.apply(&sent.request);
        let Doing::Asking { id, answer, .. } = &mut self.processes[sent.from].doing else { return };
        if *id == sent.id
            && let Some(back) = sent.back
        {
            let made = match result {
                Ok(lease) => LeaseReply::Lease(Record::parse(lease).unwrap()),
                Err(Refusal::Missing) => LeaseReply::Missing,
                Err(Refusal::Conflict) => LeaseReply::Conflict,
            };
            *answer = Some((back, made));
        }
    }

    fn acts(&mut self, of: usize) {
        let moment = self.moment(of);
        if let Doing::Asking { .. } = self.processes[of].doing {
            let Doing::Asking { ask, answer, .. } =
                std::mem::replace(&mut self.processes[of].doing, Doing::Resting(self.now))
            else {
                unreachable!()
            };
            let answer = answer.map_or_else(|| self.api.timed_out(ask.request.verb()), |(_, answer)| answer);
            self.processes[of].machine.answered(ask, moment, answer);
            self.hears(of);
            return;
        }
        let wants = self.chance.below(4) == 0;
        let second = moment.wall.as_second();
        let process = &mut self.processes[of];
        if wants && !process.wants && process.machine.term().is_some_and(|term| term.holds(moment.now)) {
            process.machine.want_sequence(second);
            process.wants = true;
        }
        match process.machine.step(moment) {
            NextStep::Rest(until) => {
                let until = (until - self.start).as_nanos().div_ceil(1_000_000);
                process.doing = Doing::Resting(u64::try_from(until).unwrap());
            }
            NextStep::Send(ask) => self.sends(of, ask),
        }
        self.hears(of);
    }

    fn sends(&mut self, of: usize, ask: TimedRequest) {
        self.ids += 1;
        let (id, now) = (self.ids, self.now);
        let there = now + 1 + self.chance.below(self.plan.latency);
        let back = there + 1 + self.chance.below(self.plan.latency);
        let is_cut = now < self.outage_until.max(self.processes[of].cut_until);
        let fails = now < QUIET && self.chance.below(1000) < self.plan.failing;
        let mut answer = None;
        let refused = |api: &Api| api.timed_out(Verb::Get);
        // It is done so late that nobody waits for it any more; or done, and not answered; or refused.
        let (done, told) = match (is_cut, fails, self.chance.below(3)) {
            (true, _, 0) => {
                answer = Some((there, refused(&self.api)));
                (None, None)
            }
            (true, ..) => (None, None),
            (_, true, 0) => (Some(there + self.chance.below(20_000)), None),
            (_, true, 1) => (Some(there), None),
            (_, true, _) => {
                answer = Some((back, refused(&self.api)));
                (None, None)
            }
            _ => (Some(there), Some(back)),
        };
        if let Some(at) = done {
            self.sent.push(Sent { at, back: told, id, from: of, request: ask.request.clone() });
        }
        self.processes[of].doing = Doing::Asking { id, ask, started: now, answer };
    }

    fn hears(&mut self, of: usize) {
        for event in self.processes[of].machine.take_events() {
            match event {
                ElectionEvent::Sequence(number) => {
                    assert!(
                        self.numbers.last().is_none_or(|last| *last < number),
                        "{:?} {number}",
                        self.numbers
                    );
                    self.numbers.push(number);
                    self.processes[of].wants = false;
                }
                ElectionEvent::Lost(_) => self.processes[of].wants = false,
                _ => {}
            }
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap()
}
