//! How soon a change is found, on a cluster at work.

use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

use super::findings::Findings;
use super::objects::{
    BINDINGS, NAMESPACES, ROLES, binding, enforce, namespace, pod, pods, policies, policy, reads, role,
};
use crate::bed::{Bed, env};
use crate::kept::Undo;
use crate::plane::api::Api;

const ROUNDS: usize = 20;

/// Times of one kind of change.
fn told(what: &str, times: &mut [Duration]) -> String {
    times.sort();
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    let count = times.len();
    format!("{what}: found after {median:.2?} (median of {count}), {worst:.2?} at worst; the mark is 5 s")
}

#[test]
fn a_pod_made_privileged_and_a_binding_are_found_soon_and_so_is_what_they_are_joined_with() {
    let bed = Bed::take();
    let kubeconfig = env("TESTBED_KUBECONFIG");
    let api = Api::new(Path::new(&kubeconfig));
    let room = Bed::namespace("watched");
    let called = |name: &str| format!("{room}-{name}");
    let _room = Undo(|| {
        let _ = bed.kubectl_output(&["delete", "namespace", &room, "--ignore-not-found", "--wait=false"]);
        let mut args = vec!["delete", "--ignore-not-found", "clusterrole,clusterrolebinding"];
        let numbers: Vec<String> = (0..ROUNDS).map(|round| called(&round.to_string())).collect();
        let clerk = called("clerk");
        args.push(&clerk);
        args.extend(numbers.iter().map(String::as_str));
        let _ = bed.kubectl_output(&args);
    });
    api.create(NAMESPACES, &namespace(&room));
    api.create(ROLES, &role(&called("clerk"), "configmaps"));
    api.create(BINDINGS, &binding(&called("clerk"), &called("clerk"), "jane"));
    bed.until("the account that pods run as", || {
        api.text(&format!("{NAMESPACES}/{room}/serviceaccounts/default"))
    });
    let calm = api.create(&pods(&room), &pod(&called("calm"), false));
    let mut findings = Findings::start(&bed, Path::new(&kubeconfig));
    let turn_of_namespace = |findings: &mut Findings, level: &str, outcome: &str| {
        let mark = findings.count();
        api.patch(&format!("{NAMESPACES}/{room}"), &enforce(level));
        findings.wait(mark, ("5.2.1", "Namespace", &room, outcome))
    };
    let turn_of_role = |findings: &mut Findings, resource: &str, outcome: &str| {
        let mark = findings.count();
        api.patch(&format!("{ROLES}/{}", called("clerk")), &json!({"rules": reads(resource)}));
        findings.wait(mark, ("5.1.2", "ClusterRoleBinding", &called("clerk"), outcome))
    };
    let turn_of_policies = |findings: &mut Findings, is_there: bool, outcome: &str| {
        let mark = findings.count();
        if is_there {
            api.create(&policies(&room), &policy());
        } else {
            api.delete(&format!("{}/deny", policies(&room)));
        }
        findings.wait(mark, ("5.3.2", "Namespace", &room, outcome))
    };
    // It takes some seconds until everything is watched; what changed meanwhile is found then.
    turn_of_namespace(&mut findings, "baseline", "passed");
    turn_of_namespace(&mut findings, "privileged", "failed");
    turn_of_role(&mut findings, "secrets", "failed");
    turn_of_policies(&mut findings, true, "passed");

    let [mut of_pods, mut of_bindings, mut of_namespaces, mut of_joins] = [const { Vec::new() }; 4];
    for round in 0..ROUNDS {
        let name = called(&round.to_string());
        let mark = findings.count();
        api.create(&pods(&room), &pod(&name, true));
        of_pods.push(findings.wait(mark, ("5.2.2", "Pod", &name, "failed")));
        let mark = findings.count();
        api.create(BINDINGS, &binding(&name, "cluster-admin", "jane"));
        of_bindings.push(findings.wait(mark, ("5.1.1", "ClusterRoleBinding", &name, "failed")));
        if round % 10 > 0 {
            continue;
        }
        // At the end as it was: it must take privileged pods.
        of_namespaces.push(turn_of_namespace(&mut findings, "baseline", "passed"));
        of_namespaces.push(turn_of_namespace(&mut findings, "privileged", "failed"));
        of_joins.push(turn_of_role(&mut findings, "configmaps", "passed"));
        of_joins.push(turn_of_role(&mut findings, "secrets", "failed"));
        of_joins.push(turn_of_policies(&mut findings, false, "failed"));
        of_joins.push(turn_of_policies(&mut findings, true, "passed"));
    }
    println!("{}", told("a privileged pod", &mut of_pods));
    println!("{}", told("a binding to cluster-admin", &mut of_bindings));
    println!("{}", told("a namespace's label", &mut of_namespaces));
    println!("{}", told("a role of a binding, a policy of a namespace", &mut of_joins));

    // Another pod in its place has an id of its own.
    let first = calm["metadata"]["uid"].as_str().unwrap();
    api.delete(&format!("{}/{}", pods(&room), called("calm")));
    let mark = findings.count();
    let second = api.create(&pods(&room), &pod(&called("calm"), true));
    findings.wait(mark, ("5.2.2", "Pod", &called("calm"), "failed"));
    let second = second["metadata"]["uid"].as_str().unwrap();
    let about = |found: &&Value| found["resource"]["name"] == called("calm");
    let ids = |mark| findings.since(mark).iter().filter(about).map(|found| found["resource"]["id"].clone());
    assert!(ids(mark).all(|id| id == ids(mark).next().unwrap()) && first != second);
    assert!(ids(0).any(|id| Some(id) != ids(mark).next()));

    // What only a status says is not news; what comes after it in the same stream shows that it was heard.
    let mark = findings.count();
    let status = format!("{}/{}/status", pods(&room), called("calm"));
    api.patch(&status, &json!({"status": {"message": "new"}}));
    api.create(&pods(&room), &pod(&called("last"), true));
    findings.wait(mark, ("5.2.2", "Pod", &called("last"), "failed"));
    let told = findings.since(mark).iter().filter(about).count();
    assert_eq!(told, 0, "a status alone is no news");
    findings.assert_of_one_sweep();
}
