//! Monitoring of a run: the HTTP endpoint, and metrics in the log.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio_util::task::AbortOnDropHandle;

use super::engine::Engine;
use crate::collect::node::host::{HostFacts, facts};
use crate::config::Settings;
use crate::finding::VERSION;
use crate::output::OutputSettings;
use crate::telemetry::endpoint::{Endpoint, MonitoringPages};
use crate::telemetry::metrics::Registry;
use crate::telemetry::{metrics_log, process};

/// Serves metrics until it is dropped.
pub(super) struct Monitor {
    /// Where rooms register their metrics.
    pub registry: Arc<Registry>,
    _endpoint: Option<AbortOnDropHandle<()>>,
    log: Option<AbortOnDropHandle<()>>,
}

impl Monitor {
    /// Binds the endpoint's port, if it is enabled, and starts to answer.
    pub(super) async fn start(
        settings: &Settings,
        output: Option<&dyn OutputSettings>,
        engine: &Engine,
        agent_id: &str,
        ephemeral_id: &str,
    ) -> anyhow::Result<Self> {
        let registry = Arc::new(Registry::default());
        process::register(&registry, VERSION, ephemeral_id);
        let name = output_name(output);
        registry.register(move |samples| samples.text("libbeat.output.type", name));
        let mut endpoint = None;
        if let Some(http) = &settings.http {
            let listening = Endpoint::listen(http).await?;
            let address = listening.address();
            let url = format!("http://{address}");
            tracing::info!(url, "monitoring endpoint started");
            if !address.ip().is_loopback() {
                tracing::warn!(url, "monitoring endpoint has no authentication and is not bound to loopback");
            }
            let host = facts(&settings.posture.host_root);
            let pages = MonitoringPages {
                info: info(settings, &host, agent_id, ephemeral_id),
                state: state(settings, output, engine, &host, agent_id),
                metrics: Arc::clone(&registry),
            };
            endpoint = Some(AbortOnDropHandle::new(tokio::spawn(listening.serve(pages))));
        }
        // A run over recorded input is over too soon for periodic metrics.
        let period = settings.logging.metrics_period.filter(|_| settings.posture.snapshots.is_empty());
        let log = period.map(|period| tokio::spawn(metrics_log::every(Arc::clone(&registry), period)));
        Ok(Self { registry, _endpoint: endpoint, log: log.map(AbortOnDropHandle::new) })
    }

    /// Logs the total metrics.
    pub(super) fn end(self) {
        if self.log.is_some() {
            metrics_log::total(&self.registry);
        }
    }
}

fn name<'a>(settings: &'a Settings, host: &'a HostFacts) -> &'a str {
    settings.name.as_deref().unwrap_or(&host.hostname)
}

fn output_name(output: Option<&dyn OutputSettings>) -> &'static str {
    output.map_or("none", OutputSettings::name)
}

/// `/`: who answers.
fn info(settings: &Settings, host: &HostFacts, agent_id: &str, ephemeral_id: &str) -> Value {
    json!({
        "beat": "posturebeat",
        "name": name(settings, host),
        "hostname": host.hostname,
        "uuid": agent_id,
        "ephemeral_id": ephemeral_id,
        "version": VERSION,
        "binary_arch": std::env::consts::ARCH,
        "elastic_licensed": false,
        "uid": rustix::process::getuid().as_raw().to_string(),
        "gid": rustix::process::getgid().as_raw().to_string(),
    })
}

/// `/state`: how it is set up.
fn state(
    settings: &Settings,
    output: Option<&dyn OutputSettings>,
    engine: &Engine,
    host: &HostFacts,
    agent_id: &str,
) -> Value {
    let benchmarks: BTreeSet<String> =
        engine.rules.iter().map(|rule| rule.benchmark.full_name().to_string()).collect();
    json!({
        "beat": {"name": name(settings, host)},
        "service": {"id": agent_id, "name": "posturebeat", "version": VERSION},
        "host": host.ecs,
        "management": {"enabled": false},
        "output": {
            "name": output_name(output),
            "batch_size": output.map(OutputSettings::delivery).unwrap_or_default().batch_events,
            "clients": 1,
        },
        "queue": {"name": "mem"},
        "posturebeat": {
            "benchmarks": benchmarks,
            "rules": engine.rules.len(),
            "period": humantime::format_duration(settings.posture.period).to_string(),
        },
    })
}
