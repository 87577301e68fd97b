//! The configuration file as it is written, defaults filled in. The comment of each field is its text
//! in `posturebeat.reference.yml`.

mod output;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::aws::RawAws;
use super::leader_election::RawLeaderElection;
use super::monitoring::{RawHttp, RawMetrics};
use super::values::Span;
pub(super) use output::{
    Protocol, RawConsole, RawElasticsearch, RawFile, RawOutput, RawSsl, VerificationMode,
};

/// The whole file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Raw {
    /// What is observed and judged, and how often. `cloudbeat:` is taken as another name of this section.
    pub posturebeat: RawPosture,
    /// Where findings go. One output may be enabled; `scan`, and `run` with recorded input, need none.
    pub output: RawOutput,
    /// How findings wait for the output.
    pub queue: RawQueue,
    /// What `run` sets up in Elasticsearch before the first finding.
    pub setup: RawSetup,
    /// What is logged, and how. Logs go to stderr.
    pub logging: RawLogging,
    /// Where a run can be asked about itself.
    pub http: RawHttp,
    /// Where files are kept.
    pub path: RawPath,
    /// Where secrets are kept under names, for `${NAME}` in this file: see `posturebeat keystore`.
    pub keystore: RawKeystore,
    /// The name of this shipper, in `agent.name` and `host.name`. Default: the host's name.
    #[schemars(example = &"node-1")]
    pub name: Option<String>,
}

/// The section `posturebeat`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawPosture {
    /// From the start of one cycle to the start of the next, at least `1s`: `4h`, `90s`, `1m30s`; a
    /// bare number is seconds.
    pub period: Span,
    /// The benchmarks to judge by: `cis_k8s`, with a version such as `cis_k8s@2.0.1` or
    /// else the newest. Several multiply the counts that Kibana shows.
    pub benchmarks: Vec<String>,
    /// Where the host's root directory is seen; `/hostfs` in the usual container.
    pub host_root: PathBuf,
    /// The kubeconfig file. Default: what `KUBECONFIG` names, then the pod's service account, then
    /// `~/.kube/config`. This and other relative paths are looked for in the working directory, then
    /// beside the configuration file that names them.
    #[schemars(example = &"/etc/kubernetes/admin.conf")]
    pub kube_config: Option<PathBuf>,
    /// Contexts of the kubeconfig: one process watches the cluster of each. Default: its current context. Where there
    /// are several, `collect.node` is off: a node is in one cluster.
    #[schemars(example = ["prod-eu", "prod-us"])]
    pub kube_contexts: Vec<String>,
    /// The namespace of the data streams: lower case, at most 100 bytes, without space and any of
    /// `\/*?"<>|,#:-`.
    pub namespace: String,
    /// The node's name in the Kubernetes API, where it is not the host's name.
    #[schemars(example = &"ip-10-0-0-1.ec2.internal")]
    pub node_name: Option<String>,
    /// Files of recorded resources (`.ndjson`, also `.gz` and `.zst`) to judge once, instead of
    /// observing this machine.
    pub snapshots: Vec<PathBuf>,
    /// Judge the cluster's objects as they change, between one cycle and the next; those findings have the
    /// cycle's `event.sequence`.
    pub watch: bool,
    /// What is looked at.
    pub collect: RawCollect,
    /// Which of many processes collects what only one should: the cluster's objects, and AWS.
    pub leader_election: RawLeaderElection,
    /// How AWS is asked, for the benchmark `cis_eks`.
    pub aws: RawAws,
    /// Rules of your own, and parameters of rules.
    pub rules: RawRules,
    /// Rules that may fail, each with `reason` and `owner`, and best with `expires`, its last day. `rule`
    /// is a control's id, a number (`5.2.2`, `cis_k8s@2.0.1/5.2.2`) or a rule's id; `resource` has `kind`,
    /// `namespace`, `name` and `labels`; `cluster` is an id or a name. What is left out is not asked; a
    /// star at the end of a name means any ending. Findings are marked, and stay what they are. Exceptions
    /// of several files add up. See docs/exceptions.md.
    #[schemars(example = [serde_json::json!({"rule": "5.2.2", "resource": {"kind": "Pod", "namespace": "kube-system",
        "name": "cilium-*"}, "reason": "It sets up the host's network", "owner": "team-network", "expires": "2027-06-30"})])]
    pub exceptions: Vec<Value>,
    /// Files with such a list under the key `exceptions`. In a file's name `*` stands for anything.
    #[schemars(example = ["/etc/posturebeat/exceptions/*.yml"])]
    pub exceptions_files: Vec<PathBuf>,
    /// For readers of the findings that know Elastic's own shipper only.
    pub compat: RawCompat,
    /// From a Fleet policy: the id of the integration policy that findings name.
    pub package_policy_id: String,
    /// From a Fleet policy: its revision.
    pub revision: u64,
}

