//! Platforms of one machine: each as a tree, and everything that comes out of it.

mod containers;
mod docker;
mod eks;
mod field;
mod k0s;
mod k3s;
mod kops;
mod managed;
mod microk8s;
mod openshift;
mod packaged;
mod rke2;
mod talos;
mod units;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{POD_MOUNTS, Planted, STATIC_POD, Seen, Tree};
use crate::evaluate::{Judge, Outcome};
use crate::resource::{Kind, Resource};
use crate::rule::{Catalogue, Rule, built_in};

impl Tree {
    /// Empty files.
    fn files(&self, paths: &[&str]) {
        for path in paths {
            self.file(path, "");
        }
    }

    /// A component in a static pod of the node, its files where the manifest at `manifest` mounts them.
    fn static_pod(&self, pid: u32, manifest: &str, command: &str, volumes: &[(&str, &str)]) {
        let name = command.split(' ').next().unwrap();
        self.manifest_at(manifest, name, command, volumes);
        self.process(&Planted {
            pid,
            command,
            namespace: Some("mnt:[2]"),
            mounts: POD_MOUNTS,
            cgroup: STATIC_POD,
            ..Planted::default()
        });
    }
}

impl Seen {
    /// Everything that was found: `component`, or `role+role path`, in order.
    fn inventory(&self) -> Vec<String> {
        let mut all: Vec<String> = self
            .resources
            .iter()
            .map(|resource| match resource.kind {
                Kind::File => format!("{} {}", resource.selectors().join("+"), resource.id),
                _ => resource.selectors().join("+"),
            })
            .collect();
        all.sort();
        all
    }

    /// The values of one flag of a component.
    fn flag(&self, component: &str, flag: &str) -> Vec<&str> {
        let values = self.only(component).raw["args"][flag].as_array().into_iter().flatten();
        values.map(|value| value.as_str().unwrap()).collect()
    }
}

/// What the newest benchmark says of a resource: control → outcome.
pub(super) fn verdicts(resource: &Resource) -> BTreeMap<String, Outcome> {
    static JUDGE: LazyLock<(Vec<Rule>, Judge)> = LazyLock::new(|| {
        let catalogue = Catalogue::load(&built_in()).unwrap();
        let rules = catalogue.rules(&["cis_k8s@2.0.1".to_owned()], &BTreeMap::new()).unwrap();
        let judge = Judge::new(&rules);
        (rules, judge)
    });
    let (rules, judge) = &*JUDGE;
    let judged = judge.judge(resource.clone());
    judged
        .into_iter()
        .flat_map(|(rules, judgement)| rules.iter().map(move |rule| (*rule, judgement.outcome)))
        .map(|(rule, outcome)| (rules[rule].control.id.clone(), outcome))
        .collect()
}

#[track_caller]
fn assert_inventory(seen: &Seen, wanted: &[&str]) {
    let mut wanted: Vec<&str> = wanted.to_vec();
    wanted.sort_unstable();
    assert_eq!(seen.inventory(), wanted);
}
