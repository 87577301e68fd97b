//! Five processes, of which the leader is killed, then the next one stopped for longer than its Lease lasts and woken
//! again, and the one after that told to end.

use jiff::Timestamp;
use rustix::process::Signal;

use super::leases::Leases;
use super::stage::{Played, Stage, took};
use crate::bed::Bed;

pub struct Crashes {
    pub played: Played,
    /// How many had written anything when the first cycle was over.
    pub first_judges: usize,
    pub killed: Half,
    pub stopped: Half,
    /// When that one was woken.
    pub woken: Timestamp,
    /// When the last one was told to end.
    pub ended: Timestamp,
}

/// A cycle that its leader did not finish.
pub struct Half {
    pub by: String,
    pub sequence: i64,
    /// What came next.
    pub next: i64,
    pub next_by: String,
}

pub fn play(bed: &Bed, leases: &Leases<'_>) -> Crashes {
    let mut stage = Stage::empty(bed, leases, "crashes");
    stage.start_five();
    let (leader, _) = stage.leader_after("a first leader", None);
    stage.cycle_after("the first cycle", 0);
    let judges = stage.processes.iter().filter(|process| !process.documents().is_empty());
    let first_judges = judges.count();

    let (leader, killed, _) = in_mid_cycle(&stage, leader, "kill -9", |stage, leader| {
        stage.processes[leader].signal(Signal::KILL);
    });
    let (next, stopped, _) = in_mid_cycle(&stage, leader, "SIGSTOP", |stage, leader| {
        stage.processes[leader].signal(Signal::STOP);
    });
    let woken = Timestamp::now();
    let late = &stage.processes[leader];
    late.signal(Signal::CONT);
    bed.until("it to see that it leads no more", || {
        late.log().contains("no longer the leader").then_some(())
    });
    stage.cycle_after("a cycle beside the one that was woken", stopped.next);

    let (before, sequence, ended) = (stage.last(), stage.last_sequence(), Timestamp::now());
    stage.processes[next].end();
    let (_, taken) = stage.leader_after("a leader after SIGTERM", Some(&before));
    took("take-over after SIGTERM", ended, taken.at);
    stage.cycle_after("a cycle after SIGTERM", sequence);
    Crashes { played: stage.close(), first_judges, killed, stopped, woken, ended }
}

/// Does something to the leader in the middle of a cycle. Says who leads then, and what became of the cycle.
pub fn in_mid_cycle(
    stage: &Stage<'_>,
    leader: usize,
    what: &str,
    fault: impl FnOnce(&Stage<'_>, usize),
) -> (usize, Half, Timestamp) {
    let sequence = stage.in_mid_cycle(leader);
    let before = stage.last();
    let at = Timestamp::now();
    fault(stage, leader);
    let (next, taken) = stage.leader_after(&format!("a leader after {what}"), Some(&before));
    took(&format!("take-over after {what}"), at, taken.at);
    let cycle = stage.cycle_after(&format!("a cycle after {what}"), sequence);
    took(&format!("next whole cycle after {what}"), at, cycle.created);
    let by = stage.processes[leader].name.clone();
    (next, Half { by, sequence, next: cycle.sequence, next_by: cycle.by }, at)
}
