//! Which source counts, and who judges: itself, its pod, an agent on its node, or nobody.

use serde_json::{Value, json};

use super::api::{ADDRESS, Shown, agent, mirror, refused, stock};
use super::{ApiServerView, on_its_node, outcomes, seen, view};
use crate::evaluate::Outcome;
use crate::resource::{Reason, Resource};

const OURS: Option<&str> = Some("posturebeat");

fn closed(status: u16) -> Shown {
    Shown { flagz: refused(status), ..Shown::default() }
}

fn error_of(resource: &Resource) -> (Reason, &str) {
    assert!(resource.is_unlisted());
    assert!(outcomes(resource.clone()).values().all(|outcome| *outcome == Outcome::Error));
    (resource.unread[0].gap.reason, resource.unread[0].gap.what.as_str())
}

#[test]
fn an_agent_on_its_node_judges_it_alone() {
    let api = Shown { agents: vec![agent("10.0.0.9"), agent(ADDRESS)], ..Shown::default() }.api();
    assert!(matches!(view(&api, OURS, false), ApiServerView::OfAgent));
    assert!(!api.asked().contains(&"/flagz".to_owned()), "{:?}", api.asked());
    // Also where flags are closed, or its pod would show them.
    for status in [403, 404] {
        let shown = Shown { agents: vec![agent(ADDRESS)], servers: vec![mirror(&stock())], ..closed(status) };
        assert!(matches!(view(&shown.api(), OURS, false), ApiServerView::OfAgent));
    }
    let six = Shown { agents: vec![agent("fd00::1")], address: "[fd00::1]:6443", ..Shown::default() };
    assert!(matches!(view(&six.api(), OURS, false), ApiServerView::OfAgent));
    // One with a host name: its flags name the address.
    let named = Shown { agents: vec![agent(ADDRESS)], address: "api.example.com:443", ..Shown::default() };
    assert!(matches!(view(&named.api(), OURS, false), ApiServerView::OfAgent));
}

#[test]
fn an_agent_that_is_rolled_out_still_judges_its_node() {
    let mut starting = agent(ADDRESS);
    starting["status"]["conditions"][0]["status"] = "False".into();
    starting["metadata"]["creationTimestamp"] = "2026-11-30T11:55:00Z".into();
    let mut ending = agent(ADDRESS);
    ending["metadata"]["deletionTimestamp"] = "2026-11-30T12:00:20Z".into();
    for pod in [starting, ending] {
        let api = Shown { agents: vec![pod.clone()], ..Shown::default() }.api();
        assert!(matches!(view(&api, OURS, false), ApiServerView::OfAgent), "{pod}");
    }
}

#[test]
fn who_does_not_observe_its_node_does_not_silence_it() {
    let changed = |pointer: &str, value: Value| {
        let mut pod = agent(ADDRESS);
        *pod.pointer_mut(pointer).unwrap() = value;
        pod
    };
    let mut leaving = agent(ADDRESS);
    leaving["metadata"]["deletionTimestamp"] = "2026-11-30T00:00:00Z".into();
    for pod in [
        agent("10.0.0.9"),
        changed("/status/conditions/0/status", json!("False")),
        changed("/status/conditions", json!([])),
        changed("/metadata/ownerReferences", json!([])),
        changed("/metadata/ownerReferences/0/kind", json!("ReplicaSet")),
        changed("/status", json!({})),
        leaving,
        json!({}),
        json!(7),
    ] {
        let api = Shown { agents: vec![pod.clone()], ..Shown::default() }.api();
        assert!(matches!(view(&api, OURS, false), ApiServerView::Seen(_)), "{pod}");
    }
    // Pods are not looked for where we are none ourselves, and an answer that is refused silences nothing.
    let api = Shown { agents: vec![agent(ADDRESS)], ..Shown::default() }.api();
    assert!(matches!(view(&api, None, false), ApiServerView::Seen(_)));
    let api = Shown { agents: vec![agent(ADDRESS)], pods: false, ..Shown::default() }.api();
    assert!(matches!(view(&api, OURS, false), ApiServerView::Seen(_)));
}

