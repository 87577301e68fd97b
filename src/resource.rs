//! What collectors observe, as plain data: the words every room shares.
//!
//! A [`Resource`] is one thing that rules judge (a file, a process, a Kubernetes object), its JSON as
//! `resource.raw` ships it, the joins that only rules see, and the list of what could not be read.
//! What could not be read lies beside the document, never inside it: a filter over an error object
//! would find "something" there and call a denied read a pass.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

/// Why something could not be read: `error.code` of the outcome it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Permission refused (EACCES, EPERM, HTTP 401 and 403).
    Denied,
    /// Named by something that runs, and not there.
    Missing,
    /// There, but not of the expected form.
    Malformed,
    /// No answer in time.
    Timeout,
    /// The other side cannot answer now (connection refused, HTTP 5xx or 429).
    Unavailable,
    /// Over a bound on size, depth or number.
    TooLarge,
    /// No credentials to ask with.
    NoCredentials,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Denied,
        Self::Missing,
        Self::Malformed,
        Self::Timeout,
        Self::Unavailable,
        Self::TooLarge,
        Self::NoCredentials,
    ];

    /// The word used in `error.code`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::TooLarge => "too_large",
            Self::NoCredentials => "no_credentials",
        }
    }
}

/// A place of a resource's document that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unread {
    /// Where it would be: a JSONPath of names and indexes only, such as `$.related.networkPolicies`.
    /// `$` means that nothing of the resource could be read.
    pub at: String,
    /// Why.
    pub reason: Reason,
    /// What was tried, for people: `list networkpolicies`, `read /etc/kubernetes/pki/ca.crt`.
    pub what: String,
}

impl Unread {
    /// A place that could not be read, why, and what was tried.
    pub fn new(at: impl Into<String>, reason: Reason, what: impl Into<String>) -> Self {
        Self { at: at.into(), reason, what: what.into() }
    }
}

/// One observed thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// `resource.type`.
    pub kind: Kind,
    /// `resource.sub_type`: the object's Kind, `file`, `directory`, `process` or one of [`CLOUD`].
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
}

impl Resource {
    /// Stands for everything that `selector` names and that could not be listed at all, on the
    /// cluster or node `owner` (`cluster/<uid>` or `node/<uid>`): every rule about it becomes one error.
    pub fn unlisted(selector: &Selector, owner: &Owner, reason: Reason, what: impl Into<String>) -> Self {
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
            unread: vec![Unread::new("$", reason, what)],
        }
    }

    /// Whether this stands for a whole kind that could not be listed.
    pub fn is_unlisted(&self) -> bool {
        (self.id.starts_with("cluster/") || self.id.starts_with("node/"))
            && self.unread.iter().any(|unread| unread.at == "$")
    }

    /// The names by which controls choose this resource: `file/<role>`, `process/<component>`,
    /// `k8s_object/<Kind>`, `caas/<sub_type>`. A file may have several roles.
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

    /// The namespace of a Kubernetes object that has one.
    pub fn namespace(&self) -> Option<&str> {
        self.raw.pointer("/metadata/namespace").and_then(Value::as_str)
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
        let expected = "expected `file/<role>`, `process/<component>`, `k8s_object/<Kind>`, `caas/<sub_type>`, `load-balancer/<sub_type>` or `container-registry/<sub_type>`";
        let (kind, name) =
            text.split_once('/').ok_or_else(|| format!("`{text}` names no resource: {expected}"))?;
        let kind = Kind::ALL
            .into_iter()
            .find(|known| known.as_str() == kind)
            .ok_or_else(|| format!("unknown resource type `{kind}`: {expected}"))?;
        if name.is_empty() {
            return Err(format!("`{text}` names no resource: {expected}"));
        }
        Ok(Self::new(kind, name))
    }
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.name)
    }
}

/// Who we are looking at: hashed into every `resource.id`, so it must be the same in each cycle.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// The cluster.
    pub cluster: Cluster,
    /// The node this process runs on.
    pub node: Node,
}

/// A cluster's identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cluster {
    /// UID of the namespace `kube-system`; what stands in for it when the API is out of reach is told by `source`.
    pub id: String,
    /// The name given by kubeadm or the kubeconfig.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The API server's git version, such as `v1.37.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Who made it, where that is certain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Where `id` comes from.
    pub source: IdentitySource,
    /// The cloud that it runs in, where one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud: Option<Cloud>,
}

/// Where in a cloud a cluster runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cloud {
    /// `aws`.
    pub provider: String,
    /// The region, such as `eu-west-1`; empty where it was not found.
    pub region: String,
    /// The account; empty where nobody could be asked.
    pub account: String,
}

/// A distribution of Kubernetes, or a service that runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// Azure's service.
    Aks,
    /// Amazon's service.
    Eks,
    /// Google's service.
    Gke,
    /// k3s.
    K3s,
    /// OpenShift.
    OpenShift,
    /// RKE2.
    Rke2,
}

impl Platform {
    /// As its makers write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aks => "AKS",
            Self::Eks => "EKS",
            Self::Gke => "GKE",
            Self::K3s => "k3s",
            Self::OpenShift => "OpenShift",
            Self::Rke2 => "RKE2",
        }
    }

    /// Whether somebody else runs the control plane, on machines that are not nodes of the cluster.
    pub fn hides_control_plane(self) -> bool {
        matches!(self, Self::Aks | Self::Eks | Self::Gke)
    }
}

/// A node's identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// UID of the Node object; empty where no node is being looked at.
    pub id: String,
    /// The Node's name, or the host's.
    pub name: String,
    /// The kubelet's version, such as `v1.37.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubelet_version: Option<String>,
}

/// Where a cluster's id comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentitySource {
    /// The API server said so.
    Api,
    /// The API was out of reach; the id of the last time it was not.
    LastKnown,
    /// The API was never in reach; derived from the machine's id.
    MachineId,
    /// The API was not asked: the cluster's name in its cloud, an ARN.
    Cloud,
    /// Nothing to tell one cluster from another (manifests, a snapshot without a header).
    #[default]
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_reads_back_as_written() {
        for text in ["file/pki-key", "process/kubelet", "k8s_object/Pod", "caas/aws-eks"] {
            assert_eq!(text.parse::<Selector>().unwrap().to_string(), text);
        }
        let message = "pod/x".parse::<Selector>().unwrap_err();
        assert!(message.contains("unknown resource type `pod`"), "{message}");
    }

    #[test]
    fn a_file_may_have_several_roles() {
        let resource = Resource {
            kind: Kind::File,
            sub_type: "file".into(),
            id: "/etc/kubernetes/pki/ca.crt".into(),
            name: "/etc/kubernetes/pki/ca.crt".into(),
            raw: serde_json::json!({"roles": ["pki-cert", "kubelet-client-ca"]}),
            related: Map::new(),
            unread: vec![],
        };
        assert_eq!(resource.selectors(), ["pki-cert", "kubelet-client-ca"]);
        assert!(!resource.is_unlisted());
    }
}
