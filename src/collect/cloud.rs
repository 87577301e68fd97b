//! The seam between posturebeat and a cloud: what every cloud answers, in words that no cloud owns.
//!
//! A [`CloudProvider`] knows its calls and how to find a cluster. What it finds is a [`CloudSession`], which observes
//! the cluster and everything that its objects name, and probes its calls. An implementation is a folder beside this
//! file and a line in `observe::clouds`.

mod facts;
mod token;

use async_trait::async_trait;
use std::collections::BTreeSet;
use tokio::sync::mpsc;

use super::sightings::Sightings;
use crate::resource::{Cloud, Gap, Kind, Owner, Platform, Resource, Selector};

pub use facts::ClusterFacts;

/// The environment, or a test's.
pub type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

/// A cloud that can be asked.
#[async_trait]
pub trait CloudProvider: Send + Sync {
    /// Its name in `cloud.provider`: `aws`.
    fn name(&self) -> &'static str;

    /// Its managed Kubernetes.
    fn platform(&self) -> Platform;

    /// Every call that is made, for whatever rules.
    fn calls(&self) -> Vec<CloudCall>;

    /// The least-privilege policy for these calls, as text to attach.
    fn policy(&self, calls: &[CloudCall]) -> String;

    /// What configuration and environment say about the cluster.
    fn configured(&self) -> ClusterFacts;

    /// The cluster's name at the cloud, where the facts give it without a call.
    fn cluster_name(&self, facts: &ClusterFacts) -> Option<String>;

    /// Connects, and finds the caller's identity, the cluster's region and its name.
    async fn discover(&self, facts: &ClusterFacts) -> Result<Box<dyn CloudSession>, Gap>;
}

/// A cloud that answers, and the cluster that was found there.
#[async_trait]
pub trait CloudSession: Send + Sync {
    /// What was found.
    fn discovery(&self) -> &CloudDiscovery;

    /// Sends the managed cluster `cluster`, and its parts, to `found`; returns early when its receiver is dropped.
    async fn observe_cluster(
        &self,
        cluster: &CloudCluster,
        request: &CloudRequest,
        found: &mpsc::Sender<Resource>,
    );

    /// Sends what the cluster's objects name, such as load balancers and image repositories.
    async fn observe_named(
        &self,
        request: &CloudRequest,
        sightings: &Sightings,
        found: &mpsc::Sender<Resource>,
    );

    /// Makes each call once, with arguments that need not exist, to see whether it is allowed.
    async fn probe(&self) -> Vec<CallProbe>;
}

/// Who we are at a cloud, and which of its clusters this one is.
#[derive(Debug, Clone)]
pub struct CloudDiscovery {
    /// Provider, region and account, as documents have them.
    pub cloud: Cloud,
    /// The user or role that asks, as the cloud writes it: an ARN.
    pub caller: String,
    /// The cluster, or why it was not found.
    pub cluster: Result<CloudCluster, Gap>,
}

/// A managed cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudCluster {
    /// Its name at the cloud.
    pub name: String,
    /// Its id at the cloud: an ARN.
    pub id: String,
}

/// What rules ask a cloud for, and who owns what cannot be listed.
#[derive(Debug, Clone)]
pub struct CloudRequest {
    /// Owns what cannot be listed: `cluster/<uid>`.
    pub owner: Owner,
    /// What rules judge.
    pub wanted: BTreeSet<Selector>,
}

impl CloudRequest {
    /// Those of `wanted` that a cloud can answer.
    pub fn new(owner: &Owner, wanted: &BTreeSet<(Kind, String)>) -> Self {
        let of_cloud = wanted.iter().filter(|(kind, _)| kind.is_of_cloud());
        let wanted = of_cloud.map(|(kind, name)| Selector::new(*kind, name.as_str())).collect();
        Self { owner: owner.clone(), wanted }
    }
}

/// A call that is made, the permission that it takes, and what its answer fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloudCall {
    /// The service, as permissions name it: `eks`, `ecr-public`, `elasticloadbalancing`.
    pub service: &'static str,
    /// The operation: `DescribeCluster`.
    pub operation: &'static str,
    /// The permission: `eks:DescribeCluster`.
    pub permission: &'static str,
    /// The parts of resources that its answer fills.
    pub feeds: &'static [CallFeed],
}

/// A part of a resource's document that a call's answer fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallFeed {
    /// `caas/aws-eks`.
    pub selector: &'static str,
    /// `$` where nothing is known of the resource without the call, else such as `$.addons`.
    pub place: &'static str,
}

/// The result of one probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallProbe {
    /// The call.
    pub call: CloudCall,
    /// Whether it is allowed.
    pub verdict: ProbeVerdict,
}

/// Whether a call is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeVerdict {
    /// It is.
    Allowed,
    /// It is not; the refusal.
    Denied(String),
    /// The cloud gave no answer that tells; the error.
    Unknown(String),
}
