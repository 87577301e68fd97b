//! Streams that are turned away, cut off, silent, or say what is no event.

use super::server::Refusal;
use super::*;
use crate::collect::cluster::watch::lines::MAX_LINE;
use crate::telemetry::log_capture::LogCapture;

#[test]
fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    for (as_event, code) in [(false, 429), (false, 503), (true, 429)] {
        watching(&api(), async |api, found| {
            let refusal = Refusal { code, retry_after: Some(20), times: 1, as_event };
            api.refuse("pods", refusal);
            api.cut("pods");
            api.put("pods", pod("web", "web", true));
            assert_eq!(found.names(60).await, ["Pod web"]);
            let asked = api.requests();
            let opened = asked.iter().filter(|(uri, _)| uri.contains("/pods?watch"));
            let times: Vec<Instant> = opened.map(|(_, at)| *at).collect();
            assert_eq!(times.len(), 2, "{asked:?}");
            let waited = times[1].duration_since(times[0]);
            assert!(waited >= Duration::from_secs(20), "{waited:?}");
        });
    }
}

#[test]
fn who_is_turned_away_again_and_again_asks_ever_more_rarely() {
    watching(&api(), async |api, found| {
        api.refuse("pods", Refusal { code: 500, retry_after: None, times: u32::MAX, as_event: false });
        api.cut("pods");
        found.in_seconds(600).await;
        let asked = watches(&api.requests(), "pods").len();
        assert!((5..25).contains(&asked), "{asked} requests in ten minutes");
    });
}

#[test]
fn what_is_not_allowed_is_asked_rarely_and_the_rest_goes_on() {
    for code in [403, 404] {
        watching(&api(), async |api, found| {
            api.refuse("pods", Refusal { code, retry_after: None, times: 9, as_event: false });
            api.cut("pods");
            api.put("pods", pod("web", "web", true));
            api.put("rolebindings", object("new", "lab", role_of("ClusterRole", "reader")));
            assert_eq!(found.names(200).await, ["RoleBinding new"]);
            let asked = watches(&api.requests(), "pods").len();
            assert!((5..10).contains(&asked), "{asked} requests");
            assert_eq!(found.names(900).await, ["Pod web"], "once it is allowed, nothing was lost");
        });
    }
}

#[test]
fn what_a_starting_server_refuses_is_asked_again_soon() {
    watching(&api(), async |api, found| {
        api.refuse("pods", Refusal { code: 403, retry_after: None, times: 2, as_event: false });
        api.cut("pods");
        api.put("pods", pod("web", "web", true));
        assert_eq!(found.names(10).await, ["Pod web"]);
    });
    watching(&api(), async |api, found| {
        api.unlist("namespaces", 403, 1);
        api.put("networkpolicies", object("deny", "shop", json!({})));
        let names = found.names(10).await;
        assert!(names.contains(&"Namespace shop".to_owned()), "who is joined with it: {names:?}");
    });
}

#[test]
fn what_is_not_allowed_is_said_once() {
    let heard = LogCapture::text();
    watching(&api(), async |api, found| {
        api.refuse("pods", Refusal { code: 403, retry_after: None, times: u32::MAX, as_event: false });
        api.cut("pods");
        found.in_seconds(3600).await;
        let asked = watches(&api.requests(), "pods").len();
        assert!((12..24).contains(&asked), "{asked} requests in an hour");
    });
    let lines = heard.lines();
    assert!(lines.len() == 1 && lines[0].contains("watch pods: HTTP 403"), "{lines:?}");
}

#[test]
fn an_event_over_the_bound_is_listed_instead() {
    watching(&api(), async |api, found| {
        api.put("pods", pod("web", "web", true));
        found.in_seconds(1).await;
        api.write("pods", vec![b'x'; MAX_LINE + 1]);
        api.cut("pods");
        api.put("pods", pod("web-2", "web", true));
        assert_eq!(found.names(10).await, ["Pod web-2"]);
        let asked = api.requests();
        assert!(asked.iter().any(|(uri, _)| uri.contains("/pods?limit")), "{asked:?}");
    });
}

#[test]
fn what_is_no_event_is_listed_instead_and_does_not_storm() {
    for text in [
        "<html>\n",
        "{}\n",
        "{\"type\": \"ADDED\", \"object\": 7}\n",
        "{\"type\": \"NEW\", \"object\": {}}\n",
    ] {
        watching(&api(), async |api, found| {
            api.requests();
            for _ in 0..20 {
                api.write("pods", text);
                sleep(Duration::from_secs(30)).await;
            }
            api.put("pods", pod("web", "web", true));
            assert!(found.names(120).await.contains(&"Pod web".to_owned()));
            let asked = api.requests();
            let lists = asked.iter().filter(|(uri, _)| uri.contains("/pods?limit")).count();
            // Two pages each.
            assert!((2..40).contains(&lists), "{lists} requests for lists");
        });
    }
}

#[test]
fn silent_streams_are_opened_anew_and_not_all_at_once() {
    watching(&api(), async |api, found| {
        for plural in api.watched() {
            api.cut(&plural);
        }
        found.in_seconds(5).await;
        let asked = api.requests();
        let times: BTreeSet<Instant> = asked.iter().map(|(_, at)| *at).collect();
        assert!(times.len() > 10, "{} streams came back at {} times", asked.len(), times.len());
        assert_eq!(found.names(300).await, Vec::<String>::new());
        let asked = api.requests().len();
        assert!(asked < 6 * 30, "{asked} requests in five quiet minutes");
        api.put("pods", pod("web", "web", true));
        assert_eq!(found.names(1).await, ["Pod web"]);
    });
}
