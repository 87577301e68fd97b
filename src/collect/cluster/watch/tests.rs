//! The watch of a cluster that changes.

mod faults;
mod joined;
mod server;

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

use super::watch;
use crate::collect::cluster::{CLUSTER, KINDS, SweepRequest, observe};
use crate::redact::Reveal;
use crate::resource::{ObjectDemand, ObjectDemands, Owner, Resource};
use server::Api;

/// An object, by plural.
fn object(name: &str, namespace: &str, mut rest: Value) -> Value {
    rest["metadata"]["name"] = name.into();
    rest["metadata"]["uid"] = format!("{namespace}-{name}").into();
    if !namespace.is_empty() {
        rest["metadata"]["namespace"] = namespace.into();
    }
    rest
}

fn pod(name: &str, account: &str, privileged: bool) -> Value {
    let container = json!({"name": "c", "securityContext": {"privileged": privileged}});
    object(name, "shop", json!({"spec": {"serviceAccountName": account, "containers": [container]}}))
}

fn role_of(kind: &str, name: &str) -> Value {
    json!({"roleRef": {"kind": kind, "name": name}, "subjects": []})
}

/// Rules that ask about a kind in `default`.
fn demand(kind: &str) -> (String, ObjectDemand) {
    let namespaces = Some(BTreeSet::from(["default".to_owned()]));
    (kind.to_owned(), ObjectDemand { namespaces, ..ObjectDemand::default() })
}

/// A small cluster.
fn api() -> Arc<Api> {
    let api = Arc::new(Api::default());
    for name in ["shop", "lab"] {
        api.put("namespaces", object(name, "", json!({})));
    }
    for name in ["web", "idle"] {
        api.put("serviceaccounts", object(name, "shop", json!({})));
    }
    api.put("pods", pod("web", "web", false));
    api.put("pods", pod("web-2", "web", false));
    api.put("pods", object("dns", "kube-system", json!({"spec": {"serviceAccountName": "dns"}})));
    let rules = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]);
    api.put("clusterroles", object("reader", "", json!({"rules": rules})));
    api.put("roles", object("own", "shop", json!({"rules": rules})));
    api.put("clusterrolebindings", object("readers", "", role_of("ClusterRole", "reader")));
    api.put("rolebindings", object("own", "shop", role_of("Role", "own")));
    api.put("rolebindings", object("wide", "shop", role_of("ClusterRole", "reader")));
    api.put("daemonsets", object("kube-proxy", "kube-system", json!({})));
    let token = json!({"type": "kubernetes.io/service-account-token",
        "metadata": {"annotations": {"kubernetes.io/service-account.name": "idle"}}});
    api.put("secrets", object("token", "shop", token));
    api
}

/// What the watch sent.
struct Found {
    resources: mpsc::Receiver<Resource>,
}

impl Found {
    /// Everything that is sent in the next seconds, by kind and name; the last of each.
    async fn in_seconds(&mut self, seconds: u64) -> BTreeMap<String, Resource> {
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut all = BTreeMap::new();
        while let Ok(Some(resource)) = timeout_at(end, self.resources.recv()).await {
            all.insert(format!("{} {}", resource.sub_type, resource.name), resource);
        }
        all
    }

    /// The names of what is sent in the next seconds.
    async fn names(&mut self, seconds: u64) -> Vec<String> {
        self.in_seconds(seconds).await.into_keys().collect()
    }
}

/// Sweeps a cluster, and watches it while a test changes it. Time is virtual.
fn watching(api: &Arc<Api>, test: impl AsyncFnOnce(&Arc<Api>, &mut Found)) {
    watching_after(
        api,
        |_| {},
        async |api, found| {
            found.in_seconds(3).await;
            api.requests();
            test(api, found).await;
        },
    );
}

