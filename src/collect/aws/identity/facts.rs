//! What is known of the cluster before AWS is asked, and what follows from it.

use regex::Regex;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Labels that say which cluster of EKS a node belongs to.
const CLUSTER_LABELS: [&str; 3] =
    ["alpha.eksctl.io/cluster-name", "eks.amazonaws.com/cluster", "eks.amazonaws.com/cluster-name"];
const REGION_LABEL: &str = "topology.kubernetes.io/region";

/// A region, at the beginning of the name of one of its zones: `us-west-2` of `us-west-2a` and `us-west-2-lax-1a`.
static REGION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}").expect("the pattern of this file is valid")
});

/// What is known.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The cluster's name, where it is configured.
    pub cluster: Option<String>,
    /// Its region, where that is configured.
    pub region: Option<String>,
    /// Who issued the service account token that is mounted: [`issuer`](super::issuer).
    pub issuer: Option<String>,
    /// The certificates, as DER, by which the API server is known.
    pub authorities: Vec<Vec<u8>>,
    /// The labels of a Node.
    pub labels: BTreeMap<String, String>,
    /// Its `spec.providerID`.
    pub provider_id: Option<String>,
}

/// Something that was found, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub value: String,
    /// Where it stood.
    pub from: &'static str,
}

impl Found {
    pub(super) fn new(value: impl Into<String>, from: &'static str) -> Self {
        Self { value: value.into(), from }
    }
}

impl Facts {
    /// Learns what a Node tells.
    pub fn note_node(&mut self, node: &Value) {
        let labels = node["metadata"]["labels"].as_object();
        let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
        self.labels.extend(labels.into_iter().flatten().filter_map(text));
        self.provider_id = node["spec"]["providerID"].as_str().map(str::to_owned);
    }

    /// The region, if the cluster itself tells it.
    pub fn region(&self) -> Option<Found> {
        let configured = self.region.as_deref().filter(|region| !region.is_empty());
        let issuer = || self.issuer.as_deref().and_then(region_of_issuer);
        let label = || self.labels.get(REGION_LABEL).and_then(|region| whole_region(region));
        let zone = || zone_of(self.provider_id.as_deref()?).and_then(region_of_zone);
        configured
            .map(|region| Found::new(region, "configuration"))
            .or_else(|| issuer().map(|region| Found::new(region, "issuer of the service account token")))
            .or_else(|| label().map(|region| Found::new(region, "region label of the Node")))
            .or_else(|| zone().map(|region| Found::new(region, "zone in the Node's providerID")))
    }

    /// The cluster's name, as far as it is known without asking AWS.
    pub fn cluster_name(&self) -> Option<String> {
        self.configured_cluster().or_else(|| self.labelled_cluster()).map(|found| found.value)
    }

    pub(super) fn configured_cluster(&self) -> Option<Found> {
        let name = self.cluster.as_deref().filter(|name| !name.is_empty());
        name.map(|name| Found::new(name, "configuration"))
    }

    pub(super) fn labelled_cluster(&self) -> Option<Found> {
        let mut names = CLUSTER_LABELS.iter().filter_map(|label| self.labels.get(*label));
        names.find(|name| is_cluster_name(name)).map(|name| Found::new(name, "label of the Node"))
    }
}

/// Whether EKS would take it. It becomes part of paths and of the names of log groups.
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
    // Behind a region stands the letter of the zone, or the name of a place far from it.
    rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '-').then_some(region)
}

/// A region's name that is nothing more: it becomes part of the names of hosts.
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
