//! `posturebeat.collect`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::form::Checker;
use crate::config::mistake::Mistake;

/// What is collected.
pub(super) struct CollectSettings {
    pub node: bool,
    pub cluster: bool,
    pub secrets: bool,
    pub flagz: bool,
    pub kubelet_url: Option<String>,
}

/// The section as written.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct CollectForm {
    /// This host: its files and processes. Default: true, unless `kube_contexts` names several clusters.
    pub node: Option<bool>,
    /// The cluster's objects, and AWS if rules need it. Only the leader collects them.
    pub cluster: bool,
    /// List Secrets that hold service account tokens or bootstrap tokens, and no others. Requires the right to list
    /// Secrets. Of their data, only the expiry, usages and groups of bootstrap tokens are read.
    pub secrets: bool,
    /// Judge the API server by what it says of itself (`/flagz`, Kubernetes 1.36), else by its pod's arguments, where no
    /// node agent runs on its node. Only the leader asks. Requires the right to get the non-resource URL `/flagz`. Turn
    /// it off if control-plane nodes are observed by agents that are not pods of this namespace's DaemonSet.
    pub flagz: bool,
    /// The address of this node's kubelet, for its running configuration (`/configz`). Requires the right to get
    /// `nodes/configz` (Kubernetes 1.33) and a serving certificate signed by the cluster's CA. Without it, or if
    /// the request fails, flags and files are read instead.
    #[schemars(example = &"https://${NODE_IP}:10250")]
    pub kubelet_url: Option<String>,
}

impl Default for CollectForm {
    fn default() -> Self {
        Self { node: None, cluster: true, secrets: false, flagz: true, kubelet_url: None }
    }
}

impl CollectForm {
    /// `several`: whether `kube_contexts` names several clusters.
    pub(super) fn check(self, several: bool, checker: &Checker<'_>) -> Result<CollectSettings, Mistake> {
        if several && self.node == Some(true) {
            let message =
                "a node is in one cluster, and `kube_contexts` names several: set it to false, or name one";
            return Err(checker.wrong("node", message));
        }
        let node = self.node.unwrap_or(!several);
        if !node && !self.cluster {
            let message = "nothing is collected: set `collect.node` or `collect.cluster` to true";
            return Err(checker.wrong("cluster", message));
        }
        let kubelet_url = self.kubelet_url.filter(|url| !url.is_empty());
        let Self { cluster, secrets, flagz, .. } = self;
        Ok(CollectSettings { node, cluster, secrets, flagz, kubelet_url })
    }
}