#[test]
fn where_flags_are_closed_its_pod_counts() {
    for status in [403, 404, 406, 503] {
        let shown = Shown { servers: vec![mirror(&stock())], ..closed(status) };
        for managed in [false, true] {
            let ApiServerView::Seen(resource) = view(&shown.clone().api(), None, managed) else { panic!() };
            assert_eq!(resource.raw["source"], "Pod kube-system/kube-apiserver-cp-1");
            assert_eq!(resource.id, "cluster/u/process/kube-apiserver", "the same whatever shows it");
            assert_eq!(outcomes(*resource), outcomes(on_its_node(&stock())));
        }
    }
    // What it says of itself counts first.
    let other = vec!["--profiling=false".to_owned()];
    let resource = seen(&Shown { servers: vec![mirror(&other)], ..Shown::default() }.api());
    assert_eq!(resource.raw["source"], "/flagz");
    assert_eq!(outcomes(resource)["1.2.15"], Outcome::Failed);
}

#[test]
fn a_pod_that_no_kubelet_of_its_node_vouches_for_is_not_its_pod() {
    let changed = |pointer: &str, value: Value| {
        let mut pod = mirror(&stock());
        *pod.pointer_mut(pointer).unwrap() = value;
        pod
    };
    let mut leaving = mirror(&stock());
    leaving["metadata"]["deletionTimestamp"] = "2026-11-30T00:00:00Z".into();
    for pod in [
        changed("/status/hostIP", json!("10.0.0.9")),
        changed("/status", json!({})),
        changed("/status/phase", json!("Pending")),
        changed("/metadata/annotations", json!({})),
        changed("/metadata/name", json!("kube-apiserver-cp-2")),
        changed("/metadata/name", json!("cp-1")),
        changed("/spec/nodeName", json!("")),
        leaving,
        json!([]),
    ] {
        let resource = seen(&Shown { servers: vec![pod.clone()], ..closed(403) }.api());
        assert_eq!(error_of(&resource).0, Reason::Denied, "{pod}");
    }
    // Behind a name nobody can tell whose pod it is.
    let named = Shown { servers: vec![mirror(&stock())], address: "api.example.com:443", ..closed(403) };
    assert_eq!(error_of(&seen(&named.api())).0, Reason::Denied);
}

#[test]
fn a_pod_that_starts_something_else_tells_no_flags() {
    let shell = json!(["/bin/sh", "-c", "exec kube-apiserver --profiling=false"]);
    for command in [shell, json!([]), json!(["/start"]), json!("kube-apiserver"), json!([7])] {
        let mut pod = mirror(&[]);
        pod["spec"]["containers"][0]["command"] = command.clone();
        let resource = seen(&Shown { servers: vec![pod], ..closed(404) }.api());
        let told = outcomes(resource);
        let is_known = |outcome: &&Outcome| !matches!(outcome, Outcome::Error);
        assert_eq!(told.values().filter(is_known).count(), 0, "{command}: {told:?}");
    }
}

#[test]
fn arguments_that_openshift_keeps_in_a_file_are_not_unset() {
    let words = vec!["--openshift-config=/etc/kubernetes/config.yaml".to_owned(), "-v=2".to_owned()];
    let told = outcomes(seen(&Shown { servers: vec![mirror(&words)], ..closed(403) }.api()));
    assert!(told.values().all(|outcome| *outcome == Outcome::Error), "{told:?}");
}

#[test]
fn closed_by_a_provider_is_not_applicable_and_by_others_an_error() {
    for (status, reason) in [(403, Reason::Denied), (404, Reason::Missing), (406, Reason::Unavailable)] {
        let ApiServerView::Closed(gap) = view(&closed(status).api(), None, true) else { panic!("{status}") };
        assert!(gap.what.starts_with(&format!("get /flagz: HTTP {status}")), "{gap}");
        let resource = seen(&closed(status).api());
        let (code, what) = error_of(&resource);
        assert_eq!(code, reason);
        assert!(
            what.starts_with("get /flagz: HTTP") && what.ends_with("no pod shows the API server's flags"),
            "{what}"
        );
    }
    // Whoever did not answer closed nothing.
    for status in [401, 429, 500, 503] {
        let ApiServerView::Seen(resource) = view(&closed(status).api(), None, true) else {
            panic!("{status}")
        };
        error_of(&resource);
    }
    // Nor is a pod that could not be looked for absent.
    let ApiServerView::Seen(resource) = view(&Shown { pods: false, ..closed(403) }.api(), None, true) else {
        panic!()
    };
    assert!(error_of(&resource).1.contains("list pods in kube-system: HTTP 403"), "{:?}", resource.unread);
}
