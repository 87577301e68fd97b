//! What a resource is shown as, and what stands for the part of it that nobody looked at.

use serde_json::{Map, Value};

use super::{Gap, Kind, Owner, Reason, Resource, Selector};

impl Resource {
    /// Stands for the pods of an object that holds containers where no rule looks: every rule about pods becomes one error.
    /// `None`: it holds none there, or nobody wrote it down.
    pub fn unseen_pods(&self) -> Option<Self> {
        let origin = self.origin.as_ref().filter(|_| self.kind == Kind::K8sObject && !self.is_unlisted())?;
        let template = self.pod_template.as_ref().map(|path| path.keys().collect::<Vec<_>>());
        let is_judged = |place: &[String]| match &template {
            Some(keys) => place.len() > keys.len() && place.iter().zip(keys).all(|(own, key)| own == key),
            None => self.sub_type == "Pod",
        };
        let place = origin.containers().find(|place| !is_judged(place))?.join(".");
        let namespace = self.namespace().map_or_else(String::new, |namespace| format!("{namespace}/"));
        let what = format!(
            "judge the pods of {} {namespace}{}: its containers ($.{place}) are where no rule looks",
            self.sub_type, self.name
        );
        let owner = Owner { id: format!("object/{}", self.id), name: self.name.clone() };
        let pods = Selector::new(Kind::K8sObject, "Pod");
        let mut unseen = Self::unlisted(&pods, &owner, Gap::new(Reason::Malformed, what));
        unseen.raw =
            Value::Object(Map::from_iter([("kind".to_owned(), Value::from(self.sub_type.as_str()))]));
        unseen.origin = Some(origin.clone());
        Some(unseen)
    }

    /// `resource.type` and `resource.sub_type` as documents and reports show them: what could not be listed is shown
    /// as the cluster, node, file or object that it belongs to.
    pub fn shown_type(&self) -> (&str, &str) {
        let object = Kind::K8sObject.as_str();
        if !self.is_unlisted() {
            return (self.kind.as_str(), &self.sub_type);
        }
        match self.id.split('/').next() {
            Some("node") => (object, "Node"),
            Some("manifest") => (Kind::File.as_str(), "manifest"),
            Some("object") => (object, self.raw.get("kind").and_then(Value::as_str).unwrap_or_default()),
            _ => (object, "Cluster"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Origin;

    fn object(kind: &str, containers: Vec<Vec<String>>) -> Resource {
        let raw = serde_json::json!({"kind": kind, "metadata": {"name": "web", "namespace": "shop"}});
        let mut object = Resource::observed(Kind::K8sObject, kind.into(), "id".into(), "web".into(), raw);
        object.origin = Some(Origin::fixed("a.yaml".into(), 1, None).with_containers(containers));
        object
    }

    #[test]
    fn containers_in_an_unknown_place_stand_for_pods_that_nobody_saw() {
        let container = vec!["spec".to_owned(), "containers".to_owned(), "0".to_owned()];
        let unseen = object("Rollout", vec![container]).unseen_pods().unwrap();
        assert_eq!(unseen.selectors(), ["Pod"]);
        assert_eq!(unseen.shown_type(), ("k8s_object", "Rollout"));
        assert!(unseen.is_unlisted() && unseen.origin.is_some());
        let what = &unseen.unread[0].gap.what;
        assert!(what.contains("Rollout shop/web") && what.contains("$.spec.containers.0"), "{what}");
        assert!(object("ConfigMap", Vec::new()).unseen_pods().is_none());
        assert!(unseen.unseen_pods().is_none(), "once is enough");
    }
}
