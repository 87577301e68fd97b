//! The section `output.elasticsearch`.

mod check;
mod hosts;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{OutputForm, Secret, Span};
use crate::output::ssl::SslForm;

/// Findings go to Elasticsearch.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::output) struct ElasticsearchForm {
    /// Whether this output is used.
    pub enabled: bool,
    /// The nodes (required): URLs, or host and port. The default port is 9200, also for https. User and password in a
    /// URL serve as `username` and `password`.
    #[schemars(example = ["https://localhost:9200"])]
    pub hosts: Vec<String>,
    /// The scheme of hosts without one: `http` or `https`.
    pub protocol: HostProtocol,
    /// A path before that of each request, for hosts without one.
    #[schemars(example = &"/elasticsearch")]
    pub path: String,
    /// The user.
    #[schemars(example = &"elastic")]
    pub username: Option<String>,
    /// The user's password.
    #[schemars(example = &"${ES_PASSWORD}")]
    pub password: Option<Secret>,
    /// An API key, as `id:key`: the format that Kibana calls Beats. Replaces user and password.
    #[schemars(example = &"${ES_API_KEY}")]
    pub api_key: Option<Secret>,
    /// TLS.
    pub ssl: SslForm,
    /// The gzip level of requests, from 1 to 9; 0 turns compression off.
    pub compression_level: u64,
    /// The most findings in one bulk request.
    pub bulk_max_size: u64,
    /// The longest that one request may take.
    pub timeout: Span,
    /// The waits between attempts.
    pub backoff: BackoffForm,
}

impl Default for ElasticsearchForm {
    fn default() -> Self {
        Self {
            enabled: true,
            hosts: Vec::new(),
            protocol: HostProtocol::default(),
            path: String::new(),
            username: None,
            password: None,
            api_key: None,
            ssl: SslForm::default(),
            compression_level: 1,
            bulk_max_size: 1600,
            timeout: Span::seconds(90),
            backoff: BackoffForm::default(),
        }
    }
}

/// The scheme of hosts without one.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::output) enum HostProtocol {
    #[default]
    Http,
    Https,
}

/// `backoff`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::output) struct BackoffForm {
    /// The first wait. Each further one is longer.
    pub init: Span,
    /// The longest wait.
    pub max: Span,
}

impl Default for BackoffForm {
    fn default() -> Self {
        Self { init: Span::seconds(1), max: Span::seconds(60) }
    }
}

impl OutputForm for ElasticsearchForm {
    const NAME: &'static str = "elasticsearch";
    const IN_POLICIES: bool = true;
}
