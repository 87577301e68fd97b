//! One cycle: every resource of a source judged by every rule, each outcome delivered and counted.

use anyhow::Context as _;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::io::Write;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use super::remarks::why_absent;
use super::source::Observation;
use crate::config::settings::Settings;
use crate::evaluate::{Outcome, Tally};
use crate::event::Event;
use crate::finding::{Agent, Context, Totals, Writer};
use crate::pipeline::Producer;
use crate::report::{Label, Report};
use crate::resource::{Identity, Kind, Platform};

/// Findings that are handed to the pipeline together, those of some forty pods: each time wakes the worker, which
/// costs as much as a pod.
const PENDING: usize = 512;
/// How long findings wait for a place in the queue once we are told to stop.
const LAST_CALL: Duration = Duration::from_secs(3);

/// Where a cycle's results go; any of them, or none.
#[derive(Default)]
pub(super) struct Sinks<'a> {
    /// To a store.
    pub producer: Option<&'a Producer>,
    /// As documents, one a line.
    pub lines: Option<&'a mut (dyn Write + Send)>,
    /// For people.
    pub report: Option<&'a mut Report>,
    /// Told how many resources have been judged.
    pub progress: Option<&'a (dyn Fn(u64) + Sync)>,
}

/// What a cycle came to.
pub(super) struct Account {
    pub tally: Tally,
    /// Whether it came to its end.
    pub complete: bool,
    pub started: Instant,
    /// Kinds of which there was something, and that no rule is about.
    pub unjudged: BTreeSet<String>,
}

/// Judges what is found until there is no more, or until `cancel`.
pub(super) async fn judge_all(
    engine: &Engine,
    writer: &Writer,
    observation: &mut Observation,
    sinks: &mut Sinks<'_>,
    cancel: &CancellationToken,
) -> anyhow::Result<Account> {
    let started = Instant::now();
    let mut tally = Tally::new(engine.rules.len());
    let mut pending = Vec::with_capacity(PENDING);
    let mut unjudged = BTreeSet::new();
    let complete = loop {
        let resource = tokio::select! {
            biased;
            () = cancel.cancelled() => break false,
            resource = observation.found.recv() => match resource {
                Some(resource) => resource,
                None => break true,
            },
        };
        let now = Timestamp::now();
        let subject = writer.subject(&resource, now);
        let label = sinks.report.is_some().then(|| Label::of(&resource));
        let kind = resource.sub_type.clone();
        let judgements = engine.judge.judge(resource);
        for (rules, judgement) in &judgements {
            rules.iter().for_each(|rule| tally.add(*rule, judgement.outcome));
        }
        if sinks.producer.is_some() || sinks.lines.is_some() {
            let judged = judgements.iter().map(|(rules, judgement)| (*rules, judgement));
            let events = writer.findings(&subject, judged);
            write_lines(&mut sinks.lines, &events)?;
            pending.extend(events);
        }
        if judgements.is_empty() {
            unjudged.insert(kind);
        } else {
            tally.resources += 1;
            if let (Some(report), Some(label)) = (&mut sinks.report, label) {
                report.add(&subject.id, label, &judgements);
            }
        }
        if let Some(progress) = sinks.progress {
            progress(tally.resources);
        }
        if pending.len() >= PENDING && !queue(sinks.producer, &mut pending, cancel).await? {
            break false;
        }
    };
    let complete = queue(sinks.producer, &mut pending, cancel).await? && complete;
    if complete {
        // Before anything is called not applicable: a collector that broke off has not looked everywhere.
        observation.ended().await?;
        close(engine, &mut tally, observation.identity.cluster.platform);
        if let Some(report) = &mut sinks.report {
            report.close();
        }
        let events = coverage(engine, writer, &tally, started);
        write_lines(&mut sinks.lines, &events)?;
        pending.extend(events);
        queue(sinks.producer, &mut pending, cancel).await?;
    }
    Ok(Account { tally, complete, started, unjudged })
}

fn write_lines(lines: &mut Option<&mut (dyn Write + Send)>, events: &[Event]) -> anyhow::Result<()> {
    let Some(lines) = lines else { return Ok(()) };
    for event in events {
        event.write_document(lines)?;
        lines.write_all(b"\n")?;
    }
    Ok(())
}

