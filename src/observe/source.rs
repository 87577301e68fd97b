//! Where resources come from: this node and its cluster, a recording, or manifests.

use anyhow::anyhow;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::going::Going;
use super::scope::Scope;
use super::state::State;
use super::{cloud, live, remarks};
use crate::collect::join::Index;
use crate::collect::node::host::{HostFacts, facts};
use crate::collect::recorded::{manifests, snapshot};
use crate::config::settings::Settings;
use crate::resource::{Identity, Kind, ObjectDemands, Resource};

/// Resources between the collectors and the judge. A pod can have a megabyte, so this is small; the judge
/// is faster than any collector.
pub(crate) const FOUND: usize = 16;

/// What is judged.
#[derive(Debug, Clone)]
pub enum Source {
    /// This node and its cluster's API, or one of them.
    Live(Scope),
    /// An EKS cluster, as AWS tells of it.
    Eks,
    /// What `collect` recorded.
    Snapshot(PathBuf),
    /// Plain Kubernetes YAML and JSON.
    Manifests(Vec<PathBuf>),
}

impl Source {
    /// What is looked at: `node`, `cluster`, or `all` of both.
    pub(crate) fn of(&self) -> &'static str {
        match self {
            Self::Live(Scope { node: true, cluster: false, .. }) => "node",
            Self::Live(Scope { node: false, .. }) | Self::Eks => "cluster",
            Self::Live(_) | Self::Snapshot(_) | Self::Manifests(_) => "all",
        }
    }
}

/// A source being read.
pub(crate) struct Observation {
    pub identity: Identity,
    pub host: HostFacts,
    pub found: mpsc::Receiver<Resource>,
    /// Ends with the last resource, or when nobody wants more; an error means that the source as such cannot be read.
    pub ended: AbortOnDropHandle<anyhow::Result<Option<Box<Going>>>>,
    /// What a watch can go on from, after the end.
    pub going: Option<Box<Going>>,
}

impl Observation {
    /// Waits for the collectors, after the last resource was taken.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<()> {
        let ended = (&mut self.ended).await.map_err(|error| anyhow!("a collector broke off: {error}"))?;
        self.going = ended?;
        Ok(())
    }
}

/// What rules ask for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// The types of resources.
    pub kinds: BTreeSet<(Kind, String)>,
    /// Of objects of the API also where, and what of them.
    pub objects: ObjectDemands,
}

/// Begins to read a source, for the resources that are wanted.
pub(crate) async fn observe(
    source: &Source,
    settings: &Settings,
    state: &State,
    wanted: Wanted,
) -> anyhow::Result<Observation> {
    let host = facts(&settings.posture.host_root);
    let observation = match source {
        // What asks a cloud is large while it waits.
        Source::Live(scope) => Box::pin(live::observe(settings, state, scope, wanted, host)).await,
        Source::Eks => Box::pin(cloud::outside(settings, wanted.kinds, host)).await?,
        Source::Snapshot(path) => recorded(path.clone(), host).await?,
        Source::Manifests(paths) => written(paths.clone(), wanted.objects, host).await?,
    };
    remarks::say(&observation.identity);
    Ok(observation)
}

async fn recorded(path: PathBuf, host: HostFacts) -> anyhow::Result<Observation> {
    let first = path.clone();
    let (identity, index) = tokio::task::spawn_blocking(move || index(&first)).await??;
    let (sender, found) = mpsc::channel(FOUND);
    let ended = tokio::task::spawn_blocking(move || {
        snapshot::read(&path, &mut |mut resource| {
            index.relate(&mut resource);
            Ok(sender.blocking_send(resource).is_ok())
        })?;
        Ok(None)
    });
    let ended = AbortOnDropHandle::new(ended);
    Ok(Observation { identity: identity.unwrap_or_default(), host, found, ended, going: None })
}

/// The first of two readings: what is joined. It also proves that the recording is whole.
fn index(path: &Path) -> anyhow::Result<(Option<Identity>, Index)> {
    let mut index = Index::new(Timestamp::now());
    let identity = snapshot::read(path, &mut |resource| {
        index.note(&resource);
        Ok(true)
    })?;
    Ok((identity, index))
}

async fn written(
    paths: Vec<PathBuf>,
    demands: ObjectDemands,
    host: HostFacts,
) -> anyhow::Result<Observation> {
    let mut resources = tokio::task::spawn_blocking(move || manifests::read(&paths, &demands)).await??;
    let mut index = Index::new(Timestamp::now());
    for resource in &resources {
        index.note(resource);
    }
    for resource in &mut resources {
        index.relate(resource);
    }
    let (sender, found) = mpsc::channel(FOUND);
    let ended = tokio::spawn(async move {
        for resource in resources {
            if sender.send(resource).await.is_err() {
                break;
            }
        }
        Ok(None)
    });
    let ended = AbortOnDropHandle::new(ended);
    Ok(Observation { identity: Identity::default(), host, found, ended, going: None })
}
