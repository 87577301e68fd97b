//! Five processes, of which the leader loses its way to the API server, and then, for a minute, all do.

use jiff::Timestamp;
use std::time::Duration;

use super::crashes::{Half, in_mid_cycle};
use super::leases::Leases;
use super::stage::{Played, Stage, took};
use crate::bed::Bed;

/// How long the API server is away.
const AWAY: Duration = Duration::from_mins(1);

pub struct Outages {
    pub played: Played,
    pub lost: Half,
    /// From when to when that one alone heard nothing.
    pub silence: (Timestamp, Timestamp),
    /// From when to when none heard anything.
    pub away: (Timestamp, Timestamp),
    /// The cycle after that.
    pub next: i64,
}

pub fn play(bed: &Bed, leases: &Leases<'_>) -> Outages {
    let mut stage = Stage::empty(bed, leases, "outages");
    stage.start_five();
    let (leader, _) = stage.leader_after("a first leader", None);
    stage.cycle_after("the first cycle", 0);

    let (next, lost, from) =
        in_mid_cycle(&stage, leader, "the leader's network was lost", |stage, leader| {
            stage.processes[leader].gate.silence();
        });
    let silence = (from, Timestamp::now());
    stage.processes[leader].gate.open();

    stage.in_mid_cycle(next);
    stage.processes.iter().for_each(|process| process.gate.cut());
    let from = Timestamp::now();
    std::thread::sleep(AWAY);
    let (away, sequence) = ((from, Timestamp::now()), stage.last_sequence());
    stage.processes.iter().for_each(|process| process.gate.open());
    let renewed = bed.until("a leader after the API server was away", || {
        stage.leases.last(&stage.lease).filter(|seen| seen.at > away.1)
    });
    took("the Lease is held again after the API server was away", away.1, renewed.at);
    let cycle = stage.cycle_after("a cycle after the API server was away", sequence);
    took("next whole cycle after the API server was away", away.1, cycle.created);
    Outages { played: stage.close(), lost, silence, away, next: cycle.sequence }
}
