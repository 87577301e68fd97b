//! One cycle: every resource of a source judged by every rule, each outcome delivered and counted.

use anyhow::Context as _;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::{Duration, Instant};

use super::engine::Engine;
use super::exceptions;
use super::outcomes::Outcomes;
use super::stop::Stop;
use crate::config::settings::Settings;
use crate::evaluate::{Counts, Judgement, Outcome, Tally, object_demands};
use crate::event::Event;
use crate::exception::{self, Marks};
use crate::finding::{Agent, Context, Totals, Writer};
use crate::observe::remarks::why_absent;
use crate::observe::{Observation, Source, Wanted};
use crate::pipeline::Producer;
use crate::report::{Label, Report};
use crate::resource::{Identity, Platform, Resource};
use crate::rule::BenchmarkName;

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
    /// To be compared with later.
    pub outcomes: Option<&'a mut Outcomes>,
    /// Told how many resources have been judged.
    pub progress: Option<&'a (dyn Fn(u64) + Sync)>,
}

/// What a cycle came to. The coverage documents, the log and the metrics all say what this says.
pub(super) struct Account {
    /// Whether it came to its end.
    pub complete: bool,
    /// How many resources were judged by at least one rule.
    pub resources: u64,
    /// From its start to its last judgement.
    pub took: Duration,
    /// Every (rule, resource), by benchmark and outcome.
    pub totals: Vec<(BenchmarkName, Totals)>,
    /// Kinds of which there was something, and nothing that a rule applies to.
    pub unjudged: BTreeSet<String>,
}

/// Judges what is found until there is no more, or until `stop`.
pub(super) async fn judge_all(
    engine: &Engine,
    writer: &Writer,
    observation: &mut Observation,
    sinks: &mut Sinks<'_>,
    stop: &Stop<'_>,
) -> anyhow::Result<Account> {
    let started = Instant::now();
    let mut tally = Tally::new(engine.rules.len());
    let mut pending = Vec::with_capacity(PENDING);
    let (mut seen, mut judged) = (BTreeSet::new(), BTreeSet::new());
    let mut granted = engine.exceptions.cycle(Timestamp::now(), &observation.identity.cluster);
    let mut reached = std::pin::pin!(stop.reached());
    let complete = loop {
        let resource = tokio::select! {
            biased;
            () = &mut reached => break false,
            resource = observation.found.recv() => match resource {
                Some(resource) => resource,
                None => break true,
            },
        };
        if stop.is_reached() {
            break false;
        }
        let now = Timestamp::now();
        let subject = writer.subject(&resource, now);
        let label = sinks.report.is_some().then(|| Label::of(&resource));
        let kind = resource.sub_type.clone();
        let who = sinks.outcomes.as_ref().map(|outcomes| outcomes.who(&resource));
        let Judged { judgements, marks } = judge(engine, &mut granted, resource);
        if let (Some(outcomes), Some(who)) = (&mut sinks.outcomes, who) {
            outcomes.note(who, &judgements);
        }
        for (rules, judgement) in &judgements {
            for rule in *rules {
                tally.add(*rule, judgement);
                if judgement.outcome == Outcome::Failed && marks.of(*rule).is_some() {
                    tally.except(*rule);
                }
            }
        }
        let applies = |(_, judgement): &(&[usize], Judgement)| judgement.outcome != Outcome::NotApplicable;
        if judgements.iter().any(applies) {
            judged.insert(kind);
        } else {
            seen.insert(kind);
        }
        if !judgements.is_empty() {
            tally.resources += 1;
            if let (Some(report), Some(label)) = (&mut sinks.report, label) {
                report.add(&subject.id, label, &judgements, &marks);
            }
        }
        if sinks.producer.is_some() || sinks.lines.is_some() {
            let judged = judgements.iter().map(|(rules, judgement)| (*rules, judgement));
            let events = writer.findings(subject, judged, &marks);
            write_lines(&mut sinks.lines, &events)?;
            pending.extend(events);
        }
        if let Some(progress) = sinks.progress {
            progress(tally.resources);
        }
        if pending.len() >= PENDING && !queue(sinks.producer, &mut pending, stop).await? {
            break false;
        }
    };
    let complete = queue(sinks.producer, &mut pending, stop).await? && complete;
    if complete {
        // Before anything is called not applicable: a collector that broke off has not looked everywhere.
        observation.ended().await?;
        close(engine, &mut tally, observation.identity.cluster.platform);
        let uses = granted.close();
        exceptions::warn(&uses);
        if let Some(report) = &mut sinks.report {
            report.close(uses);
        }
    }
    let unjudged = seen.difference(&judged).cloned().collect();
    let account = Account::new(engine, &tally, complete, started.elapsed(), unjudged);
    if complete {
        let now = Timestamp::now();
        let document = |(benchmark, totals): &_| writer.coverage(benchmark, totals, now);
        let events: Vec<Event> = account.totals.iter().map(document).collect();
        write_lines(&mut sinks.lines, &events)?;
        pending.extend(events);
        queue(sinks.producer, &mut pending, stop).await?;
    }
    Ok(account)
}

