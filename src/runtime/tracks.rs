//! The tracks of a run: the cycles of the node and of each cluster, side by side and independent of each other.

use anyhow::{Context as _, anyhow};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::between::Between;
use super::cycle::{context, judge_all};
use super::cycles::Cycles;
use super::engine::Engine;
use super::leadership::{ClusterTerm, Leadership};
use super::sinks::{Outcomes, PipelineSink, Sinks};
use super::stop::Stop;
use crate::config::settings::Settings;
use crate::evaluate::WorkloadOutcomes;
use crate::finding::FindingWriter;
use crate::observe::data_dir::DataDir;
use crate::observe::{Scope, Source, observe};
use crate::pipeline::{Closed, Producer};
use crate::telemetry::metrics::Registry;

/// How soon a cycle is retried after the Lease did not accept its sequence number.
const AGAIN: Duration = Duration::from_secs(5);

/// The settings, the agent's ids and the pipeline, which all tracks share.
pub(super) struct Common {
    pub settings: Settings,
    pub agent_id: String,
    pub ephemeral_id: String,
    pub producer: Option<Producer>,
}

/// The cycles of one node or cluster.
pub(super) struct Track {
    common: Arc<Common>,
    scope: Scope,
    engine: Engine,
    data: DataDir,
    cycles: Arc<Cycles>,
}

/// The tracks that have something to judge.
pub(super) fn tracks(
    common: &Arc<Common>,
    engine: &Engine,
    data: &DataDir,
    registry: &Registry,
) -> Vec<Track> {
    let scopes = Scope::tracks(&common.settings.posture);
    let track = |scope: Scope| {
        let engine = engine.within(&scope);
        if engine.rules.is_empty() {
            tracing::info!(of = scope.name(), "not observed: no loaded rule needs it");
            return None;
        }
        let cycles = Cycles::new(scope.name(), registry);
        let data = scope.data_dir(data);
        Some(Track { common: Arc::clone(common), scope, engine, data, cycles })
    };
    scopes.into_iter().filter_map(track).collect()
}

/// Runs the tracks until `cancel`. An error in one stops all.
pub(super) async fn run(
    tracks: Vec<Track>,
    registry: &Arc<Registry>,
    cancel: &CancellationToken,
) -> anyhow::Result<()> {
    let cancel = cancel.child_token();
    let mut running = JoinSet::new();
    for track in tracks {
        let cancel = cancel.clone();
        if track.scope.node {
            running.spawn(async move { track.node(&cancel).await });
        } else {
            let posture = &track.common.settings.posture;
            let leadership = Leadership::new(posture, &track.scope, &track.data, registry);
            running.spawn(async move { track.cluster(leadership, &cancel).await });
        }
    }
    let mut first = Ok(());
    while let Some(ended) = running.join_next().await {
        let ended = ended.map_err(|error| anyhow!("a track stopped unexpectedly: {error}")).flatten();
        if ended.is_err() {
            cancel.cancel();
            first = first.and(ended);
        }
    }
    first
}

impl Track {
    fn period(&self) -> Duration {
        self.common.settings.posture.period
    }

    /// A node: a cycle every period, from start to start.
    async fn node(&self, cancel: &CancellationToken) -> anyhow::Result<()> {
        let stop = Stop::on(cancel);
        while !cancel.is_cancelled() {
            let started = Instant::now();
            let sequence = self.data.next_sequence(jiff::Timestamp::now().as_second());
            self.sweep(sequence, started, &stop).await?;
            rest(started + self.period(), &stop).await;
        }
        Ok(())
    }

    /// A cluster: the same, while this process is its leader.
    async fn cluster(&self, mut leadership: Leadership, cancel: &CancellationToken) -> anyhow::Result<()> {
        let mut ended = Ok(());
        while !cancel.is_cancelled() && ended.is_ok() {
            let term = tokio::select! {
                () = cancel.cancelled() => break,
                term = leadership.lead() => term,
            };
            ended = match term {
                Ok(term) => self.lead(&term, cancel).await,
                Err(error) => Err(error),
            };
        }
        leadership.end().await;
        ended
    }

