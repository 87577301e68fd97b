//! A cluster judged from outside: with AWS alone, and no way to its API server.

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Output;

use super::outcomes::{Outcomes, program, report, said, scan};
use super::seed::{ACCOUNT, AWAY, HOME};
use super::{Aws, objects};
use crate::bed::Bed;

/// `scan --eks-cluster` with more arguments, where nothing is known of Kubernetes.
fn look(bed: &Bed, aws: &Aws, cluster: &str, more: &[&str]) -> Output {
    let args = [&["scan", "--format", "json", "--eks-cluster", cluster], more].concat();
    let mut program = program(bed, aws, &args);
    program.env_remove("KUBECONFIG").env_remove("NODE_NAME").env_remove("AWS_REGION");
    program.output().unwrap()
}

const BOTH: [&str; 4] = ["--benchmark", "cis_eks@1.8.0", "--benchmark", "cis_eks@1.0.1"];

#[test]
fn what_aws_tells_is_judged_as_from_within() {
    let bed = Bed::take();
    let aws = Aws::take();
    let _objects = objects::apply(&bed, &aws.seed);
    let within: BTreeSet<String> =
        scan(&bed, &aws).at_aws().into_iter().filter(|line| line.contains(" aws-eks")).collect();
    let output = look(&bed, &aws, "good", &[&BOTH[..], &["--region", HOME]].concat());
    let outside = Outcomes::of(&output);
    assert_eq!(outside.at_aws(), within);
    assert_eq!(outside.broken(), BTreeSet::new());
    let report: Value = report(&output);
    assert_eq!(report["cluster"]["name"], "good");
    assert_eq!(report["cluster"]["id"], format!("arn:aws:eks:{HOME}:{ACCOUNT}:cluster/good"));
    // Two versions, of which each has recommendations that no AWS tells of.
    let line =
        "Judging 20 of 102 recommendations through the AWS API; the others need an agent in the cluster";
    assert!(said(&output).contains(line), "{}", said(&output));
}

#[test]
fn the_region_is_where_it_is_said_to_be() {
    let bed = Bed::take();
    let aws = Aws::take();
    let output = look(&bed, &aws, "away", &["--region", AWAY, "--benchmark", "cis_eks@1.8.0"]);
    let expected = [
        ("2.1.1", "failed"),
        ("2.1.2", "failed"),
        ("4.1.1", "passed"),
        ("4.1.7", "passed"),
        ("5.2.1", "not_applicable"),
        ("5.3.1", "failed"),
        ("5.4.1", "failed"),
        ("5.4.2", "failed"),
        ("5.5.1", "passed"),
    ];
    let expected = expected.map(|(number, outcome)| format!("1.8.0/{number} aws-eks away: {outcome}"));
    assert_eq!(Outcomes::of(&output).at_aws(), expected.into());
    let line =
        "Judging 10 of 50 recommendations through the AWS API; the others need an agent in the cluster";
    assert!(said(&output).contains(line), "{}", said(&output));
}

#[test]
fn exit_codes_are_those_of_a_scan() {
    let bed = Bed::take();
    let aws = Aws::take();
    let look = |cluster: &str, more: &[&str]| {
        let output =
            look(&bed, &aws, cluster, &[&["--region", HOME, "--benchmark", "cis_eks@1.8.0"], more].concat());
        (output.status.code(), output)
    };
    assert_eq!(look("bad", &[]).0, Some(0));
    assert_eq!(look("bad", &["--fail-on", "failed"]).0, Some(2));
    assert_eq!(look("good", &["--fail-on", "error"]).0, Some(0));
    let blind = |cluster: &str, why: &str, words: &str| {
        let (exit, output) = look(cluster, &[]);
        let text = said(&output);
        assert!(exit == Some(1) && text.contains("nothing could be read"), "{exit:?} {text}");
        let report = serde_json::from_slice(&output.stdout).unwrap();
        let outcomes = Outcomes::read(&report);
        assert_eq!(outcomes.broken(), outcomes.rules());
        for (rule, code, message) in outcomes.errors() {
            assert!(code == why && message.contains(words), "{rule}: {code}: {message}");
        }
    };
    blind("nobody-s", "missing", "nobody-s");
    // A cluster of another region is none of this one.
    blind("away", "missing", "away");
    aws.front.deny(["eks:DescribeCluster", "eks:ListNodegroups"]);
    blind("good", "denied", "(allow the IAM action eks:");
    aws.front.deny(["eks:ListIdentityProviderConfigs"]);
    assert_eq!(look("good", &[]).0, Some(0), "the rest was judged");
    assert_eq!(look("good", &["--fail-on", "error"]).0, Some(2));
}
