//! Kinds of objects that hold a template of pods, and where.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{GroupKind, ObjectDemand, ObjectDemands};

/// Kinds as controls name them, each with the keys that lead to its template. Those of Kubernetes, and of operators
/// whose objects run pods by a template of the same form.
const KNOWN: [(&str, &str); 16] = [
    ("CloneSet.apps.kruise.io", "spec.template"),
    ("Configuration.serving.knative.dev", "spec.template"),
    ("CronJob", "spec.jobTemplate.spec.template"),
    ("DaemonSet", "spec.template"),
    ("DaemonSet.apps.kruise.io", "spec.template"),
    ("Deployment", "spec.template"),
    ("DeploymentConfig.apps.openshift.io", "spec.template"),
    ("Job", "spec.template"),
    ("PodTemplate", "template"),
    ("ReplicaSet", "spec.template"),
    ("ReplicationController", "spec.template"),
    ("Rollout.argoproj.io", "spec.template"),
    ("ScaledJob.keda.sh", "spec.jobTargetRef.template"),
    ("Service.serving.knative.dev", "spec.template"),
    ("StatefulSet", "spec.template"),
    ("StatefulSet.apps.kruise.io", "spec.template"),
];

/// Kinds with a template of pods, by the name that controls use, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodTemplates(BTreeMap<String, TemplatePath>);

/// The keys that lead to a template: `spec.template`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplatePath(Arc<str>);

impl TemplatePath {
    /// The keys, from the root of the object.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }

    /// `$.spec.template`.
    pub fn place(&self) -> String {
        format!("$.{}", self.0)
    }

    /// What is there in an object.
    pub fn of<'o>(&self, object: &'o serde_json::Value) -> Option<&'o serde_json::Value> {
        self.keys().try_fold(object, |value, key| value.get(key)).filter(|template| !template.is_null())
    }
}

impl Default for PodTemplates {
    fn default() -> Self {
        let known = KNOWN.iter().map(|(kind, keys)| ((*kind).to_owned(), TemplatePath((*keys).into())));
        Self(known.collect())
    }
}

impl PodTemplates {
    /// The known kinds and more, each with the keys that lead to its template, with dots between them.
    pub fn with(more: &BTreeMap<String, String>) -> Self {
        let Self(mut kinds) = Self::default();
        let name = |kind: &String| GroupKind::named(kind).name();
        kinds.extend(more.iter().map(|(kind, keys)| (name(kind), TemplatePath(keys.as_str().into()))));
        Self(kinds)
    }

    /// Asks for the objects of every kind, in all namespaces, and for their templates to be judged.
    pub fn demand(&self, demands: &mut ObjectDemands) {
        for (kind, path) in &self.0 {
            let keys = path.keys().map(str::to_owned).collect();
            let demand = ObjectDemand {
                pod_template: Some(path.clone()),
                ..ObjectDemand::everywhere(BTreeSet::from([keys]))
            };
            match demands.get_mut(kind) {
                Some(known) => known.merge(demand),
                None => drop(demands.insert(kind.clone(), demand)),
            }
        }
    }

    /// The kinds, by the name that controls use.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Where the template of a kind is.
    pub fn get(&self, kind: &str) -> Option<&TemplatePath> {
        self.0.get(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_goes_by_the_name_that_controls_use() {
        for (kind, _) in KNOWN {
            assert_eq!(GroupKind::named(kind).name(), kind);
        }
    }

    #[test]
    fn a_template_is_found_by_its_keys() {
        let more = BTreeMap::from([("Fleet.example.com".to_owned(), "spec.template".to_owned())]);
        let templates = PodTemplates::with(&more);
        let path = templates.get("Fleet.example.com").unwrap();
        assert!(templates.get("Deployment").is_some() && templates.get("Pod").is_none());
        assert_eq!(path.of(&json!({"spec": {"template": {"a": 1}}})), Some(&json!({"a": 1})));
        assert_eq!(path.of(&json!({"spec": {"template": null}})), None);
        assert_eq!(path.of(&json!({"spec": []})), None);
        assert_eq!(path.place(), "$.spec.template");
    }
}
