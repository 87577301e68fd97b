//! The API side: requests that are refused, cut off, answered with something else, or too late.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::mpsc;

use super::cluster::{BITS, Shape, documents, lists};
use super::server::{ALWAYS, FAULTS, Fault, Server, Slot};
use super::verdicts::{Verdicts, blind, demands, idle};
use crate::collect::cluster::rights::{Extent, guessed, needs};
use crate::collect::cluster::{CLUSTER, KINDS, SweepRequest, observe, paths};
use crate::redact::Reveal;
use crate::resource::{Kind, Owner, Resource};

/// What the API gives where something is not installed: no refusal, but another cluster.
const NOT_THERE: Fault = Fault::Status(404);

/// What may be refused for all of a path at once.
const WHOLE: [Fault; 3] = [Fault::Status(403), NOT_THERE, Fault::Busy(503, ALWAYS)];

/// A cycle's look at a cluster, on a clock that does not wait.
fn look(server: &Arc<Server>, secrets: bool) -> Verdicts {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let owner = Owner { id: "cluster/u".into(), name: "cluster".into() };
    let demands = demands();
    let now = "2026-11-27T00:00:00Z".parse().unwrap();
    let request = SweepRequest {
        owner: &owner,
        version: Some("v1.37.2"),
        demands: &demands,
        secrets,
        reveal: &Reveal::default(),
        now,
        watch: false,
    };
    let (sender, mut receiver) = mpsc::channel(4);
    let resources = runtime.block_on(async {
        let client = server.client();
        let observed = async {
            observe(&client, &request, None, &sender).await;
            drop(sender);
        };
        let taken = async {
            let mut resources = Vec::new();
            while let Some(resource) = receiver.recv().await {
                resources.push(resource);
            }
            resources
        };
        tokio::join!(observed, taken).1
    });
    Verdicts::of(resources)
}

/// The same, of a cluster with these faults.
fn look_at(shape: Shape, faults: Vec<(Slot, Fault)>) -> (Verdicts, Arc<Server>) {
    let server = Server::new(lists(shape), documents(shape), faults);
    (look(&server, !shape.without_secrets), server)
}

/// Whether a path is that of an operator's group or kind.
fn is_store(path: &str) -> bool {
    ["external-secrets.io", "secrets-store.csi", "hashicorp.com", "bitnami.com"]
        .iter()
        .any(|group| path.contains(group))
}

/// What the joins of a resource say that is neither the truth nor said to be unread.
fn wrong_joins(told: &Resource, truth: &Resource) -> Vec<String> {
    let keys: BTreeSet<&String> = told.related.keys().chain(truth.related.keys()).collect();
    let unread = |key: &str| told.unread.iter().any(|unread| unread.at == format!("$.related.{key}"));
    let nothing = told.unread.iter().any(|unread| unread.at == "$");
    // Of operators' kinds one is enough.
    let some = |key: &str| {
        let list = |resource: &Resource| {
            resource.related.get(key).and_then(|it| it.as_array().cloned()).unwrap_or_default()
        };
        let (told, truth) = (list(told), list(truth));
        key == "externalSecrets" && !told.is_empty() && told.iter().all(|store| truth.contains(store))
    };
    keys.into_iter()
        .filter(|key| told.related.get(*key) != truth.related.get(*key))
        .filter(|key| !nothing && !unread(key) && !some(key))
        .map(|key| {
            format!("{} {}: $.related.{key} is {:?}\n", told.sub_type, told.name, told.related.get(key))
        })
        .collect()
}

/// The kinds of which a list was refused and no error is said.
fn silent(refused: &BTreeSet<String>, told: &Verdicts) -> Vec<String> {
    let demands = demands();
    let of_stores = told.seen[&format!("{CLUSTER} cluster/u")].resource.clone();
    let sees_stores = of_stores.related.get("externalSecrets").is_some_and(|stores| *stores != json!([]));
    let said = of_stores.unread.iter().any(|unread| unread.at == "$.related.externalSecrets");
    let stores = refused.iter().filter(|path| is_store(path) && !sees_stores && !said);
    let stores = stores.map(|path| format!("{path} was refused, and nothing is said\n"));
    KINDS
        .iter()
        .filter(|kind| {
            demands.contains_key(kind.name) && paths(kind, &demands).iter().any(|path| refused.contains(path))
        })
        .filter(|kind| !told.lost.contains_key(&format!("k8s_object/{}", kind.name)))
        .map(|kind| format!("{} was refused, and nothing is said\n", kind.name))
        .chain(stores)
        .collect()
}

