//! Amazon Web Services: the EKS cluster, its load balancers, and the repositories that its images come from.
//!
//! In: the section `posturebeat.aws`, facts about the cluster, and what its objects name
//! ([`Sightings`]). Out: [`Resource`]s with the answers under the API's own field names. A failed call leaves a gap
//! where its answer would be, with the missing IAM action; the rest goes on.

mod balancers;
mod calls;
mod client;
mod document;
mod eks;
mod identity;
mod registry;
mod scope;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::cloud::{
    CallProbe, CloudCall, CloudCluster, CloudDiscovery, CloudProvider, CloudRequest, CloudSession,
    ClusterFacts, Env,
};
use super::sightings::Sightings;
use crate::config::Aws;
use crate::resource::{Cloud, Gap, Platform, Resource};
use calls::ProbeTarget;
use client::{AwsClient, connect};
use identity::{InstanceMetadata, caller, find_cluster, find_region, known_cluster, known_region};
use scope::AwsScope;

pub use calls::calls;

/// `cloud.provider`.
const NAME: &str = "aws";
/// The region of a client that only looks for the cluster's.
const ANY_REGION: &str = "us-east-1";

/// AWS, as it is configured.
pub struct AwsProvider {
    settings: Aws,
    /// The region that the environment names.
    region: Option<String>,
    /// Whether the environment turns the instance metadata off.
    without_metadata: bool,
}

/// AWS, with the cluster's region and the credentials' account.
struct AwsSession {
    aws: AwsClient,
    partition: String,
    discovery: CloudDiscovery,
}

impl AwsProvider {
    /// From the section `posturebeat.aws` and the environment.
    pub fn new(settings: &Aws, env: Env<'_>) -> Self {
        let off = env("AWS_EC2_METADATA_DISABLED");
        Self {
            settings: settings.clone(),
            region: ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| env(name)),
            without_metadata: off.is_some_and(|off| off.eq_ignore_ascii_case("true")),
        }
    }

    fn instance(&self, aws: &AwsClient) -> Option<InstanceMetadata> {
        if self.without_metadata {
            return None;
        }
        let instance = InstanceMetadata::new(aws, None);
        instance.inspect_err(|error| tracing::warn!(error, "cannot use the instance metadata")).ok()
    }
}

#[async_trait]
impl CloudProvider for AwsProvider {
    fn name(&self) -> &'static str {
        NAME
    }

    fn platform(&self) -> Platform {
        Platform::Eks
    }

    fn calls(&self) -> Vec<CloudCall> {
        calls().collect()
    }

    fn policy(&self, calls: &[CloudCall]) -> String {
        format!("{:#}", calls::policy(calls.iter().copied()))
    }

    fn configured(&self) -> ClusterFacts {
        ClusterFacts {
            cluster: self.settings.cluster_name.clone(),
            region: self.settings.region.clone().or_else(|| self.region.clone()),
            ..ClusterFacts::default()
        }
    }

    fn cluster_name(&self, facts: &ClusterFacts) -> Option<String> {
        known_cluster(facts)
    }

    async fn discover(&self, facts: &ClusterFacts) -> Result<Box<dyn CloudSession>, Gap> {
        let region = if let Some(found) = known_region(facts) {
            found.value
        } else {
            let aws = connect(&self.settings, ANY_REGION).await;
            find_region(facts, self.instance(&aws).as_ref()).await?.value
        };
        let aws = connect(&self.settings, &region).await;
        let caller = caller(&aws, &region).await?;
        let cluster = find_cluster(&aws, &region, facts, self.instance(&aws).as_ref()).await;
        let cluster = cluster.map(|found| CloudCluster {
            id: format!("arn:{}:eks:{region}:{}:cluster/{}", caller.partition, caller.account, found.value),
            name: found.value,
        });
        let cloud = Cloud { provider: NAME.to_owned(), region, account: caller.account };
        let discovery = CloudDiscovery { cloud, caller: caller.arn, cluster };
        Ok(Box::new(AwsSession { aws, partition: caller.partition, discovery }))
    }
}

impl AwsSession {
    fn scope(&self, cluster: &str, request: &CloudRequest) -> AwsScope {
        AwsScope {
            cluster: cluster.to_owned(),
            region: self.discovery.cloud.region.clone(),
            account: self.discovery.cloud.account.clone(),
            partition: self.partition.clone(),
            owner: request.owner.clone(),
            wanted: request.wanted.clone(),
        }
    }
}

#[async_trait]
impl CloudSession for AwsSession {
    fn discovery(&self) -> &CloudDiscovery {
        &self.discovery
    }

    async fn observe_cluster(
        &self,
        cluster: &CloudCluster,
        request: &CloudRequest,
        found: &mpsc::Sender<Resource>,
    ) {
        eks::observe(&self.aws, &self.scope(&cluster.name, request), found).await;
    }

    async fn observe_named(
        &self,
        request: &CloudRequest,
        sightings: &Sightings,
        found: &mpsc::Sender<Resource>,
    ) {
        let cluster = self.discovery.cluster.as_ref().map(|cluster| cluster.name.as_str());
        let scope = self.scope(cluster.unwrap_or_default(), request);
        tokio::join!(
            // Their futures are large.
            Box::pin(balancers::observe(&self.aws, &scope, sightings, found)),
            Box::pin(registry::observe(&self.aws, &scope, sightings, found)),
        );
    }

    async fn probe(&self) -> Vec<CallProbe> {
        let target = ProbeTarget {
            aws: &self.aws,
            region: &self.discovery.cloud.region,
            partition: &self.partition,
            cluster: self.discovery.cluster.as_ref().ok().map(|cluster| cluster.name.as_str()),
        };
        calls::probe(&target).await
    }
}
