//! `posturebeat.collect`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::config::form::Checker;
use crate::config::mistake::Mistake;
use crate::redact::{Reveal, RevealEntry};

/// What is collected.
pub(super) struct CollectSettings {
    pub node: bool,
    pub cluster: bool,
    pub secrets: bool,
    pub flagz: bool,
    pub kubelet_url: Option<String>,
    pub workloads: bool,
    pub pod_templates: BTreeMap<String, String>,
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
    /// Judge the API server by what it says of itself (`/flagz`, Kubernetes 1.36), else by its pod's arguments, where no
    /// node agent runs on its node. Only the leader asks. Requires the right to get the non-resource URL `/flagz`. Turn
    /// it off if control-plane nodes are observed by agents that are not pods of this namespace's DaemonSet.
    pub flagz: bool,
    /// The address of this node's kubelet, for its running configuration (`/configz`). Requires the right to get
    /// `nodes/configz` (Kubernetes 1.33) and a serving certificate signed by the cluster's CA. Without it, or if
    /// the request fails, flags and files are read instead.
    #[schemars(example = &"https://${NODE_IP}:10250")]
    pub kubelet_url: Option<String>,
    /// Judge the pod templates of workloads (Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job,
    /// CronJob, PodTemplate, and `pod_templates`) as well as the pods that run: also those that are suspended, scaled to
    /// zero, or due. A pod is then reported only where its verdict differs from its workload's. `scan --manifests`
    /// always judges templates.
    pub workloads: bool,
    /// More kinds of workloads whose objects hold a template of pods, each with the keys that lead to it. The kinds of
    /// Kubernetes, Argo Rollouts, Knative, OpenKruise, KEDA and OpenShift are known.
    pub pod_templates: Vec<PodTemplateForm>,
    /// Values that your own rules may compare although they are blanked: `configmap:NAMESPACE/NAME#KEY`, where the
    /// namespace may be `*`, or `env:NAME`, a variable of any container. Findings, logs and recordings never show
    /// them; evidence says whether they matched. Values of Secrets cannot be revealed. See docs/rules.md.
    #[schemars(example = ["configmap:shop/app-config#LOG_LEVEL", "env:DEBUG"])]
    pub reveal: Vec<String>,
}

impl Default for CollectForm {
    fn default() -> Self {
        Self {
            node: None,
            cluster: true,
            secrets: false,
            flagz: true,
            kubelet_url: None,
            workloads: false,
            pod_templates: Vec::new(),
            reveal: Vec::new(),
        }
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
        let pod_templates = pod_templates(self.pod_templates, checker)?;
        let entry = |(index, text): (usize, &String)| {
            text.parse::<RevealEntry>().map_err(|message| checker.wrong(&format!("reveal.{index}"), message))
        };
        let reveal = self.reveal.iter().enumerate().map(entry).collect::<Result<Reveal, Mistake>>()?;
        let Self { cluster, secrets, flagz, workloads, .. } = self;
        Ok(CollectSettings { node, cluster, secrets, flagz, kubelet_url, workloads, pod_templates, reveal })
    }
}

/// A kind of workload, as written.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct PodTemplateForm {
    /// With its API group: `FleetJob.example.com`.
    pub kind: String,
    /// The keys that lead to the template, with dots between them: `spec.job.template`.
    pub path: String,
}

/// Kinds with their group, and keys with dots between them.
fn pod_templates(
    templates: Vec<PodTemplateForm>,
    checker: &Checker<'_>,
) -> Result<BTreeMap<String, String>, Mistake> {
    for PodTemplateForm { kind, path } in &templates {
        if !kind.contains('.') {
            let message = format!("expected a kind with its API group, such as `{kind}.example.com`");
            return Err(checker.wrong("pod_templates", message));
        }
        if path.split('.').any(str::is_empty) {
            let message =
                format!("expected keys with dots between them, such as `spec.template`, found `{path}`");
            return Err(checker.wrong("pod_templates", message));
        }
    }
    Ok(templates.into_iter().map(|PodTemplateForm { kind, path }| (kind, path)).collect())
}
