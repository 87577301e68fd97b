//! What people write, what they get, and what they are told.

mod aws;
mod exceptions;
mod fleet;
mod merge;
mod mistakes;
mod reference;
mod variables;
mod written;

use secrecy::ExposeSecret;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::output::elasticsearch::{Auth, ElasticsearchSettings};
use crate::output::{ConfiguredOutput, OUTPUTS, Verification};

/// A folder with the configuration files of one test.
struct Files {
    folder: tempfile::TempDir,
    named: Vec<PathBuf>,
    overrides: Vec<(String, String)>,
    env: Vec<(String, String)>,
}

impl Files {
    fn new(text: &str) -> Self {
        let empty =
            Self { folder: tempfile::tempdir().unwrap(), named: vec![], overrides: vec![], env: vec![] };
        empty.and(text)
    }

    /// One more `-c`.
    fn and(mut self, text: &str) -> Self {
        let path = self.folder.path().join(format!("{}.yml", self.named.len() + 1));
        std::fs::write(&path, text).unwrap();
        self.named.push(path);
        self
    }

    fn set(mut self, key: &str, value: &str) -> Self {
        self.overrides.push((key.to_owned(), value.to_owned()));
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn load(&self) -> Result<Loaded<ConfiguredOutput>, ConfigError> {
        let env =
            |name: &str| self.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let sources = Sources {
            files: self.named.clone(),
            default_file: None,
            overrides: self.overrides.clone(),
            env: &env,
            strict_perms: false,
            fleet_inputs: fleet::inputs,
        };
        load(&sources, OUTPUTS)
    }

    fn output(&self) -> Option<ConfiguredOutput> {
        self.load().unwrap_or_else(|error| panic!("{error}")).output
    }

    /// The settings of the Elasticsearch output.
    fn elasticsearch(&self) -> ElasticsearchSettings {
        self.output().expect("an output").template_target().expect("Elasticsearch").clone()
    }

    fn settings(&self) -> Settings {
        self.load().unwrap_or_else(|error| panic!("{error}")).settings
    }

    fn notes(&self) -> Vec<String> {
        let notes = self.load().unwrap_or_else(|error| panic!("{error}")).notes;
        notes.into_iter().map(|note| self.without_folder(&note)).collect()
    }

    /// The whole error, without the folder of this test.
    fn error(&self) -> String {
        self.without_folder(&self.load().expect_err("a mistake").to_string())
    }

    fn without_folder(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.folder.path().display()), "")
    }
}

#[test]
fn the_defaults() {
    let settings = Files::new("").settings();
    assert_eq!(settings.posture.period, Duration::from_hours(4));
    assert!(settings.posture.benchmarks.is_empty(), "the default is the rules' to say");
    assert_eq!(settings.posture.host_root, Path::new("/"));
    assert_eq!(settings.posture.namespace, "default");
    assert_eq!(settings.posture.agent_type, "posturebeat");
    assert_eq!(settings.posture.package_policy_revision, 0);
    assert!(Files::new("").output().is_none());
    assert_eq!((settings.queue.events, settings.queue.flush_timeout), (3200, Duration::from_secs(10)));
    assert!(settings.setup.template_enabled);
    assert_eq!((settings.logging.level.as_str(), settings.logging.json), ("info", false));
    assert_eq!((settings.http, settings.logging.metrics_period), (None, Some(Duration::from_secs(30))));
    assert_eq!(settings.data_path, Path::new("data"));
    assert_eq!(settings.name, None);
}

#[test]
fn the_defaults_of_elasticsearch() {
    let output = Files::new("output.elasticsearch.hosts: [es]").elasticsearch();
    assert_eq!(output.hosts, ["http://es:9200"]);
    assert!(matches!(output.auth, Auth::Anonymous));
    assert_eq!((output.compression_level, output.bulk_max_size), (1, 1600));
    assert_eq!(output.timeout, Duration::from_secs(90));
    assert_eq!((output.backoff_init, output.backoff_max), (Duration::from_secs(1), Duration::from_mins(1)));
    assert_eq!(output.tls.verification, Verification::Full);
}

