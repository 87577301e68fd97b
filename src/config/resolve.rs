//! What is written, to [`Settings`]: values checked against each other and the world, paths found.

use config::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::Mistake;
use super::place::Place;
use super::raw::{AgentType, Level, Raw, RawFile, RawOutput, RawPosture};
use super::{
    FileOutput, Logging, Output, Posture, Queue, Settings, Setup, aws, elasticsearch, leader_election,
    monitoring, tree,
};

/// Shorter cycles than anyone needs; a bound against `0`.
const MIN_PERIOD: Duration = Duration::from_secs(1);

/// Elastic's bound for the namespace of a data stream.
const MAX_NAMESPACE: usize = 100;

/// Checks what was read from `tree`.
pub(super) fn resolve(raw: Raw, tree: &Value) -> Result<Settings, Mistake> {
    let checker = Checker { tree };
    let Raw { posturebeat, output, queue, setup, logging, http, path, name, keystore: _ } = raw;
    Ok(Settings {
        posture: posture(posturebeat, &checker)?,
        output: one_output(output, &checker)?,
        queue: Queue {
            events: checker.at_least_one("queue.mem.events", queue.mem.events)?,
            flush_timeout: queue.mem.flush.timeout.0,
        },
        setup: Setup { template_enabled: setup.template.enabled },
        logging: Logging {
            level: match logging.level {
                Level::Error => "error",
                Level::Warning => "warning",
                Level::Info => "info",
                Level::Debug => "debug",
            }
            .to_owned(),
            json: logging.json,
            metrics_period: monitoring::period(logging.metrics, &checker)?,
        },
        http: monitoring::http(http, &checker)?,
        data_path: checker.not_empty("path.data", path.data)?,
        name: name.filter(|name| !name.is_empty()),
    })
}

/// Looks values up where they were written, to say where they are wrong.
pub(super) struct Checker<'a> {
    pub(super) tree: &'a Value,
}

impl Checker<'_> {
    /// A mistake in the value of `key`, or in the nearest section around it that is written.
    pub(super) fn wrong(&self, key: &str, message: impl std::fmt::Display) -> Mistake {
        Mistake::at_value(self.place(key).as_ref(), format!("`{key}`: {message}"))
    }

    fn place(&self, key: &str) -> Option<Place> {
        let mut key = key;
        loop {
            if let Some(place) = tree::find(self.tree, key).and_then(Place::find) {
                return Some(place);
            }
            key = key.rsplit_once('.')?.0;
        }
    }

    /// A path as a person means it: from the working directory, else from the folder of the file
    /// that names it; as written where it is in neither.
    pub(super) fn located(&self, key: &str, path: &Path) -> PathBuf {
        if path.is_absolute() || path.exists() {
            return path.to_owned();
        }
        self.beside(key, path).filter(|path| path.exists()).unwrap_or_else(|| path.to_owned())
    }

    /// A path from the folder of the file that names it.
    pub(super) fn beside(&self, key: &str, path: &Path) -> Option<PathBuf> {
        self.place(key).and_then(|place| Some(Path::new(&place.source).parent()?.join(path)))
    }

    fn all_located(&self, key: &str, paths: &[PathBuf]) -> Vec<PathBuf> {
        let paths = paths.iter().enumerate();
        paths.map(|(index, path)| self.located(&format!("{key}.{index}"), path)).collect()
    }

    pub(super) fn at_least_one(&self, key: &str, number: u64) -> Result<usize, Mistake> {
        match usize::try_from(number) {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(self.wrong(key, format!("expected a number from 1 up, found `{number}`"))),
        }
    }

    fn not_empty(&self, key: &str, path: PathBuf) -> Result<PathBuf, Mistake> {
        if path.as_os_str().is_empty() { Err(self.wrong(key, "expected a path")) } else { Ok(path) }
    }
}

