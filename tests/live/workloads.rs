//! Templates of pods against the pods that come of them, on a real API server with its controllers.
//!
//! `WORKLOADS=500` makes more of them.

mod generated;

use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::bed::Bed;
use crate::plane::api::Api;
use crate::plane::{Plane, READER};
use generated::{KINDS, workload};

const NAMESPACE: &str = "made";

/// Outcomes by the number of their rule.
type Results = BTreeMap<String, String>;

/// An object of the API.
struct Seen {
    kind: String,
    name: String,
    /// The UID of the object that controls it.
    owner: Option<String>,
}

/// By UID, the objects of all kinds that own pods or are pods.
fn objects(api: &Api) -> BTreeMap<String, Seen> {
    // What is owned is read before its owners, which then are there.
    let owners = KINDS.iter().rev().map(|kind| (kind.name, kind.list));
    let lists = [("Pod", "/api/v1/{}/pods")].into_iter().chain(owners);
    let mut objects = BTreeMap::new();
    for (kind, list) in lists {
        let list = list.replace("{}", &format!("namespaces/{NAMESPACE}"));
        let list: Value = serde_json::from_str(&api.text(&list).unwrap()).unwrap();
        for object in list["items"].as_array().unwrap() {
            let metadata = &object["metadata"];
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let owner = text(&metadata["ownerReferences"][0]["uid"]);
            let seen = Seen { kind: kind.to_owned(), name: text(&metadata["name"]).unwrap(), owner };
            objects.insert(text(&metadata["uid"]).unwrap(), seen);
        }
    }
    objects
}

/// The object that nobody owns, above this one.
fn top<'o>(objects: &'o BTreeMap<String, Seen>, uid: &str) -> &'o Seen {
    let mut seen = &objects[uid];
    while let Some(owner) = &seen.owner {
        seen = &objects[owner];
    }
    seen
}

/// `scan` of the namespace: by kind and name, what is about pods.
fn scan(bed: &Bed, plane: &Plane<'_>, workloads: bool) -> BTreeMap<(String, String), Results> {
    let kubeconfig = plane.kubeconfig(READER, &plane.address(0));
    let kubeconfig = format!("posturebeat.kube_config={}", kubeconfig.display());
    let workloads = format!("posturebeat.collect.workloads={workloads}");
    let settings = [&kubeconfig, &workloads, "posturebeat.collect.node=false"];
    let settings = settings.iter().flat_map(|setting| ["-E", setting]);
    let args: Vec<&str> = ["scan", "--format", "json"].into_iter().chain(settings).collect();
    let output = bed.output(&args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let judged = report["resources"].as_array().unwrap().iter();
    judged
        .filter(|resource| resource["namespace"] == NAMESPACE)
        .map(|resource| {
            let text = |key: &str| resource[key].as_str().unwrap().to_owned();
            let results: BTreeMap<String, String> =
                serde_json::from_value(resource["results"].clone()).unwrap();
            ((text("sub_type"), text("name")), results)
        })
        .collect()
}

#[test]
fn a_template_s_verdicts_are_those_of_its_pods() {
    let count = std::env::var("WORKLOADS").map_or(96, |count| count.parse().unwrap());
    let bed = Bed::share();
    let plane = Plane::with_controllers(&bed, "made");
    let api = plane.api();
    api.create("/api/v1/namespaces", &json!({"metadata": {"name": NAMESPACE}}));
    let accounts = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts");
    api.create(&accounts, &json!({"metadata": {"name": "deployer"}}));
    api.create(&accounts, &json!({"metadata": {"name": "tokenless"}, "automountServiceAccountToken": false}));
    bed.until("the default account", || api.text(&format!("{accounts}/default")).map(|_| ()));
    // Daemons come where a node is. Nobody runs on it.
    api.create("/api/v1/nodes", &json!({"metadata": {"name": "n", "labels": {"kubernetes.io/os": "linux"}}}));
    let mut expected = BTreeMap::new();
    for number in 0..count {
        let (kind, object) = workload(number);
        let list = kind.list.replace("{}", &format!("namespaces/{NAMESPACE}"));
        api.create(&list, &object);
        expected.insert((kind.name.to_owned(), format!("w-{number}")), kind.makes_pods);
    }
    let mut made = BTreeMap::new();
    bed.until("a pod of each workload", || {
        made = objects(&api);
        let pods = made.iter().filter(|(_, seen)| seen.kind == "Pod");
        let mut owners: Vec<(&str, &str)> =
            pods.map(|(uid, _)| top(&made, uid)).map(|top| (top.kind.as_str(), top.name.as_str())).collect();
        owners.sort_unstable();
        let has_pod = |kind: &str, name: &str| owners.binary_search(&(kind, name)).is_ok();
        expected.iter().all(|((kind, name), makes)| !makes || has_pod(kind, name)).then_some(())
    });
    let (pods, both) = (scan(&bed, &plane, false), scan(&bed, &plane, true));
    let templates: BTreeMap<_, _> = both.iter().filter(|(key, _)| expected.contains_key(*key)).collect();
    assert_eq!(templates.len(), expected.len(), "each workload is judged, whether it has pods or not");

    let mut compared = 0;
    for (uid, pod) in made.iter().filter(|(_, seen)| seen.kind == "Pod") {
        let of = top(&made, uid);
        let (key, whose) = (("Pod".to_owned(), pod.name.clone()), (of.kind.clone(), of.name.clone()));
        // CronJobs make more of them meanwhile.
        let Some(results) = pods.get(&key) else { continue };
        let template = templates[&whose];
        let apart: Vec<_> =
            results.iter().filter(|(rule, result)| template.get(*rule) != Some(*result)).collect();
        assert!(apart.is_empty(), "{whose:?} and {}: {apart:#?}\n{template:#?}", pod.name);
        assert!(!both.contains_key(&key), "{} counts beside {whose:?}", pod.name);
        compared += results.len();
    }
    println!("{count} workloads, {compared} verdicts of pods are those of their templates");
    let outcomes =
        |wanted: &str| pods.values().flat_map(BTreeMap::values).filter(|outcome| *outcome == wanted).count();
    assert!(outcomes("failed") > count && outcomes("passed") > count, "they are of all sorts");
}
