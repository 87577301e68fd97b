//! `scan`: one cycle, a report, and an exit code for CI.

use anyhow::{Context as _, bail};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

use super::args::{FailOn, ScanOptions};
use crate::config::settings::Settings;
use crate::evaluate::Outcome;
use crate::observe::{Scope, Source};
use crate::report::{FORMATS, Report, ReportContent, ReportFormat, ReportStyle, safe};
use crate::resource::Platform;
use crate::runtime::{self, Deliver, Engine};

/// The most files that could not be read that are named on stderr.
const MAX_UNREAD: usize = 20;

pub(super) async fn scan(mut settings: Settings, options: ScanOptions) -> anyhow::Result<ExitCode> {
    if !options.benchmarks.is_empty() {
        settings.posture.benchmarks.clone_from(&options.benchmarks);
    }
    let engine = match &options.eks_cluster {
        None => Engine::new(&settings.posture)?,
        Some(_) => from_outside(&mut settings, &options)?,
    };
    let sources = sources(&settings, &options)?;
    accepts(options.format, &sources)?;
    let cancel = CancellationToken::new();
    super::stop_on_signals(&cancel)?;
    let mut out = Destination::of(&options)?;
    let style = ReportStyle { colour: colour() && options.output.is_none() };
    let mut tripped = false;
    let mut blind = Vec::new();
    let first = jiff::Timestamp::now().as_second();
    let mut skipped = Vec::new();
    let mut judged = 0;
    for (source, sequence) in sources.iter().zip(first..) {
        let bar = progress();
        let tell = |resources: u64| bar.set_message(format!("{resources} resources judged"));
        let lines: Option<&mut (dyn Write + Send)> =
            if options.format.writes_findings() { Some(&mut out) } else { None };
        let deliver = Deliver { lines, progress: Some(&tell) };
        let scanned = runtime::scan(&settings, &engine, source, sequence, deliver, &cancel).await;
        bar.finish_and_clear();
        let scanned = scanned?;
        if !scanned.complete {
            bail!("interrupted: the report would be incomplete");
        }
        let totals = scanned.report.totals();
        judged += totals.judged() + totals.of(Outcome::NeedsReview) + totals.of(Outcome::Error);
        options.format.write(&scanned.report, style, &mut out)?;
        let lines = scanned.report.skipped();
        if matches!(source, Source::Manifests(_)) {
            let shown = options.format.name == FORMATS[0].name && options.output.is_none();
            remark(&scanned.unread, &lines, shown);
        }
        skipped.extend(lines);
        tripped |= options.fail_on.iter().any(|condition| condition.trips(&scanned.report));
        if scanned.blind {
            blind.push(format!("{source:?}"));
        }
    }
    out.commit()?;
    if judged == 0 {
        match skipped.join("; ").as_str() {
            "" => bail!("nothing was judged: no resources found"),
            skipped => bail!("nothing was judged: {skipped}"),
        }
    }
    if !blind.is_empty() {
        bail!("nothing could be read: the report lists the reasons");
    }
    Ok(if tripped { ExitCode::from(super::TRIPPED) } else { ExitCode::SUCCESS })
}

/// The rules that the AWS API alone can answer, for the cluster named on the command line.
fn from_outside(settings: &mut Settings, options: &ScanOptions) -> anyhow::Result<Engine> {
    let posture = &mut settings.posture;
    if options.benchmarks.is_empty() {
        posture.benchmarks = runtime::benchmarks_for(Platform::Eks);
    }
    posture.aws.cluster_name.clone_from(&options.eks_cluster);
    if options.region.is_some() {
        posture.aws.region.clone_from(&options.region);
    }
    let (engine, some, all) = Engine::from_outside(posture)?;
    eprintln!(
        "Judging {some} of {all} recommendations through the AWS API; the others need an agent in the cluster"
    );
    Ok(engine)
}

fn sources(settings: &Settings, options: &ScanOptions) -> anyhow::Result<Vec<Source>> {
    if !options.manifests.is_empty() {
        return Ok(vec![Source::Manifests(options.manifests.clone())]);
    }
    if options.eks_cluster.is_some() {
        return Ok(vec![Source::Eks]);
    }
    let snapshots = match options.snapshot.as_slice() {
        [] => &settings.posture.snapshots,
        named => named,
    };
    Ok(match snapshots {
        [] => vec![Source::Live(Scope::all(&settings.posture)?)],
        snapshots => snapshots.iter().cloned().map(Source::Snapshot).collect(),
    })
}

