//! `test aws`: each call to the cloud once, and the recommendations that need those that are denied.

use anyhow::anyhow;

use super::engine::Engine;
use crate::collect::cloud::{CallProbe, CloudCall, CloudDiscovery, ClusterFacts, ProbeVerdict};
use crate::collect::cluster::{self, NodeHints};
use crate::config::settings::Settings;
use crate::evaluate::needs;
use crate::kube_api;
use crate::observe::{Scope, clouds};

/// The result of the test.
pub struct CloudTest {
    /// The caller's identity, and the cluster.
    pub discovery: CloudDiscovery,
    /// The result of each call's probe.
    pub probes: Vec<CallProbe>,
    /// The denied calls, each with the numbers of the recommendations that need it.
    pub denied: Vec<(CloudCall, Vec<String>)>,
    /// The least-privilege policy for the denied calls, as text to attach.
    pub policy: String,
}

/// Probes every call. An error where the cloud cannot be asked at all: no region, no credentials.
pub async fn test_cloud(settings: &Settings, engine: &Engine) -> anyhow::Result<CloudTest> {
    let env = |name: &str| std::env::var(name).ok();
    let provider = clouds::configured(&settings.posture.aws, &env).map_err(|gap| anyhow!(gap.what))?;
    let mut facts = provider.configured();
    facts.note_token();
    learn_from_cluster(settings, &mut facts).await;
    let session = provider.discover(&facts).await.map_err(|gap| anyhow!(gap.what))?;
    let probes = session.probe().await;
    let calls: Vec<CloudCall> = probes
        .iter()
        .filter(|probe| matches!(probe.verdict, ProbeVerdict::Denied(_)))
        .map(|probe| probe.call)
        .collect();
    let policy = provider.policy(&calls);
    let denied = calls.into_iter().map(|call| (call, needed_by(&call, engine))).collect();
    Ok(CloudTest { discovery: session.discovery().clone(), probes, denied, policy })
}

/// Adds what a cycle would know about the cluster, where its API can be reached.
async fn learn_from_cluster(settings: &Settings, facts: &mut ClusterFacts) {
    let env = |name: &str| std::env::var(name).ok();
    let posture = &settings.posture;
    let Ok(scope) = Scope::all(posture) else { return };
    let Ok(connection) = kube_api::connect(scope.target(posture), &env).await else { return };
    facts.authorities = connection.authorities().to_vec();
    let hints = NodeHints {
        name: posture.node_name.clone().or_else(|| env("NODE_NAME")),
        wanted: true,
        ..NodeHints::default()
    };
    if let Ok(identified) = cluster::identify(&connection, &hints).await {
        facts.note_node(&identified.node);
    }
}

/// The recommendations whose verdict needs a call's answer.
fn needed_by(call: &CloudCall, engine: &Engine) -> Vec<String> {
    let several =
        engine.rules.iter().any(|rule| rule.benchmark.full_name() != engine.rules[0].benchmark.full_name());
    let feeds: Vec<_> =
        call.feeds.iter().filter_map(|feed| Some((feed.selector.parse().ok()?, feed.place))).collect();
    let needing = engine
        .rules
        .iter()
        .filter(|rule| feeds.iter().any(|(selector, place)| needs(&rule.control, selector, place)));
    let mut numbers: Vec<String> = needing
        .map(|rule| {
            let number = rule.row.number.clone();
            if several { format!("{}/{number}", rule.benchmark.full_name()) } else { number }
        })
        .collect();
    numbers.dedup();
    numbers
}
