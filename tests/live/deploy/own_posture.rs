//! posturebeat judges its own manifests: what fails is stated in `deploy/exceptions.yml`, and no more is stated than fails.

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::deploy::render::{self, NAMESPACE, OVERLAYS, Rendering};
use crate::deploy::settings::laid_out;

#[test]
fn nothing_fails_that_is_not_stated_and_nothing_is_stated_that_does_not_fail() {
    let bed = Bed::share();
    let all = render::all(&bed);
    let charts = OVERLAYS.iter().map(|(_, values)| format!("helm {values}"));
    let overlays = OVERLAYS.iter().map(|(overlay, _)| format!("kustomize {overlay}"));
    for name in overlays.chain(charts) {
        let rendering = render::named(all, &name);
        let judge =
            ["Deployment", "DaemonSet"].into_iter().find_map(|kind| rendering.workload(kind)).unwrap();
        let root = bed.path(&name.replace([' ', '/'], "-"));
        let args = laid_out(rendering, judge, &root);
        let manifests = root.join("manifests.json");
        std::fs::write(
            &manifests,
            json!({"apiVersion": "v1", "kind": "List", "items": objects(rendering)}).to_string(),
        )
        .unwrap();
        let mut command =
            bed.posturebeat(&["scan", "--format", "json", "--fail-on", "failed", "--manifests"]);
        let output = command.arg(&manifests).args(&args).env("NODE_IP", "10.254.0.1").output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let report: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{name}: {told}"));
        assert_eq!(output.status.code(), Some(0), "{name}: {told}{:#}", unexcused(&report));
        let exceptions = report["exceptions"].as_array().unwrap();
        // Manifests do not show whether a policy engine guards the namespace.
        let is_idle =
            |exception: &&Value| exception["state"] != "in_use" && exception["state"] != "undecided";
        let idle: Vec<&Value> = exceptions.iter().filter(is_idle).collect();
        assert!(!exceptions.is_empty() && idle.is_empty(), "{name}: {idle:#?}");
    }
}

/// What is judged: the objects; exceptions about pods cover the templates that they come of.
fn objects(rendering: &Rendering) -> Vec<Value> {
    let kept = rendering.objects.iter().filter(|object| object["kind"] != "Secret").cloned();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "uid": "n",
        "labels": {"pod-security.kubernetes.io/enforce": "privileged"}}});
    // With Helm it is the caller's, labelled as NOTES.txt says.
    let missing = rendering.of_kind("Namespace").next().is_none().then_some(namespace);
    kept.chain(missing).collect()
}

/// What failed without an exception, for the message.
fn unexcused(report: &Value) -> Value {
    let details = report["resources"].as_array().unwrap().iter().flat_map(|resource| {
        let details = resource["details"].as_array().cloned().unwrap_or_default();
        let who = resource["name"].clone();
        details
            .into_iter()
            .filter(|detail| detail["exception"].is_null())
            .map(move |detail| json!([who, detail]))
    });
    details.collect()
}
