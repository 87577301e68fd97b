//! What may not be asked is an error for the recommendations that need it, and `test aws` names the same.

use posturebeat::collect::cloud::CloudCall;
use std::collections::{BTreeMap, BTreeSet};

use super::Aws;
use super::objects;
use super::outcomes::{BOTH, GOOD, Outcomes, program, said, scan, scanning};
use crate::bed::Bed;

/// Profiles of Fargate decide only where somebody says which pods are to run there.
const UNTRUSTED: [&str; 2] =
    ["-E", "posturebeat.rules.params.eks-fargate-untrusted.untrusted_namespaces=[\"batch\"]"];
/// Asked only where nobody says what the cluster is called.
const LIST: &str = "eks:ListClusters";
/// What the documentation of Elastic's integration asks for, as far as it is called.
const ELASTIC: [&str; 14] = [
    LIST,
    "eks:DescribeCluster",
    "eks:DescribeNodegroup",
    "ecr:DescribeRepositories",
    "ecr:GetRepositoryPolicy",
    "ecr:GetRegistryPolicy",
    "ecr:DescribeImages",
    "ecr-public:DescribeRegistries",
    "ecr-public:DescribeRepositories",
    "ecr-public:GetRepositoryPolicy",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeLoadBalancerPolicies",
];

/// Which actions are missing, with the rules that need them.
type Missing = BTreeMap<String, BTreeSet<String>>;

/// The calls that take a right.
fn calls() -> impl Iterator<Item = CloudCall> {
    posturebeat::collect::aws::calls().filter(|call| call.service != "sts")
}

/// `test aws` with the cluster's name: what it says is missing. Its exit code, its list of calls and the policy that it
/// prints must say so too.
fn missing(bed: &Bed, aws: &Aws) -> Missing {
    let output = program(bed, aws, &[&["test", "aws"], BOTH.as_slice(), &GOOD].concat()).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let listed = text.split("the recommendations that need them:\n").nth(1).unwrap_or_default();
    let lines = listed.lines().map_while(|line| line.strip_prefix("  ")?.split_once(": "));
    let rules =
        |rules: &str| rules.split(", ").filter(|rule| rule.contains('/')).map(str::to_owned).collect();
    let missing: Missing = lines.map(|(action, needed_by)| (action.to_owned(), rules(needed_by))).collect();
    for call in calls() {
        let action = call.permission;
        let is_missing = missing.contains_key(action);
        let told = if is_missing { "DENIED" } else { "OK" };
        assert!(text.contains(&format!("    {action}... {told}\n")), "{text}");
        assert_eq!(text.contains(&format!("\"{action}\"")), is_missing, "{text}");
    }
    assert_eq!(output.status.code(), Some(i32::from(!missing.is_empty())), "{text}{}", said(&output));
    missing
}

/// Every error is for want of one of these actions, and says which.
fn assert_denied(outcomes: &Outcomes, actions: &[&str]) {
    for (rule, code, message) in outcomes.errors() {
        let named =
            actions.iter().any(|action| message.contains(&format!("(allow the IAM action {action})")));
        assert!(code == "denied" && named, "{rule}: {code}: {message}");
    }
}

fn owned(rules: BTreeSet<&str>) -> BTreeSet<String> {
    rules.into_iter().map(str::to_owned).collect()
}

