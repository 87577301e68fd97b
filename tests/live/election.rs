//! Who looks at the cluster, of five processes and one real API server, whatever is done to them.
//!
//! Six elections are held at the same time, once for all tests here: each test says what must have come of one.

mod clocks;
mod crashes;
mod documents;
pub mod gate;
mod holds;
mod leases;
mod migration;
mod outages;
mod restart;
mod rollout;
mod stage;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::sync::LazyLock;

use crate::bed::Bed;
use clocks::ClocksMoved;
use crashes::{Crashes, Half};
use documents::Of;
use leases::Leases;
use migration::Migration;
use outages::Outages;
use restart::Restart;
use rollout::Rollout;
use stage::{Played, Stage, took};

/// Where the test bed's API server listens.
const API_SERVER: u16 = 6443;

/// How long a leader leads that cannot renew its Lease.
const RENEW_DEADLINE: SignedDuration = SignedDuration::from_secs(10);

static STORY: LazyLock<Story> = LazyLock::new(Story::play);

struct Story {
    crashes: Crashes,
    outages: Outages,
    clocks: ClocksMoved,
    migration: Migration,
    restart: Restart,
    rollout: Rollout,
}

impl Story {
    fn play() -> Self {
        let bed = Bed::take();
        let namespace = Bed::namespace("election-");
        let _made = bed.apply(&made(&namespace));
        let leases = Leases::of(&bed, API_SERVER, &namespace);
        std::thread::scope(|scope| {
            let crashes = scope.spawn(|| crashes::play(&bed, &leases));
            let outages = scope.spawn(|| outages::play(&bed, &leases));
            let clocks = scope.spawn(|| clocks::play(&bed, &leases));
            let restart = scope.spawn(|| restart::play(&bed));
            let rollout = scope.spawn(|| rollout::play(&bed, &leases));
            let migration = migration::play(&bed, &leases);
            Self {
                crashes: crashes.join().unwrap(),
                outages: outages.join().unwrap(),
                clocks: clocks.join().unwrap(),
                migration,
                restart: restart.join().unwrap(),
                rollout: rollout.join().unwrap(),
            }
        })
    }

    fn elections(&self) -> [&Played; 4] {
        [&self.crashes.played, &self.outages.played, &self.clocks.played, &self.rollout.played]
    }
}

fn made(namespace: &str) -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
}

#[test]
fn at_no_instant_do_two_collect_and_every_cycle_is_whole_and_single() {
    STORY.elections().into_iter().for_each(Played::assert_holds);
}

#[test]
fn cloudbeat_145_one_of_five_sends_the_clusters_findings() {
    let crashes = &STORY.crashes;
    assert_eq!(crashes.first_judges, 1, "{}", crashes.played.logs);
    STORY.elections().into_iter().for_each(Played::assert_single);
}

#[test]
fn cloudbeat_336_a_stale_lease_costs_no_cycle() {
    let ClocksMoved { played, stale: (left, taken), first, .. } = &STORY.clocks;
    assert_eq!(left.holder, "long-gone_0");
    let begun = played.leases.iter().find(|seen| seen.sequence.is_some()).unwrap();
    assert_eq!((begun.sequence, &begun.holder), (Some(*first), &taken.holder), "{}", played.logs);
    played.assert_complete();
}

#[test]
fn cloudbeat_2578_a_crash_of_the_leader_loses_no_cycle() {
    let Crashes { played, killed, .. } = &STORY.crashes;
    assert_superseded(played, killed);
    played.assert_complete();
}

#[test]
fn cloudbeat_2383_the_lease_passes_on_whatever_ended_its_holder() {
    for (played, least) in STORY.elections().into_iter().zip([4, 2, 2, 2]) {
        played.assert_passed_on();
        let turns = played.turns();
        assert!(turns >= least, "only {turns} led\n{}", played.logs);
    }
}

#[test]
fn beats_38543_an_ex_leader_reports_nothing() {
    let Crashes { played, stopped, woken, .. } = &STORY.crashes;
    assert_superseded(played, stopped);
    // Elected again, it begins a cycle of its own.
    let of_old = |one: &&documents::Document| one.by == stopped.by && one.sequence <= stopped.sequence;
    let late = played.documents.iter().filter(of_old).find(|one| one.created >= *woken);
    assert!(late.is_none(), "{late:?}\n{}", played.logs);
    played.assert_by_the_holder();
}

#[test]
fn who_is_told_to_end_gives_the_lease_up() {
    let Crashes { played, ended, .. } = &STORY.crashes;
    let freed = played.leases.iter().find(|seen| seen.at >= *ended && seen.holder.is_empty());
    assert!(freed.is_some(), "{}", played.logs);
}

