//! What we ask of a cluster: enough, and no more.

use posturebeat::collect::cluster::{KINDS, KnownKind, ListScope, SECRET};
use posturebeat::collect::node::places::PLACES;
use serde_json::{Value, json};
use std::path::Path;

use crate::bed::Bed;
use crate::deploy::render::{self, OVERLAYS, Rendering, folder, words};

#[test]
fn policy_reporter_1177_no_wildcards() {
    let bed = Bed::share();
    for rendering in render::all(&bed) {
        for rule in rendering.rules() {
            assert!(!rule.to_string().contains('*'), "{}: {rule}", rendering.name);
            let urls = words(&rule["nonResourceURLs"]);
            assert!(urls.is_empty() || urls == ["/flagz"], "{}: {rule}", rendering.name);
        }
        for binding in rendering.of_kind("ClusterRoleBinding").chain(rendering.of_kind("RoleBinding")) {
            let name = binding["roleRef"]["name"].as_str().unwrap();
            assert!(name.starts_with("posturebeat-"), "{}: {name} is not ours", rendering.name);
        }
    }
}

#[test]
fn trivy_operator_187_nothing_is_written_but_the_lease_and_no_secret_is_read_unasked() {
    let bed = Bed::share();
    for rendering in render::all(&bed) {
        let asked = rendering.name.contains("collectSecrets");
        for rule in rendering.rules() {
            let (resources, verbs) = (words(&rule["resources"]), words(&rule["verbs"]));
            let reads = verbs.iter().all(|verb| ["get", "list", "watch"].contains(verb));
            let leads = resources == ["leases"]
                && (verbs == ["create"]
                    || (verbs == ["get", "update"] && words(&rule["resourceNames"]).len() == 1));
            let uses = resources == ["securitycontextconstraints"]
                && verbs == ["use"]
                && rule["resourceNames"] == json!(["posturebeat"]);
            assert!(reads || leads || uses, "{}: {rule}", rendering.name);
            assert!(!resources.contains(&"nodes/proxy"), "{}: {rule}", rendering.name);
            assert!(asked || !resources.contains(&"secrets"), "{}: {rule}", rendering.name);
        }
        let secrets = rendering.rules().filter(|rule| words(&rule["resources"]).contains(&"secrets")).count();
        assert_eq!(secrets, usize::from(asked), "{}", rendering.name);
    }
}

#[test]
fn the_lease_s_name_in_the_role_is_that_of_the_configuration() {
    let bed = Bed::share();
    for rendering in render::all(&bed) {
        let elastic = rendering.name.contains("cloudbeat-cluster-leader");
        let name = if elastic { "cloudbeat-cluster-leader" } else { "posturebeat-cluster-leader" };
        let named: Vec<&Value> = rendering
            .rules()
            .filter(|rule| rule["resources"] == json!(["leases"]))
            .map(|rule| &rule["resourceNames"])
            .collect();
        assert_eq!(named, [&Value::Null, &json!([name])], "{}", rendering.name);
        let configured = rendering
            .of_kind("ConfigMap")
            .filter(|map| map.to_string().contains("lease_name: cloudbeat-cluster-leader"));
        assert_eq!(configured.count(), usize::from(elastic), "{}", rendering.name);
    }
}

/// What every probe mounts.
const EVERYWHERE: [&str; 4] = ["/proc", "/etc", "/var/lib", "/usr/lib"];

