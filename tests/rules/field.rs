//! What goes wrong in the field: public threads about wrong verdicts of tools of this kind, each held by a case of a
//! built-in control or by a test that bears its name.
//!
//! In: [`THREADS`]. Out: that every case and test named there exists; that they pass, their own runs say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use posturebeat::evaluate::Judge;
use posturebeat::resource::{Kind, Resource};
use posturebeat::rule::Rule;
use serde_json::json;

use crate::catalogue;
use crate::threads::Held::{Case, Test};
use crate::threads::THREADS;

#[test]
fn every_thread_is_held() {
    let catalogue = catalogue();
    let mut missing = Vec::new();
    for (thread, held) in THREADS {
        for held in held {
            let (there, what) = match held {
                Case(control, name) => {
                    let cases = catalogue.cases(control).map(|cases| cases.cases.as_slice());
                    let there = cases.unwrap_or_default().iter().any(|case| case.name == *name);
                    (there, format!("{control} has no case `{name}`"))
                }
                Test(file, name) => {
                    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
                    let text = std::fs::read_to_string(path).unwrap_or_default();
                    (text.contains(&format!("fn {name}(")), format!("{file} has no test `{name}`"))
                }
            };
            if !there {
                missing.push(format!("{thread}: {what}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

fn rules() -> Vec<Rule> {
    let catalogue = catalogue();
    let all: Vec<String> = catalogue.benchmarks().iter().map(|table| table.full_name().to_string()).collect();
    catalogue.rules(&all, &BTreeMap::new()).unwrap()
}

/// The kinds and names that rules of a section of a benchmark judge.
fn judged(benchmark: &str, section: &str) -> Vec<String> {
    let of_section = rules()
        .into_iter()
        .filter(|rule| rule.benchmark.benchmark == benchmark && rule.row.section() == section);
    of_section.flat_map(|rule| rule.control.resources.clone()).map(|selector| selector.to_string()).collect()
}

#[test]
fn cloudbeat_631_633_and_635_eks_is_judged_by_the_same_controls() {
    let rules = rules();
    let controls = |version: &str, number: &str| -> Vec<&str> {
        let meant = |rule: &&Rule| {
            rule.benchmark.full_name().to_string() == format!("cis_eks@{version}")
                && rule.row.number == number
        };
        rules.iter().filter(meant).map(|rule| rule.control.id.as_str()).collect()
    };
    for (version, number, control) in [
        ("1.0.1", "3.1.1", "kubelet-kubeconfig-mode"),
        ("1.0.1", "3.1.3", "kubelet-config-mode"),
        ("1.0.1", "3.2.4", "kubelet-read-only-port"),
        ("1.0.1", "3.2.7", "kubelet-iptables-util-chains"),
        ("1.0.1", "4.2.7", "pod-net-raw"),
        ("1.0.1", "4.2.9", "pod-capabilities"),
        ("1.8.0", "3.1.3", "kubelet-config-mode"),
        ("1.8.0", "3.2.4", "kubelet-read-only-port"),
        ("1.8.0", "3.2.6", "kubelet-iptables-util-chains"),
    ] {
        assert_eq!(controls(version, number), [control], "{version} {number}");
    }
}

#[test]
fn cloudbeat_646_every_component_has_rules() {
    let judge = Judge::new(&rules());
    let mut found: Vec<&str> =
        judge.selectors().filter(|(kind, _)| *kind == Kind::Process).map(|(_, name)| name).collect();
    found.sort_unstable();
    let known =
        ["etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubelet"];
    assert_eq!(found, known);
}

#[test]
fn security_docs_4915_pods_are_judged_by_themselves() {
    let known = ["k8s_object/Pod", "k8s_object/Namespace", "process/kube-apiserver"];
    let plain = judged("cis_k8s", "5.2");
    assert!(plain.iter().any(|name| name == "k8s_object/Pod"));
    assert!(plain.iter().all(|name| known.contains(&name.as_str())), "{plain:?}");
    // The section of EKS's first version is still called after them.
    let eks = judged("cis_eks", "4.2");
    assert!(!eks.is_empty() && eks.iter().all(|name| name == "k8s_object/Pod"), "{eks:?}");
}

#[test]
fn kubescape_3084_the_section_on_roles_judges_roles() {
    let known = ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ServiceAccount", "Pod"];
    // On EKS an access entry or the ConfigMap aws-auth stands for a binding.
    let entries = ["caas/aws-eks", "k8s_object/ConfigMap"];
    for name in judged("cis_k8s", "5.1").into_iter().chain(judged("cis_eks", "4.1")) {
        let kind = name.strip_prefix("k8s_object/").unwrap_or_default();
        assert!(known.contains(&kind) || entries.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn trivy_9329_only_pods_are_asked_for_a_security_context() {
    let rules = rules();
    let judge = Judge::new(&rules);
    for kind in ["ConfigMap", "Role", "NetworkPolicy", "ServiceAccount", "Service"] {
        let judgements = judge.judge(Resource::observed(
            Kind::K8sObject,
            kind.into(),
            "id".into(),
            "name".into(),
            json!({"kind": kind, "metadata": {"name": "name", "namespace": "default"}}),
        ));
        for rule in judgements.iter().flat_map(|(indexes, _)| *indexes).map(|index| &rules[*index]) {
            let pods = if rule.benchmark.benchmark == "cis_eks" { "4.2" } else { "5.2" };
            assert_ne!(rule.row.section(), pods, "{} was asked of a {kind}", rule.row.number);
        }
    }
}