/// A resource, judged.
pub(super) struct Judged<'e> {
    /// Each with the rules that it stands for.
    pub judgements: Vec<(&'e [usize], Judgement)>,
    /// Those that an exception marks.
    pub marks: Marks,
}

/// Asks every rule that is meant for a resource.
pub(super) fn judge<'e>(
    engine: &'e Engine,
    granted: &mut exception::Cycle<'_>,
    resource: Resource,
) -> Judged<'e> {
    let about = granted.about(&resource);
    let judgements = engine.judge.judge(resource);
    let marks = granted.marks(&about, &judgements);
    Judged { judgements, marks }
}

impl Account {
    fn new(
        engine: &Engine,
        tally: &Tally,
        complete: bool,
        took: Duration,
        unjudged: BTreeSet<String>,
    ) -> Self {
        let mut rules: BTreeMap<BenchmarkName, Vec<usize>> = BTreeMap::new();
        for (index, rule) in engine.rules.iter().enumerate() {
            rules.entry(rule.benchmark.full_name()).or_default().push(index);
        }
        let totals = |rules: Vec<usize>| Totals {
            rules: rules.len(),
            counts: tally.total(rules),
            resources: tally.resources,
            duration_ms: took.as_millis() as u64,
        };
        let totals = rules.into_iter().map(|(name, rules)| (name, totals(rules))).collect();
        Self { complete, resources: tally.resources, took, totals, unjudged }
    }

    /// The counts of all benchmarks together.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        self.totals.iter().for_each(|(_, totals)| total.merge(&totals.counts));
        total
    }
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

/// Hands findings to the pipeline. A store that takes nothing must not keep us from stopping: told to stop,
/// we wait for a place a little longer, and then say what is lost. `false`: it was.
pub(super) async fn queue(
    producer: Option<&Producer>,
    pending: &mut Vec<Event>,
    stop: &Stop<'_>,
) -> anyhow::Result<bool> {
    let events = std::mem::replace(pending, Vec::with_capacity(PENDING));
    let Some(producer) = producer else { return Ok(true) };
    let count = events.len();
    let patience = async {
        stop.reached().await;
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

/// What the rules judge, as collectors are asked for it.
pub(super) fn wanted(engine: &Engine) -> Wanted {
    Wanted {
        kinds: engine.judge.selectors().map(|(kind, name)| (kind, name.to_owned())).collect(),
        objects: object_demands(engine.rules.iter()),
    }
}

/// Who looks, at what, and when.
pub(super) fn context(
    settings: &Settings,
    source: &Source,
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
        of: source.of(),
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
        shared_cloud_id: settings.posture.shared_aws_resource_id,
        sequence,
    }
}