impl Default for RawPosture {
    fn default() -> Self {
        Self {
            period: Span::seconds(4 * 60 * 60),
            benchmarks: vec!["cis_k8s".to_owned()],
            host_root: PathBuf::from("/"),
            kube_config: None,
            kube_contexts: Vec::new(),
            namespace: "default".to_owned(),
            node_name: None,
            snapshots: Vec::new(),
            watch: true,
            collect: RawCollect::default(),
            leader_election: RawLeaderElection::default(),
            aws: RawAws::default(),
            rules: RawRules::default(),
            exceptions: Vec::new(),
            exceptions_files: Vec::new(),
            compat: RawCompat::default(),
            package_policy_id: String::new(),
            revision: 0,
        }
    }
}

/// The section `posturebeat.collect`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawCollect {
    /// This host: its files and processes. Default: yes, but where `kube_contexts` names several.
    pub node: Option<bool>,
    /// The cluster's objects, and AWS where rules are about it: by the one process that leads.
    pub cluster: bool,
    /// List Secrets that are tokens of service accounts or for joining nodes, and no others; it takes the
    /// right to list secrets. Their data is never read but for a joining token's expiry, uses and groups.
    pub secrets: bool,
    /// Where this node's kubelet answers, to be asked for the configuration in force (`/configz`); it takes the
    /// right to get `nodes/configz` (Kubernetes 1.33) and a serving certificate that the cluster's authority
    /// signed. Without, or where it fails, flags and files tell.
    #[schemars(example = &"https://${NODE_IP}:10250")]
    pub kubelet_url: Option<String>,
}

impl Default for RawCollect {
    fn default() -> Self {
        Self { node: None, cluster: true, secrets: false, kubelet_url: None }
    }
}

/// The section `posturebeat.rules`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRules {
    /// Folders with controls and benchmarks of your own.
    pub paths: Vec<PathBuf>,
    /// Parameters of controls: the control's id, the parameter's name, its value, such as
    /// `{"namespace-network-policy": {"exempt_namespaces": ["kube-system"]}}`.
    pub params: BTreeMap<String, BTreeMap<String, Value>>,
}

/// The section `posturebeat.compat`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawCompat {
    /// `agent.type` of the findings: `posturebeat` or `cloudbeat`.
    pub agent_type: AgentType,
    /// Give all load balancers, repositories and so on of one cluster the same `resource.id`, as Elastic's own
    /// shipper does: readers then keep one of them for each rule.
    pub shared_aws_resource_id: bool,
}

/// `agent.type`.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum AgentType {
    #[default]
    Posturebeat,
    Cloudbeat,
}

/// The section `queue`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawQueue {
    /// The queue in memory.
    pub mem: RawMemQueue,
}

/// The section `queue.mem`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawMemQueue {
    /// The most findings that wait; collecting pauses when they do.
    pub events: u64,
    /// When a batch goes out that is not full.
    pub flush: RawFlush,
}

impl Default for RawMemQueue {
    fn default() -> Self {
        Self { events: 3200, flush: RawFlush::default() }
    }
}

/// The section `queue.mem.flush`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawFlush {
    /// The longest that a finding waits for a batch to fill.
    pub timeout: Span,
}

impl Default for RawFlush {
    fn default() -> Self {
        Self { timeout: Span::seconds(10) }
    }
}

/// The section `setup`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawSetup {
    /// Index templates.
    pub template: RawTemplate,
}

/// The section `setup.template`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawTemplate {
    /// Whether `run` installs index templates that are missing. One that is there is left alone.
    pub enabled: bool,
}

impl Default for RawTemplate {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// The section `logging`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawLogging {
    /// `error`, `warning`, `info` or `debug`.
    pub level: Level,
    /// JSON lines with ECS fields instead of text.
    pub json: bool,
    /// What the daemon counts, as lines of its log.
    pub metrics: RawMetrics,
}

/// `logging.level`.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Error,
    Warning,
    #[default]
    Info,
    Debug,
}

/// The section `path`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawPath {
    /// The folder of what must outlive a restart, such as the agent's id.
    pub data: PathBuf,
}

/// The section `keystore`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawKeystore {
    /// The file. Default: `posturebeat.keystore` in `path.data`.
    #[schemars(example = &"/etc/posturebeat/posturebeat.keystore")]
    pub path: Option<PathBuf>,
}

impl Default for RawPath {
    fn default() -> Self {
        Self { data: PathBuf::from("data") }
    }
}