#[test]
fn a_rollout_loses_no_cycle_and_doubles_none() {
    let Rollout { played, halves } = &STORY.rollout;
    assert!(!halves.is_empty(), "{}", played.logs);
    for (half, next) in halves {
        let account = played.documents.iter().find(|one| one.sequence == *half && one.is_coverage());
        assert!(account.is_none(), "{account:?}\n{}", played.logs);
        assert!(next > half, "{}", played.logs);
    }
    played.assert_holds();
}

#[test]
fn who_loses_the_network_stops_though_nothing_tells_it() {
    let Outages { played, lost, silence: (from, to), .. } = &STORY.outages;
    assert_superseded(played, lost);
    let deadline = *from + RENEW_DEADLINE;
    let late =
        played.documents.iter().find(|one| one.by == lost.by && one.created > deadline && one.created < *to);
    assert!(late.is_none(), "{late:?}\n{}", played.logs);
}

#[test]
fn while_the_api_server_is_away_nobody_collects_and_then_one_goes_on() {
    let Outages { played, away, next, .. } = &STORY.outages;
    assert_nobody_collected(played, *away);
    let after = played.documents.iter().find(|one| one.sequence == *next && one.is_coverage()).unwrap();
    assert!(after.created > away.1, "{after:?}\n{}", played.logs);
    // Five processes try every two seconds: what they say of it is that it began and that it ended.
    assert!(!played.logs.contains(" ERROR "), "{}", played.logs);
}

#[test]
fn an_api_server_that_is_killed_and_started_again_costs_one_cycle_and_doubles_none() {
    let Restart { played, half, away, next } = &STORY.restart;
    assert_nobody_collected(played, *away);
    assert!(next > half, "{}", played.logs);
    played.assert_single();
    played.assert_one_after_the_other();
    played.assert_complete();
}

#[test]
fn clocks_that_are_an_hour_off_do_not_change_who_leads() {
    let ClocksMoved { played, moved: (before, after), last, .. } = &STORY.clocks;
    let hours_off = |seen: &leases::Seen| {
        let off = seen.renewed.unwrap().duration_since(seen.at);
        (off.as_secs_f64() / 3600.0).round() as i64
    };
    assert_eq!(hours_off(after), -1, "the leader's clock was set back: {after:?}");
    assert_eq!(hours_off(last), 1, "the last one's was set forward: {last:?}");
    assert_eq!((&before.holder, before.transitions), (&after.holder, after.transitions), "{}", played.logs);
    played.assert_holds();
}

#[test]
fn under_elastics_lease_ours_waits_until_the_other_is_gone() {
    let Migration { played, others, cycles } = &STORY.migration;
    for (from, to) in others {
        let meanwhile = played.documents.iter().find(|one| one.created >= *from && one.created <= *to);
        assert!(meanwhile.is_none(), "{meanwhile:?}\n{}", played.logs);
    }
    for (cycle, (_, to)) in cycles.iter().zip(others) {
        assert!(cycle > to, "{}", played.logs);
    }
    played.assert_single();
    played.assert_by_the_holder();
    played.assert_complete();
}

#[test]
fn the_first_findings_of_node_and_cluster_come_without_a_wait() {
    let bed = Bed::take();
    let namespace = Bed::namespace("first-");
    let _made = bed.apply(&made(&namespace));
    let leases = Leases::of(&bed, API_SERVER, &namespace);
    let mut stage = Stage { node: true, ..Stage::empty(&bed, &leases, "first") };
    let started = Timestamp::now();
    stage.start();
    let first = |what: &str, of_node: bool| {
        let is_of_node = |kind: &str| ["file", "process"].contains(&kind);
        let found = bed.until(what, || {
            let documents = stage.documents().into_iter();
            let mut wanted = documents
                .filter(|one| matches!(&one.of, Of::Finding { kind, .. } if is_of_node(kind) == of_node));
            wanted.next()
        });
        took(what, started, found.created);
    };
    first("first finding of the node, from the start", true);
    first("first finding of the cluster, from the start", false);
}

/// What began before `from` may have gone on for as long as a leader may that hears nothing, and no longer.
fn assert_nobody_collected(played: &Played, (from, to): (Timestamp, Timestamp)) {
    let deadline = from + RENEW_DEADLINE;
    let late = played.documents.iter().find(|one| one.created > deadline && one.created < to);
    assert!(late.is_none(), "{late:?}\n{}", played.logs);
}

/// Half a cycle has no account, and a whole one of another process follows, with a higher number.
fn assert_superseded(played: &Played, half: &Half) {
    let Half { by, sequence, next, next_by } = half;
    let account = played.documents.iter().find(|one| one.sequence == *sequence && one.is_coverage());
    assert!(account.is_none(), "{account:?}\n{}", played.logs);
    assert!(next > sequence && next_by != by, "{next_by} {next} after {by} {sequence}\n{}", played.logs);
}
