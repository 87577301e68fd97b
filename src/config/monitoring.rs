//! What a run tells of itself, `http` and `logging.metrics`: as it is written, and checked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::Http;
use super::error::Mistake;
use super::resolve::Checker;
use super::values::Span;

/// More lines than anyone reads; a bound against `0`.
const MIN_PERIOD: Duration = Duration::from_secs(1);

/// The section `http`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawHttp {
    /// Whether `run` answers HTTP requests about itself: `/`, `/stats` and `/state` as a Beat does, `/metrics`
    /// for Prometheus.
    pub enabled: bool,
    /// The name or address to listen on. Whoever reaches it may read, without password or TLS.
    pub host: String,
    /// The port. 0 is any that is free; the log says which.
    pub port: u64,
}

impl Default for RawHttp {
    fn default() -> Self {
        Self { enabled: false, host: "localhost".to_owned(), port: 5066 }
    }
}

/// The section `logging.metrics`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawMetrics {
    /// Whether the daemon logs what it counted in each period, and in all at its end.
    pub enabled: bool,
    /// The period, at least `1s`.
    pub period: Span,
}

impl Default for RawMetrics {
    fn default() -> Self {
        Self { enabled: true, period: Span::seconds(30) }
    }
}

/// Where to listen; `None`: nowhere.
pub(super) fn http(raw: RawHttp, checker: &Checker<'_>) -> Result<Option<Http>, Mistake> {
    if !raw.enabled {
        return Ok(None);
    }
    if raw.host.is_empty() || raw.host.contains('/') {
        let message = "expected a host's name or address such as `localhost`; sockets and pipes are not supported (yet)";
        return Err(checker.wrong("http.host", message));
    }
    let port = u16::try_from(raw.port)
        .map_err(|_| checker.wrong("http.port", format!("expected 0 to 65535, found `{}`", raw.port)))?;
    Ok(Some(Http { host: raw.host, port }))
}

/// How often to log what is counted; `None`: never.
pub(super) fn period(raw: RawMetrics, checker: &Checker<'_>) -> Result<Option<Duration>, Mistake> {
    if raw.enabled && raw.period.0 < MIN_PERIOD {
        let message = format!("expected at least `1s`, found `{}`", raw.period);
        return Err(checker.wrong("logging.metrics.period", message));
    }
    Ok(raw.enabled.then_some(raw.period.0))
}
