//! Every rule for one resource: finds the controls that judge it, and asks each once.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Document, Judgement, Params, judge, template};
use crate::resource::{Kind, Resource, TemplatePath};
use crate::rule::{Control, Rule};

/// The rules of a run, indexed by what they judge.
///
/// Rules that share control and parameters (the same check in two benchmark versions) are judged once.
#[derive(Debug)]
pub struct Judge {
    groups: Vec<RuleGroup>,
    by_selector: HashMap<(Kind, String), Vec<usize>>,
}

#[derive(Debug)]
struct RuleGroup {
    control: Arc<Control>,
    params: Arc<Params>,
    /// Indexes into the run's rules.
    rules: Vec<usize>,
}

impl Judge {
    /// Sorts rules by what they judge.
    pub fn new(rules: &[Rule]) -> Self {
        let mut groups: Vec<RuleGroup> = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let same = |group: &&mut RuleGroup| {
                Arc::ptr_eq(&group.control, &rule.control) && group.params == rule.params
            };
            match groups.iter_mut().find(same) {
                Some(group) => group.rules.push(index),
                None => groups.push(RuleGroup {
                    control: Arc::clone(&rule.control),
                    params: Arc::clone(&rule.params),
                    rules: vec![index],
                }),
            }
        }
        let mut by_selector: HashMap<(Kind, String), Vec<usize>> = HashMap::new();
        for (index, group) in groups.iter().enumerate() {
            for selector in &group.control.resources {
                by_selector.entry((selector.kind, selector.name.clone())).or_default().push(index);
            }
        }
        Self { groups, by_selector }
    }

    /// Judges one resource, and its template of pods as a pod. Each judgement comes with the indexes of the rules that it
    /// answers.
    pub fn judge(&self, resource: Resource) -> Vec<(&[usize], Judgement)> {
        let mut meant: Vec<usize> = resource
            .selectors()
            .into_iter()
            .filter_map(|name| self.by_selector.get(&(resource.kind, name.to_owned())))
            .flatten()
            .copied()
            .collect();
        meant.sort_unstable();
        // A file may have two roles that one control judges; it is still one resource.
        meant.dedup();
        let of_template =
            resource.pod_template.as_ref().map(|path| self.judge_template(&resource, path, &meant));
        if meant.is_empty() {
            return of_template.unwrap_or_default();
        }
        let document = Document::new(resource);
        let own = meant.into_iter().map(|index| {
            let group = &self.groups[index];
            (group.rules.as_slice(), judge(&group.control, &group.params, &document))
        });
        own.chain(of_template.unwrap_or_default()).collect()
    }

    /// Judges the pod of a template by the controls of pods, but for those that judge the workload itself.
    fn judge_template(
        &self,
        workload: &Resource,
        path: &TemplatePath,
        own: &[usize],
    ) -> Vec<(&[usize], Judgement)> {
        let of_pods = self.by_selector.get(&(Kind::K8sObject, "Pod".to_owned())).into_iter().flatten();
        let meant: Vec<usize> = of_pods.copied().filter(|index| own.binary_search(index).is_err()).collect();
        if meant.is_empty() {
            return Vec::new();
        }
        let document = template::pod(workload, path);
        meant
            .into_iter()
            .map(|index| {
                let group = &self.groups[index];
                let judgement = judge(&group.control, &group.params, &document);
                (group.rules.as_slice(), template::as_of_workload(judgement, path))
            })
            .collect()
    }

    /// What the rules judge.
    pub fn selectors(&self) -> impl Iterator<Item = (Kind, &str)> {
        self.by_selector.keys().map(|(kind, name)| (*kind, name.as_str()))
    }
}