#[test]
fn each_denial_is_an_error_where_it_matters_and_nowhere_else() {
    let bed = Bed::take();
    let aws = Aws::take();
    let _objects = objects::apply(&bed, &aws.seed);
    // So that every call has a part in some outcome.
    aws.front.extras(|extras| extras.no_frequencies = true);
    let judge = || {
        let args = scanning(&[GOOD, UNTRUSTED].concat());
        Outcomes::of(&program(&bed, &aws, &args).output().unwrap())
    };
    let before = judge();
    assert_eq!(before.broken(), BTreeSet::new());
    assert_eq!(missing(&bed, &aws), Missing::new());
    let mut without_effect = BTreeSet::new();
    for call in calls() {
        let action = call.permission;
        aws.front.deny([action]);
        let missing = missing(&bed, &aws);
        assert_eq!(missing.keys().collect::<Vec<_>>(), [action]);
        let needed_by = &missing[action];
        let after = judge();
        if action == LIST {
            assert_eq!(before, after, "the name is configured");
            continue;
        }
        assert_eq!(&owned(after.broken()), needed_by, "{action}");
        assert_denied(&after, &[action]);
        for change in before.changes(&after) {
            // What cannot be listed any more is gone, and an error on the cluster stands for it.
            let fed =
                |of: &str| of == "k8s_object/Cluster" || call.feeds.iter().any(|feed| feed.selector == of);
            let changed = change.before.iter().chain(change.after).filter(|one| {
                // Others that are called alike stay what they were.
                !(change.before.contains(one) && change.after.contains(one))
            });
            assert!(changed.clone().all(|one| fed(&one.of)), "{action}: {change}");
            let now: Vec<_> = changed.filter(|one| change.after.contains(one)).collect();
            assert!(now.iter().all(|one| one.outcome == "error"), "{action}: {change}");
            assert!(needed_by.contains(change.rule), "{action}: {change}");
        }
        if needed_by.is_empty() {
            without_effect.insert(action.to_owned());
        }
    }
    // The rest of what is told of a load balancer or an image is only shown.
    let shown = ["DescribeTags", "DescribeLoadBalancerAttributes", "DescribeLoadBalancerPolicies"];
    let shown = shown.iter().map(|name| format!("elasticloadbalancing:{name}"));
    assert_eq!(without_effect, shown.chain(["ecr:DescribeImages".to_owned()]).collect());
}

#[test]
fn a_cluster_that_nobody_names_takes_the_list_of_clusters() {
    let bed = Bed::take();
    let aws = Aws::take();
    let _objects = objects::apply(&bed, &aws.seed);
    aws.front.deny([LIST]);
    let needed_by = missing(&bed, &aws).remove(LIST).unwrap();
    let outcomes = Outcomes::of(&program(&bed, &aws, &scanning(&[])).output().unwrap());
    assert_eq!(owned(outcomes.broken()), needed_by);
    assert_denied(&outcomes, &[LIST]);
}

#[test]
fn the_rights_of_elastics_integration_suffice_for_what_they_can() {
    let bed = Bed::take();
    let aws = Aws::take();
    let _objects = objects::apply(&bed, &aws.seed);
    let before = scan(&bed, &aws);
    let all = calls().map(|call| call.permission);
    let denied: Vec<&str> = all.filter(|action| !ELASTIC.contains(action)).collect();
    aws.front.deny(denied.iter().copied());
    let missing = missing(&bed, &aws);
    assert_eq!(
        missing.keys().collect::<BTreeSet<_>>(),
        denied.iter().map(|action| (*action).to_owned()).collect::<BTreeSet<_>>().iter().collect()
    );

    let after = scan(&bed, &aws);
    let lacking = |version: &str, numbers: &[&str]| {
        numbers.iter().map(|number| format!("cis_eks@{version}/{number}")).collect::<BTreeSet<_>>()
    };
    let mut expected =
        lacking("1.0.1", &["4.1.1", "4.3.1", "5.1.1", "5.1.3", "5.2.1", "5.4.5", "5.5.1", "5.6.1"]);
    expected.extend(lacking("1.8.0", &["2.1.2", "4.1.1", "5.1.1", "5.1.3", "5.2.1", "5.4.5", "5.5.1"]));
    assert_eq!(owned(after.broken()), expected);
    assert_eq!(missing.into_values().flatten().collect::<BTreeSet<_>>(), expected);
    assert_denied(&after, &denied);
    assert!(before.changes(&after).iter().all(|change| expected.contains(change.rule)));
    // Of load balancers the older ones are judged all the same.
    let classic = |outcomes: &Outcomes| {
        let told = outcomes.at_aws();
        told.into_iter().filter(|line| line.contains(" aws-elb ")).collect::<Vec<_>>()
    };
    assert_eq!((classic(&after).len(), classic(&after)), (6, classic(&before)));
}
