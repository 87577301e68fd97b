//! Which cluster this is, asked of doubles of EKS, STS and the instance metadata.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::collect::aws::tests::{action, client, get, json_answer, page, refused, xml_answer};

const ISSUER: &str = "https://oidc.eks.eu-west-1.amazonaws.com/id/0A1B";

fn facts(node: Value) -> ClusterFacts {
    let mut facts = ClusterFacts::default();
    facts.note_node(&node);
    facts
}

fn region(facts: &ClusterFacts) -> Option<(String, &'static str)> {
    known_region(facts).map(|found| (found.value, found.from))
}

#[test]
fn the_region_is_taken_from_the_surest_place() {
    let mut facts = facts(json!({
        "metadata": {"labels": {"topology.kubernetes.io/region": "eu-west-2"}},
        "spec": {"providerID": "aws:///eu-west-3a/i-0abc"},
    }));
    let detected = |value: &str, from| Some((value.to_owned(), from));
    facts.issuer = Some(ISSUER.into());
    facts.region = Some("eu-north-1".into());
    assert_eq!(region(&facts), detected("eu-north-1", "configuration"));
    facts.region = Some(String::new());
    assert_eq!(region(&facts), detected("eu-west-1", "issuer of the service account token"));
    facts.issuer = Some("https://kubernetes.default.svc".into());
    assert_eq!(region(&facts), detected("eu-west-2", "region label of the Node"));
    facts.labels.clear();
    assert_eq!(region(&facts), detected("eu-west-3", "zone in the Node's providerID"));
    facts.provider_id = None;
    assert_eq!(region(&facts), None);
}

#[test]
fn issuers_of_every_partition_name_a_region() {
    for (issuer, expected) in [
        ("https://oidc.eks.us-gov-west-1.amazonaws.com/id/0A", Some("us-gov-west-1")),
        ("https://oidc.eks.cn-north-1.amazonaws.com.cn/id/0A", Some("cn-north-1")),
        ("https://oidc.eks.eusc-de-east-1.amazonaws.eu/id/0A", Some("eusc-de-east-1")),
        ("https://oidc-eks.ap-southeast-2.api.aws/id/0A", Some("ap-southeast-2")),
        ("http://oidc.eks.eu-west-1.amazonaws.com/id/0A", None),
        ("https://oidc.eks.evil.example/id/0A", None),
        ("https://oidc.eks.eu-west-1", None),
        ("https://container.googleapis.com/v1/projects/p", None),
    ] {
        let facts = ClusterFacts { issuer: Some(issuer.into()), ..ClusterFacts::default() };
        assert_eq!(known_region(&facts).map(|found| found.value).as_deref(), expected, "{issuer}");
    }
}

/// A region becomes part of a host's name, so a node's own words must not make it another host.
#[test]
fn only_a_region_is_one() {
    for (zone, expected) in [
        ("us-west-2-lax-1a", Some("us-west-2")),
        ("us-east-1-wl1-bos-wlz-1", Some("us-east-1")),
        ("us-gov-east-1c", Some("us-gov-east-1")),
        ("eu-west-1", None),
        ("eu-west-1.evil.example", None),
        ("", None),
    ] {
        let facts = facts(json!({"spec": {"providerID": format!("aws:///{zone}/i-1")}}));
        assert_eq!(known_region(&facts).map(|found| found.value).as_deref(), expected, "{zone}");
    }
    for label in ["eu-west-1.evil.example/", "eu-west-1a", "evil", "EU-west-1"] {
        let facts = facts(json!({"metadata": {"labels": {"topology.kubernetes.io/region": label}}}));
        assert_eq!(known_region(&facts), None, "{label}");
    }
    let elsewhere = facts(json!({"spec": {"providerID": "gce://p/eu-west-1a/n"}}));
    assert_eq!(known_region(&elsewhere), None);
}

#[tokio::test]
async fn the_caller_has_an_account_and_a_partition() {
    let server = MockServer::start().await;
    let arn = "arn:aws-cn:sts::111122223333:assumed-role/posturebeat/i-1";
    let result = format!("<Arn>{arn}</Arn><UserId>A:i-1</UserId><Account>111122223333</Account>");
    let answer = xml_answer("GetCallerIdentity", &result);
    action("GetCallerIdentity", "Version=").respond_with(answer).mount(&server).await;
    let caller = caller(&client(&server), "cn-north-1").await.unwrap();
    let expected =
        CallerIdentity { account: "111122223333".into(), arn: arn.into(), partition: "aws-cn".into() };
    assert_eq!(caller, expected);
}

