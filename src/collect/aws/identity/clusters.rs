//! The clusters of a region, and which of them is this one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use super::facts::{Facts, Found};
use crate::collect::aws::access::{Access, Problem};
use crate::collect::aws::ask::{ask, ask_pages, each};
use crate::collect::aws::call::{DESCRIBE_CLUSTER, LIST_CLUSTERS};
use crate::resource::Reason;

/// EKS in one region.
pub(super) struct Clusters<'a> {
    access: &'a Access,
    client: aws_sdk_eks::Client,
    region: &'a str,
    facts: &'a Facts,
}

impl<'a> Clusters<'a> {
    pub fn new(access: &'a Access, region: &'a str, facts: &'a Facts) -> Self {
        let client = aws_sdk_eks::Client::new(&access.at(region));
        Self { access, client, region, facts }
    }

    /// Why a cluster of this name cannot be this one. What EKS does not tell contradicts nothing.
    pub async fn contradicts(&self, found: &Found) -> Option<String> {
        let Found { value: name, from } = found;
        if !can_tell(self.facts) {
            return None;
        }
        match describe(self.access.clone(), self.client.clone(), self.region.to_owned(), name.clone()).await {
            Ok(cluster) if is_ours(&cluster, self.facts) == Some(false) => {
                Some(format!("the {from} says `{name}`, which has another issuer and certificate authority"))
            }
            Err(problem) if problem.reason == Reason::Missing => {
                Some(format!("the {from} says `{name}`, which is not in {}", self.region))
            }
            _ => None,
        }
    }

    /// The one that has this one's issuer or certificate authority.
    pub async fn ours(&self) -> Result<Found, (Reason, String)> {
        if !can_tell(self.facts) {
            let why = "no issuer and no certificate authority is known by which to choose among the region's clusters";
            return Err((Reason::Missing, why.to_owned()));
        }
        let names = self.names().await.map_err(|problem| (problem.reason, problem.what))?;
        let count = names.len();
        let clusters = each(names, |name| {
            let asked =
                describe(self.access.clone(), self.client.clone(), self.region.to_owned(), name.clone());
            async move { (name, asked.await) }
        });
        let mut refused = None;
        for (name, cluster) in clusters.await {
            match cluster {
                Ok(cluster) if is_ours(&cluster, self.facts) == Some(true) => {
                    return Ok(Found::new(
                        name,
                        "issuer or certificate authority among the region's clusters",
                    ));
                }
                Ok(_) => {}
                Err(problem) => refused = Some(problem),
            }
        }
        let why = format!(
            "none of the {count} clusters of {} has this one's issuer or certificate authority",
            self.region
        );
        // Then it may be one of those that could not be looked at.
        Err(match refused {
            Some(problem) => (problem.reason, format!("{why}, as far as could be seen: {}", problem.what)),
            None => (Reason::Missing, why),
        })
    }

    async fn names(&self) -> Result<Vec<String>, Problem> {
        let request = || self.client.list_clusters();
        let names = ask_pages!(self.access, LIST_CLUSTERS, *self.region, "clusters", request)?;
        Ok(names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
    }
}

async fn describe(
    access: Access,
    client: aws_sdk_eks::Client,
    region: String,
    name: String,
) -> Result<Value, Problem> {
    let answer = ask!(access, DESCRIBE_CLUSTER, region, client.describe_cluster().name(&name))?;
    Ok(answer["cluster"].clone())
}

/// Whether anything is known by which to tell one cluster from another.
fn can_tell(facts: &Facts) -> bool {
    facts.issuer.is_some() || !facts.authorities.is_empty()
}

/// Whether a description is of this cluster; `None` where it says nothing that could be compared.
fn is_ours(cluster: &Value, facts: &Facts) -> Option<bool> {
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
