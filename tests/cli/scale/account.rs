//! An account of AWS: the cluster, its repositories and load balancers, and many others.

use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use super::cluster::{ACCOUNT, BALANCERS, Sort, balancer, host, region, sort};
use super::serve::{Answer, Double, field, json as answer, refused, xml};

/// How long each answer takes, so that calls overlap.
const TAKES: Duration = Duration::from_millis(1);
/// Of so many load balancers of the account one is the cluster's.
pub const ONE_IN: usize = 10;
/// The most load balancers on a page.
pub const PAGE: usize = 400;
const V2: &str = "2015-12-01";

/// The account, and how it was asked.
#[derive(Default)]
pub struct Account(Mutex<Asked>);

/// How it was asked.
#[derive(Default)]
pub struct Asked {
    /// Operations, those of the newer load balancing with `v2:`, of public registries with `public:` before them.
    pub calls: BTreeMap<String, usize>,
    pub most_at_once: usize,
    under_way: usize,
}

impl Account {
    pub fn asked(&self) -> MutexGuard<'_, Asked> {
        self.0.lock().unwrap()
    }

    fn count(&self, operation: &str) {
        *self.asked().calls.entry(operation.to_owned()).or_default() += 1;
    }
}

impl Double for Account {
    async fn answer(&self, head: &Parts, body: Bytes) -> Answer {
        {
            let mut asked = self.asked();
            asked.under_way += 1;
            asked.most_at_once = asked.most_at_once.max(asked.under_way);
        }
        tokio::time::sleep(TAKES).await;
        let text = std::str::from_utf8(&body).unwrap();
        // AWS4-HMAC-SHA256 Credential=<key>/<day>/<region>/<service>/aws4_request, …
        let region = head.headers["authorization"].to_str().unwrap().split('/').nth(2).unwrap();
        let answer = match head.headers.get("x-amz-target").map(|target| target.to_str().unwrap()) {
            Some(target) => {
                let operation = target.rsplit('.').next().unwrap();
                let public = if target.starts_with("Spencer") { "public:" } else { "" };
                let operation = format!("{public}{operation}");
                self.count(&operation);
                of_json(&operation, region, &serde_json::from_str(text).unwrap())
            }
            None if head.method == http::Method::GET => {
                self.count("eks");
                answer(&of_cluster(head.uri.path(), region))
            }
            None => {
                let action = field(text, "Action").unwrap();
                let newer = field(text, "Version") == Some(V2);
                self.count(&format!("{}{action}", if newer { "v2:" } else { "" }));
                let result =
                    if newer { of_newer(action, text, region) } else { of_older(action, text, region) };
                xml(format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"))
            }
        };
        self.asked().under_way -= 1;
        answer
    }
}

fn of_cluster(path: &str, region: &str) -> Value {
    let arn = format!("arn:aws:eks:{region}:{ACCOUNT}:cluster/big");
    match path {
        "/clusters/big" => json!({"cluster": {"name": "big", "arn": arn, "version": "1.33"}}),
        "/clusters/big/addons" => json!({"addons": []}),
        "/clusters/big/access-entries" => json!({"accessEntries": []}),
        "/clusters/big/pod-identity-associations" => json!({"associations": []}),
        "/clusters/big/identity-provider-configs" => json!({"identityProviderConfigs": []}),
        "/clusters/big/fargate-profiles" => json!({"fargateProfileNames": []}),
        "/clusters/big/node-groups" => json!({"nodegroups": []}),
        other => panic!("{other} was not to be asked for"),
    }
}

fn of_json(operation: &str, region: &str, body: &Value) -> Answer {
    let all = |of: &dyn Fn(&str) -> Value| -> Vec<Value> {
        let names = body["repositoryNames"].as_array().unwrap();
        names.iter().map(|name| of(name.as_str().unwrap())).collect()
    };
    let described = |name: &str| {
        json!({"repositoryArn": format!("arn:aws:ecr:{region}:{ACCOUNT}:repository/{name}"), "registryId": ACCOUNT,
            "repositoryName": name, "repositoryUri": format!("{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/{name}"),
            "imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": true},
            "encryptionConfiguration": {"encryptionType": "AES256"}, "createdAt": 1_563_223_656.0})
    };
    let scanned = |name: &str| json!({"repositoryName": name, "scanOnPush": true, "scanFrequency": "SCAN_ON_PUSH", "appliedScanFilters": []});
    let statement = json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]});
    answer(&match operation {
        "DescribeLogGroups" => json!({"logGroups": []}),
        "DescribeRepositories" => json!({"repositories": all(&described)}),
        "BatchGetRepositoryScanningConfiguration" => {
            json!({"scanningConfigurations": all(&scanned), "failures": []})
        }
        "GetRegistryScanningConfiguration" => {
            json!({"registryId": ACCOUNT, "scanningConfiguration": {"scanType": "BASIC", "rules": []}})
        }
        "GetRegistryPolicy" => {
            let none = json!({"__type": "RegistryPolicyNotFoundException", "message": "none"});
            return refused(StatusCode::BAD_REQUEST, &none);
        }
        "GetRepositoryPolicy" => {
            let text = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
            json!({"registryId": ACCOUNT, "repositoryName": body["repositoryName"], "policyText": text})
        }
        "DescribeImages" => {
            let counts =
                json!({"findingSeverityCounts": {"LOW": 3}, "imageScanCompletedAt": 1_563_223_656.0});
            json!({"imageDetails": [{"imageDigest": format!("sha256:{:064x}", 7), "imageTags": ["v1"],
                "imageScanStatus": {"status": "COMPLETE"}, "imageScanFindingsSummary": counts}]})
        }
        "public:DescribeRegistries" => json!({"registries": []}),
        other => panic!("{other} was not to be called"),
    })
}

