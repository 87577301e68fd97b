//! Who we are to AWS, and which of its clusters this one is.
//!
//! In: what is known of the cluster without AWS ([`Facts`]). Out: the account, the region and EKS's name of the
//! cluster. A name that a node or a machine tells is only taken where EKS does not contradict: whoever owns a node may
//! write its labels.

mod clusters;
mod facts;
mod instance;
mod token;

#[cfg(test)]
mod tests;

use super::access::{Access, Problem};
use super::call::GET_CALLER_IDENTITY;
use crate::resource::{Reason, Unread};
use clusters::Clusters;

pub use facts::{Facts, Found};
pub use instance::Instance;
pub use token::{TOKEN, issuer};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The number of the account.
    pub account: String,
    /// The user or role, as an ARN.
    pub arn: String,
    /// The part of AWS that it belongs to: `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
}

/// Asks who we are.
pub async fn caller(access: &Access, region: &str) -> Result<Caller, Problem> {
    let client = aws_sdk_sts::Client::new(&access.at(region));
    let sent = Box::pin(client.get_caller_identity().send());
    let answer = access.ask(&GET_CALLER_IDENTITY, region, sent).await?;
    let (account, arn) = (answer.account.unwrap_or_default(), answer.arn.unwrap_or_default());
    match arn.split(':').nth(1) {
        Some(partition) if !account.is_empty() && !partition.is_empty() => {
            let partition = partition.to_owned();
            Ok(Caller { account, arn, partition })
        }
        _ => {
            let said = "the answer names no account";
            Err(Problem::new(&GET_CALLER_IDENTITY, region, Reason::Malformed, said))
        }
    }
}

/// The cluster's region: as configured, else by what the cluster knows, else by the machine that we run on.
pub async fn find_region(facts: &Facts, instance: Option<&Instance>) -> Result<Found, Unread> {
    let found = match (facts.region(), instance) {
        (Some(found), _) => Ok(found),
        (None, Some(instance)) => instance.region().await,
        (None, None) => Err("the instance metadata is switched off".to_owned()),
    };
    let found = found.map_err(|why| {
        let what = format!(
            "find the AWS region: no posturebeat.aws.region, no service account token of EKS, no region or zone on the Node, and {why}"
        );
        Unread::new("$", Reason::Missing, what)
    })?;
    tracing::info!(region = found.value, from = found.from, "found the AWS region");
    Ok(found)
}

/// EKS's name of the cluster: as configured, else by a label of its nodes, else by a tag of the machine that we run
/// on, else the one among the region's clusters that has this one's issuer or certificate authority.
pub async fn find_cluster(
    access: &Access,
    region: &str,
    facts: &Facts,
    instance: Option<&Instance>,
) -> Result<Found, Unread> {
    let found = search(access, region, facts, instance).await.map_err(|(reason, tried)| {
        let what = format!(
            "find the EKS cluster's name (posturebeat.aws.cluster_name would tell it): {}",
            tried.join("; ")
        );
        Unread::new("$", reason, what)
    })?;
    tracing::info!(cluster = found.value, region, from = found.from, "found the EKS cluster's name");
    Ok(found)
}

/// What was tried, where nothing is found, and why the last of it failed.
async fn search(
    access: &Access,
    region: &str,
    facts: &Facts,
    instance: Option<&Instance>,
) -> Result<Found, (Reason, Vec<String>)> {
    if let Some(configured) = facts.configured_cluster() {
        return Ok(configured);
    }
    let clusters = Clusters::new(access, region, facts);
    let mut tried = Vec::new();
    match facts.labelled_cluster() {
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
        Err((reason, why)) => {
            tried.push(why);
            Err((reason, tried))
        }
    }
}
