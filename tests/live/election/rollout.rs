//! Three processes, each of which is told to end and started anew, one after the other, as a DaemonSet's pods are by a
//! new image: with the node's `path.data`, under another identity. Whoever leads is ended in the middle of a cycle.

use jiff::Timestamp;

use super::leases::Leases;
use super::stage::{Played, Stage, took};
use crate::bed::Bed;

const NODES: usize = 3;

pub struct Rollout {
    pub played: Played,
    /// The cycles that were under way when their leader was told to end, each with the one that came to its end next.
    pub halves: Vec<(i64, i64)>,
}

pub fn play(bed: &Bed, leases: &Leases<'_>) -> Rollout {
    let mut stage = Stage::empty(bed, leases, "rollout");
    (0..NODES).for_each(|_| stage.start());
    let (first, _) = stage.leader_after("a first leader", None);
    stage.cycle_after("the first cycle", 0);
    let mut halves = Vec::new();
    for step in 0..NODES {
        let node = (first + step) % NODES;
        let leads = stage.last().is_of(&stage.processes[node].name);
        let half = leads.then(|| stage.in_mid_cycle(node));
        let told = Timestamp::now();
        stage.processes[node].replace();
        // The next one waits until this one is at work, as readiness makes it.
        let taken = bed.until("a leader while the nodes are replaced", || {
            stage.leases.last(&stage.lease).filter(|seen| seen.at > told && !seen.holder.is_empty())
        });
        stage.processes[node].until_it_knows_who_leads(bed);
        if let Some(half) = half {
            took("take-over from a leader that was replaced in mid-cycle", told, taken.at);
            let cycle = stage.cycle_after("a cycle after the leader was replaced", half);
            took("next whole cycle after the leader was replaced in mid-cycle", told, cycle.created);
            halves.push((half, cycle.sequence));
        }
    }
    stage.cycle_after("a cycle after all were replaced", stage.last_sequence());
    Rollout { played: stage.close(), halves }
}