/// The same; something changes between sweep and watch.
fn watching_after(api: &Arc<Api>, between: impl FnOnce(&Api), test: impl AsyncFnOnce(&Arc<Api>, &mut Found)) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let owner = Owner { id: "cluster/u".into(), name: "cluster".into() };
    let mut demands: ObjectDemands =
        KINDS.iter().map(|kind| kind.name).chain([CLUSTER]).map(demand).collect();
    let reads = BTreeSet::from([vec!["spec".to_owned(), "size".to_owned()]]);
    let foreign = |name| (name, ObjectDemand::everywhere(reads.clone()));
    demands.extend(api.served().into_iter().map(foreign));
    let now = "2026-11-27T00:00:00Z".parse().unwrap();
    let request = SweepRequest {
        owner: &owner,
        version: None,
        demands: &demands,
        secrets: true,
        reveal: &Reveal::default(),
        now,
        watch: true,
    };
    runtime.block_on(async {
        let client = api.client();
        let (sender, mut resources) = mpsc::channel(4);
        let swept = observe(&client, &request, None, &sender);
        let mut swept = std::pin::pin!(swept);
        let kept = loop {
            tokio::select! {
                end = &mut swept => break end.unwrap().state.unwrap(),
                _ = resources.recv() => {}
            }
        };
        while resources.try_recv().is_ok() {}
        between(api);
        let mut found = Found { resources };
        tokio::select! {
            () = watch(&client, &request, kept, &sender) => panic!("the watch ended"),
            () = test(api, &mut found) => {}
        }
    });
}

fn watches(requests: &[(String, Instant)], plural: &str) -> Vec<String> {
    let of =
        |uri: &&(String, Instant)| uri.0.contains("watch=true") && uri.0.contains(&format!("/{plural}?"));
    requests.iter().filter(of).map(|(uri, _)| uri.clone()).collect()
}

fn version(uri: &str) -> u64 {
    uri.split_once("resourceVersion=").unwrap().1.parse().unwrap()
}

#[test]
fn a_changed_object_is_sent_at_once_and_a_status_is_not() {
    watching(&api(), async |api, found| {
        api.put("pods", pod("web", "web", true));
        let sent = found.in_seconds(1).await;
        assert_eq!(sent.keys().collect::<Vec<_>>(), ["Pod web"]);
        let web = &sent["Pod web"];
        assert_eq!(web.raw.pointer("/spec/containers/0/securityContext/privileged"), Some(&json!(true)));
        assert_eq!(web.raw["apiVersion"], "v1");
        assert_eq!(web.related["serviceAccount"], json!({}), "it is joined as in a sweep");
        let mut ready = api.get("pods", "shop-web");
        ready["status"] = json!({"phase": "Running"});
        api.put("pods", ready);
        assert_eq!(found.names(10).await, Vec::<String>::new());
    });
}

#[test]
fn what_changed_before_the_watch_began_is_sent() {
    let between = |api: &Api| {
        api.put("rolebindings", object("new", "lab", role_of("ClusterRole", "reader")));
        api.delete("pods", "kube-system-dns");
    };
    watching_after(&api(), between, async |_, found| {
        let sent = found.in_seconds(4).await;
        assert_eq!(sent.keys().collect::<Vec<_>>(), ["Cluster cluster", "RoleBinding new"]);
        assert_eq!(sent["RoleBinding new"].related["role"]["name"], "reader");
        assert_eq!(sent["Cluster cluster"].related["workloads"], json!([{"namespace": "shop", "pods": 2}]));
    });
}

#[test]
fn every_list_is_watched_from_the_version_it_was_read_at() {
    let api = api();
    watching(&api, async |api, _| {
        let plurals: BTreeSet<String> = KINDS.iter().map(|kind| kind.plural.to_owned()).collect();
        assert_eq!(api.watched(), plurals);
        api.close("pods");
        sleep(Duration::from_secs(2)).await;
        let asked = api.requests();
        let pods = watches(&asked, "pods");
        assert_eq!(pods.len(), 1, "{asked:?}");
        assert!(pods[0].contains("allowWatchBookmarks=true") && pods[0].contains("timeoutSeconds="));
    });
}

#[test]
fn a_bookmark_moves_the_version() {
    watching(&api(), async |api, _| {
        let first = version(&{
            api.close("pods");
            sleep(Duration::from_secs(2)).await;
            watches(&api.requests(), "pods").remove(0)
        });
        // Something happens elsewhere.
        api.put("nodes", object("n", "", json!({})));
        api.bookmark("pods");
        sleep(Duration::from_secs(1)).await;
        api.close("pods");
        sleep(Duration::from_secs(3)).await;
        let second = version(&watches(&api.requests(), "pods")[0]);
        assert_eq!(second, first + 1);
    });
}

