//! Five processes with clocks of their own, and a Lease whose holder is long gone. The leader's clock is set back by an
//! hour and a follower's forward, which is then the only one left.

use jiff::Timestamp;

use super::leases::{Leases, Seen};
use super::stage::{Clocks, Played, Stage, took};
use crate::bed::Bed;

pub struct ClocksMoved {
    pub played: Played,
    /// The Lease as it was left behind, and as it was taken.
    pub stale: (Seen, Seen),
    /// The first cycle.
    pub first: i64,
    /// The Lease when the clocks were moved, and two cycles later.
    pub moved: (Seen, Seen),
    /// The Lease of the last one left.
    pub last: Seen,
}

pub fn play(bed: &Bed, leases: &Leases<'_>) -> ClocksMoved {
    let mut stage = Stage { clocks: Clocks::Own, ..Stage::empty(bed, leases, "clocks") };
    leases.make(&stage.lease, "long-gone_0", "2024-02-29T12:00:00Z".parse().unwrap());
    let stale = bed.until("the Lease", || leases.last(&stage.lease));
    stage.start_five();
    let met = stage.followed(&stage.processes);
    let (leader, taken) = stage.leader_after("a leader after one that is gone", Some(&stale));
    took("take-over of a stale Lease, from when it was first seen", met, taken.at);
    let first = stage.cycle_after("the first cycle", 0).sequence;

    let before = stage.last();
    let follower = (leader + 1) % stage.processes.len();
    stage.processes[leader].move_clock("-1h");
    stage.processes[follower].move_clock("+1h");
    let cycle = stage.cycle_after("a cycle after the clocks were moved", stage.last_sequence());
    stage.cycle_after("another", cycle.sequence);
    let moved = (before, stage.last());

    let others = (0..stage.processes.len()).filter(|index| ![leader, follower].contains(index));
    others.collect::<Vec<_>>().into_iter().for_each(|index| stage.processes[index].end());
    let (before, sequence, ended) = (stage.last(), stage.last_sequence(), Timestamp::now());
    stage.processes[leader].end();
    let (_, last) = stage.leader_after("a leader after SIGTERM", Some(&before));
    took("take-over between clocks two hours apart", ended, last.at);
    stage.cycle_after("its cycle", sequence);
    ClocksMoved { played: stage.close(), stale: (stale, taken), first, moved, last }
}
