//! `logging.metrics`: periodic metrics as log lines, as a Beat has them.

use std::sync::Arc;
use std::time::Duration;

use super::MONITORING;
use super::metrics::{Registry, Samples};

/// Logs the metrics of each `period`, until it is aborted.
pub async fn every(registry: Arc<Registry>, period: Duration) {
    let shown = humantime::format_duration(period).to_string().replace(' ', "");
    // A Beat's own lines, word for word: whoever runs Beats looks for them.
    tracing::info!(target: MONITORING, "Starting metrics logging every {shown}");
    let mut earlier = Samples::default();
    loop {
        tokio::time::sleep(period).await;
        let now = registry.read();
        let metrics = now.since(&earlier).tree();
        tracing::info!(
            target: MONITORING,
            // The field is JSON text here; the ECS format turns it into an object.
            { monitoring.metrics = %metrics },
            "Non-zero metrics in the last {shown}"
        );
        earlier = now;
    }
}

/// Logs the total metrics at shutdown.
pub fn total(registry: &Registry) {
    let metrics = registry.read().since(&Samples::default()).tree();
    tracing::info!(target: MONITORING, { monitoring.metrics = %metrics }, "Total metrics");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::log_capture::LogCapture;
    use serde_json::{Value, json};
    use std::sync::atomic::{AtomicU64, Ordering};

    #[tokio::test(start_paused = true)]
    async fn each_period_has_its_increase_and_the_end_has_the_total() {
        let logs = LogCapture::json();
        let (registry, counted) = (Arc::new(Registry::default()), Arc::new(AtomicU64::new(3)));
        let source = Arc::clone(&counted);
        registry.register(move |samples| {
            samples.counter("pipe.sent", "Sent.", source.load(Ordering::Relaxed));
        });
        let logging = tokio::spawn(every(Arc::clone(&registry), Duration::from_secs(30)));
        tokio::time::sleep(Duration::from_secs(31)).await;
        counted.store(5, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_mins(1)).await;
        logging.abort();
        total(&registry);
        let lines: Vec<Value> = logs.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let logged: Vec<(&str, &Value)> = lines
            .iter()
            .map(|line| (line["message"].as_str().unwrap(), &line["monitoring"]["metrics"]))
            .collect();
        let period = "Non-zero metrics in the last 30s";
        assert_eq!(
            logged,
            [
                ("Starting metrics logging every 30s", &Value::Null),
                (period, &json!({"pipe": {"sent": 3}})),
                (period, &json!({"pipe": {"sent": 2}})),
                (period, &json!({})),
                ("Total metrics", &json!({"pipe": {"sent": 5}})),
            ]
        );
        assert_eq!(lines[1]["log.logger"], "monitoring");
    }
}
