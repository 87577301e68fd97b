//! `run` with recorded input: each recording is judged once.

use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use super::cycle::{Sinks, context, judge_all, wanted};
use super::cycles::Cycles;
use super::engine::Engine;
use super::stop::Stop;
use super::tracks::{Common, deliver};
use crate::finding::FindingWriter;
use crate::observe::state::State;
use crate::observe::{Source, observe};
use crate::report::Report;
use crate::telemetry::metrics::Registry;

/// What the metrics call it.
const NAME: &str = "recording";

/// Their reports; `None` where it was told to stop before the last one was judged.
pub(super) async fn judge(
    common: &Common,
    engine: &Engine,
    state: &State,
    registry: &Registry,
    cancel: &CancellationToken,
) -> anyhow::Result<Option<Vec<Report>>> {
    let cycles = Cycles::new(NAME, registry);
    let mut reports = Vec::new();
    for path in &common.settings.posture.snapshots {
        let sequence = state.next_sequence(jiff::Timestamp::now().as_second());
        let report = one(common, engine, state, &cycles, path, sequence, cancel).await?;
        // Half a report would look like a whole one.
        if cancel.is_cancelled() {
            tracing::warn!(path = %path.display(), "interrupted: not everything that was recorded is judged");
            return Ok(None);
        }
        reports.push(report);
    }
    Ok(Some(reports))
}

async fn one(
    common: &Common,
    engine: &Engine,
    state: &State,
    cycles: &Cycles,
    path: &Path,
    sequence: i64,
    cancel: &CancellationToken,
) -> anyhow::Result<Report> {
    let Common { settings, agent_id, ephemeral_id, producer } = common;
    let stop = Stop::told(cancel);
    let source = Source::Snapshot(path.to_owned());
    let mut observation = observe(&source, settings, state, wanted(engine)).await?;
    let context = context(settings, &source, &observation, agent_id, ephemeral_id, sequence);
    let writer = FindingWriter::new(&engine.rules, &engine.exceptions, context);
    let mut report = Report::new(Arc::clone(&engine.rules), observation.identity.clone());
    let mut sinks = Sinks { producer: producer.as_ref(), report: Some(&mut report), ..Sinks::default() };
    let account = judge_all(engine, &writer, &mut observation, &mut sinks, &stop).await?;
    cycles.ended(sequence, account, jiff::Timestamp::now());
    deliver(producer.as_ref(), &stop).await?;
    Ok(report)
}
