//! Whatever happens, at no instant do two lead, and numbers only grow; and successions take no longer than is said.

use proptest::prelude::*;

use super::world::{Fault, Plan, Process, QUIET, World};

/// Faults begin before this, in milliseconds.
const FAULTS: u64 = 120_000;
const END: u64 = QUIET + 60_000;

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        (1..45_000u64).prop_map(Fault::Stop),
        (1..45_000u64).prop_map(Fault::Cut),
        (1..60_000u64).prop_map(Fault::Outage),
        Just(Fault::Crash),
        Just(Fault::End),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let faults = prop::collection::vec((0..FAULTS, 0..5usize, fault()), 0..12);
    (2..=5usize, any::<u64>(), 1..1500u64, 0..300u64, faults).prop_map(
        |(processes, seed, latency, failing, mut faults)| {
            faults.sort_by_key(|(at, ..)| *at);
            Plan { processes, seed, latency, failing, faults }
        },
    )
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// A calm world in which one leads and the others know it.
fn calm(processes: usize, seed: u64, latency: u64) -> World {
    let mut world = World::new(Plan { processes, seed, latency, failing: 0, faults: Vec::new() });
    world.run(30_000 + seed % 7_000, |_| false);
    assert_eq!(world.leaders(), 1);
    world
}

impl World {
    /// How long it takes until another leads, after this happened to the leader.
    fn succession(&mut self, fault: Fault) -> u64 {
        let now = self.instant();
        let leads = |process: &Process| process.machine.term().is_some_and(|term| term.holds(now));
        let leader = self.processes.iter().position(leads).unwrap();
        let began = self.now;
        self.happens(leader, fault);
        // Only who was there before is to follow.
        self.processes[leader].stopped_until = u64::MAX;
        self.run(began + 60_000, |world| world.leaders() == 1);
        self.now - began
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn never_do_two_lead_and_numbers_only_grow(plan in plan()) {
        let runtime = runtime();
        let _entered = runtime.enter();
        let mut world = World::new(plan);
        world.run(END, |_| false);
        prop_assert_eq!(world.leaders(), 1, "when the world is well again, somebody leads");
        prop_assert!(!world.numbers.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_dead_leader_is_followed_in_time(processes in 2..=5usize, seed: u64, latency in 1..300u64) {
        let runtime = runtime();
        let _entered = runtime.enter();
        let took = calm(processes, seed, latency).succession(Fault::Crash);
        // To see its last renewal, to read again when that is too old, and to write, each there and back; and the last
        // renewal itself, which was on its way.
        let requests = 7 * latency;
        prop_assert!((13_000 - latency..=17_000 + requests).contains(&took), "{} ms", took);
    }

    #[test]
    fn a_leader_that_resigns_is_followed_at_once(processes in 2..=5usize, seed: u64, latency in 1..300u64) {
        let runtime = runtime();
        let _entered = runtime.enter();
        let took = calm(processes, seed, latency).succession(Fault::End);
        // A look that missed it, another, and the write.
        prop_assert!(took <= 2_000 + 3 * 2 * latency, "{} ms", took);
    }
}
