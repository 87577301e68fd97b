//! The section `http`: the monitoring endpoint.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::form::{Checker, SectionForm, UnsupportedKeys};
use crate::config::mistake::Mistake;

/// Where the monitoring endpoint listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// The name or address to listen on.
    pub host: String,
    /// The port; 0 is any free one.
    pub port: u16,
}

/// The section as written.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct HttpForm {
    /// Whether `run` serves HTTP: `/`, `/stats` and `/state` as a Beat does, `/metrics` for Prometheus.
    pub enabled: bool,
    /// The name or address to listen on. Anyone who can reach it can read it: there is no password and no TLS.
    pub host: String,
    /// The port. 0 is any free port; the log names it.
    pub port: u64,
}

impl Default for HttpForm {
    fn default() -> Self {
        Self { enabled: false, host: "localhost".to_owned(), port: 5066 }
    }
}

impl SectionForm for HttpForm {
    /// `None`: the endpoint is off.
    type Settings = Option<Http>;

    const UNSUPPORTED: UnsupportedKeys =
        &[("buffer", ""), ("named_pipe", ""), ("pprof", ""), ("timeout", "")];

    fn check(self, checker: &Checker<'_>) -> Result<Option<Http>, Mistake> {
        if !self.enabled {
            return Ok(None);
        }
        if self.host.is_empty() || self.host.contains('/') {
            let message = "expected a host name or address such as `localhost`; sockets and pipes are not supported (yet)";
            return Err(checker.wrong("host", message));
        }
        let port = u16::try_from(self.port)
            .map_err(|_| checker.wrong("port", format!("expected 0 to 65535, found `{}`", self.port)))?;
        Ok(Some(Http { host: self.host, port }))
    }
}
