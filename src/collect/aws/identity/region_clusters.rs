//! The clusters of a region, and which of them is this one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use super::facts::Detected;
use crate::collect::aws::calls::eks::{DESCRIBE_CLUSTER, LIST_CLUSTERS};
use crate::collect::aws::client::{AwsClient, ask, ask_pages, each};
use crate::collect::cloud::ClusterFacts;
use crate::resource::{Gap, Reason};

/// EKS in one region.
pub(super) struct RegionClusters<'a> {
    aws: &'a AwsClient,
    client: aws_sdk_eks::Client,
    region: &'a str,
    facts: &'a ClusterFacts,
}

impl<'a> RegionClusters<'a> {
    pub(super) fn new(aws: &'a AwsClient, region: &'a str, facts: &'a ClusterFacts) -> Self {
        let client = aws_sdk_eks::Client::new(&aws.at(region));
        Self { aws, client, region, facts }
    }

    /// Why a cluster of this name cannot be this one. Without an answer from EKS nothing contradicts it.
    pub(super) async fn contradicts(&self, found: &Detected) -> Option<String> {
        let Detected { value: name, from } = found;
        if !can_tell(self.facts) {
            return None;
        }
        match describe(self.aws.clone(), self.client.clone(), self.region.to_owned(), name.clone()).await {
            Ok(cluster) if is_ours(&cluster, self.facts) == Some(false) => {
                Some(format!("the {from} says `{name}`, which has another issuer and certificate authority"))
            }
            Err(gap) if gap.reason == Reason::Missing => {
                Some(format!("the {from} says `{name}`, which is not in {}", self.region))
            }
            _ => None,
        }
    }

    /// The one that has this one's issuer or certificate authority.
    pub(super) async fn ours(&self) -> Result<Detected, Gap> {
        if !can_tell(self.facts) {
            let why = "no issuer and no certificate authority is known by which to choose among the region's clusters";
            return Err(Gap::new(Reason::Missing, why));
        }
        let names = self.names().await?;
        let count = names.len();
        let clusters = each(names, |name| {
            let asked = describe(self.aws.clone(), self.client.clone(), self.region.to_owned(), name.clone());
            async move { (name, asked.await) }
        });
        let mut refused = None;
        for (name, cluster) in clusters.await {
            match cluster {
                Ok(cluster) if is_ours(&cluster, self.facts) == Some(true) => {
                    return Ok(Detected::new(
                        name,
                        "issuer or certificate authority among the region's clusters",
                    ));
                }
                Ok(_) => {}
                Err(gap) => refused = Some(gap),
            }
        }
        let why = format!(
            "none of the {count} clusters of {} has this one's issuer or certificate authority",
            self.region
        );
        // It may be one of those that could not be described.
        Err(match refused {
            Some(gap) => gap.during(format!("{why}, but not all could be described")),
            None => Gap::new(Reason::Missing, why),
        })
    }

    async fn names(&self) -> Result<Vec<String>, Gap> {
        let request = || self.client.list_clusters();
        let names = ask_pages!(self.aws, LIST_CLUSTERS, *self.region, "clusters", request)?;
        Ok(names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
    }
}

async fn describe(
    aws: AwsClient,
    client: aws_sdk_eks::Client,
    region: String,
    name: String,
) -> Result<Value, Gap> {
    let answer = ask!(aws, DESCRIBE_CLUSTER, region, client.describe_cluster().name(&name))?;
    Ok(answer["cluster"].clone())
}

/// Whether anything is known that tells one cluster from another.
fn can_tell(facts: &ClusterFacts) -> bool {
    facts.issuer.is_some() || !facts.authorities.is_empty()
}

/// Whether a description is of this cluster; `None` where nothing can be compared.
fn is_ours(cluster: &Value, facts: &ClusterFacts) -> Option<bool> {
    let issuer = cluster["identity"]["oidc"]["issuer"].as_str();
    let by_issuer = issuer.zip(facts.issuer.as_deref()).map(|(its, ours)| its == ours);
    let authorities = cluster["certificateAuthority"]["data"].as_str().map(certificates).unwrap_or_default();
    let comparable = !authorities.is_empty() && !facts.authorities.is_empty();
    let by_authority = comparable.then(|| authorities.iter().any(|its| facts.authorities.contains(its)));
    match (by_issuer, by_authority) {
        (None, None) => None,
        (issuer, authority) => Some(issuer == Some(true) || authority == Some(true)),
    }
}

/// The certificates in PEM in base64, as DER.
fn certificates(data: &str) -> Vec<Vec<u8>> {
    let pem = STANDARD.decode(data).unwrap_or_default();
    CertificateDer::pem_slice_iter(&pem).flatten().map(|der| der.to_vec()).collect()
}