/// PEM in base64, as EKS tells it.
fn authority(der: &[u8]) -> String {
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der));
    STANDARD.encode(pem)
}

/// `other` and `hidden` on the first page, `ours` on the second.
async fn region_with_clusters() -> MockServer {
    let server = MockServer::start().await;
    let first = json_answer(json!({"clusters": ["other", "hidden"], "nextToken": "t"}));
    get("/clusters").respond_with(first).with_priority(10).mount(&server).await;
    page("/clusters", "t").respond_with(json_answer(json!({"clusters": ["ours"]}))).mount(&server).await;
    for (name, id, der) in [("other", "9Z", b"other"), ("ours", "0A1B", b"ours!")] {
        let issuer = format!("https://oidc.eks.eu-west-1.amazonaws.com/id/{id}");
        let cluster = json!({
            "name": name,
            "identity": {"oidc": {"issuer": issuer}},
            "certificateAuthority": {"data": authority(der)},
        });
        get(&format!("/clusters/{name}"))
            .respond_with(json_answer(json!({"cluster": cluster})))
            .mount(&server)
            .await;
    }
    get("/clusters/hidden").respond_with(refused(403, "AccessDeniedException")).mount(&server).await;
    get("/clusters/nowhere").respond_with(refused(404, "ResourceNotFoundException")).mount(&server).await;
    server
}

async fn cluster(server: &MockServer, facts: &ClusterFacts) -> Result<Detected, Gap> {
    let instance = InstanceMetadata::new(&client(server), Some(&server.uri())).unwrap();
    find_cluster(&client(server), "eu-west-1", facts, Some(&instance)).await
}

fn labelled(name: &str) -> ClusterFacts {
    facts(json!({"metadata": {"labels": {"alpha.eksctl.io/cluster-name": name}}}))
}

