//! `test aws`: each call once, and which recommendations lack those that are refused.

use anyhow::anyhow;
use std::path::Path;

use super::engine::Engine;
use crate::collect::aws::identity::{Caller, Facts, TOKEN, issuer};
use crate::collect::aws::{Answer, Call, Probe, probe};
use crate::collect::cluster::{self, NodeHints};
use crate::config::settings::Settings;
use crate::evaluate::needs;
use crate::kube_api;
use crate::observe::Scope;
use crate::observe::cloud::{self, Sight};

/// A cluster's name that nobody uses, where the real one is not known.
const NO_CLUSTER: &str = "posturebeat-probe";

/// What came of it.
pub struct AwsTest {
    /// The cluster's region.
    pub region: String,
    /// Who we are.
    pub caller: Caller,
    /// The cluster's name, or why it is not known.
    pub cluster: Result<String, String>,
    /// What came of each call.
    pub probes: Vec<Probe>,
    /// The numbers of the recommendations that need the call, for each probe.
    needed_by: Vec<Vec<String>>,
}

impl AwsTest {
    /// The calls that are refused, with the recommendations that need them.
    pub fn lacking(&self) -> impl Iterator<Item = (&Call, &[String])> {
        let all = self.probes.iter().zip(&self.needed_by);
        all.filter(|(probe, _)| matches!(probe.answer, Answer::Denied(_)))
            .map(|(probe, rules)| (&probe.call, rules.as_slice()))
    }
}

/// Tries every call. An error where nobody answers at all: no region, no credentials.
pub async fn test_aws(settings: &Settings, engine: &Engine) -> anyhow::Result<AwsTest> {
    let aws = &settings.posture.aws;
    let mut facts = cloud::facts(aws, &|name| std::env::var(name).ok());
    facts.issuer = issuer(Path::new(TOKEN));
    learn_from_cluster(settings, &mut facts).await;
    let sight = Sight::find(aws, &facts).await.map_err(|unread| anyhow!(unread.gap.what))?;
    let Sight { access, region, caller, cluster } = sight;
    let name = cluster.as_deref().unwrap_or(NO_CLUSTER);
    let probes = probe(&access, &region, &caller.partition, name).await;
    let needed_by = probes.iter().map(|probe| needed_by(&probe.call, engine)).collect();
    Ok(AwsTest { region, caller, cluster: cluster.map_err(|unread| unread.gap.what), probes, needed_by })
}

/// What a cycle would know of the cluster, where its API is in reach.
async fn learn_from_cluster(settings: &Settings, facts: &mut Facts) {
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

/// The recommendations that say less, or nothing, without a call.
fn needed_by(call: &Call, engine: &Engine) -> Vec<String> {
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
