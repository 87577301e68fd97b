//! What collectors observe, as plain data: the words every room shares.
//!
//! A [`Resource`] is one thing that rules judge (a file, a process, a Kubernetes object), its JSON as
//! `resource.raw` ships it, the joins that only rules see, and the list of what could not be read.
//! What could not be read lies beside the document, never inside it: a filter over an error object
//! would find "something" there and call a denied read a pass.

mod demand;
mod extent;
mod gap;
mod identity;
mod object_kind;
mod origin;
mod place;
mod pod_template;
mod pointer;
mod revealed;
mod shown;
mod skipped;
mod version;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use demand::{ObjectDemand, ObjectDemands};
pub use extent::SourceExtent;
pub use gap::{Gap, Reason, Unread};
pub use identity::{Cloud, Cluster, Identity, IdentitySource, Node, Platform};
pub use object_kind::{GroupKind, SECRET_STORES, is_built_in, is_cluster_scoped, object_kind};
pub use origin::{DocumentPositions, Origin, OriginPosition};
pub(crate) use place::{DocumentPlace, PlaceStep, place_steps};
pub use pod_template::{PodTemplates, TemplatePath};
pub use pointer::at;
pub use revealed::Revealed;
pub use skipped::SkippedInput;
pub use version::minor_version;

/// `resource.type` of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// A file or directory of the node.
    #[serde(rename = "file")]
    File,
    /// A running process of the node.
    #[serde(rename = "process")]
    Process,
    /// An object of the Kubernetes API.
    #[serde(rename = "k8s_object")]
    K8sObject,
    /// A managed cluster, or a part of one, as its cloud tells of it.
    #[serde(rename = "caas")]
    Caas,
    /// A load balancer of a cloud.
    #[serde(rename = "load-balancer")]
    LoadBalancer,
    /// A repository of images in a cloud.
    #[serde(rename = "container-registry")]
    ContainerRegistry,
}

/// What clouds are asked for: the type, and each `resource.sub_type` of it.
pub const CLOUD: [(Kind, &[&str]); 3] = [
    (Kind::Caas, &["aws-eks", "aws-eks-nodegroup"]),
    (Kind::LoadBalancer, &["aws-elb", "aws-alb", "aws-nlb"]),
    (Kind::ContainerRegistry, &["aws-ecr", "aws-ecr-public"]),
];

/// What each resource of [`CLOUD`] holds, for rule authors.
pub const CLOUD_CONTENTS: [(&str, &str); 7] = [
    (
        "caas/aws-eks",
        "the cluster from DescribeCluster; `addons` (each with its `defaultVersion`), `accessEntries` (`{principalArn, associatedAccessPolicies}`), `podIdentityAssociations`, `identityProviderConfigs`, `fargateProfiles`, `nodegroups` (names), `logGroups` (the control plane's)",
    ),
    (
        "caas/aws-eks-nodegroup",
        "the node group from DescribeNodegroup; `nodeRolePolicies` (`{policyName, policyArn?, document}`)",
    ),
    (
        "load-balancer/aws-elb",
        "the load balancer from the classic API, with `Policies`, `Attributes`, `Tags` and `usedBy` (`Service/shop/web`)",
    ),
    (
        "load-balancer/aws-alb",
        "the application load balancer, with `Listeners`, `Attributes`, `Tags` and `usedBy`",
    ),
    (
        "load-balancer/aws-nlb",
        "the network load balancer, with `Listeners`, `Attributes`, `Tags` and `usedBy`",
    ),
    (
        "container-registry/aws-ecr",
        "the repository from DescribeRepositories; `scanningConfiguration`, `registryScanningConfiguration`, `policy`, `registryPolicy`, `images` (those that run in this cluster), `usedBy`",
    ),
    ("container-registry/aws-ecr-public", "a public repository of this account; `policy`"),
];

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::File, Self::Process, Self::K8sObject, Self::Caas, Self::LoadBalancer, Self::ContainerRegistry];

    /// Whether it is something on a node.
    pub fn is_of_node(self) -> bool {
        matches!(self, Self::File | Self::Process)
    }

    /// Whether a cloud tells of it.
    pub fn is_of_cloud(self) -> bool {
        matches!(self, Self::Caas | Self::LoadBalancer | Self::ContainerRegistry)
    }

    /// The word used in documents, snapshots and `resource:` keys of controls.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Process => "process",
            Self::K8sObject => "k8s_object",
            Self::Caas => "caas",
            Self::LoadBalancer => "load-balancer",
            Self::ContainerRegistry => "container-registry",
        }
    }
}