#[tokio::test]
async fn a_configured_name_is_used_unchecked() {
    let server = MockServer::start().await;
    let facts =
        ClusterFacts { cluster: Some("nowhere".into()), issuer: Some(ISSUER.into()), ..labelled("ours") };
    assert_eq!(cluster(&server, &facts).await.unwrap(), Detected::new("nowhere", "configuration"));
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_label_that_eks_does_not_contradict_is_the_name() {
    let server = region_with_clusters().await;
    for name in ["ours", "hidden"] {
        let facts = ClusterFacts { issuer: Some(ISSUER.into()), ..labelled(name) };
        assert_eq!(cluster(&server, &facts).await.unwrap(), Detected::new(name, "label of the Node"));
    }
    assert_eq!(cluster(&server, &labelled("other")).await.unwrap().value, "other", "nothing to compare");
}

#[tokio::test]
async fn a_contradicted_label_is_ignored() {
    let server = region_with_clusters().await;
    for name in ["other", "nowhere", "../../x"] {
        let facts = ClusterFacts { issuer: Some(ISSUER.into()), ..labelled(name) };
        assert_eq!(cluster(&server, &facts).await.unwrap().value, "ours", "{name}");
    }
}

#[tokio::test]
async fn the_cluster_is_known_by_its_issuer() {
    let server = region_with_clusters().await;
    let facts = ClusterFacts { issuer: Some(ISSUER.into()), ..ClusterFacts::default() };
    let expected = Detected::new("ours", "issuer or certificate authority among the region's clusters");
    assert_eq!(cluster(&server, &facts).await.unwrap(), expected);
}

#[tokio::test]
async fn the_cluster_is_known_by_its_certificate_authority() {
    let server = region_with_clusters().await;
    let facts =
        ClusterFacts { authorities: vec![b"proxy".to_vec(), b"ours!".to_vec()], ..ClusterFacts::default() };
    assert_eq!(cluster(&server, &facts).await.unwrap().value, "ours");
}

#[tokio::test]
async fn a_cluster_that_is_not_found_says_what_was_tried() {
    let server = region_with_clusters().await;
    let facts = ClusterFacts { issuer: Some(ISSUER.replace("0A1B", "77")), ..labelled("other") };
    let gap = cluster(&server, &facts).await.unwrap_err();
    assert_eq!(gap.reason, Reason::Denied, "one of them is hidden");
    for words in [
        "posturebeat.aws.cluster_name",
        "the label of the Node says `other`, which has another issuer",
        "the instance metadata gave no answer",
        "none of the 3 clusters of eu-west-1",
        "allow the IAM action eks:DescribeCluster",
    ] {
        assert!(gap.what.contains(words), "{words}: {}", gap.what);
    }
}

#[tokio::test]
async fn a_refused_list_of_clusters_is_the_reason() {
    let server = MockServer::start().await;
    get("/clusters").respond_with(refused(403, "AccessDeniedException")).mount(&server).await;
    let facts = ClusterFacts { issuer: Some(ISSUER.into()), ..ClusterFacts::default() };
    let gap = cluster(&server, &facts).await.unwrap_err();
    assert_eq!(gap.reason, Reason::Denied);
    assert!(gap.what.contains("allow the IAM action eks:ListClusters"), "{}", gap.what);
    let gap = cluster(&server, &ClusterFacts::default()).await.unwrap_err();
    assert_eq!(gap.reason, Reason::Missing);
    assert!(gap.what.contains("no issuer and no certificate authority is known"), "{}", gap.what);
}

/// A metadata service, of version 2.
async fn machine(answers: &[(&str, &str)]) -> MockServer {
    let server = MockServer::start().await;
    let token = ResponseTemplate::new(200)
        .insert_header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
        .set_body_string("metadata-token");
    Mock::given(method("PUT")).and(path("/latest/api/token")).respond_with(token).mount(&server).await;
    for (path, answer) in answers {
        let request = get(path).and(header("x-aws-ec2-metadata-token", "metadata-token"));
        request.respond_with(ResponseTemplate::new(200).set_body_string(*answer)).mount(&server).await;
    }
    server
}

#[tokio::test]
async fn a_tag_of_the_machine_names_the_cluster() {
    for key in ["eks:cluster-name", "aws:eks:cluster-name", "eks:eks-cluster-name"] {
        let keys = format!("Name\n{key}\neks:nodegroup-name");
        let tag = format!("/latest/meta-data/tags/instance/{key}");
        let server = machine(&[("/latest/meta-data/tags/instance", &keys), (&tag, "demo")]).await;
        let found = cluster(&server, &ClusterFacts::default()).await.unwrap();
        assert_eq!(found, Detected::new("demo", "tag of the instance"), "{key}");
    }
}

#[tokio::test]
async fn instance_metadata_give_the_region() {
    let document = ("/latest/dynamic/instance-identity/document", r#"{"region": "eu-west-1"}"#);
    let zone = ("/latest/meta-data/placement/availability-zone", "eu-west-2b");
    for (answers, expected) in [
        (vec![document, zone], Some(("eu-west-1", "identity document of the instance"))),
        (vec![zone], Some(("eu-west-2", "zone of the instance"))),
        (vec![], None),
    ] {
        let server = machine(&answers).await;
        let instance = InstanceMetadata::new(&client(&server), Some(&server.uri())).unwrap();
        let found = find_region(&ClusterFacts::default(), Some(&instance)).await;
        match expected {
            Some((region, from)) => assert_eq!(found.unwrap(), Detected::new(region, from)),
            None => assert!(found.unwrap_err().what.contains("no posturebeat.aws.region")),
        }
    }
}

#[tokio::test]
async fn disabled_instance_metadata_are_not_asked() {
    let gap = find_region(&ClusterFacts::default(), None).await.unwrap_err();
    assert!(gap.what.contains("the instance metadata is switched off"), "{}", gap.what);
}

/// As from a pod that is one hop too far away: its packets get lost.
#[tokio::test(start_paused = true)]
async fn a_machine_that_never_answers_is_not_waited_for() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let server = MockServer::start().await;
    let instance = InstanceMetadata::new(&client(&server), Some(&endpoint)).unwrap();
    let began = tokio::time::Instant::now();
    let gap = find_region(&ClusterFacts::default(), Some(&instance)).await.unwrap_err();
    assert!(gap.what.contains("the instance metadata gave no answer"), "{}", gap.what);
    // The clock of the test, which stands still but for waits.
    assert!(began.elapsed() <= std::time::Duration::from_secs(3), "{:?}", began.elapsed());
}
