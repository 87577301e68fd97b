//! A kind as one cycle lists it: which of its objects, by which paths, and what is kept of each.

use std::collections::BTreeSet;

use super::discovery::ServedKind;
use super::{KnownKind, ListScope};
use crate::kube_api::url_escaped;
use crate::resource::{ObjectDemand, TemplatePath};

/// A kind to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::collect::cluster) struct ListedKind {
    /// As controls name it: `Pod`, `Certificate.cert-manager.io`.
    pub name: String,
    /// As its objects name it: `Certificate`.
    pub kind: String,
    /// `cert-manager.io/v1`.
    pub api_version: String,
    /// `certificates`.
    pub plural: String,
    /// Which of its objects.
    pub lists: Vec<ListScope>,
    /// The places that are kept beside metadata; `None`: all.
    pub kept: Option<BTreeSet<Vec<String>>>,
    /// Where the template of pods is that is judged too.
    pub pod_template: Option<TemplatePath>,
}

impl ListedKind {
    /// A built-in kind, for the namespaces that rules ask about, if any do.
    pub(crate) fn built_in(info: &KnownKind, demand: Option<&ObjectDemand>) -> Self {
        let mut lists = info.lists.to_vec();
        match demand.filter(|_| info.by_namespace).map(|demand| &demand.namespaces) {
            Some(None) => lists = vec![ListScope::All],
            Some(Some(names)) => {
                lists.retain(
                    |list| !matches!(list, ListScope::Where(namespace, ..) if names.contains(*namespace)),
                );
                lists.extend(names.iter().map(|name| ListScope::In(name.clone().into())));
            }
            None => {}
        }
        Self {
            name: info.name.to_owned(),
            kind: info.name.to_owned(),
            api_version: info.api_version.to_owned(),
            plural: info.plural.to_owned(),
            lists,
            kept: None,
            pod_template: demand.and_then(|demand| demand.pod_template.clone()),
        }
    }

    /// A kind that discovery found.
    pub(crate) fn foreign(name: &str, served: ServedKind, demand: &ObjectDemand) -> Self {
        let lists = match &demand.namespaces {
            Some(names) if served.namespaced => {
                names.iter().map(|name| ListScope::In(name.clone().into())).collect()
            }
            _ => vec![ListScope::All],
        };
        Self {
            name: name.to_owned(),
            kind: served.kind,
            api_version: served.api_version,
            plural: served.plural,
            lists,
            kept: Some(demand.reads.clone()),
            pod_template: demand.pod_template.clone(),
        }
    }

    /// Its group; empty for the core group.
    pub(crate) fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// How errors and logs name its resource: the plural, and for a foreign kind the group.
    pub(crate) fn resource(&self) -> String {
        match (&self.kept, self.group()) {
            (Some(_), group) if !group.is_empty() => format!("{}.{group}", self.plural),
            _ => self.plural.clone(),
        }
    }

    /// The paths of its lists, with their selectors as queries.
    pub(crate) fn paths(&self) -> Vec<String> {
        let path = |list: &ListScope| match list {
            ListScope::All => self.base(""),
            ListScope::In(namespace) => self.base(namespace),
            ListScope::Where(namespace, field, value) => {
                format!("{}?fieldSelector={}", self.base(namespace), equals(field, value))
            }
        };
        self.lists.iter().map(path).collect()
    }

    /// The list of one object, of its first list: that takes no right beyond those for the whole.
    pub(crate) fn one(&self, namespace: &str, name: &str) -> String {
        let whose = equals("metadata.name", name);
        let also = match self.lists.first() {
            Some(ListScope::Where(_, field, value)) if *field != "metadata.name" => {
                format!("%2C{}", equals(field, value))
            }
            _ => String::new(),
        };
        format!("{}?fieldSelector={whose}{also}", self.base(namespace))
    }

    /// The list of those of a namespace that a field picks.
    pub(crate) fn by_field(&self, namespace: &str, field: &str, value: &str) -> String {
        format!("{}?fieldSelector={}", self.base(namespace), equals(field, value))
    }

    /// The path of those of one namespace (empty: of all).
    fn base(&self, namespace: &str) -> String {
        let root = if self.api_version.contains('/') { "/apis" } else { "/api" };
        match namespace {
            "" => format!("{root}/{}/{}", self.api_version, self.plural),
            namespace => format!("{root}/{}/namespaces/{namespace}/{}", self.api_version, self.plural),
        }
    }
}

/// A field selector's term, encoded.
fn equals(field: &str, value: &str) -> String {
    format!("{field}%3D{}", url_escaped(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::cluster::KINDS;

    fn listed(name: &str, demand: Option<&ObjectDemand>) -> ListedKind {
        ListedKind::built_in(KINDS.iter().find(|kind| kind.name == name).unwrap(), demand)
    }

    fn within(namespaces: &[&str]) -> ObjectDemand {
        let namespaces = namespaces.iter().map(|name| (*name).to_owned()).collect();
        ObjectDemand { namespaces: Some(namespaces), ..ObjectDemand::default() }
    }

    #[test]
    fn paths_are_those_of_the_api() {
        let everywhere = ObjectDemand::everywhere(BTreeSet::new());
        let paths = |name: &str, namespaces: &[&str]| listed(name, Some(&within(namespaces))).paths();
        assert_eq!(paths("Pod", &["default"]), ["/api/v1/pods"], "others are joined with them");
        assert_eq!(paths("Role", &["default"]), ["/apis/rbac.authorization.k8s.io/v1/roles"]);
        assert_eq!(
            paths("Deployment", &["default", "shop"]),
            ["/apis/apps/v1/namespaces/default/deployments", "/apis/apps/v1/namespaces/shop/deployments"]
        );
        assert_eq!(listed("Deployment", Some(&everywhere)).paths(), ["/apis/apps/v1/deployments"]);
        assert!(listed("Deployment", None).paths().is_empty());
        let proxy = "/api/v1/namespaces/kube-system/configmaps?fieldSelector=metadata.name%3Dkube-proxy";
        assert_eq!(paths("ConfigMap", &["default"]), [proxy, "/api/v1/namespaces/default/configmaps"]);
        assert_eq!(paths("ConfigMap", &["kube-system"]), ["/api/v1/namespaces/kube-system/configmaps"]);
        assert_eq!(listed("ConfigMap", None).paths(), [proxy]);
        assert_eq!(
            listed("Secret", Some(&everywhere)).paths(),
            [
                "/api/v1/secrets?fieldSelector=type%3Dkubernetes.io%2Fservice-account-token",
                "/api/v1/namespaces/kube-system/secrets?fieldSelector=type%3Dbootstrap.kubernetes.io%2Ftoken"
            ]
        );
    }

    #[test]
    fn one_object_is_listed_by_its_name_and_never_another_secret() {
        let one = |kind: &str, namespace: &str, name: &str| listed(kind, None).one(namespace, name);
        assert_eq!(one("Namespace", "", "shop"), "/api/v1/namespaces?fieldSelector=metadata.name%3Dshop");
        assert_eq!(
            one("RoleBinding", "shop", "system:a"),
            "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings?fieldSelector=metadata.name%3Dsystem%3Aa"
        );
        assert_eq!(
            one("Secret", "shop", "t"),
            "/api/v1/namespaces/shop/secrets?fieldSelector=metadata.name%3Dt%2Ctype%3Dkubernetes.io%2Fservice-account-token"
        );
    }
}
