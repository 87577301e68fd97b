//! The section `posturebeat`: what is checked, and how often.

mod aws;
mod collect;
mod compat;
mod leader_election;
pub(in crate::config) mod merge;
mod rules;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::exceptions::ExceptionEntry;
use crate::config::form::{Checker, SectionForm, UnsupportedKeys};
use crate::config::mistake::Mistake;
use crate::config::values::Span;
pub(in crate::config) use aws::is_credentials_type;
pub use aws::{AssumeRole, Aws, AwsKeys};
pub use leader_election::LeaderElection;

/// The shortest period; a bound against `0`.
const MIN_PERIOD: Duration = Duration::from_secs(1);

/// Elastic's bound for the namespace of a data stream.
const MAX_NAMESPACE: usize = 100;

/// What is checked, and how often.
#[derive(Debug, Clone)]
pub struct Posture {
    /// From the start of one cycle to the start of the next.
    pub period: Duration,
    /// `cis_k8s` or `cis_k8s@2.0.1`, as written. Empty: those that are the default.
    pub benchmarks: Vec<String>,
    /// Where the host's root directory is mounted.
    pub host_root: PathBuf,
    /// The kubeconfig. `None`: `KUBECONFIG`, then in-cluster, then `~/.kube/config`.
    pub kube_config: Option<PathBuf>,
    /// Contexts of the kubeconfig, each a cluster. Empty: the current one.
    pub kube_contexts: Vec<String>,
    /// The namespace of the data streams.
    pub namespace: String,
    /// The node's name in the API, if it is not the host name.
    pub node_name: Option<String>,
    /// Recorded resources to judge once, instead of observing.
    pub snapshots: Vec<PathBuf>,
    /// Whether changes are judged between cycles.
    pub watch: bool,
    /// `collect.node`: whether this host is checked.
    pub node: bool,
    /// `collect.cluster`: whether the API's objects and AWS are checked.
    pub cluster: bool,
    /// Which of many processes checks the cluster.
    pub leader_election: LeaderElection,
    /// `collect.kubelet_url`: where this node's kubelet serves its configuration.
    pub kubelet_url: Option<String>,
    /// `collect.secrets`: whether token Secrets are listed.
    pub secrets: bool,
    /// `collect.flagz`: whether the API server is judged by what it says of itself.
    pub flagz: bool,
    /// Access to AWS.
    pub aws: Aws,
    /// `compat.shared_aws_resource_id`: whether all AWS resources of a cluster share one `resource.id`.
    pub shared_aws_resource_id: bool,
    /// Folders with controls and benchmarks of a rule author.
    pub rule_paths: Vec<PathBuf>,
    /// Control id → parameter → value.
    pub rule_params: BTreeMap<String, BTreeMap<String, Value>>,
    /// Exceptions, in the order in which they are matched.
    pub exceptions: Vec<ExceptionEntry>,
    /// `agent.type`; `cloudbeat` for readers that insist on it.
    pub agent_type: String,
    /// From a Fleet policy: the integration's id; empty outside Fleet.
    pub package_policy_id: String,
    /// From a Fleet policy: its revision.
    pub package_policy_revision: u64,
}

