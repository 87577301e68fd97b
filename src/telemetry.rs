//! Telemetry: logs, metrics, and the monitoring endpoint.
//!
//! Logs are lines on stderr, as text for people or as ECS JSON for Elasticsearch.

pub mod endpoint;
#[cfg(test)]
pub(crate) mod log_capture;
pub mod metrics;
pub mod metrics_log;
pub mod process;

use std::fmt::Write as _;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::config::settings::Logging;

/// The logger of lines about metrics, as in a Beat.
const MONITORING: &str = "monitoring";

/// AWS's clients log whole responses that they cannot parse, including tokens and keys. We log failed calls ourselves.
const SILENT: &str = "aws_=off";

/// The API's client logs each failed attempt as an error; we log the result of all attempts.
const RETRIES: &str = "kube_client::client::builder=off";

/// Starts logging; only the first call counts. `POSTUREBEAT_LOG` overrides the level, in the syntax of
/// tracing's filters.
pub fn start(logging: &Logging) {
    let level = match logging.level.as_str() {
        "warning" => "warn",
        level => level,
    };
    let filter = std::env::var("POSTUREBEAT_LOG")
        .ok()
        .filter(|text| !text.is_empty())
        .and_then(|text| EnvFilter::try_new(format!("{SILENT},{text}")).ok())
        .unwrap_or_else(|| {
            EnvFilter::new(format!("warn,posturebeat={level},{MONITORING}={level},{RETRIES},{SILENT}"))
        });
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start, in tests, is no error.
    let _ = if logging.json {
        builder.event_format(EcsFormat).try_init()
    } else {
        builder.with_target(false).with_ansi(false).try_init()
    };
}

/// One JSON object a line, in ECS names.
struct EcsFormat;

impl<S, N> FormatEvent<S, N> for EcsFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "info",
            Level::DEBUG | Level::TRACE => "debug",
        };
        let mut fields = FieldVisitor(serde_json::Map::new());
        event.record(&mut fields);
        let mut line = serde_json::Map::new();
        line.insert("@timestamp".into(), format!("{:.3}", jiff::Timestamp::now()).into());
        line.insert("log.level".into(), level.into());
        line.insert("message".into(), fields.0.remove("message").unwrap_or_default());
        line.insert("log.logger".into(), event.metadata().target().into());
        line.insert("service.name".into(), "posturebeat".into());
        line.insert("ecs.version".into(), "8.6.0".into());
        // Metrics have the form that a Beat gives them: an object, beside our own fields.
        if let Some(metrics) = fields.0.remove("monitoring.metrics") {
            let metrics = serde_json::from_str(metrics.as_str().unwrap_or_default()).unwrap_or(metrics);
            line.insert("monitoring".into(), serde_json::json!({"metrics": metrics}));
        }
        if !fields.0.is_empty() {
            line.insert("posturebeat".into(), serde_json::Value::Object(fields.0));
        }
        writeln!(writer, "{}", serde_json::Value::Object(line))
    }
}

struct FieldVisitor(serde_json::Map<String, serde_json::Value>);

impl Visit for FieldVisitor {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write!(text, "{value:?}");
        self.0.insert(field.name().to_owned(), text.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}
