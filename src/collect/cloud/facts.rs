//! What is known about a cluster before its cloud is asked.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

use super::token::{TOKEN, issuer};

/// What configuration, the pod and the Kubernetes API say about the cluster.
#[derive(Debug, Clone, Default)]
pub struct ClusterFacts {
    /// The cluster's name at the cloud, where it is configured.
    pub cluster: Option<String>,
    /// Its region, where that is configured.
    pub region: Option<String>,
    /// The issuer of the service account token that is mounted in this pod.
    pub issuer: Option<String>,
    /// The API server's certificate authorities, as DER.
    pub authorities: Vec<Vec<u8>>,
    /// The labels of a Node.
    pub labels: BTreeMap<String, String>,
    /// Its `spec.providerID`.
    pub provider_id: Option<String>,
}

impl ClusterFacts {
    /// Reads the issuer of the service account token, where one is mounted.
    pub fn note_token(&mut self) {
        self.issuer = issuer(Path::new(TOKEN));
    }

    /// Reads a Node's labels and providerID.
    pub fn note_node(&mut self, node: &Value) {
        let labels = node["metadata"]["labels"].as_object();
        let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
        self.labels.extend(labels.into_iter().flatten().filter_map(text));
        self.provider_id = node["spec"]["providerID"].as_str().map(str::to_owned);
    }
}
