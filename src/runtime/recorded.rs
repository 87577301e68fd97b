//! `run` with recorded input: each recording is judged once.

use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use super::cycle::{context, judge_all};
use super::cycles::Cycles;
use super::engine::Engine;
use super::sinks::{PipelineSink, ReportSink, Sinks};
use super::stop::Stop;
use super::tracks::{Common, deliver};
use crate::evaluate::WorkloadOutcomes;
use crate::finding::FindingWriter;
use crate::observe::data_dir::DataDir;
use crate::observe::{Source, observe};
use crate::report::Report;
use crate::telemetry::metrics::Registry;

/// The value of the label `of` in metrics.
const NAME: &str = "recording";

/// Returns their reports, or `None` if it was stopped before the last one was judged.
pub(super) async fn judge(
    common: &Common,
    engine: &Engine,
    state: &DataDir,
    registry: &Registry,
    cancel: &CancellationToken,
) -> anyhow::Result<Option<Vec<Report>>> {
    let cycles = Cycles::new(NAME, registry);
    let mut reports = Vec::new();
    for path in &common.settings.posture.snapshots {
        let sequence = state.next_sequence(jiff::Timestamp::now().as_second());
        let report = one(common, engine, state, &cycles, path, sequence, cancel).await?;
        // A partial report would look like a whole one.
        if cancel.is_cancelled() {
            tracing::warn!(path = %path.display(), "interrupted before the whole recording was judged");
            return Ok(None);
        }
        reports.push(report);
    }
    Ok(Some(reports))
}

async fn one(
    common: &Common,
    engine: &Engine,
    state: &DataDir,
    cycles: &Cycles,
    path: &Path,
    sequence: i64,
    cancel: &CancellationToken,
) -> anyhow::Result<Report> {
    let Common { settings, agent_id, ephemeral_id, producer } = common;
    let stop = Stop::on(cancel);
    let source = Source::Snapshot(path.to_owned());
    let mut observation = observe(&source, settings, state, engine.wanted()).await?;
    let context = context(settings, &source, &observation, agent_id, ephemeral_id, sequence);
    let mut writer = FindingWriter::new(&engine.rules, &engine.exceptions, context);
    let mut report = Report::new(Arc::clone(&engine.rules), observation.identity.clone());
    let mut to_report = ReportSink::new(&mut report);
    let mut to_pipeline = producer.as_ref().map(PipelineSink::new);
    let sinks = Sinks::default().with(Some(&mut to_report)).with(to_pipeline.as_mut());
    let account =
        judge_all(engine, &mut writer, &mut observation, &mut WorkloadOutcomes::default(), sinks, &stop)
            .await?;
    cycles.ended(sequence, account, jiff::Timestamp::now());
    deliver(producer.as_ref(), &stop).await?;
    Ok(report)
}
