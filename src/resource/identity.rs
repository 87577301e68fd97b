//! Which cluster and which node: the identity that goes into every `resource.id`.

use serde::{Deserialize, Serialize};

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
