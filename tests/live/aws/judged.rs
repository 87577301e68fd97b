//! What the seed deserves is what a scan says of it, and what documents say of where it is.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;

use super::Aws;
use super::objects::{self, balance};
use super::outcomes::{BOTH, GOOD, Outcomes, documents, program, said, scan, scanning};
use super::seed::{ACCOUNT, AWAY, HOME};
use crate::bed::Bed;

/// What the cluster's objects name, whichever cluster it is.
const USED: &[(&str, &str, &str)] = &[
    ("5.1.1", "aws-ecr", "away: passed, good: passed, open: passed, shared: passed, unscanned: failed"),
    // The registry at home lets another account write to all that is in it.
    ("5.1.2", "aws-ecr", "away: passed, good: failed, open: failed, shared: failed, unscanned: failed"),
    ("5.1.2", "aws-ecr-public", "own-bare: passed, own-public: failed"),
    ("5.4.5", "aws-elb", "classic-away: failed, classic-https: passed, classic-tcp: failed"),
    ("5.4.5", "aws-alb", "alb-http: failed, alb-https: passed"),
    ("5.4.5", "aws-nlb", "nlb-tcp: failed, nlb-tls: passed"),
];
/// What both versions say of a cluster: number and sub type, and the outcomes of `good`, `bad` and `away`.
const CLUSTER: &[(&str, [&str; 3])] = &[
    ("2.1.1", ["passed", "failed", "failed"]),
    // `bad` lets in whom the map names, and no entries count.
    ("4.1.1", ["needs_review", "not_applicable", "passed"]),
    ("5.2.1", ["passed", "not_applicable", "not_applicable"]),
    ("5.3.1", ["passed", "failed", "failed"]),
    // One network is no excuse for having no private endpoint.
    ("5.4.1", ["passed", "failed", "failed"]),
    ("5.4.2", ["passed", "failed", "failed"]),
    ("5.5.1", ["failed", "passed", "passed"]),
];
/// What only one of them says.
const CLUSTER_IN: &[(&str, &str, [&str; 3])] = &[
    ("1.8.0", "2.1.2", ["passed", "failed", "failed"]),
    ("1.8.0", "4.1.7", ["passed", "failed", "passed"]),
    // Where the plug-in is no add-on, somebody has to look.
    ("1.0.1", "4.3.1", ["failed", "needs_review", "needs_review"]),
    ("1.0.1", "5.6.1", ["needs_review", "needs_review", "needs_review"]),
];

/// All that is to be said of AWS for the cluster at this place of the tables.
fn expected(place: usize) -> BTreeSet<String> {
    let name = ["good", "bad", "away"][place];
    let mut lines = BTreeSet::new();
    for version in ["1.8.0", "1.0.1"] {
        for (number, sub_type, outcomes) in USED {
            lines.extend(outcomes.split(", ").map(|told| format!("{version}/{number} {sub_type} {told}")));
        }
        let of_version = CLUSTER_IN.iter().filter(|(own, ..)| *own == version);
        let of_version = of_version.map(|(_, number, outcomes)| (number, outcomes));
        for (number, outcomes) in
            CLUSTER.iter().map(|(number, outcomes)| (number, outcomes)).chain(of_version)
        {
            lines.insert(format!("{version}/{number} aws-eks {name}: {}", outcomes[place]));
        }
        // `away` has no node group.
        if let Some(outcome) = ["passed", "failed"].get(place) {
            lines.insert(format!("{version}/5.1.3 aws-eks-nodegroup {name}-nodes: {outcome}"));
        }
    }
    lines
}

fn judge(mut program: Command) -> Outcomes {
    Outcomes::of(&program.output().unwrap())
}

