//! The section `output` as it is written, defaults filled in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use crate::config::values::{Secret, Span};

/// The section `output`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct RawOutput {
    /// Findings go to Elasticsearch.
    pub elasticsearch: Option<RawElasticsearch>,
    /// Findings go to a file, one JSON document a line.
    pub file: Option<RawFile>,
    /// Findings go to standard output.
    pub console: Option<RawConsole>,
}

/// The section `output.elasticsearch`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct RawElasticsearch {
    /// Whether this output is used.
    pub enabled: bool,
    /// The nodes: URLs, or host and port. The port is 9200 where none is written, also with https.
    /// User and password in a URL are taken as `username` and `password`.
    #[schemars(example = ["https://localhost:9200"])]
    pub hosts: Vec<String>,
    /// `http` or `https`, for hosts written without.
    pub protocol: Protocol,
    /// What precedes the path of each request, for hosts written without a path.
    #[schemars(example = &"/elasticsearch")]
    pub path: String,
    /// The user.
    #[schemars(example = &"elastic")]
    pub username: Option<String>,
    /// The user's password.
    #[schemars(example = &"${ES_PASSWORD}")]
    pub password: Option<Secret>,
    /// An API key as `id:key`, the format that Kibana calls Beats; instead of user and password.
    #[schemars(example = &"${ES_API_KEY}")]
    pub api_key: Option<Secret>,
    /// How the connection is secured.
    pub ssl: RawSsl,
    /// Gzip level of requests, from 1 to 9; 0 is none.
    pub compression_level: u64,
    /// The most findings in one bulk request.
    pub bulk_max_size: u64,
    /// How long one request may take.
    pub timeout: Span,
    /// How long to wait before trying again.
    pub backoff: RawBackoff,
}

impl Default for RawElasticsearch {
    fn default() -> Self {
        Self {
            enabled: true,
            hosts: Vec::new(),
            protocol: Protocol::default(),
            path: String::new(),
            username: None,
            password: None,
            api_key: None,
            ssl: RawSsl::default(),
            compression_level: 1,
            bulk_max_size: 1600,
            timeout: Span::seconds(90),
            backoff: RawBackoff::default(),
        }
    }
}

/// The scheme of hosts written without.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum Protocol {
    #[default]
    Http,
    Https,
}

/// The section `output.elasticsearch.ssl`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct RawSsl {
    /// Whether the other `ssl` settings are used. Whether TLS is spoken, the hosts' scheme says.
    pub enabled: bool,
    /// The authorities to trust: PEM files, or PEM text. Empty: the system's.
    #[schemars(example = ["/etc/posturebeat/ca.pem"])]
    pub certificate_authorities: Vec<String>,
    /// How the server's certificate is checked: `full` (and `strict`, the same) for authority and
    /// host name, `none` for not at all.
    pub verification_mode: VerificationMode,
}

impl Default for RawSsl {
    fn default() -> Self {
        Self {
            enabled: true,
            certificate_authorities: Vec::new(),
            verification_mode: VerificationMode::default(),
        }
    }
}

/// `ssl.verification_mode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum VerificationMode {
    #[default]
    Full,
    Strict,
    Certificate,
    None,
}

/// The section `output.elasticsearch.backoff`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct RawBackoff {
    /// The first wait; each further one is longer.
    pub init: Span,
    /// The longest.
    pub max: Span,
}

impl Default for RawBackoff {
    fn default() -> Self {
        Self { init: Span::seconds(1), max: Span::seconds(60) }
    }
}

/// The section `output.file`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct RawFile {
    /// Whether this output is used.
    pub enabled: bool,
    /// The folder; it must be set.
    #[schemars(example = &"/tmp/posturebeat")]
    pub path: PathBuf,
    /// The file in it.
    pub filename: String,
}

impl Default for RawFile {
    fn default() -> Self {
        Self { enabled: true, path: PathBuf::new(), filename: "posturebeat.ndjson".to_owned() }
    }
}

/// The section `output.console`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct RawConsole {
    /// Whether this output is used.
    pub enabled: bool,
    /// Indented, for people.
    pub pretty: bool,
}

impl Default for RawConsole {
    fn default() -> Self {
        Self { enabled: true, pretty: false }
    }
}
