//! The section `logging`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::config::form::{Checker, SectionForm, UnsupportedKeys};
use crate::config::mistake::Mistake;
use crate::config::values::Span;

/// The shortest period; a bound against `0`.
const MIN_PERIOD: Duration = Duration::from_secs(1);

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct Logging {
    /// `error`, `warning`, `info` or `debug`.
    pub level: String,
    /// ECS JSON lines instead of text.
    pub json: bool,
    /// How often the daemon logs its metrics. `None`: never.
    pub metrics_period: Option<Duration>,
}

/// The section as written.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct LoggingForm {
    /// `error`, `warning`, `info` or `debug`.
    pub level: LogLevel,
    /// Log JSON lines with ECS fields instead of text.
    pub json: bool,
    /// Metrics in the daemon's log.
    pub metrics: MetricsForm,
}

/// `logging.level`.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum LogLevel {
    Error,
    Warning,
    #[default]
    Info,
    Debug,
}

/// `logging.metrics`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct MetricsForm {
    /// Whether the daemon logs its metrics: the changes of each period, and the totals when it stops.
    pub enabled: bool,
    /// The period, at least `1s`.
    pub period: Span,
}

impl Default for MetricsForm {
    fn default() -> Self {
        Self { enabled: true, period: Span::seconds(30) }
    }
}

impl SectionForm for LoggingForm {
    type Settings = Logging;

    const UNSUPPORTED: UnsupportedKeys = &[
        ("ecs", "set `logging.json: true`"),
        ("event_data", ""),
        ("files", "logs go to stderr"),
        ("metrics.namespaces", ""),
        ("selectors", ""),
        ("to_eventlog", "logs go to stderr"),
        ("to_files", "logs go to stderr"),
        ("to_stderr", "logs always go to stderr"),
        ("to_syslog", "logs go to stderr"),
    ];

    fn check(self, checker: &Checker<'_>) -> Result<Logging, Mistake> {
        let Self { level, json, metrics } = self;
        if metrics.enabled && metrics.period.0 < MIN_PERIOD {
            let message = format!("expected at least `1s`, found `{}`", metrics.period);
            return Err(checker.wrong("metrics.period", message));
        }
        let level = match level {
            LogLevel::Error => "error",
            LogLevel::Warning => "warning",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
        };
        let metrics_period = metrics.enabled.then_some(metrics.period.0);
        Ok(Logging { level: level.to_owned(), json, metrics_period })
    }
}
