//! `scan`: one cycle, and its report.

use anyhow::bail;
use std::io::Write;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use super::cycle::{context, judge_all};
use super::engine::Engine;
use super::sinks::{LinesSink, ProgressSink, ReportSink, Sinks};
use super::stop::Stop;
use crate::config::settings::Settings;
use crate::evaluate::{Outcome, WorkloadOutcomes};
use crate::finding::FindingWriter;
use crate::observe::data_dir::{DataDir, random_uuid};
use crate::observe::{InputRemarks, Source, observe};
use crate::report::Report;

/// Where the documents and the progress of a scan go, besides its report.
#[derive(Default)]
pub struct Deliver<'a> {
    /// Writes exactly the documents that `run` would ship, one a line.
    pub lines: Option<&'a mut (dyn Write + Send)>,
    /// Called with the number of resources judged so far.
    pub progress: Option<&'a (dyn Fn(u64) + Sync)>,
}

/// What a scan found.
pub struct ScanOutcome {
    /// The report.
    pub report: Report,
    /// Whether nothing could be read at all.
    pub blind: bool,
    /// What could not be read of the input, for people.
    pub unread: Vec<String>,
    /// Whether every resource was judged.
    pub complete: bool,
}

/// Judges one source once, as the cycle `sequence`.
pub async fn scan(
    settings: &Settings,
    engine: &Engine,
    source: &Source,
    sequence: i64,
    deliver: Deliver<'_>,
    cancel: &CancellationToken,
) -> anyhow::Result<ScanOutcome> {
    let data = DataDir::read_only(&settings.data_path);
    let data = if let Source::Live(scope) = source { scope.data_dir(&data) } else { data };
    let mut observation = tokio::select! {
        () = cancel.cancelled() => bail!("interrupted before anything was judged"),
        observation = observe(source, settings, &data, engine.wanted()) => observation?,
    };
    let agent_id = random_uuid().to_string();
    let context = context(settings, source, &observation, &agent_id, &agent_id, sequence);
    let mut writer = FindingWriter::new(&engine.rules, &engine.exceptions, context);
    let mut report = Report::new(Arc::clone(&engine.rules), observation.identity.clone());
    let mut to_report = ReportSink::new(&mut report);
    let mut to_lines = deliver.lines.map(LinesSink::new);
    let mut progress = deliver.progress.map(ProgressSink::new);
    let sinks = Sinks::default().with(Some(&mut to_report)).with(to_lines.as_mut()).with(progress.as_mut());
    let InputRemarks { unread, skipped } = std::mem::take(&mut observation.input);
    let account = judge_all(
        engine,
        &mut writer,
        &mut observation,
        &mut WorkloadOutcomes::default(),
        sinks,
        &Stop::on(cancel),
    )
    .await?;
    let totals = report.totals();
    let judged = totals.judged() + totals.of(Outcome::NeedsReview);
    let blind = judged == 0 && totals.of(Outcome::Error) > 0;
    // A live cluster has many kinds that nobody asked about; who names files asks about each.
    let is_named = !matches!(source, Source::Live(_) | Source::Eks);
    let kinds = account.unjudged.into_iter().filter(|_| is_named).collect();
    report.skip(kinds, skipped);
    let unread = unread.into_iter().map(|gap| gap.what).collect();
    Ok(ScanOutcome { report, blind, unread, complete: account.complete })
}
