//! What our pods may do on a node.

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::deploy::render::{self, NAMESPACE, words};

#[test]
fn kube_bench_498_the_probe_has_one_capability_and_the_watcher_is_not_even_root() {
    let bed = Bed::share();
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
    let bed = Bed::share();
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

#[test]
fn the_watcher_fits_restricted_and_host_paths_and_a_capability_keep_the_probe_from_baseline() {
    let bed = Bed::take();
    let split = render::named(render::all(&bed), "kustomize split");
    let admitted = |kind: &str, level: &str| {
        let namespace = format!("level-{level}");
        let labels = json!({"pod-security.kubernetes.io/enforce": level});
        let metadata = json!({"name": namespace, "labels": labels});
        let _room = bed.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}));
        let mut spec = split.workload(kind).unwrap()["spec"]["template"]["spec"].clone();
        // The namespace has no account of that name.
        spec.as_object_mut().unwrap().retain(|key, _| !key.starts_with("serviceAccount"));
        let path = bed.path("pod.json");
        let metadata = json!({"name": "p", "namespace": namespace});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
        std::fs::write(&path, pod.to_string()).unwrap();
        let output = bed.kubectl_output(&["create", "--dry-run=server", "-f", path.to_str().unwrap()]);
        output.status.success().then_some(()).ok_or_else(|| String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(admitted("Deployment", "restricted"), Ok(()));
    let refused = admitted("DaemonSet", "baseline").unwrap_err();
    let reasons = refused.split_once("baseline:latest\": ").unwrap().1;
    assert!(reasons.starts_with("non-default capabilities ("), "{reasons}");
    let (_, host) = reasons.split_once("), ").unwrap();
    assert!(host.starts_with("hostPath volumes (") && !host.contains("), "), "{reasons}");
}
