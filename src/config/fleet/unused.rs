//! Keys and inputs of a policy that are not used, collected for one note.

use config::{Map, Value, ValueKind};

use super::{entries, items};
use crate::config::catalogue::SettingKey;
use crate::config::location::SourceLocation;
use crate::config::mistake::Mistake;
use crate::config::tree::{self, dotted};

/// Keys of an input that are used, or that do not concern us.
const INPUT_KEYS: &[&str] = &[
    "id",
    "revision",
    "name",
    "type",
    "data_stream",
    "use_output",
    "package_policy_id",
    "streams",
    "meta",
    "config",
    "period",
];
/// Those of a stream. `fetchers` and `runtime_cfg` are for agents before 8.10.
const STREAM_KEYS: &[&str] =
    &["id", "data_stream", "config", "fetchers", "runtime_cfg", "processors", "period"];
/// Credentials, once more: for agents before 8.7.
const FLAT_CREDENTIALS: &[&str] = &[
    "access_key_id",
    "secret_access_key",
    "session_token",
    "shared_credential_file",
    "credential_profile_name",
    "role_arn",
];
/// The processor that Kibana writes; our findings have what it adds.
const KNOWN_PROCESSOR: &[&str] = &["add_cluster_id"];
/// Those of `config.v1`.
const CONFIG_KEYS: &[&str] = &["type", "deployment", "posture", "benchmark", "aws"];

/// Keys of an output, relative to it, that say which way findings go, who sends them, or whom to trust with them.
/// Without such a key they would go another way, as somebody else, or to somebody else: so it is refused.
const DECISIVE: &[&str] = &[
    "headers",
    "index",
    "indices",
    "kerberos",
    "parameters",
    "pipeline",
    "pipelines",
    "proxy_disable",
    "proxy_headers",
    "proxy_url",
    "secrets",
    "ssl.ca_sha256",
    "ssl.certificate",
    "ssl.cipher_suites",
    "ssl.key",
    "ssl.key_passphrase",
    "ssl.key_passphrase_path",
    "ssl.supported_protocols",
];

/// Keys and inputs of a policy that are not used.
#[derive(Default)]
pub(super) struct UnusedKeys {
    keys: Vec<String>,
    types: Vec<String>,
}

impl UnusedKeys {
    /// Notes the unknown keys of the input at `at`.
    pub(super) fn input(&mut self, at: &str, input: &Value) {
        self.section(input, at, INPUT_KEYS);
        self.config(input, at);
        for (index, stream) in items(input, "streams") {
            let at = dotted(at, &format!("streams.{index}"));
            self.section(stream, &at, &[STREAM_KEYS, FLAT_CREDENTIALS].concat());
            self.config(stream, &at);
            for (index, processor) in items(stream, "processors") {
                self.section(processor, &dotted(&at, &format!("processors.{index}")), KNOWN_PROCESSOR);
            }
        }
    }

    fn config(&mut self, around: &Value, at: &str) {
        let sections =
            [("config", ["v1"].as_slice()), ("config.v1", CONFIG_KEYS), ("config.v1.aws", &["credentials"])];
        for (key, known) in sections {
            if let Some(section) = tree::find(around, key) {
                self.section(section, &dotted(at, key), known);
            }
        }
    }

    /// Notes the unknown keys of a section.
    pub(super) fn section(&mut self, section: &Value, at: &str, known: &[&str]) {
        let unknown = entries(section).into_iter().filter(|(key, _)| !known.contains(key));
        self.keys.extend(unknown.map(|(key, _)| dotted(at, key)));
    }

    /// Notes a key.
    pub(super) fn key(&mut self, key: String) {
        self.keys.push(key);
    }

    /// Notes the types of other inputs.
    pub(super) fn types<'a>(&mut self, types: impl Iterator<Item = &'a str>) {
        for kind in types {
            if !self.types.iter().any(|seen| seen == kind) {
                self.types.push(kind.to_owned());
            }
        }
    }

    /// A section of a policy with only the keys that are ours under `path`.
    pub(super) fn cut(&mut self, section: &Value, path: &str, at: &str, ours: &[SettingKey]) -> Value {
        let mut table = Map::new();
        for (name, value) in entries(section) {
            let (path, at) = (dotted(path, name), dotted(at, name));
            if ours.iter().any(|key| key.path == path) {
                table.insert(name.to_owned(), value.clone());
            } else if ours.iter().any(|key| key.path.starts_with(&format!("{path}."))) {
                table.insert(name.to_owned(), self.cut(value, &path, &at, ours));
            } else {
                self.keys.push(at);
            }
        }
        Value::new(section.origin().map(str::to_owned).as_ref(), ValueKind::Table(table))
    }

    /// A key of the output at `at` that must not be left out, as a mistake at its place.
    pub(super) fn decisive(output: &Value, at: &str) -> Option<Mistake> {
        DECISIVE.iter().find_map(|key| {
            let value = tree::find(output, key).filter(|value| is_set(value))?;
            let message = format!(
                "`{}` is not supported (yet), and findings must not be sent without it: remove it if they may",
                dotted(at, key)
            );
            Some(Mistake::at_key(SourceLocation::find(value).as_ref(), message))
        })
    }

    /// Everything in one sentence.
    pub(super) fn note(&self, file: &str) -> Option<String> {
        let quoted =
            |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let mut parts = Vec::new();
        if !self.types.is_empty() {
            parts.push(format!("inputs of type {}", quoted(&self.types)));
        }
        if !self.keys.is_empty() {
            parts.push(format!("keys {}", quoted(&self.keys)));
        }
        (!parts.is_empty()).then(|| format!("not used from the policy {file}: {}", parts.join("; ")))
    }
}

/// Whether a key says anything: Kibana writes empty ones for what nobody filled in.
fn is_set(value: &Value) -> bool {
    match &value.kind {
        ValueKind::Nil | ValueKind::Boolean(false) => false,
        ValueKind::String(text) => !text.is_empty(),
        ValueKind::Array(items) => !items.is_empty(),
        ValueKind::Table(table) => !table.is_empty(),
        _ => true,
    }
}