#[test]
fn what_is_good_passes_and_what_is_bad_fails() {
    let bed = Bed::take();
    let aws = Aws::take();
    let _objects = objects::apply(&bed, &aws.seed);
    let outcomes = scan(&bed, &aws);
    assert_eq!(outcomes.at_aws(), expected(0));
    assert_eq!(outcomes.broken(), BTreeSet::new());
    for (place, name, region) in [(1, "bad", HOME), (2, "away", AWAY)] {
        let name = format!("posturebeat.aws.cluster_name={name}");
        let mut program = program(&bed, &aws, &scanning(&["-E", &name]));
        program.env("AWS_REGION", region);
        let outcomes = judge(program);
        assert_eq!(outcomes.at_aws(), expected(place), "{name}");
        assert_eq!(outcomes.broken(), BTreeSet::new(), "{name}");
    }
    // Whom one trusts may write: then it is only who may read that fails.
    let trusted = "posturebeat.rules.params.ecr-policy.trusted_accounts=[\"210987654321\"]";
    let outcomes = judge(program(&bed, &aws, &scanning(&[GOOD.as_slice(), &["-E", trusted]].concat())));
    let told = outcomes.at_aws();
    let policies: Vec<_> = told.iter().filter(|line| line.starts_with("1.8.0/5.1.2 aws-ecr ")).collect();
    let is = ["away: passed", "good: passed", "open: failed", "shared: passed", "unscanned: passed"];
    assert_eq!(policies, is.map(|told| format!("1.8.0/5.1.2 aws-ecr {told}")).iter().collect::<Vec<_>>());
}

#[test]
fn what_objects_name_and_aws_does_not_know_is_an_error_of_its_own() {
    let bed = Bed::take();
    let aws = Aws::take();
    let _objects = objects::apply(&bed, &aws.seed);
    let before = scan(&bed, &aws);
    let gone = ["gone-1234567890.eu-central-1.elb.amazonaws.com", "gone-0123.elb.eu-central-1.amazonaws.com"];
    for (name, host) in ["classic-tcp", "nlb-tcp"].iter().zip(gone) {
        balance(&bed, "service", name, host);
    }
    let after = scan(&bed, &aws);
    let mut expected = Vec::new();
    for version in ["1.0.1", "1.8.0"] {
        for (sub_type, was, is) in [("aws-elb", "classic-tcp", gone[0]), ("aws-nlb", "nlb-tcp", gone[1])] {
            expected.push(format!("cis_eks@{version}/5.4.5 {sub_type} {was}: [\"failed\"] → []"));
            expected.push(format!("cis_eks@{version}/5.4.5 {sub_type} {is}: [] → [\"error\"]"));
        }
    }
    let mut seen: Vec<String> = before.changes(&after).iter().map(ToString::to_string).collect();
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
    assert!(after.errors().all(|(_, code, message)| code == "missing" && message.contains(ACCOUNT)));
}

#[test]
fn a_recording_gives_the_outcomes_of_the_live_scan() {
    let bed = Bed::take();
    let aws = Aws::take();
    let _objects = objects::apply(&bed, &aws.seed);
    // Gaps are kept too.
    aws.front.deny(["eks:ListAddons", "ecr:GetRegistryPolicy", "elasticloadbalancing:DescribeListeners"]);
    let live = scan(&bed, &aws);
    assert!(live.broken().len() > 3, "{:?}", live.broken());
    let file = bed.path("recording.ndjson.zst");
    let args = [&["collect", "--to", file.to_str().unwrap()], BOTH.as_slice(), &GOOD].concat();
    let output = program(&bed, &aws, &args).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let calls = aws.front.calls();
    let replayed = judge(program(&bed, &aws, &scanning(&["--snapshot", file.to_str().unwrap()])));
    assert_eq!(live, replayed);
    assert_eq!(calls, aws.front.calls(), "a recording is enough");
}

