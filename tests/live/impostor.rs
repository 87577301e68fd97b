//! A pod that calls its process `kube-apiserver` is not the API server.

use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

use crate::bed::{Bed, env};

#[test]
fn a_process_of_a_pod_is_not_believed() {
    let bed = Bed::take();
    let folder = bed.path("impostor");
    std::fs::create_dir(&folder).unwrap();
    let program = folder.join("kube-apiserver");
    std::fs::copy(std::path::Path::new(&env("TESTBED_BIN")).join("pause"), &program).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let manifest = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "impostor", "namespace": "demo"}, "spec": {
        "tolerations": [{"operator": "Exists"}],
        "terminationGracePeriodSeconds": 0,
        "volumes": [{"name": "v", "hostPath": {"path": folder.to_str().unwrap()}}],
        "containers": [{"name": "c", "image": "posturebeat.test/pause:1", "imagePullPolicy": "Never",
            "command": ["/v/kube-apiserver", "--anonymous-auth=true", "--authorization-mode=AlwaysAllow",
                "--authentication-config=/etc/shadow", "--audit-policy-file=/etc/shadow"],
            "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]}});
    let before = bed.scan();
    let _applied = bed.apply(&manifest);
    bed.until("the impostor to run", || {
        let phase = bed.kubectl(&["get", "pod", "impostor", "-n", "demo", "-o", "jsonpath={.status.phase}"]);
        (phase == "Running").then_some(())
    });
    let output = bed.output(&["scan", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let servers = |report: &Value| {
        let resources = report["resources"].as_array().unwrap();
        resources
            .iter()
            .filter(|resource| resource["type"] == "process" && resource["name"] == "kube-apiserver")
            .count()
    };
    assert_eq!((servers(&before), servers(&report)), (1, 1), "only the real one is judged");
    let verdict = |report: &Value| {
        let resources = report["resources"].as_array().unwrap();
        let server = resources.iter().find(|resource| resource["name"] == "kube-apiserver").unwrap();
        server["results"].clone()
    };
    assert_eq!(verdict(&before), verdict(&report));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("kube-apiserver") && told.contains("WARN"), "it is said: {told}");
    let shadow = std::fs::read_to_string("/etc/shadow").unwrap();
    let text = format!("{told}{report}");
    assert!(shadow.lines().all(|line| !text.contains(line)), "the file it points at was not shown");
}
