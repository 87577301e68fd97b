//! One cycle: every resource of a source is judged by every rule, and each outcome is delivered and counted.

use jiff::Timestamp;
use std::time::Instant;

use super::account::{Accounting, CycleAccount, warn_unused};
use super::engine::Engine;
use super::sinks::{CycleEnd, Sinks};
use super::stop::Stop;
use super::stream::ResourceStream;
use crate::config::settings::Settings;
use crate::evaluate::WorkloadOutcomes;
use crate::finding::{Agent, Context, FindingWriter};
use crate::observe::{Observation, Source};
use crate::report::WithoutResource;
use crate::resource::Resource;

/// Judges resources until there are no more, or until `stop`.
pub(super) async fn judge_all(
    engine: &Engine,
    writer: &mut FindingWriter,
    observation: &mut Observation,
    workloads: &mut WorkloadOutcomes,
    sinks: Sinks<'_>,
    stop: &Stop<'_>,
) -> anyhow::Result<CycleAccount> {
    let started = Instant::now();
    let cluster = &observation.identity.cluster;
    let mut accounting = Accounting::new(&engine.rules);
    let mut stream = ResourceStream::new(engine, writer, sinks, cluster, workloads);
    let judge = |stream: &mut ResourceStream<'_, '_>, resource: Resource| {
        accounting.begin(&resource);
        // Judging consumes the resource, so it is rendered first.
        let subject = stream.subject(&resource);
        let unseen = resource.unseen_pods();
        let judged = stream.judge(resource);
        accounting.add(&judged.judgements, &judged.marks);
        stream.hand_on(subject, &judged)?;
        if let Some(unseen) = unseen {
            let subject = stream.subject(&unseen);
            let judged = stream.judge(unseen);
            accounting.add(&judged.judgements, &judged.marks);
            stream.hand_on(subject, &judged)?;
        }
        Ok(())
    };
    let complete = stream.run(&mut observation.found, stop.reached(), stop, judge).await?;
    let (mut uses, mut without_resource) = (Vec::new(), WithoutResource::new());
    let (ended, mut sinks, writer) = stream.end();
    if complete {
        // Before any rule is called not applicable: a collector that failed has not looked everywhere.
        observation.ended().await?;
        let platform = observation.identity.cluster.platform;
        let (absent_kinds, closed) = (&observation.absent_kinds, observation.closed.as_ref());
        without_resource = accounting.close(&engine.rules, platform, absent_kinds, closed);
        warn_unused(&ended);
        uses = ended;
    }
    let account = accounting.account(&engine.rules, complete, started.elapsed());
    sinks.close(&CycleEnd {
        tally: &accounting.tally,
        without_resource: &without_resource,
        exceptions: &uses,
    });
    if complete {
        let now = Timestamp::now();
        let coverage =
            account.totals.iter().map(|(benchmark, totals)| writer.coverage(benchmark, totals, now));
        sinks.documents(coverage.collect())?;
        sinks.deliver(stop).await?;
    }
    Ok(account)
}

/// The agent, the host and the source, as the documents of a cycle show them.
pub(super) fn context(
    settings: &Settings,
    source: &Source,
    observation: &Observation,
    agent_id: &str,
    ephemeral_id: &str,
    sequence: i64,
) -> Context {
    let name = settings.name.clone().unwrap_or_else(|| observation.host.hostname.clone());
    let posture = &settings.posture;
    let mut host = observation.host.ecs.clone();
    host.insert("name".into(), name.clone().into());
    Context {
        identity: observation.identity.clone(),
        of: source.of(),
        agent: Agent {
            kind: posture.agent_type.clone(),
            name,
            id: agent_id.to_owned(),
            ephemeral_id: ephemeral_id.to_owned(),
        },
        host,
        package_policy: (posture.package_policy_id.clone(), posture.package_policy_revision),
        namespace: posture.namespace.clone(),
        shared_cloud_id: posture.shared_aws_resource_id,
        sequence,
    }
}
