//! Repositories, as a double of ECR tells of them.

mod double;
mod invented;

use serde_json::json;
use std::collections::BTreeMap;
use wiremock::MockServer;

use super::super::tests::{ACCOUNT, client, collected, scope};
use super::observe;
use crate::collect::sightings::Sightings;
use crate::resource::{Reason, Resource, Unread};
use double::{asked, count, double, given, refused};

const ECR: &str = "container-registry/aws-ecr";
const ECR_PUBLIC: &str = "container-registry/aws-ecr-public";
const OTHER: &str = "999999999999";
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn image(account: &str, region: &str, rest: &str) -> String {
    format!("{account}.dkr.ecr.{region}.amazonaws.com/{rest}")
}

fn own(rest: &str) -> String {
    image(ACCOUNT, "eu-west-1", rest)
}

async fn look(server: &MockServer, wanted: &[&str], images: &[String]) -> Vec<Resource> {
    let sightings = Sightings { images: images.iter().cloned().collect(), ..Sightings::default() };
    let (aws, scope) = (client(server), scope(wanted));
    collected(async |found| observe(&aws, &scope, &sightings, found).await).await
}

fn places(resource: &Resource) -> BTreeMap<&str, Reason> {
    resource.unread.iter().map(|unread| (unread.at.as_str(), unread.gap.reason)).collect()
}