/// The section as written.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct PosturebeatForm {
    /// From the start of one cycle to the start of the next, at least `1s`: `4h`, `90s`, `1m30s`. A bare number is
    /// seconds.
    pub period: Span,
    /// The benchmarks to check: `cis_k8s` for the newest version, or a version such as `cis_k8s@2.0.1`. With several,
    /// Kibana's counts add up over all of them. Default: the benchmark for any Kubernetes, `cis_k8s`.
    #[schemars(example = ["cis_k8s"])]
    pub benchmarks: Option<Vec<String>>,
    /// The mount point of the host's root directory; usually `/hostfs` in a container.
    pub host_root: PathBuf,
    /// The kubeconfig file. Default: the value of `KUBECONFIG`, then the pod's service account, then
    /// `~/.kube/config`. Relative paths, here and elsewhere, start from the working directory, then from the
    /// folder of the configuration file.
    #[schemars(example = &"/etc/kubernetes/admin.conf")]
    pub kube_config: Option<PathBuf>,
    /// Contexts of the kubeconfig; one process checks all of their clusters. Default: the current context. Several
    /// contexts turn `collect.node` off, because a node belongs to one cluster.
    #[schemars(example = ["prod-eu", "prod-us"])]
    pub kube_contexts: Vec<String>,
    /// The namespace of the data streams: lower case, at most 100 bytes, no spaces and none of
    /// `\/*?"<>|,#:-`.
    pub namespace: String,
    /// The node's name in the Kubernetes API, if it is not the host name.
    #[schemars(example = &"ip-10-0-0-1.ec2.internal")]
    pub node_name: Option<String>,
    /// Files of recorded resources (`.ndjson`, also `.gz` and `.zst`) to judge once, instead of observing
    /// this machine.
    pub snapshots: Vec<PathBuf>,
    /// Judge objects of the cluster as they change, between cycles. Those findings carry the cycle's
    /// `event.sequence`.
    pub watch: bool,
    /// What is collected.
    pub collect: collect::CollectForm,
    /// Leader election: of many processes, one checks the cluster and AWS.
    pub leader_election: leader_election::LeaderElectionForm,
    /// Access to AWS, for the benchmark `cis_eks`.
    pub aws: aws::AwsForm,
    /// Your own rules, and parameters of rules.
    pub rules: rules::RulesForm,
    /// Rules that may fail. Each exception has a `reason`, an `owner`, and preferably `expires`, its last day. `rule`
    /// is a control's id, a number (`5.2.2`, `cis_k8s@2.0.1/5.2.2`) or a rule's id. `resource` has `kind`,
    /// `namespace`, `name` and `labels`. `cluster` is an id or a name. A key that is left out matches anything; a
    /// `*` at the end of a name matches any ending. Findings are marked, and keep their outcome. The exceptions of
    /// several files add up. See docs/exceptions.md.
    #[schemars(example = [serde_json::json!({"rule": "5.2.2", "resource": {"kind": "Pod", "namespace": "kube-system",
        "name": "cilium-*"}, "reason": "It sets up the host's network", "owner": "team-network", "expires": "2027-06-30"})])]
    pub exceptions: Vec<Value>,
    /// Files with such a list under the key `exceptions`. `*` in a file name matches anything.
    #[schemars(example = ["/etc/posturebeat/exceptions/*.yml"])]
    pub exceptions_files: Vec<PathBuf>,
    /// Compatibility with readers that only know Elastic's own shipper.
    pub compat: compat::CompatForm,
    /// From a Fleet policy: the id of the integration policy, named in findings.
    pub package_policy_id: String,
    /// From a Fleet policy: its revision.
    pub revision: u64,
}

impl Default for PosturebeatForm {
    fn default() -> Self {
        Self {
            period: Span::seconds(4 * 60 * 60),
            benchmarks: None,
            host_root: PathBuf::from("/"),
            kube_config: None,
            kube_contexts: Vec::new(),
            namespace: "default".to_owned(),
            node_name: None,
            snapshots: Vec::new(),
            watch: true,
            collect: collect::CollectForm::default(),
            leader_election: leader_election::LeaderElectionForm::default(),
            aws: aws::AwsForm::default(),
            rules: rules::RulesForm::default(),
            exceptions: Vec::new(),
            exceptions_files: Vec::new(),
            compat: compat::CompatForm::default(),
            package_policy_id: String::new(),
            revision: 0,
        }
    }
}

impl SectionForm for PosturebeatForm {
    type Settings = Posture;

    const UNSUPPORTED: UnsupportedKeys = &[
        ("bundle_path", "set `posturebeat.rules.paths`"),
        ("config", "set `posturebeat.benchmarks`"),
        ("fetchers", "what is collected follows from `posturebeat.benchmarks`"),
        ("index", "set `posturebeat.namespace`"),
        ("processors", ""),
        ("runtime_cfg", ""),
        ("type", "set `posturebeat.benchmarks`"),
    ];

