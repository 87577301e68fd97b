//! Whatever comes between, each change is found.

use serde_json::json;
use std::time::Instant;

use super::asked::Asked;
use super::findings::Findings;
use super::objects::{
    BINDINGS, NAMESPACES, ROLES, Verdict, binding, enforce, namespace, pod, pods, policies, policy, reads,
    role,
};
use super::refusal::Refusal;
use crate::bed::Bed;
use crate::election::gate::Gate;
use crate::plane::api::Api;
use crate::plane::{Plane, READER};

/// The joined: a binding by its role, a namespace by its policies. The others by themselves.
fn verdicts(outcome: &str) -> [Verdict<'_>; 4] {
    [
        ("5.1.2", "ClusterRoleBinding", "clerk", outcome),
        ("5.3.2", "Namespace", "shop", outcome),
        ("5.2.1", "Namespace", "yard", outcome),
        ("5.2.2", "Pod", "replaced", outcome),
    ]
}

/// All of it as it should be.
fn arrange(api: &Api) {
    for name in ["shop", "yard"] {
        api.create(NAMESPACES, &namespace(name));
    }
    api.create(ROLES, &role("clerk", "configmaps"));
    api.create(BINDINGS, &binding("clerk", "clerk", "jane"));
    api.create(&policies("shop"), &policy());
    api.patch(&format!("{NAMESPACES}/yard"), &enforce("baseline"));
    api.create(&pods("shop"), &pod("replaced", false));
}

/// Makes all of it wrong, or right again, and adds a pod and a binding that are wrong; gives what must be found.
fn turn<'n>(api: &Api, wrong: bool, name: &'n str) -> Vec<Verdict<'n>> {
    let resource = if wrong { "secrets" } else { "configmaps" };
    api.patch(&format!("{ROLES}/clerk"), &json!({"rules": reads(resource)}));
    if wrong {
        api.delete(&format!("{}/deny", policies("shop")));
    } else {
        api.create(&policies("shop"), &policy());
    }
    api.patch(&format!("{NAMESPACES}/yard"), &enforce(if wrong { "privileged" } else { "baseline" }));
    api.delete(&format!("{}/replaced", pods("shop")));
    api.create(&pods("shop"), &pod("replaced", wrong));
    api.create(&pods("shop"), &pod(name, true));
    api.create(BINDINGS, &binding(name, "cluster-admin", "jane"));
    let mut found = verdicts(if wrong { "failed" } else { "passed" }).to_vec();
    found.extend([("5.2.2", "Pod", name, "failed"), ("5.1.1", "ClusterRoleBinding", name, "failed")]);
    found
}

#[test]
fn what_changed_while_the_api_server_was_down_is_found_though_its_history_is_gone() {
    let bed = Bed::share();
    let mut plane = Plane::start(&bed, "down", 2);
    let api = plane.api();
    arrange(&api);
    let asked = Asked::at(&bed, &plane, 0);
    let mut findings = Findings::start(&bed, &plane.kubeconfig(READER, &plane.address(0)));
    findings.settle(&verdicts("passed"));
    asked.until_quiet();

    plane.stop(0);
    let changed = turn(&api, true, "meanwhile");
    plane.forget();
    plane.start_again(0);
    let began = Instant::now();
    findings.settle(&changed);
    println!("after an API server's restart without a history all was found in {:.1?}", began.elapsed());
    let log = findings.log();
    let again = log.lines().filter(|line| line.contains("re-listing") && line.contains("410")).count();
    assert!(again > 20, "every list was read again: {log}");
    // And it goes on from there.
    findings.settle(&turn(&api, false, "afterwards"));
    findings.assert_of_one_sweep();
}

#[test]
fn a_cut_wire_and_an_api_server_that_refuses_lose_nothing() {
    let bed = Bed::share();
    let plane = Plane::start(&bed, "cut", 1);
    let api = plane.api();
    arrange(&api);
    let asked = Asked::at(&bed, &plane, 0);
    let gate = Gate::to(&plane.address(0));
    let mut findings = Findings::start(&bed, &plane.kubeconfig(READER, &format!("127.0.0.1:{}", gate.port)));
    findings.settle(&verdicts("passed"));
    asked.until_quiet();

    gate.cut();
    let changed = turn(&api, true, "cut");
    gate.open();
    let began = Instant::now();
    findings.settle(&changed);
    println!("after a cut wire all was found in {:.1?}", began.elapsed());
    asked.until_quiet();

    let refusal = Refusal::begin(&bed, &plane, &api);
    let (before, began) = (asked.refused() + asked.served(), Instant::now());
    gate.cut();
    gate.open();
    let changed = turn(&api, false, "refused");
    bed.until("everybody to be refused, and some twice", || {
        (asked.refused() + asked.served() - before > 40).then_some(())
    });
    let (refused, refusing) = (asked.refused() + asked.served() - before, began.elapsed());
    refusal.end();
    let began = Instant::now();
    findings.settle(&changed);
    println!(
        "{refused} requests in the {refusing:.1?} of refusals; all was found {:.1?} after them",
        began.elapsed()
    );
    assert!(refused as f64 <= 5.0 * refusing.as_secs_f64(), "{refused} in {refusing:?}");
    assert!(!findings.log().contains("re-listing"), "nothing had to be listed again: {}", findings.log());
    findings.assert_of_one_sweep();
}