#[test]
fn every_key_arrives() {
    let files = Files::new(
        "
posturebeat:
  period: 1h30m
  benchmarks: [cis_k8s@2.0.1, cis_eks]
  host_root: /hostfs
  kube_config: /etc/kubernetes/admin.conf
  namespace: prod
  node_name: n1
  snapshots: [/a.ndjson]
  rules.paths: [/rules]
  rules.params: {api-server/maxage: {days: 60, names: [a, b]}}
  compat.agent_type: cloudbeat
  package_policy_id: pp
  revision: 3
output.elasticsearch:
  hosts: ['https://a:1', 'b']
  protocol: https
  path: /p
  username: u
  password: 'p'
  ssl: {verification_mode: none}
  compression_level: 0
  bulk_max_size: 7
  timeout: 5
  backoff: {init: 2s, max: 3s}
queue.mem: {events: 10, flush.timeout: 1s}
setup.template.enabled: false
logging: {level: debug, json: true, metrics.period: 1m}
http: {enabled: true, host: 127.0.0.1, port: 9}
path.data: /data
name: me
",
    );
    let settings = files.settings();
    let posture = &settings.posture;
    assert_eq!(posture.period, Duration::from_mins(90));
    assert_eq!(posture.benchmarks, ["cis_k8s@2.0.1", "cis_eks"]);
    assert_eq!(posture.kube_config.as_deref(), Some(Path::new("/etc/kubernetes/admin.conf")));
    assert_eq!((posture.namespace.as_str(), posture.node_name.as_deref()), ("prod", Some("n1")));
    assert_eq!((&posture.snapshots[0], &posture.rule_paths[0]), (&"/a.ndjson".into(), &"/rules".into()));
    assert_eq!(
        posture.rule_params["api-server/maxage"],
        [("days".to_owned(), 60.into()), ("names".to_owned(), serde_json::json!(["a", "b"]))].into()
    );
    assert_eq!(posture.agent_type, "cloudbeat");
    assert_eq!((posture.package_policy_id.as_str(), posture.package_policy_revision), ("pp", 3));
    let output = files.elasticsearch();
    assert_eq!(output.hosts, ["https://a:1/p", "https://b:9200/p"]);
    assert!(matches!(&output.auth, Auth::Basic { username, password }
        if username == "u" && password.expose_secret() == "p"));
    assert_eq!(output.tls.verification, Verification::None);
    assert_eq!((output.compression_level, output.bulk_max_size), (0, 7));
    assert_eq!(output.timeout, Duration::from_secs(5));
    assert_eq!((output.backoff_init, output.backoff_max), (Duration::from_secs(2), Duration::from_secs(3)));
    assert_eq!((settings.queue.events, settings.queue.flush_timeout), (10, Duration::from_secs(1)));
    assert!(!settings.setup.template_enabled);
    assert_eq!((settings.logging.level.as_str(), settings.logging.json), ("debug", true));
    assert_eq!(settings.logging.metrics_period, Some(Duration::from_mins(1)));
    assert_eq!(settings.http, Some(Http { host: "127.0.0.1".into(), port: 9 }));
    assert_eq!((settings.data_path.as_path(), settings.name.as_deref()), (Path::new("/data"), Some("me")));
}

