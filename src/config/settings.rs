//! Settings: what the program runs with. Typed, validated, every default filled in.

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Everything, resolved.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is observed and judged, and how often.
    pub posture: Posture,
    /// Where findings go.
    pub output: Output,
    /// How batches are made.
    pub queue: Queue,
    /// Whether `run` may install index templates.
    pub setup: Setup,
    /// What is logged, and how.
    pub logging: Logging,
    /// Where a run can be asked about itself; `None`: nowhere.
    pub http: Option<Http>,
    /// `path.data`: what must outlive a restart.
    pub data_path: PathBuf,
    /// `name`: what `agent.name` and `host.name` say; the host's name when left out.
    pub name: Option<String>,
}

/// The section `posturebeat:` (`cloudbeat:` is taken too).
#[derive(Debug, Clone)]
pub struct Posture {
    /// From the start of one cycle to the start of the next.
    pub period: Duration,
    /// `cis_k8s` or `cis_k8s@2.0.1`, as written.
    pub benchmarks: Vec<String>,
    /// Where the host's root directory is seen.
    pub host_root: PathBuf,
    /// The kubeconfig; `None`: `KUBECONFIG`, then in-cluster, then `~/.kube/config`.
    pub kube_config: Option<PathBuf>,
    /// Contexts of it, each a cluster; empty: the current one.
    pub kube_contexts: Vec<String>,
    /// The namespace of the data streams.
    pub namespace: String,
    /// The node's name in the API, where it is not the host's.
    pub node_name: Option<String>,
    /// Recorded resources to judge once, instead of observing.
    pub snapshots: Vec<PathBuf>,
    /// Whether changes are judged between cycles.
    pub watch: bool,
    /// `collect.node`: whether this host is looked at.
    pub node: bool,
    /// `collect.cluster`: whether the API's objects are, and AWS.
    pub cluster: bool,
    /// Who of many does the latter.
    pub leader_election: LeaderElection,
    /// `collect.kubelet_url`: where this node's kubelet is asked for its configuration.
    pub kubelet_url: Option<String>,
    /// `collect.secrets`: whether Secrets that are tokens are listed.
    pub secrets: bool,
    /// How AWS is asked.
    pub aws: Aws,
    /// `compat.shared_aws_resource_id`: whether all AWS resources of a cluster have one `resource.id`.
    pub shared_aws_resource_id: bool,
    /// Folders of a rule author's own controls and benchmarks.
    pub rule_paths: Vec<PathBuf>,
    /// Control id → parameter → value.
    pub rule_params: BTreeMap<String, BTreeMap<String, Value>>,
    /// Rules that may fail, in the order in which they are asked.
    pub exceptions: Vec<Exception>,
    /// `agent.type`; `cloudbeat` for readers that insist on it.
    pub agent_type: String,
    /// From a Fleet policy: the integration's id; empty outside of Fleet.
    pub package_policy_id: String,
    /// From a Fleet policy: its revision.
    pub package_policy_revision: u64,
}

/// `leader_election.*`: who of many processes collects what only one should.
#[derive(Debug, Clone)]
pub struct LeaderElection {
    /// Whether this process competes; `None`: where it runs as a pod.
    pub enabled: Option<bool>,
    /// The Lease.
    pub lease_name: String,
    /// Its namespace; `None`: the pod's, else `default`.
    pub lease_namespace: Option<String>,
    /// How long others wait after a leader's last sign of life; whole seconds.
    pub lease_duration: Duration,
    /// How long a leader that cannot renew goes on: less than `lease_duration`.
    pub renew_deadline: Duration,
    /// How often a leader renews and others look: less than `renew_deadline`.
    pub retry_period: Duration,
}

/// `aws.*`: how AWS is asked.
#[derive(Debug, Clone, Default)]
pub struct Aws {
    /// The EKS cluster's name; `None`: to be found.
    pub cluster_name: Option<String>,
    /// Its region; `None`: to be found.
    pub region: Option<String>,
    /// Where AWS answers instead of each service's own address.
    pub endpoint: Option<String>,
    /// With whose keys.
    pub keys: AwsKeys,
    /// The role that those are used for.
    pub assume_role: Option<AssumeRole>,
}