#[tokio::test]
async fn a_repository_has_the_fields_of_its_registry() {
    let server = double(|asked| {
        Some(match asked.operation.as_str() {
            "GetRepositoryPolicy" => given(&json!({"registryId": ACCOUNT, "policyText":
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"ecr:*"}}"#})),
            "GetRegistryPolicy" => given(&json!({"policyText": r#"{"Version":"2012-10-17","Statement":[]}"#})),
            "DescribeImages" => given(&json!({"imageDetails": [
                {"imageDigest": DIGEST, "imageTags": ["v1"], "imageScanStatus": {"status": "COMPLETE"},
                    "imageScanFindingsSummary": {"findingSeverityCounts": {"HIGH": 2}, "imageScanCompletedAt": 1.5},
                    "lastRecordedPullTime": 9.0},
                {"imageDigest": DIGEST, "imageTags": ["v1"]},
            ]})),
            _ => return None,
        })
    })
    .await;
    let images = [own("shop/web:v1"), own(&format!("shop/web:v0@{DIGEST}")), "nginx:1".to_owned()];
    let found = look(&server, &[ECR], &images).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].unread, []);
    assert_eq!((found[0].name.as_str(), found[0].sub_type.as_str()), ("shop/web", "aws-ecr"));
    assert_eq!(found[0].id, "arn:aws:ecr:eu-west-1:123456789012:repository/shop/web");
    assert_eq!(
        found[0].raw,
        json!({
            "repositoryArn": "arn:aws:ecr:eu-west-1:123456789012:repository/shop/web", "registryId": ACCOUNT,
            "repositoryName": "shop/web", "imageTagMutability": "MUTABLE",
            "imageScanningConfiguration": {"scanOnPush": true}, "createdAt": 1_563_223_656.0, "addedLater": {"kept": 1},
            "scanningConfiguration": {"repositoryName": "shop/web", "scanOnPush": true, "scanFrequency": "SCAN_ON_PUSH", "appliedScanFilters": []},
            "registryScanningConfiguration": {"scanType": "BASIC", "rules": []},
            "policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]},
            "registryPolicy": {"Version": "2012-10-17", "Statement": []},
            "images": [{"imageDigest": DIGEST, "imageTags": ["v1"], "imageScanStatus": {"status": "COMPLETE"},
                "imageScanFindingsSummary": {"findingSeverityCounts": {"HIGH": 2}, "imageScanCompletedAt": 1.5}}],
            "usedBy": [images[1], images[0]],
        })
    );
    let asked = asked(&server).await;
    let images = asked.iter().find(|asked| asked.operation == "DescribeImages").unwrap();
    assert_eq!(images.body["imageIds"], json!([{"imageDigest": DIGEST}, {"imageTag": "v1"}]));
    assert_eq!(images.body["registryId"], json!(ACCOUNT));
}

#[tokio::test]
async fn the_lack_of_a_policy_is_no_error_and_a_malformed_one_is() {
    let server = double(|asked| match (asked.operation.as_str(), asked.name()) {
        ("GetRepositoryPolicy", "odd") => Some(given(&json!({"policyText": "{\"Version\":"}))),
        ("GetRepositoryPolicy", "shut") => Some(refused("AccessDeniedException")),
        _ => None,
    })
    .await;
    let found = look(&server, &[ECR], &[own("odd"), own("none"), own("shut")]).await;
    let [none, odd, shut] = found.as_slice() else { panic!("{found:?}") };
    assert!(
        none.unread.is_empty()
            && none.raw.get("policy").is_none()
            && none.raw.get("registryPolicy").is_none()
    );
    assert_eq!(places(odd), BTreeMap::from([("$.policy", Reason::Malformed)]));
    assert_eq!(places(shut), BTreeMap::from([("$.policy", Reason::Denied)]));
    assert!(
        shut.unread[0].gap.what.contains("allow the IAM action ecr:GetRepositoryPolicy"),
        "{:?}",
        shut.unread
    );
}

#[tokio::test]
async fn deleted_repositories_do_not_spoil_a_batch() {
    let gone = |name: &str| matches!(name, "r003" | "r077" | "r101");
    let server = double(move |asked| {
        let spoilt = asked.operation == "DescribeRepositories" && asked.names().into_iter().any(gone);
        spoilt.then(|| refused("RepositoryNotFoundException"))
    })
    .await;
    let names: Vec<String> = (0..120).map(|at| format!("r{at:03}")).collect();
    let found = look(&server, &[ECR], &names.iter().map(|name| own(name)).collect::<Vec<_>>()).await;
    assert_eq!(found.iter().map(|resource| resource.name.clone()).collect::<Vec<_>>(), names);
    for resource in &found {
        assert_eq!(resource.id, format!("arn:aws:ecr:eu-west-1:123456789012:repository/{}", resource.name));
        if gone(&resource.name) {
            assert_eq!(places(resource), BTreeMap::from([("$", Reason::Missing)]));
            assert_eq!(resource.raw["usedBy"], json!([own(&resource.name)]));
        } else {
            assert!(resource.unread.is_empty(), "{resource:?}");
        }
    }
    for asked in asked(&server).await {
        let most = if asked.operation == "DescribeRepositories" { 100 } else { 25 };
        assert!(asked.names().len() <= most, "{} of {}", asked.operation, asked.names().len());
    }
    assert_eq!(count(&server, "GetRegistryPolicy").await, 1);
    assert_eq!(count(&server, "GetRegistryScanningConfiguration").await, 1);
}

#[tokio::test]
async fn of_another_account_what_can_be_read_is_judged() {
    let server = double(|asked| {
        let closed = asked.operation == "DescribeRepositories" && asked.names().contains(&"closed");
        closed.then(|| refused("AccessDeniedException"))
    })
    .await;
    let images = ["closed:1", "open:1", "wide:1"].map(|rest| image(OTHER, "eu-west-1", rest));
    let found = look(&server, &[ECR], &images).await;
    let [closed, open, wide] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(closed.id, "arn:aws:ecr:eu-west-1:999999999999:repository/closed");
    assert_eq!(places(closed), BTreeMap::from([("$", Reason::Denied)]));
    let owners = ["$.registryPolicy", "$.registryScanningConfiguration", "$.scanningConfiguration"];
    for resource in [open, wide] {
        assert_eq!(places(resource), owners.map(|at| (at, Reason::Denied)).into());
        assert_eq!(resource.raw["images"].as_array().map(Vec::len), Some(1));
    }
    let mut operations: Vec<_> = asked(&server)
        .await
        .into_iter()
        .map(|asked| {
            assert_eq!(asked.body["registryId"], json!(OTHER));
            asked.operation
        })
        .collect();
    operations.dedup();
    assert!(
        !operations.iter().any(|operation| operation.contains("Registry") || operation.contains("Batch"))
    );
}

#[tokio::test]
async fn a_registry_that_refuses_everything_is_soon_left_alone() {
    let server = double(|_| Some(refused("AccessDeniedException"))).await;
    let images: Vec<String> = (0..1_000).map(|at| image(OTHER, "eu-west-1", &format!("r{at}"))).collect();
    let found = look(&server, &[ECR], &images).await;
    assert_eq!(found.len(), 1_000);
    assert!(found.iter().all(|resource| places(resource) == BTreeMap::from([("$", Reason::Denied)])));
    assert!(count(&server, "DescribeRepositories").await < 80);
}

#[tokio::test]
async fn a_denied_region_does_not_hide_another() {
    let server =
        double(|asked| (asked.region == "us-east-1").then(|| refused("AccessDeniedException"))).await;
    let images = [own("here:1"), image(ACCOUNT, "us-east-1", "there:1")];
    let found = look(&server, &[ECR], &images).await;
    assert_eq!(found.iter().map(|resource| resource.name.as_str()).collect::<Vec<_>>(), ["here", "there"]);
    assert!(found[0].unread.is_empty());
    assert_eq!(places(&found[1]), BTreeMap::from([("$", Reason::Denied)]));
    assert!(
        found[1].unread[0].gap.what.contains("ecr:DescribeRepositories in us-east-1"),
        "{:?}",
        found[1].unread
    );
}

#[tokio::test]
async fn each_existing_image_has_its_scan_findings() {
    let server = double(|asked| match (asked.operation.as_str(), asked.name()) {
        ("DescribeImages", "shut") => Some(refused("AccessDeniedException")),
        ("DescribeImages", _) => {
            let gone = asked.body["imageIds"].as_array().unwrap().iter().any(|id| id["imageTag"] == "t050");
            gone.then(|| refused("ImageNotFoundException"))
        }
        ("BatchGetRepositoryScanningConfiguration", _) => Some(given(&json!({
            "scanningConfigurations": [{"repositoryName": "app", "scanOnPush": false}],
            "failures": [{"repositoryName": "shut", "failureCode": "REPOSITORY_NOT_FOUND", "failureReason": "gone"}],
        }))),
        _ => None,
    })
    .await;
    let mut images: Vec<String> = (0..150).map(|at| own(&format!("app:t{at:03}"))).collect();
    images.push(own("shut:1"));
    let found = look(&server, &[ECR], &images).await;
    let [app, shut] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(places(app), BTreeMap::from([("$.images[149]", Reason::Missing)]));
    assert_eq!(app.raw["images"].as_array().map(Vec::len), Some(150));
    assert_eq!(app.raw["images"][149], json!({"imageTags": ["t050"]}));
    assert_eq!(
        places(shut),
        BTreeMap::from([("$.images", Reason::Denied), ("$.scanningConfiguration", Reason::Missing)])
    );
    assert_eq!(shut.raw.get("images"), None);
    for asked in asked(&server).await {
        assert!(asked.body["imageIds"].as_array().is_none_or(|ids| ids.len() <= 100));
    }
}

#[tokio::test]
async fn without_sightings_no_call_is_made() {
    let server = double(|asked| panic!("{} was not to be called", asked.operation)).await;
    let elsewhere = ["nginx".to_owned(), "quay.io/a/b:1".to_owned(), own("Not A Name"), "x".repeat(5_000)];
    assert!(look(&server, &[ECR], &elsewhere).await.is_empty());
    assert!(look(&server, &["k8s_object/Pod"], &[own("app")]).await.is_empty());
    let china = [format!("{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn/app")];
    let found = look(&server, &[ECR], &china).await;
    assert_eq!(found[0].id, "arn:aws-cn:ecr:cn-north-1:123456789012:repository/app");
    assert_eq!(places(&found[0]), BTreeMap::from([("$", Reason::Denied)]));
}

#[tokio::test]
async fn any_number_of_registries_may_be_named_but_not_asked() {
    let server = double(|_| None).await;
    let mut images: Vec<String> =
        (0..300).map(|at| image(&format!("{at:012}"), "eu-west-1", "app")).collect();
    images.push(own("app"));
    let found = look(&server, &[ECR], &images).await;
    let over = found.iter().filter(|resource| places(resource).get("$") == Some(&Reason::TooLarge));
    assert_eq!((found.len(), over.count()), (301, 45));
    assert!(found.iter().any(|resource| resource.id.contains(ACCOUNT) && resource.unread.is_empty()));
}

#[tokio::test]
async fn pods_that_could_not_be_listed_stand_beside_what_is_known() {
    let server = double(|_| None).await;
    let mut sightings = Sightings::default();
    sightings.images.insert(own("app"));
    sightings.gaps.insert("Pod".to_owned(), Unread::new("$", Reason::Denied, "list pods"));
    let (aws, scope) = (client(&server), scope(&[ECR, ECR_PUBLIC]));
    let found = collected(async |found| observe(&aws, &scope, &sightings, found).await).await;
    assert_eq!(found.len(), 2);
    let unlisted: Vec<_> = found.iter().filter(|resource| resource.is_unlisted()).collect();
    assert_eq!(unlisted.len(), 1);
    assert_eq!(unlisted[0].sub_type, "aws-ecr");
    assert_eq!(unlisted[0].unread, [Unread::new("$", Reason::Denied, "list pods")]);
}

#[tokio::test]
async fn public_repositories_are_the_accounts_own() {
    let server = double(|asked| {
        assert_eq!(asked.region, "us-east-1");
        Some(match (asked.operation.as_str(), asked.body["nextToken"].as_str()) {
            ("public:DescribeRegistries", _) => given(&json!({"registries": [{"registryId": ACCOUNT,
                "registryArn": "arn:r", "registryUri": "public.ecr.aws/x", "verified": false, "aliases": []}]})),
            ("public:DescribeRepositories", None) => given(&json!({"nextToken": "two", "repositories": [
                {"repositoryArn": "arn:one", "registryId": ACCOUNT, "repositoryName": "one"}]})),
            ("public:DescribeRepositories", Some("two")) => given(&json!({"repositories": [
                {"repositoryArn": "arn:two", "registryId": ACCOUNT, "repositoryName": "two"}]})),
            ("public:GetRepositoryPolicy", _) if asked.name() == "one" => {
                given(&json!({"policyText": r#"{"Statement":[{"Effect":"Allow"}]}"#}))
            }
            _ => return None,
        })
    })
    .await;
    let found = look(&server, &[ECR, ECR_PUBLIC], &[]).await;
    let ids: Vec<_> = found.iter().map(|r| (r.sub_type.as_str(), r.id.as_str(), r.name.as_str())).collect();
    assert_eq!(ids, [("aws-ecr-public", "arn:one", "one"), ("aws-ecr-public", "arn:two", "two")]);
    assert_eq!(found[0].raw["policy"], json!({"Statement": [{"Effect": "Allow"}]}));
    assert_eq!(found[1].raw.get("policy"), None);
    assert!(found.iter().all(|resource| resource.unread.is_empty()));
}

#[tokio::test]
async fn without_public_repositories_there_is_nothing_to_tell() {
    let none = double(|_| None).await;
    assert!(look(&none, &[ECR_PUBLIC], &[]).await.is_empty());
    let unmade = double(|asked| {
        Some(match asked.operation.as_str() {
            "public:DescribeRegistries" => given(&json!({"registries": [{"registryId": ACCOUNT,
                "registryArn": "arn:r", "registryUri": "", "verified": false, "aliases": []}]})),
            _ => refused("RegistryNotFoundException"),
        })
    })
    .await;
    assert!(look(&unmade, &[ECR_PUBLIC], &[]).await.is_empty());
    let denied = double(|_| Some(refused("AccessDeniedException"))).await;
    let found = look(&denied, &[ECR_PUBLIC], &[]).await;
    assert_eq!(found.len(), 1);
    assert!(found[0].is_unlisted() && found[0].sub_type == "aws-ecr-public");
    assert!(found[0].unread[0].gap.what.contains("ecr-public:DescribeRegistries"), "{:?}", found[0].unread);
    let mut elsewhere = scope(&[ECR_PUBLIC]);
    elsewhere.partition = "aws-cn".to_owned();
    let aws = client(&denied);
    let found = collected(async |found| {
        observe(&aws, &elsewhere, &Sightings::default(), found).await;
    });
    assert!(found.await.is_empty());
}

#[tokio::test]
async fn nothing_runs_ahead_of_who_listens() {
    let server = double(|_| None).await;
    let images = (0..2_000).map(|at| own(&format!("r{at:04}"))).collect();
    let sightings = Sightings { images, ..Sightings::default() };
    let (aws, scope) = (client(&server), scope(&[ECR]));
    let (sender, mut found) = tokio::sync::mpsc::channel(1);
    let collecting = tokio::spawn(async move { observe(&aws, &scope, &sightings, &sender).await });
    assert!(found.recv().await.is_some());
    drop(found);
    collecting.await.unwrap();
    // The batches under way when nobody listened any more.
    assert!(count(&server, "DescribeRepositories").await <= 8);
    assert!(count(&server, "DescribeImages").await < 60);
}