/// One observed thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// `resource.type`.
    pub kind: Kind,
    /// `resource.sub_type`: the kind's name ([`object_kind`]), `file`, `directory`, `process` or one of [`CLOUD`].
    pub sub_type: String,
    /// The native id, before hashing: metadata.uid, the host's path, pid + start ticks, an ARN.
    pub id: String,
    /// `resource.name`.
    pub name: String,
    /// `resource.raw`: always a JSON object.
    pub raw: Value,
    /// Joins, for rules only: never shipped, never stored.
    pub related: Map<String, Value>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// Blanked values that rules may compare: never shipped, never stored.
    pub revealed: Revealed,
    /// Whether it is a thing, or stands for a kind.
    pub presence: Presence,
    /// Where its template of pods is, if that is to be judged as a pod.
    pub pod_template: Option<TemplatePath>,
    /// Where it was written, where somebody wrote it: manifests.
    pub origin: Option<Origin>,
}

/// Whether a resource was observed, or stands for what could not be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// One thing that is there, however little of it could be read.
    Observed,
    /// All things of its kind on a cluster or node: there may be any number of them.
    Unlisted,
}

impl Resource {
    /// A thing that is there, with nothing joined yet and nothing unread.
    pub fn observed(kind: Kind, sub_type: String, id: String, name: String, raw: Value) -> Self {
        Self {
            kind,
            sub_type,
            id,
            name,
            raw,
            related: Map::new(),
            unread: Vec::new(),
            revealed: Revealed::default(),
            presence: Presence::Observed,
            pod_template: None,
            origin: None,
        }
    }

    /// Stands for everything that `selector` names and that could not be listed at all, on the
    /// cluster or node `owner` (`cluster/<uid>` or `node/<uid>`): every rule about it becomes one error.
    pub fn unlisted(selector: &Selector, owner: &Owner, gap: Gap) -> Self {
        let mut raw = Map::new();
        let sub_type = match selector.kind {
            Kind::File => {
                raw.insert("roles".into(), Value::from(vec![selector.name.clone()]));
                "file".to_owned()
            }
            Kind::Process => {
                raw.insert("component".into(), Value::from(selector.name.clone()));
                "process".to_owned()
            }
            Kind::K8sObject | Kind::Caas | Kind::LoadBalancer | Kind::ContainerRegistry => {
                selector.name.clone()
            }
        };
        Self {
            kind: selector.kind,
            sub_type,
            id: owner.id.clone(),
            name: owner.name.clone(),
            raw: Value::Object(raw),
            related: Map::new(),
            unread: vec![gap.at("$")],
            revealed: Revealed::default(),
            presence: Presence::Unlisted,
            pod_template: None,
            origin: None,
        }
    }

    /// Whether this stands for a whole kind that could not be listed.
    pub fn is_unlisted(&self) -> bool {
        self.presence == Presence::Unlisted
    }

    /// The names by which controls choose this resource: `file/<role>`, `process/<component>`,
    /// `k8s_object/<Kind>` or `k8s_object/<Kind>.<group>`, `caas/<sub_type>`. A file may have several roles.
    pub fn selectors(&self) -> Vec<&str> {
        match self.kind {
            Kind::File => self
                .raw
                .get("roles")
                .and_then(Value::as_array)
                .map(|roles| roles.iter().filter_map(Value::as_str).collect())
                .unwrap_or_default(),
            Kind::Process => self.raw.get("component").and_then(Value::as_str).into_iter().collect(),
            Kind::K8sObject | Kind::Caas | Kind::LoadBalancer | Kind::ContainerRegistry => {
                vec![self.sub_type.as_str()]
            }
        }
    }

