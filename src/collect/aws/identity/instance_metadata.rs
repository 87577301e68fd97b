//! The metadata service of the EC2 instance (version 2 only).
//!
//! A pod does not always reach it, because responses may travel one hop only. So nothing here takes long.

use aws_config::imds::client::Client;
use aws_config::imds::client::error::ImdsError;
use aws_config::provider_config::ProviderConfig;
use serde_json::Value;
use std::time::Duration;

use super::facts::{Detected, is_cluster_name, region_of_zone, whole_region};
use crate::collect::aws::client::AwsClient;

/// How long one answer may take.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// How long all of them may take.
const MAX_WAIT_IN_ALL: Duration = Duration::from_secs(2);

const TAGS: &str = "/latest/meta-data/tags/instance";
/// Suffixes of the tag keys for the cluster's name, the likeliest first. EKS also writes one with `aws:` before it.
const CLUSTER_TAGS: [&str; 2] = ["eks:cluster-name", "eks:eks-cluster-name"];

/// The metadata of the instance that we run on.
#[derive(Debug, Clone)]
pub(crate) struct InstanceMetadata {
    client: Client,
}

impl InstanceMetadata {
    /// A client for the service: at `endpoint`, else where the environment and AWS's shared files say, else at its fixed
    /// address. No request is made yet.
    pub(crate) fn new(aws: &AwsClient, endpoint: Option<&str>) -> Result<Self, String> {
        let mut config = ProviderConfig::without_region();
        if let Some(client) = aws.http_client() {
            config = config.with_http_client(client);
        }
        let mut builder = Client::builder()
            .configure(&config)
            .max_attempts(1)
            .connect_timeout(MAX_WAIT)
            .read_timeout(MAX_WAIT)
            .operation_attempt_timeout(MAX_WAIT)
            .operation_timeout(MAX_WAIT_IN_ALL);
        if let Some(endpoint) = endpoint {
            builder = builder
                .endpoint(endpoint)
                .map_err(|error| format!("the endpoint of the instance metadata: {error}"))?;
        }
        Ok(Self { client: builder.build() })
    }

    /// The region of the instance.
    pub(super) async fn region(&self) -> Result<Detected, String> {
        bounded(async {
            if let Ok(document) = self.get("/latest/dynamic/instance-identity/document").await {
                let document: Value = serde_json::from_str(&document).unwrap_or_default();
                if let Some(region) = document["region"].as_str().and_then(whole_region) {
                    return Ok(Detected::new(region, "identity document of the instance"));
                }
            }
            let zone = self.get("/latest/meta-data/placement/availability-zone").await?;
            match region_of_zone(&zone) {
                Some(region) => Ok(Detected::new(region, "zone of the instance")),
                None => Err("the instance metadata name no region".to_owned()),
            }
        })
        .await
    }

    /// The cluster in the tags of the instance.
    pub(super) async fn cluster(&self) -> Result<Detected, String> {
        bounded(async {
            let keys = self.get(TAGS).await.map_err(|why| format!("{why} (tags in them may be off)"))?;
            let named = |end: &&str| keys.lines().map(str::trim).find(|key| key.ends_with(*end));
            let plain = |c: char| c.is_ascii_alphanumeric() || "+-=.,_:@".contains(c);
            for key in CLUSTER_TAGS.iter().filter_map(named) {
                if !key.chars().all(plain) {
                    continue;
                }
                let name = self.get(&format!("{TAGS}/{key}")).await?;
                if is_cluster_name(&name) {
                    return Ok(Detected::new(name, "tag of the instance"));
                }
            }
            Err("no tag of the instance has it".to_owned())
        })
        .await
    }

    async fn get(&self, path: &str) -> Result<String, String> {
        let answer = Box::pin(self.client.get(path)).await;
        match answer {
            Ok(text) => Ok(text.as_ref().trim().to_owned()),
            // The error's text contains the whole answer, which may be a token.
            Err(ImdsError::ErrorResponse(answer)) => {
                Err(format!("the instance metadata answer {} to {path}", answer.response().status().as_u16()))
            }
            Err(_) => Err("the instance metadata gave no answer".to_owned()),
        }
    }
}

async fn bounded(asked: impl Future<Output = Result<Detected, String>>) -> Result<Detected, String> {
    let answer = tokio::time::timeout(MAX_WAIT_IN_ALL, asked).await;
    answer.unwrap_or_else(|_| Err("the instance metadata gave no answer in time".to_owned()))
}