#[test]
fn every_rule_about_objects_has_something_to_judge() {
    let worlds: Vec<Verdicts> = (0..BITS)
        .map(|bit| 1 << bit)
        .chain([0, !0])
        .map(|bits| look_at(Shape::of(bits), Vec::new()).0)
        .collect();
    assert!(worlds.iter().all(|world| world.lost.is_empty()));
    assert_eq!(idle(Kind::K8sObject, &worlds), BTreeSet::new());
    assert!(worlds[0].seen.contains_key(&format!("{CLUSTER} cluster/u")));
}

#[test]
fn a_denied_list_makes_errors_only_of_rules_that_read_what_its_right_is_for() {
    let shape = Shape::of(!0);
    let (demands, truth) = (demands(), look_at(shape, Vec::new()).0);
    let extent = Extent { secrets: !shape.without_secrets, ..Extent::default() };
    let needs = needs(&demands, &guessed(&demands), extent);
    for kind in &KINDS {
        let faults = paths(kind, &demands).into_iter().map(|path| ((path, 0), Fault::Status(403))).collect();
        let errors = look_at(shape, faults).0.errors();
        let places: Vec<_> = needs.iter().filter(|need| need.right.resource == kind.plural).collect();
        let places: Vec<_> = places.into_iter().flat_map(|need| need.feeds.clone()).collect();
        let more = errors.difference(&truth.errors()).copied().collect();
        assert_eq!(blind(more, &places), [""; 0], "without list {}", kind.plural);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_refusal_of_the_api_becomes_a_verdict_and_none_vanishes(
        bits in 0..1_u16 << BITS,
        single in prop::collection::vec((any::<Index>(), select(&FAULTS[..])), 0..6),
        whole in prop::option::of((any::<Index>(), select(&WHOLE[..]))),
    ) {
        let shape = Shape::of(bits);
        let (whole_truth, server) = look_at(shape, Vec::new());
        let slots = server.asked();
        // The first of two faults of one request counts.
        let mut faults: BTreeMap<Slot, Fault> = BTreeMap::new();
        for (index, fault) in single {
            faults.entry(index.get(&slots).clone()).or_insert(fault);
        }
        if let Some((index, fault)) = whole {
            let (path, _) = index.get(&slots);
            let of_group = |slot: &&Slot| slot.0.starts_with(path.as_str());
            faults.extend(slots.iter().filter(of_group).map(|slot| (slot.clone(), fault)));
        }
        let absent = faults.iter().filter(|(slot, fault)| is_store(&slot.0) && **fault == NOT_THERE);
        let absent: Vec<(Slot, Fault)> = absent.map(|(slot, fault)| (slot.clone(), *fault)).collect();
        let truth = if absent.is_empty() { whole_truth } else { look_at(shape, absent).0 };
        let (told, server) = look_at(shape, faults.clone().into_iter().collect());

        let lies = told.lies(&truth, &|_| false);
        prop_assert!(lies.is_empty(), "{faults:?}\n{lies}");
        let mut refused = server.refused();
        // Not installed is not refused.
        refused.retain(|path| !is_store(path) || !faults.iter().any(|(slot, fault)| slot.0 == *path && *fault == NOT_THERE));
        let silent = silent(&refused, &told);
        prop_assert!(silent.is_empty(), "{faults:?}\n{silent:?}");
        let joined = told.seen.iter().filter_map(|(id, seen)| Some((seen, truth.seen.get(id)?)));
        let wrong: Vec<String> = joined.flat_map(|(seen, truth)| wrong_joins(&seen.resource, &truth.resource)).collect();
        prop_assert!(wrong.is_empty(), "{faults:?}\n{wrong:?}");
    }
}
