//! Where resources come from: this node and its cluster, a recording, or manifests.

use jiff::Timestamp;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

use super::data_dir::DataDir;
use super::observation::{InputRemarks, Observation, Wanted};
use super::scope::Scope;
use super::{IN_FLIGHT, cloud, live, remarks};
use crate::collect::join::Index;
use crate::collect::node::host::{HostFacts, facts};
use crate::collect::recorded::manifests::{self, ManifestSet};
use crate::collect::recorded::snapshot;
use crate::config::settings::Settings;
use crate::resource::{Identity, Kind};

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
        Source::Snapshot(path) => recorded(path.clone(), host).await?,
        Source::Manifests(paths) => written(paths.clone(), wanted, host).await?,
    };
    remarks::log(&observation.identity);
    Ok(observation)
}

async fn recorded(path: PathBuf, host: HostFacts) -> anyhow::Result<Observation> {
    let first = path.clone();
    let (identity, index) = tokio::task::spawn_blocking(move || index(&first)).await??;
    let (sender, found) = mpsc::channel(IN_FLIGHT);
    let collector = tokio::task::spawn_blocking(move || {
        snapshot::read(&path, &mut |mut resource| {
            index.relate(&mut resource);
            Ok(sender.blocking_send(resource).is_ok())
        })?;
        Ok(None)
    });
    Ok(Observation::new(identity.unwrap_or_default(), host, found, collector))
}

/// The first of two passes: indexes what is joined. It also proves that the recording is complete.
fn index(path: &Path) -> anyhow::Result<(Option<Identity>, Index)> {
    let mut index = Index::new(Timestamp::now());
    let identity = snapshot::read(path, &mut |resource| {
        index.note(&resource);
        Ok(true)
    })?;
    Ok((identity, index))
}

async fn written(paths: Vec<PathBuf>, wanted: Wanted, host: HostFacts) -> anyhow::Result<Observation> {
    let Wanted { kinds, objects } = wanted;
    let set = tokio::task::spawn_blocking(move || manifests::read(&paths, &objects)).await??;
    let ManifestSet { mut resources, unread, skipped } = set;
    // Any object may be in a file that could not be read. The cluster as a whole is in none.
    let in_files = kinds.iter().filter(|(kind, name)| *kind == Kind::K8sObject && name != "Cluster");
    for (_, kind) in in_files {
        resources.extend(unread.iter().map(|unread| unread.stand_in(kind)));
    }
    let mut index = Index::new(Timestamp::now());
    for resource in &resources {
        index.note(resource);
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
        Ok(None)
    });
    let unread = unread.into_iter().map(|unread| unread.gap).collect();
    let input = InputRemarks { unread, skipped };
    let mut observation = Observation::new(Identity::default(), host, found, collector);
    observation.input = input;
    Ok(observation)
}