    async fn lead(&self, term: &ClusterTerm, cancel: &CancellationToken) -> anyhow::Result<()> {
        let stop = Stop::within(term, cancel);
        while !stop.is_reached() {
            let started = Instant::now();
            let sequence = tokio::select! {
                () = stop.reached() => break,
                sequence = term.next_sequence(jiff::Timestamp::now().as_second()) => sequence,
            };
            match sequence {
                Ok(sequence) => {
                    let until = started + self.period();
                    if let Some(between) = self.sweep(sequence, started, &stop).await? {
                        let producer = self.common.producer.as_ref();
                        between.judge(&self.engine, producer, &self.cycles, until, &stop).await?;
                    }
                    rest(until, &stop).await;
                }
                Err(error) => {
                    tracing::warn!(of = self.scope.name(), retry_in = ?AGAIN, %error, "cannot start a cycle: the Lease did not accept its sequence number");
                    rest(started + AGAIN, &stop).await;
                }
            }
        }
        Ok(())
    }

    /// One cycle. Only a closed pipeline is an error; other failures are counted, and the next cycle may succeed.
    async fn sweep(
        &self,
        sequence: i64,
        started: Instant,
        stop: &Stop<'_>,
    ) -> anyhow::Result<Option<Between>> {
        let between = match self.cycle(sequence, stop).await {
            Ok(between) => between,
            Err(error) if error.is::<Closed>() => return Err(error),
            Err(error) => {
                self.cycles.failed(sequence, &error);
                None
            }
        };
        let took = started.elapsed();
        if took > self.period() {
            self.cycles.late(sequence, took, self.period());
        }
        Ok(between)
    }

    async fn cycle(&self, sequence: i64, stop: &Stop<'_>) -> anyhow::Result<Option<Between>> {
        let Common { settings, agent_id, ephemeral_id, producer } = &*self.common;
        let source = Source::Live(self.scope.clone());
        let mut observation = tokio::select! {
            () = stop.reached() => return Ok(None),
            observation = observe(&source, settings, &self.data, self.engine.wanted()) => observation?,
        };
        let context = context(settings, &source, &observation, agent_id, ephemeral_id, sequence);
        let mut writer = FindingWriter::new(&self.engine.rules, &self.engine.exceptions, context);
        let watch = self.scope.lasting && settings.posture.watch;
        let mut outcomes = watch.then(Outcomes::default);
        let mut workloads = WorkloadOutcomes::default();
        let mut pipeline = producer.as_ref().map(PipelineSink::new);
        let sinks = Sinks::default().with(outcomes.as_mut()).with(pipeline.as_mut());
        let account =
            judge_all(&self.engine, &mut writer, &mut observation, &mut workloads, sinks, stop).await?;
        self.cycles.ended(sequence, account, jiff::Timestamp::now());
        deliver(producer.as_ref(), stop).await?;
        let cluster = observation.identity.cluster;
        Ok(outcomes.zip(observation.watch).map(|(outcomes, watch)| Between {
            writer,
            cluster,
            workloads,
            outcomes,
            watch,
        }))
    }
}

/// Waits for the next cycle.
async fn rest(until: Instant, stop: &Stop<'_>) {
    tokio::select! {
        () = stop.reached() => {}
        () = tokio::time::sleep_until(until) => {}
    }
}

/// Waits until every document of a cycle is delivered or dropped.
pub(super) async fn deliver(producer: Option<&Producer>, stop: &Stop<'_>) -> anyhow::Result<()> {
    let Some(producer) = producer else { return Ok(()) };
    tokio::select! {
        () = stop.reached() => Ok(()),
        flushed = producer.flush() => flushed.context("deliver the cycle"),
    }
}