    fn check(self, checker: &Checker<'_>) -> Result<Posture, Mistake> {
        if self.period.0 < MIN_PERIOD {
            let message = format!("expected at least `1s`, found `{}`", self.period);
            return Err(checker.wrong("period", message));
        }
        check_benchmarks(self.benchmarks.as_deref(), checker)?;
        check_namespace(&self.namespace).map_err(|message| checker.wrong("namespace", message))?;
        check_contexts(&self.kube_contexts, checker)?;
        let kube_config = self.kube_config.filter(|path| !path.as_os_str().is_empty());
        let several = self.kube_contexts.len() > 1;
        let collect = self.collect.check(several, &checker.section("collect"))?;
        let rules = self.rules.check(&checker.section("rules"))?;
        let compat = self.compat.check(&checker.section("compat"))?;
        Ok(Posture {
            period: self.period.0,
            benchmarks: self.benchmarks.unwrap_or_default(),
            watch: self.watch,
            node: collect.node,
            cluster: collect.cluster,
            leader_election: self.leader_election.check(&checker.section("leader_election"))?,
            secrets: collect.secrets,
            flagz: collect.flagz,
            aws: self.aws.check(&checker.section("aws"))?,
            shared_aws_resource_id: compat.shared_aws_resource_id,
            kubelet_url: collect.kubelet_url,
            host_root: checker.not_empty("host_root", self.host_root)?,
            kube_config: kube_config.map(|path| checker.located("kube_config", &path)),
            kube_contexts: self.kube_contexts,
            namespace: self.namespace,
            node_name: self.node_name.filter(|name| !name.is_empty()),
            snapshots: checker.all_located("snapshots", &self.snapshots),
            rule_paths: rules.paths,
            rule_params: rules.params,
            // Read separately, mistake by mistake: see `config::exceptions`.
            exceptions: Vec::new(),
            agent_type: compat.agent_type,
            package_policy_id: self.package_policy_id,
            package_policy_revision: self.revision,
        })
    }
}

fn check_benchmarks(benchmarks: Option<&[String]>, checker: &Checker<'_>) -> Result<(), Mistake> {
    let Some(benchmarks) = benchmarks else { return Ok(()) };
    if benchmarks.is_empty() {
        return Err(checker.wrong("benchmarks", "expected at least one, such as `cis_k8s`"));
    }
    for (index, benchmark) in benchmarks.iter().enumerate() {
        let (name, version) = benchmark.split_once('@').unwrap_or((benchmark, "0"));
        if name.is_empty() || version.is_empty() {
            let message = "expected a name such as `cis_k8s` or `cis_k8s@2.0.1`";
            return Err(checker.wrong(&format!("benchmarks.{index}"), message));
        }
    }
    Ok(())
}

fn check_contexts(contexts: &[String], checker: &Checker<'_>) -> Result<(), Mistake> {
    for (index, context) in contexts.iter().enumerate() {
        let key = format!("kube_contexts.{index}");
        if context.is_empty() {
            return Err(checker.wrong(&key, "expected the name of a context"));
        }
        if contexts[..index].contains(context) {
            return Err(checker.wrong(&key, format!("the context `{context}` is named twice")));
        }
    }
    Ok(())
}

/// Elastic's rules for the namespace in the name of a data stream.
fn check_namespace(namespace: &str) -> Result<(), String> {
    let refused =
        |letter: &char| r#"\/*?"<>| ,#:-"#.contains(*letter) || letter.is_whitespace() || letter.is_control();
    if namespace.is_empty() {
        return Err("expected a name such as `default`, found nothing".to_owned());
    }
    if namespace.len() > MAX_NAMESPACE {
        return Err(format!("expected at most {MAX_NAMESPACE} bytes, found {}", namespace.len()));
    }
    if let Some(letter) = namespace.chars().find(refused) {
        let letter = letter.escape_debug();
        return Err(format!(r#"a namespace has no spaces and none of `\/*?"<>|,#:-`, found `{letter}`"#));
    }
    if namespace.to_lowercase() != namespace {
        return Err(format!("a namespace is lower case: write `{}`", namespace.to_lowercase()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_of_data_streams() {
        for name in ["default", "prod_eu.1", "é"] {
            assert_eq!(check_namespace(name), Ok(()), "{name}");
        }
        for name in ["", "Prod", "a-b", "a b", "a/b", "a:b", "a\n", &"x".repeat(101)] {
            assert!(check_namespace(name).is_err(), "{name}");
        }
    }
}
