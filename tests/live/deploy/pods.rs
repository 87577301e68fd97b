//! What our pods may do on a node.

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::deploy::render::{self, NAMESPACE, words};

#[test]
fn kube_bench_498_the_probe_has_one_capability_and_the_watcher_is_not_even_root() {
    let bed = Bed::take();
    for rendering in render::all(&bed) {
        for (kind, added) in [("DaemonSet", json!(["DAC_READ_SEARCH"])), ("Deployment", Value::Null)] {
            let Some(workload) = rendering.workload(kind) else { continue };
            let (name, pod) = (&rendering.name, &workload["spec"]["template"]["spec"]);
            for shared in ["hostNetwork", "hostPID", "hostIPC"] {
                assert!(pod[shared].is_null(), "{name}: {shared}");
            }
            assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
            assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{name}");
            let [container] = &pod["containers"].as_array().unwrap()[..] else {
                panic!("{name}: one container")
            };
            let context = &container["securityContext"];
            assert_eq!(context["capabilities"]["drop"], json!(["ALL"]), "{name}");
            assert_eq!(context["capabilities"]["add"], added, "{name}");
            assert_eq!(context["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(context["allowPrivilegeEscalation"], false, "{name}");
            assert!(context["privileged"].is_null(), "{name}");
            assert!(container["resources"]["limits"]["memory"].is_string(), "{name}");
            assert!(!container["env"].to_string().contains("secretKeyRef"), "{name}");
            // Of the host only its own directory can be written.
            let mounts = container["volumeMounts"].as_array().unwrap();
            let written: Vec<&Value> = mounts.iter().filter(|mount| mount["readOnly"] != true).collect();
            assert_eq!(written, [&json!({"name": "data", "mountPath": "/var/lib/posturebeat"})], "{name}");
            let host: Vec<&Value> =
                pod["volumes"].as_array().unwrap().iter().filter(|it| !it["hostPath"].is_null()).collect();
            if kind == "Deployment" {
                assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
                assert!(host.is_empty(), "{name}: {host:?}");
            }
        }
    }
}

#[test]
fn kube_bench_519_openshift_s_constraints_are_what_the_probe_asks_for() {
    let bed = Bed::take();
    let all = render::all(&bed);
    for name in ["kustomize openshift", "helm openshift.enabled=true"] {
        let rendering = render::named(all, name);
        let scc = rendering.workload("SecurityContextConstraints").unwrap();
        let probe = &rendering.workload("DaemonSet").unwrap()["spec"]["template"];
        let context = &probe["spec"]["containers"][0]["securityContext"];
        assert_eq!(scc["allowedCapabilities"], context["capabilities"]["add"], "{name}");
        assert_eq!(scc["requiredDropCapabilities"], context["capabilities"]["drop"], "{name}");
        let granted = scc
            .as_object()
            .unwrap()
            .iter()
            .filter(|(key, value)| key.starts_with("allow") && **value == true);
        assert_eq!(
            granted.map(|(key, _)| key.as_str()).collect::<Vec<_>>(),
            ["allowHostDirVolumePlugin"],
            "{name}"
        );
        let mut kinds: Vec<&str> = probe["spec"]["volumes"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|volume| {
                volume.as_object().unwrap().keys().map(String::as_str).filter(|key| *key != "name")
            })
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(words(&scc["volumes"]), kinds, "{name}");
        assert_eq!(probe["spec"]["securityContext"]["seLinuxOptions"]["type"], "spc_t", "{name}");
        assert_eq!(
            probe["metadata"]["annotations"]["openshift.io/required-scc"], scc["metadata"]["name"],
            "{name}"
        );
        let may_use = rendering.rules_of("posturebeat").into_iter().filter(|(namespace, rule)| {
            namespace == NAMESPACE && rule["resources"] == json!(["securitycontextconstraints"])
        });
        assert_eq!(may_use.count(), 1, "{name}");
    }
}