#[test]
fn documents_say_what_it_is_and_where() {
    let bed = Bed::take();
    let aws = Aws::take();
    let _objects = objects::apply(&bed, &aws.seed);
    let found = documents(&bed, &aws, &[]);
    let of = |sub_type: &str, name: &str| &found[&(sub_type.to_owned(), name.to_owned())];
    let ids: BTreeSet<_> = found.values().map(|line| line["resource"]["id"].as_str().unwrap()).collect();
    assert_eq!((found.len(), ids.len()), (16, 16), "{:?}", found.keys());

    let cluster = format!("arn:aws:eks:{HOME}:{ACCOUNT}:cluster/good");
    let ecr = |region: &str, name: &str| format!("arn:aws:ecr:{region}:{ACCOUNT}:repository/{name}");
    let public = format!("arn:aws:ecr-public::{ACCOUNT}:repository/own-public");
    let alb = &aws.seed.balancers["alb-https"];
    for (kind, sub_type, name, service, region, entities) in [
        ("caas", "aws-eks", "good", "EKS", Some(HOME), vec![cluster.as_str()]),
        ("load-balancer", "aws-elb", "classic-https", "ELB", Some(HOME), vec!["123456789012-classic-https"]),
        ("load-balancer", "aws-alb", "alb-https", "ELB", Some(HOME), vec![alb]),
        ("container-registry", "aws-ecr", "good", "ECR", Some(HOME), vec![&ecr(HOME, "good"), ACCOUNT]),
        ("container-registry", "aws-ecr", "away", "ECR", Some(AWAY), vec![&ecr(AWAY, "away"), ACCOUNT]),
        // They are in no region.
        ("container-registry", "aws-ecr-public", "own-public", "ECR", None, vec![&public, ACCOUNT]),
    ] {
        let line = of(sub_type, name);
        assert_eq!(line["resource"]["type"], kind, "{name}");
        assert_eq!(line["related"], json!({"entity": entities}), "{name}");
        let mut cloud = json!({"provider": "aws", "account": {"id": ACCOUNT}, "service": {"name": service}});
        if let Some(region) = region {
            cloud["region"] = region.into();
        }
        assert_eq!(line["cloud"], cloud, "{name}");
        assert_eq!(line["orchestrator"]["cluster"]["name"], "good", "{name}");
    }
    raw_is_the_api_s(&of, &aws);

    let shared = documents(&bed, &aws, &["-E", "posturebeat.compat.shared_aws_resource_id=true"]);
    let ids: BTreeSet<_> = shared.values().map(|line| line["resource"]["id"].as_str().unwrap()).collect();
    assert_eq!((shared.len(), ids.len()), (16, 1));
}

/// `resource.raw` has the API's names.
fn raw_is_the_api_s<'d>(of: &impl Fn(&str, &str) -> &'d Value, aws: &Aws) {
    for (sub_type, name, pointer, value) in [
        ("aws-eks", "good", "/resourcesVpcConfig/endpointPrivateAccess", json!(true)),
        ("aws-eks", "good", "/accessConfig/authenticationMode", json!("API")),
        ("aws-eks", "good", "/addons/0/addonName", json!("vpc-cni")),
        ("aws-eks", "good", "/addons/0/defaultVersion", json!("v1.20.1-eksbuild.3")),
        ("aws-eks", "good", "/logGroups/0/retentionInDays", json!(365)),
        ("aws-eks", "good", "/logGroups/1", Value::Null),
        ("aws-eks", "good", "/certificateAuthority", Value::Null),
        ("aws-eks-nodegroup", "good-nodes", "/nodeRolePolicies/0/document/Version", json!("2012-10-17")),
        ("aws-elb", "classic-https", "/DNSName", json!(aws.seed.hosts["classic-https"])),
        ("aws-elb", "classic-https", "/ListenerDescriptions/0/Listener/Protocol", json!("HTTPS")),
        ("aws-elb", "classic-https", "/Tags/0/Value", json!("demo/classic-https")),
        ("aws-elb", "classic-https", "/usedBy", json!(["Service/at-aws/classic-https"])),
        ("aws-alb", "alb-https", "/usedBy", json!(["Ingress/at-aws/alb-https"])),
        ("aws-alb", "alb-https", "/Listeners/0/DefaultActions/0/RedirectConfig/Protocol", json!("HTTPS")),
        ("aws-nlb", "nlb-tls", "/Listeners/0/Protocol", json!("TLS")),
        ("aws-ecr", "good", "/imageScanningConfiguration/scanOnPush", json!(true)),
        ("aws-ecr", "good", "/images/0/imageScanFindingsSummary/findingSeverityCounts/HIGH", json!(1)),
        ("aws-ecr", "good", "/usedBy/0", json!(super::seed::image(HOME, "good"))),
        ("aws-ecr", "open", "/policy/Statement/0/Principal/AWS", json!("*")),
        ("aws-ecr-public", "own-bare", "/policy", Value::Null),
    ] {
        let raw = &of(sub_type, name)["resource"]["raw"];
        assert_eq!(raw.pointer(pointer).unwrap_or(&Value::Null), &value, "{name} {pointer}: {raw:#}");
    }
}
