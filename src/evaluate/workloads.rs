//! Workloads and what they own: a pod of a judged workload counts only where its verdict is another.

use std::collections::HashMap;

use super::{Judgement, Outcome};
use crate::resource::Resource;

/// The outcomes of the workloads that a cycle has judged, by their UID: the first rule of each judgement, and its outcome.
#[derive(Debug, Default)]
pub struct WorkloadOutcomes(HashMap<String, Vec<(usize, Outcome)>>);

/// A resource as far as it matters here, before judging consumes it.
#[derive(Debug)]
pub struct Ownership {
    /// The UID, if it is a workload whose template is judged.
    workload: Option<String>,
    /// The UID of the judged workload that controls it.
    controller: Option<String>,
}

impl WorkloadOutcomes {
    /// Called before a resource is judged.
    pub fn ownership(&self, resource: &Resource) -> Ownership {
        let controller = if self.0.is_empty() { None } else { resource.controller() };
        Ownership {
            workload: resource.pod_template.is_some().then(|| resource.id.clone()),
            controller: controller.filter(|uid| self.0.contains_key(*uid)).map(str::to_owned),
        }
    }

    /// Leaves out of a resource's judgements what its workload says already. What differs stays: admission may have
    /// changed the pod, or it may be older than the template.
    pub fn settle(&mut self, ownership: Ownership, judgements: &mut Vec<(&[usize], Judgement)>) {
        let rule = |rules: &[usize]| rules.first().copied().unwrap_or_default();
        let all = ownership.workload.map(|uid| {
            let outcomes = judgements.iter().map(|(rules, judgement)| (rule(rules), judgement.outcome));
            (uid, outcomes.collect())
        });
        if let Some(said) = ownership.controller.and_then(|uid| self.0.get(&uid)) {
            judgements.retain(|(rules, judgement)| !said.contains(&(rule(rules), judgement.outcome)));
        }
        self.0.extend(all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{Kind, PodTemplates};
    use serde_json::{Map, json};

    fn object(uid: &str, owner: Option<&str>, is_workload: bool) -> Resource {
        let owners: Vec<_> = owner.map(|uid| json!({"controller": true, "uid": uid})).into_iter().collect();
        let raw = json!({"metadata": {"uid": uid, "ownerReferences": owners}});
        let mut resource = Resource::observed(Kind::K8sObject, "Job".into(), uid.into(), uid.into(), raw);
        resource.pod_template = PodTemplates::default().get("Job").filter(|_| is_workload).cloned();
        resource
    }

    /// The rules that remain of a resource's judgements.
    fn settled(known: &mut WorkloadOutcomes, resource: &Resource, outcomes: &[Outcome]) -> Vec<usize> {
        const RULES: [&[usize]; 3] = [&[0], &[1], &[2]];
        let judgement = |outcome| Judgement {
            outcome,
            evidence: Map::new(),
            expected: None,
            gap: None,
            places: Vec::new(),
        };
        let mut judgements =
            RULES.into_iter().zip(outcomes.iter().map(|outcome| judgement(*outcome))).collect::<Vec<_>>();
        let ownership = known.ownership(resource);
        known.settle(ownership, &mut judgements);
        judgements.into_iter().map(|(rules, _)| rules[0]).collect()
    }

    #[test]
    fn what_a_workload_owns_counts_where_it_differs() {
        use Outcome::{Failed, Passed};
        let mut known = WorkloadOutcomes::default();
        assert_eq!(settled(&mut known, &object("d", None, true), &[Passed, Failed, Passed]), [0, 1, 2]);
        let owned = object("r", Some("d"), true);
        assert_eq!(settled(&mut known, &owned, &[Passed, Failed, Failed]), [2], "an older template");
        let pod = object("p", Some("r"), false);
        assert_eq!(settled(&mut known, &pod, &[Passed, Failed, Failed]), [] as [usize; 0], "as its owner is");
        let stranger = object("q", Some("x"), false);
        assert_eq!(settled(&mut known, &stranger, &[Passed, Failed, Passed]), [0, 1, 2]);
    }
}