/// One page of the region's load balancers, of which some are the cluster's, and the marker of the next.
fn page(text: &str, region_asked: &str, newer: bool, member: impl Fn(&str, &str, Sort) -> String) -> String {
    let ours =
        (0..BALANCERS).filter(|at| region(*at) == region_asked && (sort(*at) != Sort::Classic) == newer);
    let ours: Vec<usize> = ours.collect();
    let start: usize = field(text, "Marker").map(|marker| marker.parse().unwrap()).unwrap_or_default();
    let size: usize = field(text, "PageSize").unwrap().parse().unwrap();
    assert!(size <= PAGE);
    let count = ours.len() * ONE_IN;
    let end = (start + size).min(count);
    let members = (start..end).map(|at| match ours.get(at / ONE_IN) {
        Some(number) if at % ONE_IN == ONE_IN - 1 => {
            member(&balancer(*number), &host(*number), sort(*number))
        }
        _ => {
            let host = format!("other{at}-{at}.{region_asked}.elb.amazonaws.com");
            member(&format!("other{at}"), &host, if newer { Sort::Application } else { Sort::Classic })
        }
    });
    let members: String = members.collect();
    let list = if newer { "LoadBalancers" } else { "LoadBalancerDescriptions" };
    let next = if end < count { format!("<NextMarker>{end}</NextMarker>") } else { String::new() };
    format!("<{list}>{members}</{list}>{next}")
}

fn of_newer(action: &str, text: &str, region: &str) -> String {
    match action {
        "DescribeLoadBalancers" => page(text, region, true, |name, host, sort| {
            let (kind, short) =
                if sort == Sort::Network { ("network", "net") } else { ("application", "app") };
            let arn =
                format!("arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:loadbalancer/{short}/{name}/1");
            format!(
                "<member><LoadBalancerArn>{arn}</LoadBalancerArn><LoadBalancerName>{name}</LoadBalancerName><DNSName>{host}</DNSName><Scheme>internal</Scheme><Type>{kind}</Type><State><Code>active</Code></State></member>"
            )
        }),
        "DescribeTags" => "<TagDescriptions/>".into(),
        "DescribeLoadBalancerAttributes" => {
            "<Attributes><member><Key>access_logs.s3.enabled</Key><Value>true</Value></member></Attributes>"
                .into()
        }
        // Two pages for each.
        "DescribeListeners" => {
            let next = if field(text, "Marker").is_none() { "<NextMarker>2</NextMarker>" } else { "" };
            let port = if next.is_empty() { 8443 } else { 443 };
            format!(
                "<Listeners><member><Port>{port}</Port><Protocol>HTTPS</Protocol><SslPolicy>ELBSecurityPolicy-TLS13-1-2-2021-06</SslPolicy></member></Listeners>{next}"
            )
        }
        other => panic!("{other} was not to be called"),
    }
}

fn of_older(action: &str, text: &str, region: &str) -> String {
    match action {
        "GetCallerIdentity" => {
            format!(
                "<Account>{ACCOUNT}</Account><Arn>arn:aws:iam::{ACCOUNT}:user/test</Arn><UserId>A</UserId>"
            )
        }
        "DescribeLoadBalancers" => page(text, region, false, |name, host, _| {
            format!(
                "<member><LoadBalancerName>{name}</LoadBalancerName><DNSName>{host}</DNSName><Scheme>internal</Scheme><ListenerDescriptions><member><PolicyNames/><Listener><Protocol>SSL</Protocol><LoadBalancerPort>443</LoadBalancerPort><InstancePort>443</InstancePort></Listener></member></ListenerDescriptions></member>"
            )
        }),
        "DescribeTags" => "<TagDescriptions/>".into(),
        "DescribeLoadBalancerAttributes" => {
            "<LoadBalancerAttributes><AccessLog><Enabled>true</Enabled></AccessLog></LoadBalancerAttributes>"
                .into()
        }
        "DescribeLoadBalancerPolicies" => "<PolicyDescriptions/>".into(),
        other => panic!("{other} was not to be called"),
    }
}
