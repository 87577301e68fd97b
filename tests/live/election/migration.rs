//! Elastic's shipper and ours in one cluster, as one takes the other's place: the first is a Lease that we renew as it
//! does. Then it takes the Lease back, and dies.

use jiff::Timestamp;
use std::time::Duration;

use super::leases::Leases;
use super::stage::{Played, Stage, took};
use crate::bed::Bed;

const LEASE: &str = "cloudbeat-cluster-leader";
const OTHER: &str = "elastic-agent-leader-5f0c";
/// How often the other renews.
const RENEWAL: Duration = Duration::from_secs(2);

pub struct Migration {
    pub played: Played,
    /// From when to when the other had the Lease, twice.
    pub others: [(Timestamp, Timestamp); 2],
    /// When our cycles ended.
    pub cycles: [Timestamp; 2],
}

pub fn play(bed: &Bed, leases: &Leases<'_>) -> Migration {
    let mut stage = Stage::empty(bed, leases, LEASE);
    let from = Timestamp::now();
    leases.make(LEASE, OTHER, from);
    stage.start();
    stage.followed(&stage.processes);
    // Longer than a Lease lasts.
    renew(leases, 10);
    let first = (from, Timestamp::now());
    let before = stage.last();
    leases.release(LEASE);
    let (_, taken) = stage.leader_after("ours to lead after the other gave way", Some(&before));
    took("take-over after another shipper gave way", first.1, taken.at);
    let cycle = stage.cycle_after("our cycle", 0);
    stage.processes[0].end();

    let from = Timestamp::now();
    leases.renew(LEASE, OTHER);
    stage.start();
    stage.followed(&stage.processes[1..]);
    renew(leases, 3);
    let second = (from, Timestamp::now());
    let before = stage.last();
    let (_, taken) = stage.leader_after("ours to lead after the other died", Some(&before));
    took("take-over after another shipper died", second.1, taken.at);
    let again = stage.cycle_after("our cycle again", cycle.sequence);
    let cycles = [cycle.created, again.created];
    Migration { played: stage.close(), others: [first, second], cycles }
}

fn renew(leases: &Leases<'_>, times: u32) {
    for _ in 0..times {
        std::thread::sleep(RENEWAL);
        leases.renew(LEASE, OTHER);
    }
}