fn posture(raw: RawPosture, checker: &Checker<'_>) -> Result<Posture, Mistake> {
    if raw.period.0 < MIN_PERIOD {
        return Err(
            checker.wrong("posturebeat.period", format!("expected at least `1s`, found `{}`", raw.period))
        );
    }
    if raw.benchmarks.is_empty() {
        return Err(checker.wrong("posturebeat.benchmarks", "expected at least one, such as `cis_k8s`"));
    }
    for (index, benchmark) in raw.benchmarks.iter().enumerate() {
        let (name, version) = benchmark.split_once('@').unwrap_or((benchmark, "0"));
        if name.is_empty() || version.is_empty() {
            let key = format!("posturebeat.benchmarks.{index}");
            return Err(checker.wrong(&key, "expected a name such as `cis_k8s` or `cis_k8s@2.0.1`"));
        }
    }
    check_namespace(&raw.namespace).map_err(|message| checker.wrong("posturebeat.namespace", message))?;
    let kube_config = raw.kube_config.filter(|path| !path.as_os_str().is_empty());
    for (index, context) in raw.kube_contexts.iter().enumerate() {
        let key = format!("posturebeat.kube_contexts.{index}");
        if context.is_empty() {
            return Err(checker.wrong(&key, "expected the name of a context"));
        }
        if raw.kube_contexts[..index].contains(context) {
            return Err(checker.wrong(&key, format!("the context `{context}` is named twice")));
        }
    }
    let several = raw.kube_contexts.len() > 1;
    if several && raw.collect.node == Some(true) {
        return Err(checker.wrong(
            "posturebeat.collect.node",
            "a node is in one cluster, and `kube_contexts` names several: set it to false, or name one",
        ));
    }
    let node = raw.collect.node.unwrap_or(!several);
    if !node && !raw.collect.cluster {
        return Err(checker.wrong(
            "posturebeat.collect.cluster",
            "neither the node nor the cluster is looked at: set `collect.node` or `collect.cluster` to true",
        ));
    }
    Ok(Posture {
        period: raw.period.0,
        benchmarks: raw.benchmarks,
        watch: raw.watch,
        node,
        cluster: raw.collect.cluster,
        leader_election: leader_election::resolve(raw.leader_election, checker)?,
        secrets: raw.collect.secrets,
        aws: aws::resolve(raw.aws, checker)?,
        shared_aws_resource_id: raw.compat.shared_aws_resource_id,
        kubelet_url: raw.collect.kubelet_url.filter(|url| !url.is_empty()),
        host_root: checker.not_empty("posturebeat.host_root", raw.host_root)?,
        kube_config: kube_config.map(|path| checker.located("posturebeat.kube_config", &path)),
        kube_contexts: raw.kube_contexts,
        namespace: raw.namespace,
        node_name: raw.node_name.filter(|name| !name.is_empty()),
        snapshots: checker.all_located("posturebeat.snapshots", &raw.snapshots),
        rule_paths: checker.all_located("posturebeat.rules.paths", &raw.rules.paths),
        rule_params: raw.rules.params,
        // `exceptions` reads them, mistake by mistake.
        exceptions: Vec::new(),
        agent_type: match raw.compat.agent_type {
            AgentType::Posturebeat => "posturebeat",
            AgentType::Cloudbeat => "cloudbeat",
        }
        .to_owned(),
        package_policy_id: raw.package_policy_id,
        package_policy_revision: raw.revision,
    })
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
        return Err(format!(r#"a namespace has no space and none of `\/*?"<>|,#:-`, found `{letter}`"#));
    }
    if namespace.to_lowercase() != namespace {
        return Err(format!("a namespace is lower case: write `{}`", namespace.to_lowercase()));
    }
    Ok(())
}

/// The one output that is enabled.
fn one_output(raw: RawOutput, checker: &Checker<'_>) -> Result<Output, Mistake> {
    let RawOutput { elasticsearch, file, console } = raw;
    let elasticsearch = elasticsearch.filter(|output| output.enabled);
    let file = file.filter(|output| output.enabled);
    let console = console.filter(|output| output.enabled);
    match (elasticsearch, file, console) {
        (None, None, None) => Ok(Output::None),
        (Some(raw), None, None) => {
            elasticsearch::resolve(raw, checker).map(|output| Output::Elasticsearch(Box::new(output)))
        }
        (None, Some(raw), None) => file_output(raw, checker).map(Output::File),
        (None, None, Some(raw)) => Ok(Output::Console { pretty: raw.pretty }),
        (elasticsearch, file, console) => {
            let enabled = [
                ("output.elasticsearch", elasticsearch.is_some()),
                ("output.file", file.is_some()),
                ("output.console", console.is_some()),
            ];
            let mut named: Vec<(Place, &str)> = enabled
                .into_iter()
                .filter(|(_, enabled)| *enabled)
                .map(|(key, _)| (checker.place(key).unwrap_or_default(), key))
                .collect();
            named.sort_by_key(|(place, _)| place.key);
            let all: Vec<String> =
                named.iter().map(|(place, key)| format!("`{key}` ({})", place.of_key())).collect();
            Err(Mistake {
                at: named.last().map(|(place, _)| place.of_key()).unwrap_or_default(),
                message: format!(
                    "more than one output is enabled: {}; remove all but one, or set `enabled: false`",
                    all.join(", ")
                ),
            })
        }
    }
}

fn file_output(raw: RawFile, checker: &Checker<'_>) -> Result<FileOutput, Mistake> {
    if raw.filename.is_empty() || raw.filename.contains('/') {
        return Err(checker.wrong("output.file.filename", "expected the name of a file, without a folder"));
    }
    Ok(FileOutput { path: checker.not_empty("output.file.path", raw.path)?, filename: raw.filename })
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
