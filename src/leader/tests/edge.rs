//! What an API server may answer, and what is said of it.

use super::double::{Fault, Server};
use super::settings;
use super::store::Store;
use crate::leader::{Election, LeaderTerm};
use crate::telemetry::log_capture::LogCapture;
use http::Method;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

async fn leading(server: &Server) -> (Election, LeaderTerm) {
    let mut election = Election::start(server.client(), settings("a_1")).unwrap();
    let term = timeout(SECOND, election.lead()).await.unwrap();
    (election, term)
}

/// Every way in which nothing comes through: the term ends ten seconds after the start of its last renewal, then a new
/// one begins.
#[tokio::test(start_paused = true)]
async fn a_term_that_cannot_be_renewed_ends_at_its_deadline() {
    let faults = [
        Fault::Unreachable,
        Fault::Status(500),
        Fault::Status(503),
        Fault::Status(429),
        Fault::Status(401),
        Fault::Status(403),
        Fault::Slow(SECOND * 3600),
        Fault::Text("<html>log in first</html>"),
        Fault::Text("{}"),
        Fault::Text(r#"{"kind": "Lease", "metadata": {}}"#),
    ];
    for fault in faults {
        let server = Server::default();
        let start = Instant::now();
        let (mut election, term) = leading(&server).await;
        server.lock().always = Some((None, fault));
        sleep(Duration::from_millis(9_999)).await;
        assert!(term.holds(), "{fault:?}");
        term.lost().await;
        assert_eq!(start.elapsed(), SECOND * 10, "{fault:?}");
        assert!(!term.holds(), "{fault:?}");
        assert!(timeout(SECOND * 60, election.lead()).await.is_err(), "{fault:?}");
        server.lock().always = None;
        let next = timeout(SECOND * 8, election.lead()).await.expect("it stands again");
        assert!(next.holds() && !term.holds(), "{fault:?}");
    }
}

/// The renewal is done when it begins, but its answer comes when the term is over, or nearly: what counts is when the
/// renewal began.
#[tokio::test(start_paused = true)]
async fn a_slow_answer_counts_from_when_it_was_asked_for() {
    let server = Server::default();
    let (_election, term) = leading(&server).await;
    server.lock().always = Some((None, Fault::Slow(Duration::from_millis(4_500))));
    assert!(timeout(SECOND * 120, term.lost()).await.is_err(), "slow is not lost");
    let asked = server.lock().asked.len();
    server.lock().always = Some((None, Fault::Slow(Duration::from_millis(5_500))));
    timeout(SECOND * 12, term.lost()).await.expect("answers come when half the term is over");
    assert!(server.lock().asked.len() > asked + 1, "it was tried more than once");
}

#[tokio::test(start_paused = true)]
async fn a_failure_in_between_costs_nothing() {
    let server = Server::with(Store::held_by(""));
    server.lock().next.extend([Fault::Status(500), Fault::Unreachable, Fault::Text("")]);
    let mut election = Election::start(server.client(), settings("a_1")).unwrap();
    let term = timeout(SECOND * 7, election.lead()).await.expect("after three tries");
    server.lock().next.extend([Fault::Status(429), Fault::Unreachable, Fault::Text("null")]);
    assert!(timeout(SECOND * 60, term.lost()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_missing_right_is_named_once_and_again_when_it_changes() {
    let heard = LogCapture::text();
    let server = Server::default();
    server.lock().always = Some((Some(Method::POST), Fault::Status(403)));
    let mut election = Election::start(server.client(), settings("a_1")).unwrap();
    assert!(timeout(SECOND * 60, election.lead()).await.is_err());
    let told = "create leases.coordination.k8s.io posturebeat-cluster-leader in posturebeat: HTTP 403 Forbidden: who \
                are you?; a Role must allow get, create and update of leases to this service account there";
    let lines = heard.lines();
    assert_eq!(lines.len(), 1, "every two seconds for a minute: {lines:?}");
    assert!(
        lines[0].starts_with("WARN leader election request failed ") && lines[0].contains(told),
        "{lines:?}"
    );
    server.lock().always = Some((Some(Method::POST), Fault::Status(500)));
    assert!(timeout(SECOND * 60, election.lead()).await.is_err());
    assert_eq!(heard.lines().len(), 2, "{:?}", heard.lines());
    server.lock().always = None;
    timeout(SECOND * 3, election.lead()).await.expect("the right was given");
    let lines = heard.lines();
    assert!(lines[2].starts_with("INFO leader election request succeeds again"), "{lines:?}");
    assert!(lines[3].starts_with("INFO became the leader"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn the_log_says_who_leads_and_why_no_more() {
    let heard = LogCapture::text();
    let server = Server::default();
    let (_election, term) = leading(&server).await;
    let mut lease = server.lease();
    lease["spec"]["holderIdentity"] = "b\n_2".into();
    lease["metadata"]["annotations"]["posturebeat.dev/sequence"] = "many".into();
    server.lock().store.put(lease);
    term.lost().await;
    sleep(SECOND * 10).await;
    let lines = heard.lines();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[1].contains("no longer the leader") && lines[1].contains("`b_2` took it"), "{lines:?}");
    assert!(lines[2].contains("another process is the leader") && lines[2].contains("b_2"), "{lines:?}");
    assert!(
        lines[3].starts_with("WARN ignoring an invalid sequence number") && lines[3].contains("many"),
        "{lines:?}"
    );
}

/// Who writes to the Lease all the time delays it, and does not make it busy.
#[tokio::test(start_paused = true)]
async fn conflicts_without_end_make_no_flood() {
    let server = Server::with(Store::held_by(""));
    server.lock().always = Some((Some(Method::PUT), Fault::Status(409)));
    let mut election = Election::start(server.client(), settings("a_1")).unwrap();
    assert!(timeout(SECOND * 100, election.lead()).await.is_err());
    let asked = server.lock().asked.len();
    assert!(asked < 400, "{asked} requests in 100 s");
}
