//! Kinds that are not built in: found by discovery, listed where rules ask about them, cut to what rules read.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::mpsc;

use super::server::{Fault, Server, Slot};
use crate::collect::cluster::rights::{self, Extent};
use crate::collect::cluster::{SweepRequest, observe};
use crate::redact::Reveal;
use crate::resource::{ObjectDemand, ObjectDemands, Owner, Reason, Resource};

const CERTIFICATE: &str = "Certificate.cert-manager.io";
const CERTIFICATES: &str = "/apis/cert-manager.io/v1/certificates";

/// Rules that read these places of a kind, in these namespaces.
fn demand(kind: &str, namespaces: Option<&[&str]>, reads: &[&str]) -> ObjectDemands {
    let reads = reads.iter().map(|place| place.split('.').map(str::to_owned).collect()).collect();
    let namespaces = namespaces.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    ObjectDemands::from([(kind.to_owned(), ObjectDemand { namespaces, reads, pod_template: None })])
}

/// Aggregated discovery of a server with cert-manager and a NetworkPolicy of another group.
fn aggregated() -> (String, Value) {
    let resource = |plural: &str, kind: &str, scope: &str| {
        json!({"resource": plural, "responseKind": {"group": "", "version": "", "kind": kind}, "scope": scope,
            "verbs": ["get", "list", "watch"]})
    };
    let group = |name: &str, resources: Value| json!({"metadata": {"name": name}, "versions": [{"version": "v1", "freshness": "Current", "resources": resources}]});
    let groups = json!([
        group(
            "cert-manager.io",
            json!([
                resource("certificates", "Certificate", "Namespaced"),
                resource("clusterissuers", "ClusterIssuer", "Cluster"),
            ])
        ),
        group("crd.projectcalico.org", json!([resource("networkpolicies", "NetworkPolicy", "Namespaced")])),
    ]);
    (
        "/apis".into(),
        json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": groups}),
    )
}

/// The same as older servers tell it.
fn by_group() -> BTreeMap<String, Value> {
    let resources = json!([
        {"name": "certificates", "kind": "Certificate", "namespaced": true, "verbs": ["get", "list"]},
        {"name": "certificates/status", "kind": "Certificate", "namespaced": true, "verbs": ["get"]},
    ]);
    let versions = json!([{"groupVersion": "cert-manager.io/v1", "version": "v1"}]);
    let groups =
        json!({"kind": "APIGroupList", "groups": [{"name": "cert-manager.io", "versions": versions}]});
    BTreeMap::from([
        ("/apis".to_owned(), groups),
        ("/apis/cert-manager.io/v1".to_owned(), json!({"kind": "APIResourceList", "resources": resources})),
    ])
}

fn certificate(name: &str, namespace: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": namespace, "uid": name, "annotations": {"note": "private"}},
        "spec": {"dnsNames": ["a.example"], "secretName": "tls"},
        "status": {"revision": 1},
    })
}

fn server(documents: BTreeMap<String, Value>, faults: Vec<(Slot, Fault)>) -> Arc<Server> {
    let all = vec![certificate("a", "shop"), certificate("b", "lab")];
    let lists = BTreeMap::from([
        (CERTIFICATES.to_owned(), all),
        ("/apis/cert-manager.io/v1/namespaces/shop/certificates".to_owned(), vec![certificate("a", "shop")]),
    ]);
    Server::new(lists, documents, faults)
}

fn sweep(server: &Arc<Server>, demands: &ObjectDemands) -> Vec<Resource> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let owner = Owner { id: "cluster/u".into(), name: "cluster".into() };
    let now = "2026-11-27T00:00:00Z".parse().unwrap();
    let request = SweepRequest {
        owner: &owner,
        version: None,
        demands,
        secrets: false,
        reveal: &Reveal::default(),
        now,
        watch: false,
    };
    let (sender, mut receiver) = mpsc::channel(100);
    runtime.block_on(async { observe(&server.client(), &request, None, &sender).await });
    drop(sender);
    std::iter::from_fn(|| receiver.blocking_recv()).collect()
}

fn names(resources: &[Resource]) -> Vec<String> {
    resources.iter().map(|it| format!("{} {}", it.sub_type, it.name)).collect()
}

#[test]
fn a_kind_is_found_by_discovery_and_cut_to_what_rules_read() {
    for documents in [BTreeMap::from([aggregated()]), by_group()] {
        let server = server(documents, Vec::new());
        let found = sweep(&server, &demand(CERTIFICATE, None, &["spec.dnsNames", "derived.kindAndName"]));
        assert_eq!(names(&found), ["Certificate.cert-manager.io a", "Certificate.cert-manager.io b"]);
        let raw = json!({"kind": "Certificate", "apiVersion": "cert-manager.io/v1",
            "metadata": {"name": "a", "namespace": "shop", "uid": "a"}, "spec": {"dnsNames": ["a.example"]}});
        assert_eq!((&found[0].raw, found[0].id.as_str()), (&raw, "a"));
        let gaps: Vec<&str> = found[0].unread.iter().map(|unread| unread.at.as_str()).collect();
        assert_eq!(gaps, ["$.spec.secretName", "$.status", "$.metadata.annotations"]);
    }
}

