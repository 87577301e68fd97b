//! Taking, holding and giving up, over HTTP and by the clock.

use super::double::{Fault, Server};
use super::settings;
use super::store::Store;
use crate::leader::{Election, LeaderTerm};
use crate::telemetry::metrics::Registry;
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

fn stand(server: &Server, identity: &str) -> Election {
    Election::start(server.client(), settings(identity)).unwrap()
}

/// Leads within as many seconds.
async fn leads(election: &mut Election, within: u32) -> LeaderTerm {
    timeout(SECOND * within, election.lead()).await.expect("it leads by now")
}

#[tokio::test(start_paused = true)]
async fn a_missing_lease_is_made_at_once() {
    let server = Server::default();
    let (mut election, start) = (stand(&server, "a_1"), Instant::now());
    let term = election.lead().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(term.holds());
    let lease = server.lease();
    let spec = &lease["spec"];
    assert_eq!((&spec["holderIdentity"], &spec["leaseDurationSeconds"]), (&json!("a_1"), &json!(15)));
    assert_eq!((&spec["leaseTransitions"], &spec["acquireTime"]), (&json!(0), &spec["renewTime"]));
    let time = spec["renewTime"].as_str().unwrap();
    assert_eq!((time.len(), &time[26..]), (27, "Z"), "with microseconds: {time}");
}

#[tokio::test(start_paused = true)]
async fn a_leader_renews_for_as_long_as_it_can() {
    let server = Server::with(Store::held_by(""));
    let mut election = stand(&server, "a_1");
    let term = leads(&mut election, 1).await;
    let first = server.lease();
    assert!(timeout(SECOND * 600, term.lost()).await.is_err(), "nobody disturbs it");
    assert!(term.holds());
    let last = server.lease();
    assert_ne!(first["spec"]["renewTime"], last["spec"]["renewTime"]);
    for unchanged in
        ["/spec/acquireTime", "/spec/leaseTransitions", "/spec/fromTheFuture", "/metadata/labels"]
    {
        assert_eq!(first.pointer(unchanged), last.pointer(unchanged), "{unchanged}");
    }
    assert_eq!(last["spec"]["leaseTransitions"], 4);
    assert_eq!(last["metadata"]["labels"], json!({"team": "a"}));
    assert_eq!(last["metadata"]["annotations"], json!({"of": "others", "posturebeat.dev/sequence": "41"}));
    let asked = server.lock().asked.clone();
    assert_eq!(asked.iter().filter(|method| **method == Method::GET).count(), 1, "a renewal is one request");
    assert!((300..=376).contains(&asked.len()), "about every two seconds: {}", asked.len());
}

