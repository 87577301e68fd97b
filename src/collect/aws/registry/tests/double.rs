//! A double of ECR, private and public.

use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request as Sent, ResponseTemplate};

use super::super::super::tests::ACCOUNT;

/// What was asked.
pub(super) struct Asked {
    /// `DescribeRepositories`, or with `public:` before it.
    pub(super) operation: String,
    pub(super) region: String,
    pub(super) body: Value,
}

impl Asked {
    pub(super) fn read(sent: &Sent) -> Self {
        // AmazonEC2ContainerRegistry_V20150921.DescribeRepositories
        let target = sent.headers["x-amz-target"].to_str().unwrap();
        let (service, operation) = target.split_once('.').unwrap();
        let public = if service.starts_with("SpencerFrontendService") { "public:" } else { "" };
        let signed = sent.headers["authorization"].to_str().unwrap();
        let region = signed.split('/').nth(2).unwrap().to_owned();
        let body = serde_json::from_slice(&sent.body).unwrap_or_default();
        Self { operation: format!("{public}{operation}"), region, body }
    }

    pub(super) fn names(&self) -> Vec<&str> {
        let names = self.body["repositoryNames"].as_array().map(Vec::as_slice).unwrap_or_default();
        names.iter().filter_map(Value::as_str).collect()
    }

    pub(super) fn name(&self) -> &str {
        self.body["repositoryName"].as_str().unwrap_or_default()
    }
}

pub(super) fn given(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body.to_string(), "application/x-amz-json-1.1")
}

pub(super) fn refused(code: &str) -> ResponseTemplate {
    let body = json!({"__type": code, "message": "no"}).to_string();
    ResponseTemplate::new(400).set_body_raw(body, "application/x-amz-json-1.1")
}

pub(super) fn repository(asked: &Asked, name: &str) -> Value {
    let (registry, region) = (asked.body["registryId"].as_str().unwrap(), &asked.region);
    json!({
        "repositoryArn": format!("arn:aws:ecr:{region}:{registry}:repository/{name}"),
        "registryId": registry, "repositoryName": name, "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": true}, "createdAt": 1_563_223_656.0, "addedLater": {"kept": 1},
    })
}

/// An account in which every repository is there, and nothing has a policy.
pub(super) fn plain(asked: &Asked) -> ResponseTemplate {
    match asked.operation.as_str() {
        "DescribeRepositories" => {
            let all: Vec<Value> = asked.names().iter().map(|name| repository(asked, name)).collect();
            given(&json!({"repositories": all}))
        }
        "BatchGetRepositoryScanningConfiguration" => {
            let of = |name: &&str| json!({"repositoryName": name, "scanOnPush": true, "scanFrequency": "SCAN_ON_PUSH", "appliedScanFilters": []});
            let all: Vec<Value> = asked.names().iter().map(of).collect();
            given(&json!({"scanningConfigurations": all, "failures": []}))
        }
        "GetRegistryScanningConfiguration" => given(
            &json!({"registryId": ACCOUNT, "scanningConfiguration": {"scanType": "BASIC", "rules": []}}),
        ),
        "GetRegistryPolicy" => refused("RegistryPolicyNotFoundException"),
        "GetRepositoryPolicy" | "public:GetRepositoryPolicy" => refused("RepositoryPolicyNotFoundException"),
        "DescribeImages" => {
            let ids = asked.body["imageIds"].as_array().unwrap().clone();
            let of = |id: Value| match id["imageTag"].as_str() {
                Some(tag) => {
                    json!({"imageDigest": format!("sha256:of-{tag}"), "imageTags": [tag], "imageSizeInBytes": 7})
                }
                None => json!({"imageDigest": id["imageDigest"]}),
            };
            given(&json!({"imageDetails": ids.into_iter().map(of).collect::<Vec<_>>()}))
        }
        "public:DescribeRegistries" => given(&json!({"registries": []})),
        other => panic!("{other} was not to be called"),
    }
}

/// A double that answers by `special`, and where that gives nothing by [`plain`].
pub(super) async fn double(
    special: impl Fn(&Asked) -> Option<ResponseTemplate> + Send + Sync + 'static,
) -> MockServer {
    let server = MockServer::start().await;
    let answer = move |sent: &Sent| {
        let asked = Asked::read(sent);
        special(&asked).unwrap_or_else(|| plain(&asked))
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

pub(super) async fn asked(server: &MockServer) -> Vec<Asked> {
    server.received_requests().await.unwrap().iter().map(Asked::read).collect()
}

pub(super) async fn count(server: &MockServer, operation: &str) -> usize {
    asked(server).await.iter().filter(|asked| asked.operation == operation).count()
}
