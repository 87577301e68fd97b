//! Where resources come from: this node and its cluster, a recording, or manifests.

use jiff::Timestamp;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

use super::data_dir::DataDir;
use super::observation::{CollectionEnd, InputRemarks, Observation, Wanted};
use super::scope::Scope;
use super::{IN_FLIGHT, cloud, live, remarks, workloads};
use crate::collect::join::Index;
use crate::collect::node::host::{HostFacts, facts};
use crate::collect::recorded::manifests::{self, ManifestSet};
use crate::collect::recorded::snapshot::{self, RecordingFacts};
use crate::config::settings::Settings;
use crate::redact::Reveal;
use crate::resource::{Identity, Kind, PodTemplates, SourceExtent};

/// A source of resources.
#[derive(Debug, Clone)]
pub enum Source {
    /// This node and its cluster's API, or one of them.
    Live(Scope),
    /// An EKS cluster, as the AWS API shows it.
    Eks,
    /// A recording by `collect`.
    Snapshot(PathBuf),
    /// Kubernetes manifests, as YAML or JSON.
    Manifests(Vec<PathBuf>),
}

impl Source {
    /// What it covers: `node`, `cluster`, or `all`.
    pub(crate) fn of(&self) -> &'static str {
        match self {
            Self::Live(Scope { node: true, cluster: false, .. }) => "node",
            Self::Live(Scope { node: false, .. }) | Self::Eks => "cluster",
            Self::Live(_) | Self::Snapshot(_) | Self::Manifests(_) => "all",
        }
    }
}

/// Starts to read a source, for the resources that are wanted.
pub(crate) async fn observe(
    source: &Source,
    settings: &Settings,
    data: &DataDir,
    wanted: Wanted,
) -> anyhow::Result<Observation> {
    let host = facts(&settings.posture.host_root);
    let observation = match source {
        // The future that reads a cloud is large.
        Source::Live(scope) => Box::pin(live::observe(settings, data, scope, wanted, host)).await,
        Source::Eks => Box::pin(cloud::outside(settings, wanted.kinds, host)).await?,
        Source::Snapshot(path) => recorded(path.clone(), &settings.posture.reveal, host).await?,
        Source::Manifests(paths) => {
            let templates = PodTemplates::with(&settings.posture.pod_templates);
            let reveal = Arc::clone(&settings.posture.reveal);
            written(paths.clone(), wanted, templates, reveal, host).await?
        }
    };
    remarks::log(&observation.identity);
    Ok(observation)
}

async fn recorded(path: PathBuf, reveal: &Arc<Reveal>, host: HostFacts) -> anyhow::Result<Observation> {
    let first = path.clone();
    let reveal = Arc::clone(reveal);
    let (facts, index) = tokio::task::spawn_blocking(move || index(&first)).await??;
    if facts.extent == SourceExtent::Kinds(BTreeSet::new()) {
        tracing::warn!(
            path = %path.display(),
            "the recording does not say that it is complete; what is not in it may exist"
        );
    }
    let (sender, found) = mpsc::channel(IN_FLIGHT);
    let collector = tokio::task::spawn_blocking(move || {
        snapshot::read(&path, &reveal, &mut |mut resource| {
            index.relate(&mut resource);
            Ok(sender.blocking_send(resource).is_ok())
        })?;
        Ok(CollectionEnd::default())
    });
    Ok(Observation::new(facts.identity.unwrap_or_default(), host, found, collector))
}

/// The first of two passes: indexes what is joined, and learns how much the recording shows.
fn index(path: &Path) -> anyhow::Result<(RecordingFacts, Index)> {
    let mut index = Index::new(Timestamp::now());
    index.limit_to(SourceExtent::Kinds(BTreeSet::new()));
    let facts = snapshot::read(path, &Reveal::default(), &mut |resource| {
        index.note(&resource);
        Ok(true)
    })?;
    index.limit_to(facts.extent.clone());
    let version = facts.identity.as_ref().and_then(|identity| identity.cluster.version.clone());
    Ok((facts, index.of_version(version.as_deref())))
}

async fn written(
    paths: Vec<PathBuf>,
    wanted: Wanted,
    templates: PodTemplates,
    reveal: Arc<Reveal>,
    host: HostFacts,
) -> anyhow::Result<Observation> {
    let Wanted { kinds, mut objects } = wanted;
    templates.demand(&mut objects);
    let read = move || manifests::read(&paths, &objects, &reveal);
    let ManifestSet { mut resources, unread, skipped } = tokio::task::spawn_blocking(read).await??;
    // Any object may be in a file that could not be read. The cluster as a whole is in none.
    let in_files = kinds.iter().filter(|(kind, name)| *kind == Kind::K8sObject && name != "Cluster");
    for (_, kind) in in_files {
        resources.extend(unread.iter().map(|unread| unread.stand_in(kind)));
    }
    workloads::prepare(&mut resources, &templates);
    let mut index = Index::new(Timestamp::now());
    index.limit_to(SourceExtent::Manifests);
    for resource in manifests::joined(&resources) {
        index.note(&resource);
    }
    for resource in &mut resources {
        index.relate(resource);
    }
    let (sender, found) = mpsc::channel(IN_FLIGHT);
    let collector = tokio::spawn(async move {
        for resource in resources {
            if sender.send(resource).await.is_err() {
                break;
            }
        }
        Ok(CollectionEnd::default())
    });
    let unread = unread.into_iter().map(|unread| unread.gap).collect();
    let input = InputRemarks { unread, skipped };
    let mut observation = Observation::new(Identity::default(), host, found, collector);
    observation.input = input;
    Ok(observation)
}
