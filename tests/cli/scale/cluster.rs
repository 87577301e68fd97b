//! A cluster of many images and load balancers, and its API.

use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use serde_json::{Value, json};

use super::serve::{Answer, Double, field, json as answer, refused};

pub const ACCOUNT: &str = "123456789012";
pub const REGIONS: [&str; 3] = ["eu-west-1", "us-east-1", "ap-south-1"];
pub const REPOSITORIES: usize = 5_000;
pub const BALANCERS: usize = 500;
/// Containers of one Pod.
const OF_POD: usize = 5;

/// Repositories and load balancers are numbered: a number tells the region.
pub fn region(number: usize) -> &'static str {
    REGIONS[number % REGIONS.len()]
}

pub fn repository(number: usize) -> String {
    format!("team-{}/app-{number}", number / 50)
}

/// What a load balancer is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Classic,
    Application,
    Network,
}

pub fn sort(number: usize) -> Sort {
    [Sort::Classic, Sort::Application, Sort::Network][number / REGIONS.len() % 3]
}

/// The same in every region.
pub fn balancer(number: usize) -> String {
    format!("lb{}", number / REGIONS.len())
}

pub fn host(number: usize) -> String {
    let (name, region) = (balancer(number), region(number));
    match sort(number) {
        Sort::Network => format!("{name}-{number}.elb.{region}.amazonaws.com"),
        Sort::Classic | Sort::Application => format!("{name}-{number}.{region}.elb.amazonaws.com"),
    }
}

/// The API.
pub struct Cluster;

impl Double for Cluster {
    async fn answer(&self, head: &Parts, _: Bytes) -> Answer {
        let query = head.uri.query().unwrap_or_default();
        answer(&match head.uri.path() {
            "/version" => json!({"gitVersion": "v1.33.1-eks-1234567"}),
            "/api/v1/namespaces/kube-system" => {
                json!({"kind": "Namespace", "metadata": {"name": "kube-system", "uid": "system-uid"}})
            }
            // No kind that is not built in.
            "/apis" => json!({"kind": "APIGroupList", "groups": []}),
            "/api/v1" => json!({"kind": "APIResourceList", "resources": []}),
            "/api/v1/pods" => list(query, REPOSITORIES / OF_POD, pod),
            "/api/v1/services" => list(query, BALANCERS, service),
            // The group of an operator that is not installed.
            path if path.starts_with("/apis/") && path.matches('/').count() == 2 => {
                return refused(StatusCode::NOT_FOUND, &json!({"kind": "Status", "code": 404}));
            }
            _ => list(query, 0, pod),
        })
    }
}

/// A page of a list of so many.
fn list(query: &str, count: usize, item: impl Fn(usize) -> Value) -> Value {
    let number = |name: &str| field(query, name).map(|text| text.parse::<usize>().unwrap());
    let start = number("continue").unwrap_or_default();
    let end = (start + number("limit").unwrap_or(count)).min(count);
    let mut metadata = json!({});
    if end < count {
        metadata["continue"] = end.to_string().into();
    }
    json!({"kind": "List", "metadata": metadata, "items": (start..end).map(item).collect::<Vec<_>>()})
}

fn pod(number: usize) -> Value {
    let image = |at: usize| {
        let (region, repository) = (region(at), repository(at));
        json!({"name": format!("c{at}"), "image": format!("{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/{repository}:v1")})
    };
    let containers: Vec<Value> = (number * OF_POD..(number + 1) * OF_POD).map(image).collect();
    json!({"metadata": {"name": format!("pod-{number}"), "namespace": "shop", "uid": format!("pod-{number}")},
        "spec": {"containers": containers}})
}

fn service(number: usize) -> Value {
    json!({"metadata": {"name": format!("service-{number}"), "namespace": "shop", "uid": format!("service-{number}")},
        "spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": [{"hostname": host(number)}]}}})
}
