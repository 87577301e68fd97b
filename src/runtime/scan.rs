//! `scan`: one cycle, and its report.

use anyhow::bail;
use std::io::Write;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use super::cycle::{Sinks, context, judge_all, wanted};
use super::engine::Engine;
use super::stop::Stop;
use crate::config::settings::Settings;
use crate::evaluate::Outcome;
use crate::finding::FindingWriter;
use crate::observe::state::{State, random_uuid};
use crate::observe::{Source, observe};
use crate::report::Report;

/// Where a scan's documents and progress go, beside its report.
#[derive(Default)]
pub struct Deliver<'a> {
    /// Exactly the documents that `run` would ship, one a line.
    pub lines: Option<&'a mut (dyn Write + Send)>,
    /// Told how many resources have been judged.
    pub progress: Option<&'a (dyn Fn(u64) + Sync)>,
}

/// What a scan found.
pub struct ScanOutcome {
    /// The report.
    pub report: Report,
    /// Whether nothing at all could be read.
    pub blind: bool,
    /// Kinds of which there was something, and nothing that a rule applies to.
    pub unjudged: Vec<String>,
    /// Whether it came to its end.
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
    let kept = State::read_only(&settings.data_path);
    let state = if let Source::Live(scope) = source { scope.state(&kept) } else { kept };
    let mut observation = tokio::select! {
        () = cancel.cancelled() => bail!("interrupted before anything was judged"),
        observation = observe(source, settings, &state, wanted(engine)) => observation?,
    };
    let agent_id = random_uuid().to_string();
    let context = context(settings, source, &observation, &agent_id, &agent_id, sequence);
    let writer = FindingWriter::new(&engine.rules, &engine.exceptions, context);
    let mut report = Report::new(Arc::clone(&engine.rules), observation.identity.clone());
    // Not `lines: deliver.lines`: only in a match may the writer's lifetime shrink to the report's.
    #[allow(clippy::manual_map, clippy::needless_match, reason = "see above")]
    let lines: Option<&mut (dyn Write + Send)> = match deliver.lines {
        Some(lines) => Some(lines),
        None => None,
    };
    let progress = deliver.progress;
    let mut sinks = Sinks { lines, report: Some(&mut report), progress, ..Sinks::default() };
    let account = judge_all(engine, &writer, &mut observation, &mut sinks, &Stop::told(cancel)).await?;
    let totals = report.totals();
    let judged = totals.judged() + totals.of(Outcome::NeedsReview);
    let blind = judged == 0 && totals.of(Outcome::Error) > 0;
    let kinds = account.unjudged.into_iter().collect();
    Ok(ScanOutcome { report, blind, unjudged: kinds, complete: account.complete })
}