#[test]
fn cloud_on_k8s_6476_every_kind_that_is_listed_is_granted_and_every_place_is_mounted() {
    let bed = Bed::share();
    let all = render::all(&bed);
    for (overlay, _) in OVERLAYS {
        let rendering = render::named(all, &format!("kustomize {overlay}"));
        let leader = if overlay == "split" { "posturebeat-cluster" } else { "posturebeat" };
        let rules = rendering.rules_of(leader);
        // Nodes are judged by cis_eks alone, and listed where it is in force.
        let listed = |kind: &&KnownKind| kind.name != SECRET && (kind.name != "Node" || overlay == "eks");
        for kind in KINDS.iter().filter(listed) {
            // The benchmarks ask whether `default` is in use.
            let default = kind.by_namespace.then_some(ListScope::In("default".into()));
            for list in kind.lists.iter().chain(&default) {
                for verb in ["list", "watch"] {
                    assert!(
                        grants(&rules, kind.api_version, kind.plural, list, verb),
                        "{overlay}: {verb} {list:?} of {}",
                        kind.name
                    );
                }
            }
        }
        let probe = rendering.workload("DaemonSet").unwrap();
        let unseen: Vec<&str> = PLACES
            .iter()
            .flat_map(|place| &place.patterns)
            .map(String::as_str)
            .filter(|path| !mounted(probe, path))
            .collect();
        // Not every node has these: what to mount for them is said.
        let docs = std::fs::read_to_string(folder("../docs/platforms.md")).unwrap();
        let said = |path: &&str| {
            let above = Path::new(path).ancestors().filter_map(Path::to_str);
            let mut more = above.filter(|it| *it != "/" && !EVERYWHERE.contains(it));
            more.any(|it| docs.contains(&format!("`{it}`")))
        };
        let silent: Vec<&str> = unseen.into_iter().filter(|path| !said(path)).collect();
        assert!(silent.is_empty(), "{overlay}: {silent:?}");
    }
}

#[test]
fn the_probe_of_the_split_sees_nothing_of_the_cluster() {
    let bed = Bed::share();
    let all = render::all(&bed);
    for name in ["kustomize split", "helm mode=split"] {
        let rules = render::named(all, name).rules_of("posturebeat");
        let may: Vec<(&str, Vec<&str>, &Value, Vec<&str>)> = rules
            .iter()
            .map(|(namespace, rule)| {
                (namespace.as_str(), words(&rule["resources"]), &rule["resourceNames"], words(&rule["verbs"]))
            })
            .collect();
        let (system, kubeadm) = (json!(["kube-system"]), json!(["kubeadm-config"]));
        let expected = [
            ("kube-system", vec!["configmaps"], &kubeadm, vec!["get"]),
            ("", vec!["namespaces"], &system, vec!["get"]),
            ("", vec!["nodes"], &Value::Null, vec!["get"]),
            ("", vec!["nodes/configz"], &Value::Null, vec!["get"]),
        ];
        assert_eq!(may, expected, "{name}");
    }
}

/// Whether rules grant a verb on a list. A selector by name may be held to that name.
fn grants(rules: &[(String, Value)], api_version: &str, plural: &str, list: &ListScope, verb: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let (namespace, name) = match list {
        ListScope::All => ("", None),
        ListScope::In(namespace) => (&**namespace, None),
        ListScope::Where(namespace, "metadata.name", name) => (*namespace, Some(*name)),
        ListScope::Where(namespace, ..) => (*namespace, None),
    };
    rules.iter().any(|(place, rule)| {
        (place.is_empty() || place == namespace)
            && words(&rule["apiGroups"]).contains(&group)
            && words(&rule["resources"]).contains(&plural)
            && words(&rule["verbs"]).contains(&verb)
            && (rule["resourceNames"].is_null()
                || name.is_some_and(|name| words(&rule["resourceNames"]).contains(&name)))
    })
}

fn mounted(workload: &Value, path: &str) -> bool {
    let mounts = workload["spec"]["template"]["spec"]["containers"][0]["volumeMounts"].as_array().unwrap();
    let points = mounts.iter().filter_map(|mount| mount["mountPath"].as_str()?.strip_prefix("/hostfs"));
    points
        .into_iter()
        .any(|point| path.strip_prefix(point).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Rows of the renderings that a test above would pass over are no renderings.
#[test]
fn every_rendering_has_a_probe_and_rules() {
    let bed = Bed::share();
    let all: &[Rendering] = render::all(&bed);
    assert!(all.len() > 20, "{}", all.len());
    for rendering in all {
        assert!(
            rendering.workload("DaemonSet").is_some() && rendering.rules().count() > 10,
            "{}",
            rendering.name
        );
        let split = rendering.name.contains("split");
        assert_eq!(rendering.workload("Deployment").is_some(), split, "{}", rendering.name);
        assert_eq!(rendering.workload("PodDisruptionBudget").is_some(), split, "{}", rendering.name);
    }
}
