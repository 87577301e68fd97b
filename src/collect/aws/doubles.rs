//! What stands in for AWS in tests.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use std::collections::BTreeSet;
use tokio::sync::mpsc;
use wiremock::MockServer;

use super::access::Access;
use super::request::Request;
use crate::resource::{Owner, Resource};

pub(super) const ACCOUNT: &str = "123456789012";

/// Asks the server instead of AWS, whatever the region.
pub(super) fn access(server: &MockServer) -> Access {
    let credentials = Credentials::new("AKIDEXAMPLE", "not-a-secret", None, None, "tests");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(server.uri())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::new("eu-west-1"))
        .retry_config(RetryConfig::disabled())
        .build();
    Access::new(config)
}

/// For the own cluster in eu-west-1.
pub(super) fn request(wanted: &[&str]) -> Request {
    Request {
        account: ACCOUNT.to_owned(),
        region: "eu-west-1".to_owned(),
        partition: "aws".to_owned(),
        owner: Owner { id: "cluster/1".to_owned(), name: "prod".to_owned() },
        wanted: wanted.iter().map(|text| text.parse().unwrap()).collect::<BTreeSet<_>>(),
    }
}

/// All that a collector gives, in the order of their ids.
pub(super) async fn collected(collect: impl AsyncFnOnce(&mpsc::Sender<Resource>)) -> Vec<Resource> {
    let (sender, mut found) = mpsc::channel(1);
    let collecting = async {
        collect(&sender).await;
        drop(sender);
    };
    let receiving = async {
        let mut all = Vec::new();
        while let Some(resource) = found.recv().await {
            all.push(resource);
        }
        all.sort_by(|a, b| (&a.id, &a.sub_type).cmp(&(&b.id, &b.sub_type)));
        all
    };
    tokio::join!(collecting, receiving).1
}
