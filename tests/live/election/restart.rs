//! Two processes and an API server of their own, which is killed in the middle of a cycle and started again.

use jiff::Timestamp;
use std::time::Duration;

use super::leases::Leases;
use super::stage::{Played, Stage, took};
use crate::bed::Bed;
use crate::flips::plain::{API_SERVER_PORT, Changes, Plain};

/// How long it is down: longer than a Lease lasts.
const DOWN: Duration = Duration::from_secs(20);

pub struct Restart {
    pub played: Played,
    /// The cycle that was under way.
    pub half: i64,
    /// From when to when nothing answered.
    pub away: (Timestamp, Timestamp),
    /// The first whole cycle after that.
    pub next: i64,
}

pub fn play(bed: &Bed) -> Restart {
    let mut plain = Plain::start(bed, <[Changes; 4]>::default());
    let leases = Leases::of(bed, API_SERVER_PORT, "default");
    let mut stage = Stage::empty(bed, &leases, "restart");
    (0..2).for_each(|_| stage.start());
    let (leader, _) = stage.leader_after("a first leader", None);
    stage.cycle_after("the first cycle", 0);
    let half = stage.in_mid_cycle(leader);
    plain.kill(Plain::API_SERVER);
    let from = Timestamp::now();
    std::thread::sleep(DOWN);
    let away = (from, Timestamp::now());
    plain.start_again(bed, Plain::API_SERVER);
    let up = Timestamp::now();
    let cycle = stage.cycle_after("a cycle after the API server was started again", half);
    took("next whole cycle after the API server was ready again", up, cycle.created);
    Restart { played: stage.close(), half, away, next: cycle.sequence }
}