#[test]
fn a_cut_stream_goes_on_from_the_last_version_and_loses_nothing() {
    watching(&api(), async |api, found| {
        api.put("pods", pod("web", "web", true));
        found.in_seconds(1).await;
        api.requests();
        api.cut("pods");
        api.put("pods", pod("web-2", "web", true));
        api.delete("pods", "kube-system-dns");
        let sent = found.names(5).await;
        assert!(sent.contains(&"Pod web-2".to_owned()), "{sent:?}");
        assert!(!sent.contains(&"Pod web".to_owned()), "{sent:?}");
        let asked = api.requests();
        assert_eq!(asked.iter().filter(|(uri, _)| uri.contains("/pods?limit")).count(), 0, "{asked:?}");
    });
}

#[test]
fn what_was_forgotten_is_listed_again_with_what_is_gone() {
    for as_event in [false, true] {
        watching(&api(), async |api, found| {
            api.close("serviceaccounts");
            api.close("pods");
            api.put("pods", pod("web", "web", true));
            api.put("pods", pod("new", "web", false));
            // The last pod of its account; nobody tells of its end.
            api.delete("pods", "kube-system-dns");
            api.put("serviceaccounts", object("dns", "kube-system", json!({})));
            api.compact(as_event);
            let sent = found.in_seconds(20).await;
            let names: Vec<&str> = sent.keys().map(String::as_str).collect();
            for name in ["Pod web", "Pod new", "ServiceAccount dns", "Cluster cluster"] {
                assert!(names.contains(&name), "{name} is missing of {names:?}");
            }
            assert!(!names.contains(&"Pod web-2"), "it did not change: {names:?}");
            assert_eq!(sent["ServiceAccount dns"].related["podCount"], 0);
            assert_eq!(
                sent["Cluster cluster"].related["workloads"],
                json!([{"namespace": "shop", "pods": 3}]),
                "what is gone is counted no more"
            );
            api.put("pods", pod("web-2", "web", true));
            assert_eq!(found.names(2).await, ["Pod web-2"], "and it is watched on");
        });
    }
}

#[test]
fn a_list_that_failed_in_the_sweep_is_made_good() {
    let api = api();
    // Twice in the sweep, and once after it: six tries each.
    api.unlist("serviceaccounts", 503, 18);
    watching(&api, async |api, found| {
        let sent = found.in_seconds(120).await;
        assert!(sent.contains_key("ServiceAccount web"), "{:?}", sent.keys());
        assert_eq!(
            sent["Pod web"].related["serviceAccount"],
            json!({}),
            "who is joined with it knows it now"
        );
        api.put("serviceaccounts", object("new", "lab", json!({})));
        assert_eq!(found.names(1).await, ["ServiceAccount new"]);
    });
}

#[test]
fn it_ends_when_nobody_wants_more() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let owner = Owner { id: "cluster/u".into(), name: "cluster".into() };
    let demands = ObjectDemands::from([demand("Namespace")]);
    let now = "2026-11-27T00:00:00Z".parse().unwrap();
    let request = SweepRequest {
        owner: &owner,
        version: None,
        demands: &demands,
        secrets: false,
        reveal: &Reveal::default(),
        now,
        watch: true,
    };
    let api = api();
    runtime.block_on(async {
        let client = api.client();
        let (sender, resources) = mpsc::channel(64);
        let kept = observe(&client, &request, None, &sender).await.unwrap().state.unwrap();
        drop(resources);
        watch(&client, &request, kept, &sender).await;
        let unwatched = SweepRequest { watch: false, ..request.clone() };
        let (sender, _resources) = mpsc::channel(64);
        let end = observe(&client, &unwatched, None, &sender).await.unwrap();
        assert!(end.state.is_none(), "a sweep without a watch keeps nothing");
    });
    let read: BTreeSet<String> = api.requests().into_iter().map(|(uri, _)| uri).collect();
    assert!(!read.iter().any(|uri| uri.contains("/secrets") || uri.contains("/rolebindings")), "{read:?}");
}

#[test]
fn of_a_kind_that_is_not_built_in_only_what_rules_read_is_watched() {
    let api = api();
    api.serve("lab.io", "Widget", "widgets");
    let widget =
        |size: u64, color: &str| object("w", "shop", json!({"spec": {"size": size, "color": color}}));
    api.put("widgets", widget(1, "red"));
    watching(&api, async |api, found| {
        api.put("widgets", widget(1, "blue"));
        assert_eq!(found.names(3).await, [""; 0], "no rule reads its color");
        api.put("widgets", widget(2, "blue"));
        let sent = found.in_seconds(3).await;
        assert_eq!(sent["Widget.lab.io w"].raw["spec"], json!({"size": 2}));
        assert!(api.watched().contains("widgets"));
    });
}
