//! The cluster and its node groups, asked of a double of EKS, IAM and CloudWatch Logs.

mod cluster;
mod node_groups;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use wiremock::matchers::header;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers};

use super::observe;
use crate::collect::aws::scope::AwsScope;
use crate::collect::aws::tests::{action, client, get, json_answer, xml_answer};
use crate::resource::{Kind, Owner, Resource, Selector};

const CLUSTER_ARN: &str = "arn:aws:eks:eu-west-1:111122223333:cluster/demo";
/// What is judged, in these tests.
const BOTH: &[&str] = &["aws-eks", "aws-eks-nodegroup"];

/// A double in which the cluster `demo` is there and has nothing. What a test mounts with it goes first.
async fn double() -> MockServer {
    let server = MockServer::start().await;
    let cluster = json!({"cluster": {
        "name": "demo",
        "arn": CLUSTER_ARN,
        "version": "1.33",
        "createdAt": 1_690_000_000.5,
        "certificateAuthority": {"data": "LS0t"},
        "accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"},
        "aNewFieldOfTheApi": {"enabled": true},
    }});
    let mut answers = vec![(get("/clusters/demo"), json_answer(cluster))];
    for (list, key) in [
        ("addons", "addons"),
        ("access-entries", "accessEntries"),
        ("pod-identity-associations", "associations"),
        ("identity-provider-configs", "identityProviderConfigs"),
        ("fargate-profiles", "fargateProfileNames"),
        ("node-groups", "nodegroups"),
    ] {
        answers.push((get(&format!("/clusters/demo/{list}")), json_answer(json!({key: []}))));
    }
    answers.push((logs(), json_answer(json!({"logGroups": []}))));
    for (name, list) in
        [("ListAttachedRolePolicies", "AttachedPolicies"), ("ListRolePolicies", "PolicyNames")]
    {
        let empty = format!("<{list}/><IsTruncated>false</IsTruncated>");
        answers.push((action(name, "RoleName="), xml_answer(name, &empty)));
    }
    for (request, answer) in answers {
        request.respond_with(answer).with_priority(10).mount(&server).await;
    }
    server
}

/// DescribeLogGroups.
fn logs() -> wiremock::MockBuilder {
    Mock::given(matchers::method("POST")).and(header("x-amz-target", "Logs_20140328.DescribeLogGroups"))
}

async fn answer(server: &MockServer, path: &str, answer: ResponseTemplate) {
    get(path).respond_with(answer).mount(server).await;
}

/// What is found of `wanted`.
async fn found(server: &MockServer, wanted: &[&str]) -> Vec<Resource> {
    let owner = Owner { id: "cluster/uid".into(), name: "prod".into() };
    let scope = AwsScope {
        cluster: "demo".into(),
        region: "eu-west-1".into(),
        account: "123456789012".into(),
        partition: "aws".into(),
        owner,
        wanted: wanted.iter().map(|name| Selector::new(Kind::Caas, *name)).collect(),
    };
    let (sender, mut receiver) = mpsc::channel(100);
    observe(&client(server), &scope, &sender).await;
    drop(sender);
    let mut found = Vec::new();
    while let Some(resource) = receiver.recv().await {
        found.push(resource);
    }
    found
}

/// The only cluster that is found.
async fn cluster(server: &MockServer) -> Resource {
    let mut found = found(server, &["aws-eks"]).await;
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Where something is unread, and why.
fn gaps(resource: &Resource) -> Vec<(&str, &str)> {
    resource.unread.iter().map(|unread| (unread.at.as_str(), unread.gap.reason.as_str())).collect()
}

fn list<'r>(resource: &'r Resource, key: &str) -> &'r [Value] {
    resource.raw[key].as_array().unwrap()
}
