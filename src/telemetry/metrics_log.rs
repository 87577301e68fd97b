//! `logging.metrics`: what was counted, as lines of the log, in a Beat's words.

use std::sync::Arc;
use std::time::Duration;

use super::MONITORING;
use super::metrics::{Registry, Samples};

/// Logs each `period` what it brought, for ever.
pub async fn every(registry: Arc<Registry>, period: Duration) {
    let spoken = humantime::format_duration(period).to_string().replace(' ', "");
    tracing::info!(target: MONITORING, "Starting metrics logging every {spoken}");
    let mut earlier = Samples::default();
    loop {
        tokio::time::sleep(period).await;
        let now = registry.read();
        log(&now.since(&earlier), &format!("Non-zero metrics in the last {spoken}"));
        earlier = now;
    }
}

/// Logs all that was counted, at the end.
pub fn total(registry: &Registry) {
    log(&registry.read().since(&Samples::default()), "Total metrics");
}

/// The field is JSON text here; lines of JSON have it as an object.
fn log(samples: &Samples, message: &str) {
    tracing::info!(target: MONITORING, { monitoring.metrics = %samples.tree() }, "{message}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::heard::Heard;
    use serde_json::{Value, json};
    use std::sync::atomic::{AtomicU64, Ordering};

    #[tokio::test(start_paused = true)]
    async fn each_period_has_its_own_counts_and_the_end_has_all() {
        let heard = Heard::begin_json();
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
        let lines: Vec<Value> =
            heard.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let said: Vec<(&str, &Value)> = lines
            .iter()
            .map(|line| (line["message"].as_str().unwrap(), &line["monitoring"]["metrics"]))
            .collect();
        let period = "Non-zero metrics in the last 30s";
        assert_eq!(
            said,
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
