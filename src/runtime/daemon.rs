//! `run`: a cycle every period, until it is told to stop.

use anyhow::{Context as _, bail};
use backon::{BackoffBuilder, ExponentialBuilder};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::cycle::{Sinks, context, judge_all, wanted};
use super::cycles::Cycles;
use super::engine::Engine;
use super::monitor::Monitor;
use super::source::{Source, observe};
use super::state::{State, random_uuid};
use crate::config::settings::{Output as OutputSettings, Settings};
use crate::finding::Writer;
use crate::output::{self, Output};
use crate::pipeline::{Closed, Delivery, Pipeline, Producer};
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
pub async fn run(settings: &Settings, cancel: CancellationToken) -> anyhow::Result<Ended> {
    let engine = Engine::new(&settings.posture)?;
    let recorded = !settings.posture.snapshots.is_empty();
    let output = match &settings.output {
        OutputSettings::None if recorded => None,
        OutputSettings::None => bail!(
            "no output is configured: name one under `output.` (elasticsearch, file, console), or look once with `posturebeat scan`"
        ),
        output => Some(output::build(output).context("set up the output")?),
    };
    let state = State::new(&settings.data_path);
    let (agent_id, ephemeral_id) = (state.agent_id(), random_uuid().to_string());
    // Before the wait for the store: a port that is taken is told at once, and the wait can be watched.
    let monitor = Monitor::start(settings, &engine, &agent_id, &ephemeral_id).await?;
    let output = match output {
        Some(output) => match ready(settings, output, &cancel).await? {
            Some(output) => Some(output),
            None => return Ok(Ended::Stopped),
        },
        None => None,
    };
    let (producer, pipeline) =
        output.map(|output| Pipeline::start(output, &settings.queue, Delivery::of(&settings.output))).unzip();
    let cycles = Arc::new(Cycles::default());
    cycles.register(&monitor.registry);
    if let Some(pipeline) = &pipeline {
        pipeline.register(&monitor.registry);
    }
    let runner = Runner {
        settings,
        engine: &engine,
        agent_id,
        state,
        ephemeral_id,
        producer: producer.as_ref(),
        cycles,
    };
    let ended = if recorded {
        runner.recorded(&cancel).await
    } else {
        runner.cycles(&cancel).await.map(|()| Ended::Stopped)
    };
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
    mut output: Box<dyn Output>,
    cancel: &CancellationToken,
) -> anyhow::Result<Option<Box<dyn Output>>> {
    let (init, most) = match &settings.output {
        OutputSettings::Elasticsearch(elasticsearch) => {
            (elasticsearch.backoff_init, elasticsearch.backoff_max)
        }
        _ => (DRAIN, DRAIN),
    };
    let mut waits = ExponentialBuilder::default()
        .with_min_delay(init)
        .with_max_delay(most)
        .with_jitter()
        .without_max_times()
        .build();
    loop {
        let prepared = tokio::select! {
            () = cancel.cancelled() => return Ok(None),
            prepared = prepare(settings, output.as_mut()) => prepared,
        };
        match prepared {
            Ok(()) => return Ok(Some(output)),
            Err(NotReady::ForGood(error)) => return Err(error.context("check the output")),
            Err(NotReady::Yet(error)) => {
                let wait = waits.next().unwrap_or(most);
                tracing::error!(error = format!("{error:#}"), retry_in = ?wait, "the output is not ready");
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

async fn prepare(settings: &Settings, output: &mut dyn Output) -> Result<(), NotReady> {
    output.check().await.map_err(|error| {
        if error.is_temporary() { NotReady::Yet(error.into()) } else { NotReady::ForGood(error.into()) }
    })?;
    if let (OutputSettings::Elasticsearch(elasticsearch), true) =
        (&settings.output, settings.setup.template_enabled)
    {
        setup::ensure(elasticsearch).await.map_err(|error| NotReady::Yet(error.into()))?;
    }
    Ok(())
}

struct Runner<'a> {
    settings: &'a Settings,
    engine: &'a Engine,
    state: State,
    agent_id: String,
    ephemeral_id: String,
    producer: Option<&'a Producer>,
    cycles: Arc<Cycles>,
}

impl Runner<'_> {
    /// A cycle every period, counted from start to start; never two at once.
    async fn cycles(&self, cancel: &CancellationToken) -> anyhow::Result<()> {
        let period = self.settings.posture.period;
        tracing::info!(period = ?period, rules = self.engine.rules.len(), "posturebeat runs");
        while !cancel.is_cancelled() {
            let started = Instant::now();
            let sequence = self.state.next_sequence(jiff::Timestamp::now().as_second());
            if let Err(error) = self.cycle(&Source::Live, sequence, None, cancel).await {
                if error.is::<Closed>() {
                    return Err(error);
                }
                self.cycles.failed(sequence, &error);
            }
            let took = started.elapsed();
            if took > period {
                self.cycles.late(sequence, took, period);
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep_until(started + period) => {}
            }
        }
        Ok(())
    }

    /// Each recording once.
    async fn recorded(&self, cancel: &CancellationToken) -> anyhow::Result<Ended> {
        let mut reports = Vec::new();
        for path in &self.settings.posture.snapshots {
            let sequence = self.state.next_sequence(jiff::Timestamp::now().as_second());
            let mut report = None;
            self.cycle(&Source::Snapshot(path.clone()), sequence, Some(&mut report), cancel).await?;
            // Half a report would look like a whole one.
            if cancel.is_cancelled() {
                tracing::warn!(path = %path.display(), "interrupted: not everything that was recorded is judged");
                return Ok(Ended::Stopped);
            }
            reports.extend(report);
        }
        Ok(Ended::Judged(reports))
    }

    async fn cycle(
        &self,
        source: &Source,
        sequence: i64,
        report: Option<&mut Option<Report>>,
        cancel: &CancellationToken,
    ) -> anyhow::Result<()> {
        let mut observation = tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            observation = observe(source, self.settings, &self.state, wanted(self.engine)) => observation?,
        };
        let context = context(self.settings, &observation, &self.agent_id, &self.ephemeral_id, sequence);
        let writer = Writer::new(&self.engine.rules, &self.engine.exceptions, context);
        let report = report.map(|slot| {
            slot.insert(Report::new(Arc::clone(&self.engine.rules), observation.identity.clone()))
        });
        let mut sinks = Sinks { producer: self.producer, report, ..Sinks::default() };
        let account = judge_all(self.engine, &writer, &mut observation, &mut sinks, cancel).await?;
        self.cycles.ended(sequence, account, jiff::Timestamp::now());
        if let Some(producer) = self.producer {
            tokio::select! {
                () = cancel.cancelled() => {}
                flushed = producer.flush() => flushed.context("deliver the cycle")?,
            }
        }
        Ok(())
    }
}
