//! The command line: arguments in, text and an exit code out.
//!
//! Exit codes: 0 good; 1 any error, usage errors included, whose last line says what and where;
//! 2 when `scan --fail-on` tripped. Beat flags keep their Beat names, single dashes included.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this room prints the program's output")]

mod args;
mod aws;
mod keystore;
mod kubernetes;
mod output;
mod rules;
mod scan;

use anyhow::Context as _;
use clap::Parser as _;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::{Loaded, Settings};
use crate::output::{ConfiguredOutput, OUTPUTS};
use crate::runtime::{self, Ended, Engine};
use crate::{report, setup, telemetry, yaml};
use args::{Args, Command, Global, TestCommand};

/// The exit code when a `--fail-on` condition is met.
const TRIPPED: u8 = 2;

/// Runs the program.
pub fn main() -> ExitCode {
    let args = match Args::try_parse_from(args::long_dashes(std::env::args_os())) {
        Ok(args) => args,
        Err(error) => {
            // Help and version are not errors; clap would exit with 2 for everything else.
            if !error.use_stderr() {
                let _ = error.print();
                return ExitCode::SUCCESS;
            }
            let text = error.to_string();
            let what: Vec<&str> =
                text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
            eprintln!("Exiting: {} (see --help)", what.join(" ").trim_start_matches("error: "));
            return ExitCode::FAILURE;
        }
    };
    end_quietly_on_broken_pipes();
    let threads =
        tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(yaml::STACK).build();
    let runtime = match threads {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("Exiting: cannot start the async runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(dispatch(args));
    // A collector blocked in a system call must not keep a stopped program alive.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match ended {
        Ok(code) => code,
        Err(error) if is_reader_gone(&error) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("Exiting: {}", report::safe(&format!("{error:#}")).replace("\\u{a}", "\n"));
            ExitCode::FAILURE
        }
    }
}

/// Nobody is left to read what went wrong, and nothing did.
fn is_reader_gone(error: &anyhow::Error) -> bool {
    let mut of_io = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>()?.get_ref());
    of_io.any(<dyn std::error::Error + Send + Sync>::is::<scan::ReaderGone>)
}

/// `posturebeat rules list | head` closes stdout early: the program then ends without a panic message.
fn end_quietly_on_broken_pipes() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let text = info.payload().downcast_ref::<String>().map(String::as_str).unwrap_or_default();
        if text.starts_with("failed printing to stdout") {
            #[allow(clippy::exit, reason = "stdout is closed")]
            std::process::exit(1);
        }
        default(info);
    }));
}