/// Names on stderr what of the input was not read, and what was skipped unless the report shows it there.
fn remark(unread: &[String], skipped: &[String], shown: bool) {
    for what in unread.iter().take(MAX_UNREAD) {
        eprintln!("Not read: {}", safe(what));
    }
    if unread.len() > MAX_UNREAD {
        eprintln!("Not read: {} more; the report has all of them", unread.len() - MAX_UNREAD);
    }
    for line in skipped.iter().filter(|_| !shown) {
        eprintln!("Skipped: {}", safe(line));
    }
}

/// Whether the format can hold these sources in one output.
fn accepts(format: &ReportFormat, sources: &[Source]) -> anyhow::Result<()> {
    let ReportContent::Single { noun, .. } = format.content else { return Ok(()) };
    if sources.len() > 1 {
        let streams = FORMATS.iter().filter(|format| format.writes_findings());
        let streams: Vec<&str> = streams.map(|format| format.name).collect();
        bail!(
            "--format {} writes one {noun}: scan one snapshot at a time, or use --format {}",
            format.name,
            streams.join(", ")
        );
    }
    Ok(())
}

/// Where the report goes. A file is renamed into place when it is complete, so a failing scan leaves the old one.
enum Destination {
    /// Standard output, a device or a pipe.
    Straight(std::io::BufWriter<Box<dyn Write + Send>>),
    File {
        file: std::io::BufWriter<std::fs::File>,
        partial: PathBuf,
        path: PathBuf,
    },
}

impl Destination {
    fn of(options: &ScanOptions) -> anyhow::Result<Self> {
        let named = options.output.as_ref().filter(|path| path.as_os_str() != "-");
        let Some(path) = named else {
            return Ok(Self::Straight(std::io::BufWriter::new(Box::new(std::io::stdout()))));
        };
        // Links are followed; a device or pipe (/dev/null) is written to, never replaced.
        let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            let file = std::fs::OpenOptions::new().write(true).open(path);
            let file = file.with_context(|| format!("--output {}: cannot open it", path.display()))?;
            return Ok(Self::Straight(std::io::BufWriter::new(Box::new(file))));
        }
        let mut partial = path.clone().into_os_string();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = std::fs::File::create(&partial)
            .with_context(|| format!("--output {}: cannot create {}", path.display(), partial.display()))?;
        Ok(Self::File { file: std::io::BufWriter::new(file), partial, path: path.clone() })
    }

    fn commit(mut self) -> anyhow::Result<()> {
        self.flush().context("cannot write the report")?;
        if let Self::File { partial, path, .. } = self {
            std::fs::rename(&partial, &path).with_context(|| {
                format!("--output {}: cannot rename {}", path.display(), partial.display())
            })?;
        }
        Ok(())
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Straight(out) => out.write(bytes).map_err(closed),
            Self::File { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Straight(out) => out.flush().map_err(closed),
            Self::File { file, .. } => file.flush(),
        }
    }
}

/// The reader of standard output has gone, as `head` does once it has seen enough.
#[derive(Debug, thiserror::Error)]
#[error("the reader of the output has gone")]
pub(super) struct ReaderGone;

fn closed(error: std::io::Error) -> std::io::Error {
    let is_closed = error.kind() == std::io::ErrorKind::BrokenPipe;
    if is_closed { std::io::Error::new(error.kind(), ReaderGone) } else { error }
}

/// A progress line on stderr; none where stderr is not a terminal.
fn progress() -> indicatif::ProgressBar {
    if std::io::stderr().is_terminal() {
        let bar = indicatif::ProgressBar::new_spinner();
        bar.enable_steady_tick(std::time::Duration::from_millis(100));
        bar
    } else {
        indicatif::ProgressBar::hidden()
    }
}

/// Whether to print colours: stdout is a terminal and `NO_COLOR` is not set (<https://no-color.org>).
pub(super) fn colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

impl FailOn {
    fn trips(self, report: &Report) -> bool {
        let totals = report.totals();
        match self {
            Self::Failed => totals.unexcepted() > 0,
            Self::Error => report.has_unjudged(),
            // Anything that could not be judged may fail, so the score is only an upper bound.
            Self::ScoreBelow(score) => report.has_unjudged() || report.score().is_none_or(|own| own < score),
        }
    }
}
