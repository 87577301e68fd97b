//! The region and the cluster's name in what is known before AWS is asked.

use regex::Regex;
use std::sync::LazyLock;

use crate::collect::cloud::ClusterFacts;

/// Labels with the name of a node's EKS cluster.
const CLUSTER_LABELS: [&str; 3] =
    ["alpha.eksctl.io/cluster-name", "eks.amazonaws.com/cluster", "eks.amazonaws.com/cluster-name"];
const REGION_LABEL: &str = "topology.kubernetes.io/region";

/// A region, at the beginning of the name of one of its zones: `us-west-2` of `us-west-2a` and `us-west-2-lax-1a`.
static REGION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}").expect("the pattern of this file is valid")
});

/// A name that was found, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Detected {
    /// The name.
    pub value: String,
    /// Where, for the log.
    pub from: &'static str,
}

impl Detected {
    pub(super) fn new(value: impl Into<String>, from: &'static str) -> Self {
        Self { value: value.into(), from }
    }
}

/// The region, where the facts give it.
pub(crate) fn known_region(facts: &ClusterFacts) -> Option<Detected> {
    let configured = facts.region.as_deref().filter(|region| !region.is_empty());
    let issuer = || facts.issuer.as_deref().and_then(region_of_issuer);
    let label = || facts.labels.get(REGION_LABEL).and_then(|region| whole_region(region));
    let zone = || zone_of(facts.provider_id.as_deref()?).and_then(region_of_zone);
    configured
        .map(|region| Detected::new(region, "configuration"))
        .or_else(|| issuer().map(|region| Detected::new(region, "issuer of the service account token")))
        .or_else(|| label().map(|region| Detected::new(region, "region label of the Node")))
        .or_else(|| zone().map(|region| Detected::new(region, "zone in the Node's providerID")))
}

/// The cluster's name, where the facts give it without a call to AWS.
pub(crate) fn known_cluster(facts: &ClusterFacts) -> Option<String> {
    configured_cluster(facts).or_else(|| labelled_cluster(facts)).map(|found| found.value)
}

/// The cluster's name as configured.
pub(super) fn configured_cluster(facts: &ClusterFacts) -> Option<Detected> {
    let name = facts.cluster.as_deref().filter(|name| !name.is_empty());
    name.map(|name| Detected::new(name, "configuration"))
}

/// The cluster's name in a Node's labels.
pub(super) fn labelled_cluster(facts: &ClusterFacts) -> Option<Detected> {
    let mut names = CLUSTER_LABELS.iter().filter_map(|label| facts.labels.get(*label));
    names.find(|name| is_cluster_name(name)).map(|name| Detected::new(name, "label of the Node"))
}

/// Whether EKS accepts the name. It becomes part of paths and of the names of log groups.
pub(super) fn is_cluster_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=100).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(plain)
}

/// The region of a zone.
pub(super) fn region_of_zone(zone: &str) -> Option<&str> {
    let region = REGION.find(zone)?.as_str();
    let rest = &zone[region.len()..];
    // A zone's letter follows, or the name of a local zone.
    rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '-').then_some(region)
}

/// The text, if it is a region's name and nothing more: it becomes part of host names.
pub(super) fn whole_region(text: &str) -> Option<&str> {
    REGION.find(text).map(|found| found.as_str()).filter(|region| *region == text)
}

/// `eu-west-1` of `https://oidc.eks.eu-west-1.amazonaws.com/id/…`.
fn region_of_issuer(issuer: &str) -> Option<&str> {
    let host = issuer.strip_prefix("https://")?.split('/').next()?;
    let (region, _) =
        host.strip_prefix("oidc.eks.").or_else(|| host.strip_prefix("oidc-eks."))?.split_once('.')?;
    whole_region(region)
}

/// `eu-west-1a` of `aws:///eu-west-1a/i-…`.
fn zone_of(provider_id: &str) -> Option<&str> {
    provider_id.strip_prefix("aws://")?.trim_start_matches('/').split('/').next()
}