#[test]
fn only_the_namespaces_that_rules_ask_about_are_listed() {
    let server = server(BTreeMap::from([aggregated()]), Vec::new());
    let found = sweep(&server, &demand(CERTIFICATE, Some(&["shop"]), &[]));
    assert_eq!(names(&found), ["Certificate.cert-manager.io a"]);
    assert!(!server.asked().iter().any(|(path, _)| path == CERTIFICATES), "{:?}", server.asked());
}

#[test]
fn a_refusal_names_the_right_and_an_absent_kind_is_no_error() {
    let refused = vec![((CERTIFICATES.to_owned(), 0), Fault::Status(403))];
    let found = sweep(&server(BTreeMap::from([aggregated()]), refused), &demand(CERTIFICATE, None, &[]));
    assert!(found.len() == 1 && found[0].is_unlisted());
    let gap = &found[0].unread[0].gap;
    assert_eq!(gap.reason, Reason::Denied);
    assert!(gap.what.starts_with("list certificates.cert-manager.io: HTTP 403"), "{}", gap.what);

    for absent in ["Backup.velero.io", "Issuer.cert-manager.io", "NetworkPolicy.cilium.io"] {
        let server = server(BTreeMap::from([aggregated()]), Vec::new());
        assert_eq!(names(&sweep(&server, &demand(absent, None, &[]))), [""; 0], "{absent}");
    }
}

#[test]
fn discovery_that_fails_is_an_error_of_each_kind() {
    for fault in
        [Fault::Status(403), Fault::Status(404), Fault::Text("{}"), Fault::Text("<html>"), Fault::Cut(9)]
    {
        let faults = vec![(("/apis".to_owned(), 0), fault)];
        let found = sweep(&server(BTreeMap::from([aggregated()]), faults), &demand(CERTIFICATE, None, &[]));
        assert!(found.len() == 1 && found[0].is_unlisted(), "{fault:?}: {:?}", names(&found));
        assert!(found[0].unread[0].gap.what.contains("discover Certificate.cert-manager.io"), "{fault:?}");
    }
    let mut stale = aggregated();
    stale.1["items"][0]["versions"][0] = json!({"version": "v1", "freshness": "Stale"});
    let found = sweep(&server(BTreeMap::from([stale]), Vec::new()), &demand(CERTIFICATE, None, &[]));
    assert_eq!(found[0].unread[0].gap.reason, Reason::Unavailable);
}

#[test]
fn a_built_in_kind_that_the_server_does_not_have_is_no_error() {
    let cron = demand("CronJob", None, &[]);
    let with = |documents| sweep(&server(documents, Vec::new()), &cron);
    assert_eq!(names(&with(BTreeMap::from([aggregated()]))), [""; 0]);
    let unknown = with(BTreeMap::new());
    assert!(unknown.len() == 1 && unknown[0].is_unlisted(), "without discovery it may be there");
}

#[test]
fn a_foreign_namesake_is_not_ours() {
    let calico = "/apis/crd.projectcalico.org/v1/networkpolicies";
    let lists = BTreeMap::from([
        (calico.to_owned(), vec![certificate("deny", "shop")]),
        ("/api/v1/namespaces".to_owned(), vec![json!({"metadata": {"name": "shop", "uid": "n"}})]),
        ("/apis/networking.k8s.io/v1/networkpolicies".to_owned(), vec![]),
    ]);
    let server = Server::new(lists, BTreeMap::from([aggregated()]), Vec::new());
    let mut demands = demand("NetworkPolicy.crd.projectcalico.org", None, &[]);
    demands.extend(demand("Namespace", None, &[]));
    let found = sweep(&server, &demands);
    assert_eq!(names(&found), ["Namespace shop", "NetworkPolicy.crd.projectcalico.org deny"]);
    assert_eq!(found[0].related["networkPolicies"], json!([]));
}

#[test]
fn a_built_in_kind_is_listed_in_every_namespace_that_rules_ask_about() {
    let deployments = "/apis/apps/v1/deployments";
    let lists = BTreeMap::from([(deployments.to_owned(), vec![certificate("web", "shop")])]);
    let server = Server::new(lists, BTreeMap::new(), Vec::new());
    let found = sweep(&server, &demand("Deployment", None, &[]));
    assert_eq!(names(&found), ["Deployment web"]);
    assert_eq!(found[0].raw["status"], json!({"revision": 1}), "built-in kinds are collected whole");
}

#[test]
fn each_kind_takes_the_rights_of_its_lists_and_of_its_joins() {
    let extent = Extent { watch: true, ..Extent::default() };
    let lines = |demands: &ObjectDemands| {
        let needs = rights::needs(demands, &rights::guessed(demands), extent);
        rights::lines(needs.iter().map(|need| &need.right)).into_iter().collect::<BTreeSet<_>>()
    };
    let lines = |demands: &ObjectDemands| lines(demands).into_iter().collect::<Vec<_>>();
    assert_eq!(lines(&demand(CERTIFICATE, None, &[])), ["list, watch certificates.cert-manager.io"]);
    assert_eq!(
        lines(&demand("Deployment", Some(&["default", "shop"]), &[])),
        ["list, watch deployments.apps in default", "list, watch deployments.apps in shop"]
    );
    assert_eq!(
        lines(&demand("DaemonSet", None, &[])),
        ["list, watch configmaps kube-proxy in kube-system", "list, watch daemonsets.apps"]
    );
    assert!(
        lines(&demand("Secret", None, &[])).iter().all(|line| !line.contains("secrets")),
        "not asked for"
    );
}