async fn dispatch(args: Args) -> anyhow::Result<ExitCode> {
    let Args { global, command } = args;
    match command.unwrap_or(Command::Run) {
        Command::Run => {
            let loaded = load(&global, false)?;
            run(&loaded.settings, loaded.output).await
        }
        Command::Scan(options) => scan::scan(settings(&global, true)?, options).await,
        Command::Collect { to } if to.as_os_str() == "-" => {
            anyhow::bail!("--to -: cannot write a snapshot to stdout; name a file such as snapshot.ndjson.gz")
        }
        Command::Collect { to } => {
            let settings = settings(&global, true)?;
            let engine = Engine::new(&settings.posture)?;
            let count = runtime::record(&settings, &engine, &to).await?;
            println!("Recorded {count} resources to {}", to.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::Diff { old, new, benchmarks } => {
            let mut settings = settings(&global, true)?;
            if !benchmarks.is_empty() {
                settings.posture.benchmarks = benchmarks;
            }
            // Only verdicts are compared, and exceptions do not change those.
            settings.posture.exceptions.clear();
            let engine = Engine::new(&settings.posture)?;
            let changes = runtime::diff(&settings, &engine, &old, &new).await?;
            print!("{}", report::render_diff(&changes));
            Ok(ExitCode::SUCCESS)
        }
        Command::Rules(command) => rules::rules(&settings(&global, true)?, command),
        Command::Setup { index_management: _ } => {
            let loaded = load(&global, false)?;
            index_management(loaded.output).await
        }
        Command::Keystore(command) => keystore::keystore(&global, command),
        Command::Test(TestCommand::Config) => {
            let Loaded { settings, output, .. } = load(&global, true)?;
            let engine = Engine::new(&settings.posture)?;
            if settings.posture.snapshots.is_empty() {
                // What `run` would refuse.
                output::configured(output).map_err(|error| global.with_files(error))?;
            }
            println!("Config OK");
            println!("Rights on the Kubernetes API that these rules take:");
            for right in runtime::rights_of_rules(&engine, &settings.posture) {
                println!("  {right}");
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Test(TestCommand::Output) => output::test(load(&global, true)?.output).await,
        Command::Test(TestCommand::Kubernetes) => Box::pin(kubernetes::test(settings(&global, true)?)).await,
        Command::Test(TestCommand::Aws) => Box::pin(aws::test(settings(&global, true)?)).await,
        Command::Version => {
            println!("posturebeat version {} ({})", crate::finding::VERSION, std::env::consts::ARCH);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The settings of [`load`], for commands without an output.
fn settings(global: &Global, one_shot: bool) -> anyhow::Result<Settings> {
    Ok(load(global, one_shot)?.settings)
}

/// Reads the configuration and starts logging. A one-shot command logs warnings and errors only, unless asked for more.
fn load(global: &Global, one_shot: bool) -> anyhow::Result<Loaded<ConfiguredOutput>> {
    let env = |name: &str| std::env::var(name).ok();
    let loaded = crate::config::load(&global.sources(&env), OUTPUTS).map_err(runtime::with_unknown_rules)?;
    let mut logging = loaded.settings.logging.clone();
    if let Some(level) = global.level() {
        level.clone_into(&mut logging.level);
    } else if one_shot && logging.level == "info" {
        "warning".clone_into(&mut logging.level);
    }
    telemetry::start(&logging);
    for note in &loaded.notes {
        tracing::info!(%note, "configuration note");
    }
    Ok(loaded)
}

async fn run(settings: &Settings, output: Option<ConfiguredOutput>) -> anyhow::Result<ExitCode> {
    let cancel = CancellationToken::new();
    stop_on_signals(&cancel)?;
    let prints_findings = output.as_ref().is_some_and(|output| output.uses_standard_output());
    if prints_findings {
        stop_without_reader(&cancel)?;
    }
    if let Ended::Judged(reports) = runtime::run(settings, output, cancel).await? {
        for report in reports {
            // Findings are for programs, the report is for people: they never share a stream.
            if prints_findings {
                eprint!("{}", report::render_table(&report, false));
            } else {
                print!("{}", report::render_table(&report, scan::colour()));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Findings on standard output that nobody reads any more are no reason to go on.
fn stop_without_reader(cancel: &CancellationToken) -> anyhow::Result<()> {
    let mut broken = signal(SignalKind::pipe()).context("cannot listen for signals")?;
    let cancel = cancel.clone();
    tokio::spawn(async move {
        if broken.recv().await.is_some() {
            tracing::info!("stopping: the reader of standard output has gone");
            cancel.cancel();
        }
    });
    Ok(())
}

/// SIGTERM, SIGINT and SIGHUP all stop gracefully, as in every Beat.
fn stop_on_signals(cancel: &CancellationToken) -> anyhow::Result<()> {
    for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
        let mut signals = signal(kind).context("cannot listen for signals")?;
        let cancel = cancel.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if cancel.is_cancelled() {
                    eprintln!("Exiting: second signal");
                    #[allow(clippy::exit, reason = "a second signal asks for an immediate stop")]
                    std::process::exit(1);
                }
                tracing::info!("stopping: delivering the findings in the queue");
                cancel.cancel();
            }
        });
    }
    Ok(())
}

async fn index_management(output: Option<ConfiguredOutput>) -> anyhow::Result<ExitCode> {
    let output = output::configured(output)?;
    let Some(store) = output.template_target() else {
        anyhow::bail!("`output.{}` has no index templates: nothing to set up", output.name());
    };
    let report = setup::index_management(store).await?;
    for line in report.lines() {
        println!("{line}");
    }
    println!("Index setup finished.");
    Ok(ExitCode::SUCCESS)
}
