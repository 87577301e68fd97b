//! Kubernetes' own fixtures for its Pod Security Standards, as an oracle of the rules about pods.
//!
//! The fixtures come with the module k8s.io/pod-security-admission: for each level, version and check, pods that must be
//! allowed and pods that must be refused. Where we decide differently, docs/differences.md says so.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::bed::env;

/// A check of the standards, and the controls that ask the same; one of them fails what it refuses.
const SAME: [(&str, &[&str]); 12] = [
    ("allowprivilegeescalation", &["pod-privilege-escalation"]),
    ("capabilities_baseline", &["pod-added-capabilities", "pod-capabilities"]),
    ("capabilities_restricted", &["pod-capabilities"]),
    ("hostnamespaces", &["pod-host-pid", "pod-host-ipc", "pod-host-network"]),
    ("hostpathvolumes", &["pod-host-path"]),
    ("hostports", &["pod-host-port"]),
    ("privileged", &["pod-privileged"]),
    ("runasnonroot", &["pod-run-as-root"]),
    ("runasuser", &["pod-run-as-root"]),
    ("seccompprofile_baseline", &["pod-seccomp"]),
    ("seccompprofile_restricted", &["pod-seccomp"]),
    ("windowshostprocess", &["pod-windows-host-process"]),
];

/// Checks whose controls also fail what is allowed, as the `pod-security` of their `differs` says.
const STRICTER: [&str; 2] = ["capabilities_baseline", "seccompprofile_baseline"];

/// Checks that no recommendation asks for, as the page says.
const ASKED_BY_NONE: [&str; 7] = [
    "apparmorprofile",
    "hostprobesandhostlifecycle",
    "procmount",
    "procmount_restricted",
    "restrictedvolumes",
    "selinuxoptions",
    "sysctls",
];

/// A fixture, by the name under which it is judged.
struct Fixture {
    /// Of the check, such as `hostports`.
    check: String,
    is_refused: bool,
}

/// Copies each fixture once, under a name of its own: most are the same in many versions.
fn copy(from: &Path, to: &Path) -> BTreeMap<String, Fixture> {
    let mut known = BTreeSet::new();
    let mut fixtures = BTreeMap::new();
    let files = |path: &Path| -> Vec<_> {
        let entries = std::fs::read_dir(path).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    for level in ["baseline", "restricted"] {
        for version in files(&from.join(level)) {
            for (is_refused, verdict) in [(false, "pass"), (true, "fail")] {
                for file in files(&version.join(verdict)) {
                    let text = std::fs::read_to_string(&file).unwrap();
                    let own = name(&file);
                    let check = own.trim_end_matches(|letter: char| letter.is_ascii_digit()).to_owned();
                    if !known.insert((level, verdict, text.clone())) {
                        continue;
                    }
                    let version = version.file_name().unwrap().to_str().unwrap();
                    let name = format!("{level}-{version}-{verdict}-{own}").replace(['_', '.'], "-");
                    let text = text.replacen(&format!("  name: {own}\n"), &format!("  name: {name}\n"), 1);
                    std::fs::write(to.join(format!("{name}.yaml")), text).unwrap();
                    fixtures.insert(name, Fixture { check, is_refused });
                }
            }
        }
    }
    fixtures
}

/// The outcome of each control, by the pod's name.
fn judged(folder: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_posturebeat"));
    let benchmarks = ["--benchmark", "cis_k8s@2.0.1", "--benchmark", "cis_k8s@1.0.1"];
    let output =
        command.args(["scan", "--format", "json", "--manifests"]).arg(folder).args(benchmarks).output();
    let output = output.unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let mut controls = BTreeMap::new();
    for rule in report["rules"].as_array().unwrap() {
        let text = |key: &str| rule[key].as_str().unwrap();
        controls.insert(format!("{}/{}", text("benchmark"), text("number")), text("control").to_owned());
    }
    let of = |resource: &Value| {
        let results = resource["results"].as_object().unwrap();
        let results = results
            .iter()
            .map(|(rule, outcome)| (controls[rule].clone(), outcome.as_str().unwrap().to_owned()));
        (resource["name"].as_str().unwrap().to_owned(), results.collect())
    };
    report["resources"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|resource| resource["sub_type"] == "Pod")
        .map(of)
        .collect()
}

#[test]
fn what_the_pod_security_standards_refuse_fails() {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = copy(Path::new(&env("TESTBED_POD_SECURITY")), folder.path());
    let judged = judged(folder.path());
    assert!(fixtures.len() > 100 && judged.len() == fixtures.len(), "{} of {}", judged.len(), fixtures.len());
    let mut wrong = String::new();
    let mut stricter = BTreeSet::new();
    let mut counts = [0, 0];
    for (name, fixture) in &fixtures {
        let check = fixture.check.as_str();
        // Pods that break no check.
        if check.starts_with("base") {
            continue;
        }
        let Some((_, controls)) = SAME.iter().find(|(same, _)| *same == check) else {
            assert!(ASKED_BY_NONE.contains(&check), "{check} is new");
            continue;
        };
        let outcomes: Vec<&str> =
            controls.iter().filter_map(|id| judged[name].get(*id)).map(String::as_str).collect();
        let fails = outcomes.contains(&"failed");
        counts[usize::from(fixture.is_refused)] += 1;
        if fails && !fixture.is_refused && STRICTER.contains(&check) {
            stricter.insert(check);
        } else if fails != fixture.is_refused {
            writeln!(wrong, "{name}: {controls:?} {outcomes:?}").unwrap();
        }
    }
    println!("{} fixtures that are refused, {} that are allowed", counts[1], counts[0]);
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(stricter, STRICTER.into(), "each of them is a difference");
    let differences = include_str!("../../docs/differences.md");
    let (_, section) = differences.split_once("## Pod Security Standards").unwrap();
    for control in ["pod-added-capabilities", "pod-capabilities", "pod-seccomp"] {
        assert!(section.contains(&format!("`{control}`")), "{control}");
    }
}