/// Rules that saw no resource are not applicable here; said at debug level, rule by rule.
fn close(engine: &Engine, tally: &mut Tally, platform: Option<Platform>) {
    for index in tally.close() {
        let rule = &engine.rules[index];
        let judged: Vec<String> = rule.control.resources.iter().map(ToString::to_string).collect();
        tracing::debug!(
            rule = rule.row.number,
            benchmark = %rule.benchmark.full_name(),
            "not applicable: there is no {}{}",
            judged.join(", "),
            why_absent(platform, &rule.control.resources).map(|why| format!(", for {why}")).unwrap_or_default()
        );
    }
}

fn coverage(engine: &Engine, writer: &Writer, tally: &Tally, started: Instant) -> Vec<Event> {
    let mut names = BTreeSet::new();
    engine.rules.iter().for_each(|rule| {
        names.insert(rule.benchmark.full_name());
    });
    names
        .into_iter()
        .map(|name| {
            let rules: Vec<usize> = engine
                .rules
                .iter()
                .enumerate()
                .filter(|(_, rule)| rule.benchmark.full_name() == name)
                .map(|(index, _)| index)
                .collect();
            let totals = Totals {
                counts: tally.total(rules.iter().copied()),
                rules: rules.len(),
                resources: tally.resources,
                duration_ms: started.elapsed().as_millis() as u64,
            };
            writer.coverage(&name, &totals, Timestamp::now())
        })
        .collect()
}

/// Hands findings to the pipeline. A store that takes nothing must not keep us from stopping: told to stop,
/// we wait for a place a little longer, and then say what is lost. `false`: it was.
async fn queue(
    producer: Option<&Producer>,
    pending: &mut Vec<Event>,
    cancel: &CancellationToken,
) -> anyhow::Result<bool> {
    let events = std::mem::replace(pending, Vec::with_capacity(PENDING));
    let Some(producer) = producer else { return Ok(true) };
    let count = events.len();
    let patience = async {
        cancel.cancelled().await;
        tokio::time::sleep(LAST_CALL).await;
    };
    tokio::select! {
        biased;
        sent = producer.send_all(events) => sent.context("queue findings").map(|()| true),
        () = patience => {
            tracing::error!(events = count, "findings were not queued before the end: the store takes nothing");
            Ok(false)
        }
    }
}

/// The account of a cycle in one log line.
pub(super) fn log(account: &Account, sequence: i64) {
    let total = account.tally.total(0..account.tally.rules());
    let count = |outcome| total.of(outcome);
    tracing::info!(
        sequence,
        resources = account.tally.resources,
        passed = count(Outcome::Passed),
        failed = count(Outcome::Failed),
        needs_review = count(Outcome::NeedsReview),
        errors = count(Outcome::Error),
        not_applicable = count(Outcome::NotApplicable),
        milliseconds = account.started.elapsed().as_millis() as u64,
        "{}",
        if account.complete { "cycle complete" } else { "cycle interrupted" }
    );
}

/// What the rules judge, as collectors are asked for it.
pub(super) fn wanted(engine: &Engine) -> BTreeSet<(Kind, String)> {
    engine.judge.selectors().map(|(kind, name)| (kind, name.to_owned())).collect()
}

/// Who looks, at what, and when.
pub(super) fn context(
    settings: &Settings,
    observation: &Observation,
    agent_id: &str,
    ephemeral_id: &str,
    sequence: i64,
) -> Context {
    let name = settings.name.clone().unwrap_or_else(|| observation.host.hostname.clone());
    let identity: Identity = observation.identity.clone();
    let mut host = observation.host.ecs.clone();
    host.insert("name".into(), name.clone().into());
    Context {
        identity,
        agent: Agent {
            kind: settings.posture.agent_type.clone(),
            name,
            id: agent_id.to_owned(),
            ephemeral_id: ephemeral_id.to_owned(),
        },
        host,
        package_policy: (
            settings.posture.package_policy_id.clone(),
            settings.posture.package_policy_revision,
        ),
        namespace: settings.posture.namespace.clone(),
        sequence,
    }
}
