//! AWS on the loopback: what every test of its collectors needs.

mod deploy_files;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc;
use wiremock::matchers::{body_string_contains, method, path, query_param};
use wiremock::{Mock, MockBuilder, MockServer, ResponseTemplate};

use super::client::AwsClient;
use super::scope::AwsScope;
use crate::resource::{Owner, Resource};

/// Whose the cluster of [`scope`] is.
pub(super) const ACCOUNT: &str = "123456789012";

/// A way to a service that answers in the place of all of AWS. Refusals for a moment are asked again, without a wait.
pub(super) fn client(server: &MockServer) -> AwsClient {
    let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)).with_max_attempts(2);
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(server.uri())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(retries)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    AwsClient::new(config.build())
}

/// A request of a REST service: `GET`, with the path as it is sent.
pub(super) fn get(at: &str) -> MockBuilder {
    Mock::given(method("GET")).and(path(at))
}

/// The page of a list that this token leads to.
pub(super) fn page(at: &str, token: &str) -> MockBuilder {
    get(at).and(query_param("nextToken", token))
}

/// A request of a service with forms and XML: `Action=…`, with a word of its other fields.
pub(super) fn action(name: &str, word: &str) -> MockBuilder {
    Mock::given(method("POST"))
        .and(body_string_contains(format!("Action={name}&")))
        .and(body_string_contains(word))
}

/// An answer of JSON.
pub(super) fn json_answer(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// An answer of XML, the result of `name`.
pub(super) fn xml_answer(name: &str, result: &str) -> ResponseTemplate {
    let body = format!("<{name}Response><{name}Result>{result}</{name}Result></{name}Response>");
    ResponseTemplate::new(200).set_body_raw(body, "text/xml")
}

/// A refusal of a JSON service.
pub(super) fn refused(status: u16, code: &str) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .insert_header("x-amzn-errortype", code)
        .set_body_json(json!({"message": "not for you"}))
}

/// A refusal of a service with XML.
pub(super) fn refused_xml(status: u16, code: &str) -> ResponseTemplate {
    let body = format!(
        "<ErrorResponse><Error><Code>{code}</Code><Message>not for you</Message></Error></ErrorResponse>"
    );
    ResponseTemplate::new(status).set_body_raw(body, "text/xml")
}

/// For the own cluster in eu-west-1.
pub(super) fn scope(wanted: &[&str]) -> AwsScope {
    AwsScope {
        cluster: "prod".to_owned(),
        account: ACCOUNT.to_owned(),
        region: "eu-west-1".to_owned(),
        partition: "aws".to_owned(),
        owner: Owner { id: "cluster/1".to_owned(), name: "prod".to_owned() },
        wanted: wanted.iter().map(|text| text.parse().unwrap()).collect(),
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
