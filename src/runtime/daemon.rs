//! `run`: cycles, until it is told to stop.

use anyhow::{Context as _, bail};
use backon::{BackoffBuilder, ExponentialBuilder};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use super::monitor::Monitor;
use super::recorded;
use super::tracks::{self, Common};
use crate::config::Settings;
use crate::observe::data_dir::{DataDir, random_uuid};
use crate::output::{self, ConfiguredOutput, Output, OutputSettings};
use crate::pipeline::Pipeline;
use crate::report::Report;
use crate::setup;

/// After a signal, this long is left for what was judged to be delivered; a Beat's own grace is 20 s.
const DRAIN: Duration = Duration::from_secs(15);

/// How a run came to its end.
pub enum Ended {
    /// It was told to stop.
    Stopped,
    /// Recorded input was judged once; its reports.
    Judged(Vec<Report>),
}

/// Runs until `cancel`, or, with recorded input, until that is judged.
pub async fn run(
    settings: &Settings,
    configured: Option<ConfiguredOutput>,
    cancel: CancellationToken,
) -> anyhow::Result<Ended> {
    let engine = Engine::new(&settings.posture)?;
    let recorded = !settings.posture.snapshots.is_empty();
    if configured.is_none() && !recorded {
        let names = output::names();
        bail!(
            "no output is configured: add one under `output.` ({names}), or run one cycle with `posturebeat scan`"
        );
    }
    let configured = configured.as_deref();
    let output = configured.map(OutputSettings::build).transpose().context("set up the output")?;
    let data = DataDir::new(&settings.data_path);
    let (agent_id, ephemeral_id) = (data.agent_id(), random_uuid().to_string());
    // Before the wait for the store: a port that is taken is told at once, and the wait can be watched.
    let monitor = Monitor::start(settings, configured, &engine, &agent_id, &ephemeral_id).await?;
    let started = match configured.zip(output) {
        Some((configured, output)) => match ready(settings, configured, output, &cancel).await? {
            Some(output) => Some(Pipeline::start(output, &settings.queue, configured.delivery())),
            None => return Ok(Ended::Stopped),
        },
        None => None,
    };
    let (producer, pipeline) = started.unzip();
    if let Some(pipeline) = &pipeline {
        pipeline.register(&monitor.registry);
    }
    let common = Arc::new(Common { settings: settings.clone(), agent_id, ephemeral_id, producer });
    let ended = if recorded {
        let reports = recorded::judge(&common, &engine, &data, &monitor.registry, &cancel).await;
        reports.map(|reports| reports.map_or(Ended::Stopped, Ended::Judged))
    } else {
        let tracks = tracks::tracks(&common, &engine, &data, &monitor.registry);
        tracing::info!(period = ?settings.posture.period, rules = engine.rules.len(), "posturebeat started");
        tracks::run(tracks, &monitor.registry, &cancel).await.map(|()| Ended::Stopped)
    };
    // The last of the producers: the pipeline ends with them.
    drop(common);
    if let Some(pipeline) = pipeline {
        pipeline.shutdown(DRAIN).await;
    }
    monitor.end();
    ended
}

/// Waits until the store answers, and sees to its index templates: a document that came before its
/// template would be mapped by guess. `None`: told to stop meanwhile.
async fn ready(
    settings: &Settings,
    configured: &dyn OutputSettings,
    mut output: Box<dyn Output>,
    cancel: &CancellationToken,
) -> anyhow::Result<Option<Box<dyn Output>>> {
    let delivery = configured.delivery();
    let mut waits = ExponentialBuilder::default()
        .with_min_delay(delivery.backoff_init)
        .with_max_delay(delivery.backoff_max)
        .with_jitter()
        .without_max_times()
        .build();
    loop {
        let prepared = tokio::select! {
            () = cancel.cancelled() => return Ok(None),
            prepared = prepare(settings, configured, output.as_mut()) => prepared,
        };
        match prepared {
            Ok(()) => return Ok(Some(output)),
            Err(NotReady::ForGood(error)) => return Err(error.context("check the output")),
            Err(NotReady::Yet(error)) => {
                let wait = waits.next().unwrap_or(delivery.backoff_max);
                tracing::error!(error = format!("{error:#}"), retry_in = ?wait, "output is not ready");
                tokio::select! {
                    () = cancel.cancelled() => return Ok(None),
                    () = tokio::time::sleep(wait) => {}
                }
            }
        }
    }
}

/// Why an output cannot be used.
enum NotReady {
    /// Time may heal it.
    Yet(anyhow::Error),
    /// Only a person can: wrong credentials, a configuration that cannot be.
    ForGood(anyhow::Error),
}

async fn prepare(
    settings: &Settings,
    configured: &dyn OutputSettings,
    output: &mut dyn Output,
) -> Result<(), NotReady> {
    output.check().await.map_err(|error| {
        if error.is_temporary() { NotReady::Yet(error.into()) } else { NotReady::ForGood(error.into()) }
    })?;
    if let Some(store) = configured.template_target().filter(|_| settings.setup.template_enabled) {
        setup::ensure(store).await.map_err(|error| NotReady::Yet(error.into()))?;
    }
    Ok(())
}