/// The holder's clock is wrong by years in either direction: only its silence counts.
#[tokio::test(start_paused = true)]
async fn a_silent_holder_is_followed_after_its_duration_and_no_clock_is_compared() {
    for time in ["2001-01-01T00:00:00.000000Z", "2099-01-01T00:00:00.000000Z", "no time"] {
        let mut store = Store::held_by("b_2");
        let mut lease = store.lease.take().unwrap();
        lease["spec"]["renewTime"] = time.into();
        store.put(lease);
        let server = Server::with(store);
        let (mut election, start) = (stand(&server, "a_1"), Instant::now());
        leads(&mut election, 20).await;
        assert_eq!(start.elapsed().as_secs(), 15, "{time}");
        assert_eq!(server.lease()["spec"]["leaseTransitions"], 4);
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_renews_is_left_alone_and_a_longer_duration_of_its_own_is_kept() {
    let server = Server::with(Store::held_by("b_2"));
    let mut election = stand(&server, "a_1");
    for tick in 0..30 {
        let mut lease = server.lease();
        lease["spec"]["renewTime"] = format!("{tick}").into();
        lease["spec"]["leaseDurationSeconds"] = 40.into();
        server.lock().store.put(lease);
        assert!(timeout(SECOND * 10, election.lead()).await.is_err(), "the holder is alive");
    }
    let silent = Instant::now();
    leads(&mut election, 60).await;
    assert!(
        (28..=32).contains(&silent.elapsed().as_secs()),
        "40 s after the last sign: {:?}",
        silent.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn who_ends_is_followed_at_the_next_look() {
    let server = Server::with(Store::held_by(""));
    let mut first = stand(&server, "a_1");
    let term = leads(&mut first, 1).await;
    assert_eq!(term.next_sequence(100).await, Ok(100));
    let mut second = stand(&server, "b_2");
    assert!(timeout(SECOND * 60, second.lead()).await.is_err());
    let (start, released) = (Instant::now(), first.end());
    released.await;
    assert!(!term.holds());
    let lease = server.lease();
    assert_eq!(lease["spec"]["holderIdentity"], "");
    assert_eq!(lease["spec"]["leaseDurationSeconds"], 1);
    assert_eq!(lease["spec"]["leaseTransitions"], 4);
    assert_eq!(lease["metadata"]["annotations"]["posturebeat.dev/sequence"], "100");
    let term = leads(&mut second, 3).await;
    assert!(start.elapsed() <= SECOND * 2, "{:?}", start.elapsed());
    assert_eq!(term.next_sequence(100).await, Ok(101));
    assert_eq!(server.lease()["spec"]["leaseTransitions"], 5);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_lead_gives_nothing_up_and_a_dead_server_holds_no_end_up() {
    let server = Server::with(Store::held_by("b_2"));
    let mut election = stand(&server, "a_1");
    assert!(timeout(SECOND * 3, election.lead()).await.is_err());
    let before = server.lease();
    election.end().await;
    assert_eq!(server.lease(), before);

    let server = Server::with(Store::held_by(""));
    let mut election = stand(&server, "a_1");
    leads(&mut election, 1).await;
    server.lock().always = Some((None, Fault::Slow(SECOND * 3600)));
    let start = Instant::now();
    election.end().await;
    assert!(start.elapsed() <= SECOND * 4, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_holder_that_renews_at_that_moment_is_a_release_too() {
    let server = Server::with(Store::held_by(""));
    let mut election = stand(&server, "a_1");
    leads(&mut election, 1).await;
    // The renewal is done, and its answer is under way.
    server.lock().always = Some((Some(Method::PUT), Fault::Slow(SECOND)));
    sleep(Duration::from_millis(2500)).await;
    election.end().await;
    assert_eq!(server.lease()["spec"]["holderIdentity"], "");
}

#[tokio::test(start_paused = true)]
async fn who_ends_before_it_knows_that_it_leads_gives_the_lease_up_too() {
    let server = Server::with(Store::held_by(""));
    server.lock().always = Some((Some(Method::PUT), Fault::Slow(SECOND)));
    let mut election = stand(&server, "a_1");
    assert!(timeout(SECOND / 2, election.lead()).await.is_err(), "the answer is under way");
    assert_eq!(server.lease()["spec"]["holderIdentity"], "a_1");
    election.end().await;
    assert_eq!(server.lease()["spec"]["holderIdentity"], "");
}

#[tokio::test(start_paused = true)]
async fn who_ends_and_never_heard_what_became_of_its_request_looks_and_gives_the_lease_up() {
    let server = Server::with(Store::held_by(""));
    server.lock().always = Some((Some(Method::PUT), Fault::Slow(SECOND * 3600)));
    let mut election = stand(&server, "a_1");
    assert!(timeout(Duration::from_millis(4_900), election.lead()).await.is_err());
    // Nobody waits for that answer any more, and the next is under way.
    server.lock().always = Some((None, Fault::Slow(SECOND)));
    assert!(timeout(SECOND / 2, election.lead()).await.is_err());
    assert_eq!(server.lease()["spec"]["holderIdentity"], "a_1");
    election.end().await;
    assert_eq!(server.lease()["spec"]["holderIdentity"], "");
}

#[tokio::test(start_paused = true)]
async fn an_election_that_is_dropped_leads_no_more() {
    let server = Server::default();
    let mut election = stand(&server, "a_1");
    let term = leads(&mut election, 1).await;
    drop(election);
    timeout(SECOND, term.lost()).await.expect("at once, not at the deadline");
    assert!(term.next_sequence(1).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_another_took_is_lost_at_once() {
    let server = Server::default();
    let mut election = stand(&server, "a_1");
    let term = leads(&mut election, 1).await;
    let mut lease = server.lease();
    lease["spec"]["holderIdentity"] = "kubectl".into();
    server.lock().store.put(lease);
    timeout(SECOND * 2, term.lost()).await.expect("at the next renewal");
    assert_eq!(server.lease()["spec"]["holderIdentity"], "kubectl");
}

#[tokio::test(start_paused = true)]
async fn a_touched_lease_stays_its_holders_and_a_deleted_one_is_made_again() {
    let server = Server::default();
    let mut election = stand(&server, "a_1");
    let term = leads(&mut election, 1).await;
    let mut lease = server.lease();
    lease["metadata"]["labels"] = json!({"touched": "yes"});
    server.lock().store.put(lease);
    assert!(timeout(SECOND * 30, term.lost()).await.is_err());
    assert_eq!(server.lease()["metadata"]["labels"], json!({"touched": "yes"}));
    server.lock().store.lease = None;
    assert!(timeout(SECOND * 30, term.lost()).await.is_err());
    assert_eq!(server.lease()["spec"]["holderIdentity"], "a_1");
}

/// The holder of a Lease that somebody deletes goes on until its next renewal.
#[tokio::test(start_paused = true)]
async fn who_knew_of_a_holder_does_not_take_a_deleted_lease_from_it() {
    let server = Server::with(Store::held_by("b_2"));
    let (mut election, start) = (stand(&server, "a_1"), Instant::now());
    assert!(timeout(SECOND * 3, election.lead()).await.is_err());
    server.lock().store.lease = None;
    leads(&mut election, 20).await;
    assert_eq!(start.elapsed().as_secs(), 15);
}

#[tokio::test(start_paused = true)]
async fn metrics_tell_who_leads() {
    let (server, registry) = (Server::with(Store::held_by("b_2")), Registry::default());
    let mut election = stand(&server, "a_1");
    election.register("cluster", &registry);
    let told_of = |leads, times| json!({"is_leader": {"cluster": leads}, "transitions": {"cluster": times}});
    let told = || -> Value { registry.read().tree()["posturebeat"]["leader"].clone() };
    assert_eq!(told(), told_of(0, 0));
    let term = leads(&mut election, 20).await;
    assert_eq!(told(), told_of(1, 1));
    server.lock().always = Some((None, Fault::Unreachable));
    term.lost().await;
    assert_eq!(told(), told_of(0, 1));
    server.lock().always = None;
    leads(&mut election, 3).await;
    assert_eq!(told(), told_of(1, 2));
}