#[test]
fn the_other_outputs() {
    let shown = |text: &str| format!("{:?}", Files::new(text).output().unwrap());
    assert_eq!(shown("output.console:"), "ConsoleSettings { pretty: false }");
    assert_eq!(shown("output.file.path: /tmp/x"), r#"FileSettings { path: "/tmp/x/posturebeat.ndjson" }"#);
    let off = "output: {elasticsearch: {enabled: false, password: '${UNSET}'}, console: {}}";
    assert_eq!(shown(off), "ConsoleSettings { pretty: false }");
}

#[test]
fn the_default_file_is_read_only_when_it_exists_and_no_other_is_named() {
    let files = Files::new("name: named").and("name: default");
    let name = |files: Vec<PathBuf>, default_file: &Path| {
        let default_file = Some(default_file.to_owned());
        let sources = Sources {
            files,
            default_file,
            overrides: vec![],
            env: &|_| None,
            strict_perms: false,
            fleet_inputs: fleet::inputs,
        };
        load(&sources, OUTPUTS).unwrap().settings.name
    };
    assert_eq!(name(vec![], &files.path("2.yml")).as_deref(), Some("default"));
    assert_eq!(name(vec![], &files.path("3.yml")), None);
    assert_eq!(name(vec![files.path("1.yml")], &files.path("2.yml")).as_deref(), Some("named"));
}

#[test]
fn a_file_that_others_may_write_is_refused_if_strict() {
    use std::os::unix::fs::PermissionsExt;
    let files = Files::new("");
    std::fs::set_permissions(&files.named[0], std::fs::Permissions::from_mode(0o666)).unwrap();
    let load = |strict_perms| {
        let files = files.named.clone();
        let sources = Sources {
            files,
            default_file: None,
            overrides: vec![],
            env: &|_| None,
            strict_perms,
            fleet_inputs: fleet::inputs,
        };
        load(&sources, OUTPUTS)
    };
    assert!(load(false).is_ok());
    assert!(matches!(load(true), Err(ConfigError::CheckPermissions { .. })));
}

#[test]
fn paths_are_found_beside_the_file_that_names_them() {
    let files = Files::new("posturebeat: {snapshots: [s.ndjson, Cargo.toml, nowhere], rules.paths: [rules]}");
    std::fs::write(files.path("s.ndjson"), "").unwrap();
    let posture = files.settings().posture;
    assert_eq!(
        posture.snapshots,
        [files.path("s.ndjson"), PathBuf::from("Cargo.toml"), PathBuf::from("nowhere")],
        "beside the file; in the working directory; as written"
    );
    let files = Files::new("").set("posturebeat.snapshots", "s.ndjson");
    assert_eq!(files.settings().posture.snapshots, [PathBuf::from("s.ndjson")]);
}

#[test]
fn certificate_authorities_are_files_or_text() {
    let text = "output.elasticsearch: {hosts: [es], ssl.certificate_authorities: [ca.pem, \"-----BEGIN CERTIFICATE-----\\n\"]}";
    let files = Files::new(text);
    std::fs::write(files.path("ca.pem"), "x").unwrap();
    let authorities = files.elasticsearch().tls.certificate_authorities;
    assert_eq!(authorities[0], files.path("ca.pem").display().to_string());
    assert!(authorities[1].starts_with("-----BEGIN"));
}

#[test]
fn no_secret_is_shown() {
    for text in [
        "output.elasticsearch: {hosts: [es], username: u, password: hunter2}",
        "output.elasticsearch: {hosts: ['https://u:hunter2@es']}",
        "output.elasticsearch: {hosts: [es], api_key: 'id:hunter2'}",
    ] {
        let files = Files::new(text);
        assert!(!matches!(files.elasticsearch().auth, Auth::Anonymous));
        let shown = format!("{:?}", files.load().unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn the_examples_load() {
    let example = |name: &str| {
        let env = |name: &str| (name == "ES_API_KEY").then(|| "id:key".to_owned());
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let files = vec![folder.join(name)];
        let sources = Sources {
            files,
            default_file: None,
            overrides: vec![],
            env: &env,
            strict_perms: false,
            fleet_inputs: fleet::inputs,
        };
        load(&sources, OUTPUTS).unwrap()
    };
    let hosts = |loaded: &Loaded<ConfiguredOutput>| {
        loaded.output.as_ref().and_then(|output| output.template_target()).unwrap().hosts.clone()
    };
    let quickstart = example("quickstart.yml");
    assert!(quickstart.output.is_none());
    assert_eq!(quickstart.settings.posture.snapshots, [PathBuf::from("examples/kubeadm-v1.37.ndjson.gz")]);
    let daemon = example("elasticsearch.yml");
    assert_eq!(hosts(&daemon), ["https://localhost:9200"]);
    assert_eq!(daemon.settings.posture.host_root, Path::new("/hostfs"));
    assert_eq!(daemon.settings.posture.node_name, None);
    assert!(quickstart.notes.is_empty() && daemon.notes.is_empty());
    let policy = example("fleet-policy.yml");
    assert_eq!(policy.settings.posture.benchmarks, ["cis_k8s@1.0.1"]);
    assert_eq!(policy.settings.posture.namespace, "production");
    assert_eq!(hosts(&policy), ["https://elasticsearch.example.org:9200"]);
    assert_eq!(policy.notes.len(), 1, "{:?}", policy.notes);
}
