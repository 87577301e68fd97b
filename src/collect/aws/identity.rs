//! Who we are to AWS, and which of its clusters this one is.
//!
//! In: what is known about the cluster without AWS ([`ClusterFacts`]). Out: the account, the region and the cluster's
//! name at EKS. A name from a node's labels or an instance's tags is used only where EKS does not contradict it: the
//! owner of a node can write its labels.

mod facts;
mod instance_metadata;
mod region_clusters;

#[cfg(test)]
mod tests;

use super::calls::sts::GET_CALLER_IDENTITY;
use super::client::{AwsClient, call_gap};
use crate::collect::cloud::ClusterFacts;
use crate::resource::{Gap, Reason};
use facts::{Detected, configured_cluster, labelled_cluster};
use region_clusters::RegionClusters;

pub(super) use facts::{known_cluster, known_region};
pub(super) use instance_metadata::InstanceMetadata;

/// The identity of the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CallerIdentity {
    /// The account: twelve digits.
    pub account: String,
    /// The user or role, as an ARN.
    pub arn: String,
    /// Its partition: `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
}

/// Asks who we are.
pub(super) async fn caller(aws: &AwsClient, region: &str) -> Result<CallerIdentity, Gap> {
    let client = aws_sdk_sts::Client::new(&aws.at(region));
    let sent = Box::pin(client.get_caller_identity().send());
    let answer = aws.ask(&GET_CALLER_IDENTITY, region, sent).await?;
    let (account, arn) = (answer.account.unwrap_or_default(), answer.arn.unwrap_or_default());
    match arn.split(':').nth(1) {
        Some(partition) if !account.is_empty() && !partition.is_empty() => {
            let partition = partition.to_owned();
            Ok(CallerIdentity { account, arn, partition })
        }
        _ => {
            let why = "the answer names no account";
            Err(call_gap(&GET_CALLER_IDENTITY, region, Reason::Malformed, why))
        }
    }
}

/// The cluster's region: as configured, else from the facts about the cluster, else from the instance metadata.
pub(super) async fn find_region(
    facts: &ClusterFacts,
    instance: Option<&InstanceMetadata>,
) -> Result<Detected, Gap> {
    let found = match (known_region(facts), instance) {
        (Some(found), _) => Ok(found),
        (None, Some(instance)) => instance.region().await,
        (None, None) => Err("the instance metadata is switched off".to_owned()),
    };
    let found = found.map_err(|why| {
        let what = format!(
            "find the AWS region: no posturebeat.aws.region, no service account token of EKS, no region or zone on the Node, and {why}"
        );
        Gap::new(Reason::Missing, what)
    })?;
    tracing::info!(region = found.value, from = found.from, "found the AWS region");
    Ok(found)
}

/// The cluster's name at EKS: as configured, else by a label of its nodes, else by a tag of the instance, else the one
/// among the region's clusters that has this one's issuer or certificate authority.
pub(super) async fn find_cluster(
    aws: &AwsClient,
    region: &str,
    facts: &ClusterFacts,
    instance: Option<&InstanceMetadata>,
) -> Result<Detected, Gap> {
    let attempt = "find the EKS cluster's name (or set posturebeat.aws.cluster_name)";
    let found = search(aws, region, facts, instance).await.map_err(|gap| gap.during(attempt))?;
    tracing::info!(cluster = found.value, region, from = found.from, "found the EKS cluster's name");
    Ok(found)
}

/// Where nothing is found, the gap has the reason of the last attempt and names all of them.
async fn search(
    aws: &AwsClient,
    region: &str,
    facts: &ClusterFacts,
    instance: Option<&InstanceMetadata>,
) -> Result<Detected, Gap> {
    if let Some(configured) = configured_cluster(facts) {
        return Ok(configured);
    }
    let clusters = RegionClusters::new(aws, region, facts);
    let mut tried = Vec::new();
    match labelled_cluster(facts) {
        Some(found) => match clusters.contradicts(&found).await {
            None => return Ok(found),
            Some(why) => tried.push(why),
        },
        None => tried.push("no label of the Node has it".to_owned()),
    }
    match instance {
        Some(instance) => match instance.cluster().await {
            Ok(found) => match clusters.contradicts(&found).await {
                None => return Ok(found),
                Some(why) => tried.push(why),
            },
            Err(why) => tried.push(why),
        },
        None => tried.push("the instance metadata is switched off".to_owned()),
    }
    match clusters.ours().await {
        Ok(found) => Ok(found),
        Err(gap) => {
            tried.push(gap.what);
            Err(Gap::new(gap.reason, tried.join("; ")))
        }
    }
}
