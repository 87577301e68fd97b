//! The numbers of sweeps.

use super::double::{Fault, Server};
use super::settings;
use super::store::Store;
use crate::leader::{Election, LeaderTerm, NoSequence};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Of a Lease with this annotation.
async fn term(annotation: &str) -> (Server, Election, LeaderTerm) {
    let mut store = Store::held_by("");
    let mut lease = store.lease.take().unwrap();
    lease["metadata"]["annotations"]["posturebeat.dev/sequence"] = annotation.into();
    store.put(lease);
    let server = Server::with(store);
    let mut election = Election::start(server.client(), settings("a_1")).unwrap();
    let term = timeout(SECOND, election.lead()).await.unwrap();
    (server, election, term)
}

fn annotation(server: &Server) -> Value {
    server.lease()["metadata"]["annotations"]["posturebeat.dev/sequence"].clone()
}

#[tokio::test(start_paused = true)]
async fn each_is_above_any_leaders_and_stands_in_the_lease_before_it_is_returned() {
    let (server, _election, term) = term("500").await;
    for (now, next) in [(100, 501), (100, 502), (900, 900), (900, 901), (-5, 902)] {
        assert_eq!(term.next_sequence(now).await, Ok(next));
        assert_eq!(annotation(&server), next.to_string());
    }
    assert_eq!(server.lease()["metadata"]["annotations"]["of"], "others");
}

#[tokio::test(start_paused = true)]
async fn a_number_does_not_wait_for_the_next_renewal() {
    let (_server, _election, term) = term("0").await;
    let start = Instant::now();
    assert_eq!(term.next_sequence(100).await, Ok(100));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn many_at_once_get_one_each_while_renewals_go_on() {
    let (server, _election, term) = term("0").await;
    server.lock().always = Some((None, Fault::Slow(SECOND / 3)));
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let term = term.clone();
            tokio::spawn(async move { term.next_sequence(7).await.unwrap() })
        })
        .collect();
    let mut numbers = Vec::new();
    for task in tasks {
        numbers.push(task.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (7..47).collect::<Vec<_>>());
    assert!(term.holds());
}

#[tokio::test(start_paused = true)]
async fn garbage_counts_as_nothing_but_never_leads_back() {
    for garbage in ["", "many", "-3", "9223372036854775807"] {
        let (server, _election, term) = term(garbage).await;
        assert_eq!(term.next_sequence(100).await, Ok(100), "{garbage:?}");
        let mut lease = server.lease();
        lease["metadata"]["annotations"] = json!({"posturebeat.dev/sequence": garbage});
        server.lock().store.put(lease);
        assert_eq!(term.next_sequence(100).await, Ok(101), "{garbage:?}");
        let mut lease = server.lease();
        lease["metadata"]["annotations"] = Value::Null;
        server.lock().store.put(lease);
        assert_eq!(term.next_sequence(50).await, Ok(102), "{garbage:?}");
        assert_eq!(annotation(&server), "102");
    }
}

/// What we wrote ourselves counts, even where we would take it for garbage from others.
#[tokio::test(start_paused = true)]
async fn no_number_is_too_large_to_be_followed() {
    let (_server, _election, term) = term("0").await;
    let large = i64::MAX / 2 + 5;
    assert_eq!(term.next_sequence(large).await, Ok(large));
    assert_eq!(term.next_sequence(100).await, Ok(large + 1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_may_skip_a_number_but_repeats_none() {
    let (server, _election, term) = term("0").await;
    // Done, and nobody hears of it.
    server.lock().next.push_back(Fault::Slow(SECOND * 6));
    assert_eq!(term.next_sequence(100).await, Ok(101));
    server.lock().next.extend([Fault::Status(500), Fault::Unreachable]);
    assert_eq!(term.next_sequence(100).await, Ok(102));
    assert!(term.holds());
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_said_and_no_wait_outlasts_the_term() {
    let (server, mut election, term) = term("0").await;
    server.lock().next.push_back(Fault::Status(422));
    let Err(NoSequence::Refused(why)) = term.next_sequence(100).await else { panic!("it was refused") };
    assert!(why.starts_with(
        "update leases.coordination.k8s.io posturebeat-cluster-leader in posturebeat: HTTP 422"
    ));
    assert_eq!(term.next_sequence(100).await, Ok(100), "the next may do better");

    server.lock().always = Some((Some(Method::PUT), Fault::Status(503)));
    let start = Instant::now();
    assert_eq!(term.next_sequence(100).await, Err(NoSequence::Lost));
    assert!((8..=10).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert!(!term.holds());

    server.lock().always = None;
    let next = timeout(SECOND * 3, election.lead()).await.unwrap();
    assert_eq!(term.next_sequence(100).await, Err(NoSequence::Lost), "an old term gets no number");
    assert_eq!(next.next_sequence(100).await, Ok(101));
}