    /// The UID of the object that controls this one, such as the ReplicaSet of a pod.
    pub fn controller(&self) -> Option<&str> {
        let owners = at(&self.raw, "/metadata/ownerReferences")?.as_array()?;
        let controller = owners.iter().find(|owner| owner.get("controller") == Some(&Value::Bool(true)))?;
        controller.get("uid").and_then(Value::as_str).filter(|uid| !uid.is_empty())
    }

    /// The namespace of a Kubernetes object that has one.
    pub fn namespace(&self) -> Option<&str> {
        at(&self.raw, "/metadata/namespace").and_then(Value::as_str)
    }

    /// The namespace that an object of a namespaced kind is in, or would be created in: `default` where a manifest names
    /// none.
    pub fn namespace_or_default(&self) -> &str {
        self.namespace().filter(|namespace| !namespace.is_empty()).unwrap_or("default")
    }
}

/// The cluster or node that owns what could not be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// `cluster/<uid>` or `node/<uid>`.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// What a control judges: `file/<role>`, `process/<component>`, `k8s_object/<Kind>`, or one of [`CLOUD`] such as
/// `caas/aws-eks`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selector {
    /// The type of resource.
    pub kind: Kind,
    /// The role, component or Kind.
    pub name: String,
}

impl Selector {
    /// `kind/name`.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl std::str::FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected `file/<role>`, `process/<component>`, `k8s_object/<Kind>`, `k8s_object/<Kind>.<group>`, `caas/<sub_type>`, `load-balancer/<sub_type>` or `container-registry/<sub_type>`";
        let (kind, name) =
            text.split_once('/').ok_or_else(|| format!("`{text}` names no resource: {expected}"))?;
        let kind = Kind::ALL
            .into_iter()
            .find(|known| known.as_str() == kind)
            .ok_or_else(|| format!("unknown resource type `{kind}`: {expected}"))?;
        if name.is_empty() {
            return Err(format!("`{text}` names no resource: {expected}"));
        }
        if kind == Kind::K8sObject {
            let named = GroupKind::named(name);
            if named.is_unknown_core() {
                return Err(format!(
                    "`{text}`: the core group has no `{name}`; name the kind with its group, `k8s_object/{name}.<group>`"
                ));
            }
            return Ok(Self::new(kind, named.name()));
        }
        Ok(Self::new(kind, name))
    }
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_reads_back_as_written() {
        for text in ["file/pki-key", "process/kubelet", "k8s_object/Pod", "k8s_object/A.b.io", "caas/aws-eks"]
        {
            assert_eq!(text.parse::<Selector>().unwrap().to_string(), text);
        }
        let full = "k8s_object/Deployment.apps".parse::<Selector>().unwrap();
        assert_eq!(full.to_string(), "k8s_object/Deployment", "one kind has one name");
        let message = "k8s_object/PodDisruptionBudget".parse::<Selector>().unwrap_err();
        assert!(message.contains("PodDisruptionBudget.<group>"), "never silently not applicable: {message}");
        let message = "pod/x".parse::<Selector>().unwrap_err();
        assert!(message.contains("unknown resource type `pod`"), "{message}");
    }

    #[test]
    fn each_resource_of_a_cloud_has_its_contents_described() {
        let known =
            CLOUD.iter().flat_map(|(kind, names)| names.iter().map(|name| Selector::new(*kind, *name)));
        let known: Vec<String> = known.map(|selector| selector.to_string()).collect();
        assert_eq!(CLOUD_CONTENTS.map(|(selector, _)| selector).to_vec(), known);
    }

    #[test]
    fn a_file_may_have_several_roles() {
        let resource = Resource::observed(
            Kind::File,
            "file".into(),
            "/etc/kubernetes/pki/ca.crt".into(),
            "/etc/kubernetes/pki/ca.crt".into(),
            serde_json::json!({"roles": ["pki-cert", "kubelet-client-ca"]}),
        );
        assert_eq!(resource.selectors(), ["pki-cert", "kubelet-client-ca"]);
        assert!(!resource.is_unlisted());
    }
}
