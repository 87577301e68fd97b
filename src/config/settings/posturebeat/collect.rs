//! `posturebeat.collect`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::form::Checker;
use crate::config::mistake::Mistake;
use crate::redact::{Reveal, RevealEntry};

/// What is collected.
pub(super) struct CollectSettings {
    pub node: bool,
    pub cluster: bool,
    pub secrets: bool,
    pub kubelet_url: Option<String>,
    pub reveal: Reveal,
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
    /// The address of this node's kubelet, for its running configuration (`/configz`). Requires the right to get
    /// `nodes/configz` (Kubernetes 1.33) and a serving certificate signed by the cluster's CA. Without it, or if
    /// the request fails, flags and files are read instead.
    #[schemars(example = &"https://${NODE_IP}:10250")]
    pub kubelet_url: Option<String>,
    /// Values that your own rules may compare although they are blanked: `configmap:NAMESPACE/NAME#KEY`, where the
    /// namespace may be `*`, or `env:NAME`, a variable of any container. Findings, logs and recordings never show
    /// them; evidence says whether they matched. Values of Secrets cannot be revealed. See docs/rules.md.
    #[schemars(example = ["configmap:shop/app-config#LOG_LEVEL", "env:DEBUG"])]
    pub reveal: Vec<String>,
}

impl Default for CollectForm {
    fn default() -> Self {
        Self { node: None, cluster: true, secrets: false, kubelet_url: None, reveal: Vec::new() }
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
        let entry = |(index, text): (usize, &String)| {
            text.parse::<RevealEntry>().map_err(|message| checker.wrong(&format!("reveal.{index}"), message))
        };
        let reveal = self.reveal.iter().enumerate().map(entry).collect::<Result<Reveal, Mistake>>()?;
        Ok(CollectSettings { node, cluster: self.cluster, secrets: self.secrets, kubelet_url, reveal })
    }
}