/// Where AWS keys come from.
#[derive(Debug, Clone, Default)]
pub enum AwsKeys {
    /// Wherever the SDK's own chain finds them: variables, a service account's role, pod identity, a shared file, the
    /// instance's role.
    #[default]
    Environment,
    /// Written down.
    Static {
        /// The key's id.
        access_key_id: String,
        /// The key.
        secret_access_key: SecretString,
        /// What makes it temporary.
        session_token: Option<SecretString>,
    },
    /// A shared credentials file.
    Shared {
        /// The file; `None`: `~/.aws/credentials`.
        file: Option<PathBuf>,
        /// The profile; `None`: `default`.
        profile: Option<String>,
    },
}

/// A role to assume.
#[derive(Debug, Clone)]
pub struct AssumeRole {
    /// `arn:aws:iam::123456789012:role/posturebeat`.
    pub role_arn: String,
    /// What its trust policy asks for.
    pub external_id: Option<SecretString>,
}

/// An item of `posturebeat.exceptions`, or of a file of exceptions. Of names, a star at the end means any ending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exception {
    /// Where it is written: `FILE:LINE:COLUMN`.
    pub at: String,
    /// Its key, such as `posturebeat.exceptions.0`.
    pub key: String,
    /// A control's id, a recommendation's number with or without its benchmark, or a rule's id.
    pub rule: String,
    /// Where the rule is written.
    pub rule_at: String,
    /// `resource.kind`.
    pub kind: Option<String>,
    /// `resource.namespace`.
    pub namespace: Option<String>,
    /// `resource.name`.
    pub name: Option<String>,
    /// `resource.labels`.
    pub labels: BTreeMap<String, String>,
    /// The cluster's id or name.
    pub cluster: Option<String>,
    /// Why the rule may fail.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// It is over from then on; of a date, the end of that day in UTC.
    pub expires: Option<Timestamp>,
}

/// Where findings go; exactly one.
#[derive(Debug, Clone)]
pub enum Output {
    /// `output.elasticsearch`.
    Elasticsearch(Box<Elasticsearch>),
    /// `output.file`.
    File(FileOutput),
    /// `output.console`.
    Console {
        /// Indented, for people.
        pretty: bool,
    },
    /// No output is configured: `scan` and recorded input need none.
    None,
}

impl Output {
    /// Its key below `output.`, or `none`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Elasticsearch(_) => "elasticsearch",
            Self::File(_) => "file",
            Self::Console { .. } => "console",
            Self::None => "none",
        }
    }
}

/// `output.elasticsearch`.
#[derive(Debug, Clone)]
pub struct Elasticsearch {
    /// Complete URLs, with scheme and port.
    pub hosts: Vec<String>,
    /// How we say who we are.
    pub auth: Auth,
    /// TLS.
    pub tls: Tls,
    /// Gzip level, 0 (off) to 9.
    pub compression_level: u32,
    /// The most events in one bulk request.
    pub bulk_max_size: usize,
    /// For one request.
    pub timeout: Duration,
    /// The first wait before a retry.
    pub backoff_init: Duration,
    /// The longest.
    pub backoff_max: Duration,
}

/// How a request to Elasticsearch says who we are.
#[derive(Debug, Clone)]
pub enum Auth {
    /// It does not.
    Anonymous,
    /// User and password.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// `id:key`, as Beats write it; it is sent in base64.
    ApiKey(SecretString),
}

/// `ssl.*` of an output.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// PEM files, or PEM text, to trust beside nothing else; empty: the system's.
    pub certificate_authorities: Vec<String>,
    /// How much of the server's certificate is checked.
    pub verification: Verification,
}

/// `ssl.verification_mode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verification {
    /// Authority and host name.
    #[default]
    Full,
    /// Nothing.
    None,
}

/// `output.file`: NDJSON.
#[derive(Debug, Clone)]
pub struct FileOutput {
    /// The folder.
    pub path: PathBuf,
    /// The file in it.
    pub filename: String,
}

/// `queue.mem.*`.
#[derive(Debug, Clone)]
pub struct Queue {
    /// The most events that wait.
    pub events: usize,
    /// A batch goes out at the latest after this.
    pub flush_timeout: Duration,
}

/// `setup.*`.
#[derive(Debug, Clone)]
pub struct Setup {
    /// `setup.template.enabled`: install a missing index template at start.
    pub template_enabled: bool,
}

/// `logging.*`. Logs go to stderr.
#[derive(Debug, Clone)]
pub struct Logging {
    /// `error`, `warning`, `info` or `debug`.
    pub level: String,
    /// ECS JSON lines instead of text.
    pub json: bool,
    /// How often the daemon logs what it counts; `None`: never.
    pub metrics_period: Option<Duration>,
}

/// `http.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// The name or address to listen on.
    pub host: String,
    /// The port; 0 is any that is free.
    pub port: u16,
}
