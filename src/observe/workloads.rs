//! Workloads whose template of pods is judged.

use std::collections::HashMap;

use crate::resource::{PodTemplates, Resource, is_built_in};

/// Has the template of each workload judged, and puts owners before what they own, whose verdicts are held against
/// theirs.
pub(super) fn prepare(resources: &mut [Resource], templates: &PodTemplates) {
    for resource in resources.iter_mut() {
        let Some(path) = templates.get(&resource.sub_type) else { continue };
        // An operator's object may refer to a template elsewhere.
        if is_built_in(&resource.sub_type) || path.of(&resource.raw).is_some() {
            resource.pod_template = Some(path.clone());
        }
    }
    let controllers: HashMap<String, String> = resources
        .iter()
        .filter_map(|resource| Some((resource.id.clone(), resource.controller()?.to_owned())))
        .collect();
    if !controllers.is_empty() {
        resources.sort_by_cached_key(|resource| depth(&resource.id, &controllers));
    }
}

/// How many owners are above an object. A circle, which only a made-up input can have, ends.
fn depth(id: &str, controllers: &HashMap<String, String>) -> usize {
    const MOST: usize = 8;
    std::iter::successors(controllers.get(id), |owner| controllers.get(*owner)).take(MOST).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Kind;
    use serde_json::json;

    fn object(kind: &str, uid: &str, owner: Option<&str>) -> Resource {
        let owners: Vec<_> = owner.map(|uid| json!({"controller": true, "uid": uid})).into_iter().collect();
        let raw = json!({"kind": kind, "metadata": {"uid": uid, "ownerReferences": owners}});
        Resource::observed(Kind::K8sObject, kind.into(), uid.into(), uid.into(), raw)
    }

    #[test]
    fn owners_come_before_what_they_own() {
        let mut resources = [
            object("Pod", "p", Some("r")),
            object("Service", "s", None),
            object("ReplicaSet", "r", Some("d")),
            object("Deployment", "d", None),
            object("Pod", "a", Some("b")),
            object("Pod", "b", Some("a")),
        ];
        prepare(&mut resources, &PodTemplates::default());
        let order: String = resources.iter().map(|resource| resource.id.as_str()).collect();
        assert_eq!(order, "sdrpab", "a circle of owners ends");
        assert!(resources[1].pod_template.is_some() && resources[3].pod_template.is_none());
    }

    #[test]
    fn an_operators_object_without_a_template_has_no_pods_of_its_own() {
        let mut resources = [object("Rollout.argoproj.io", "r", None), object("Job", "j", None)];
        prepare(&mut resources, &PodTemplates::default());
        assert!(resources[0].pod_template.is_none(), "it refers to a Deployment");
        assert!(resources[1].pod_template.is_some(), "a job cannot be without");
    }
}
