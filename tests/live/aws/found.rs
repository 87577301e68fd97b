//! A cluster whose name nobody configured is found by its certificate authority.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::outcomes::{Outcomes, program, report, said, scan, scanning};
use super::seed::HOME;
use super::{Aws, objects};
use crate::bed::{self, Bed};

#[test]
fn the_cluster_with_our_certificate_authority_is_ours() {
    let bed = Bed::take();
    let aws = Aws::take();
    let _objects = objects::apply(&bed, &aws.seed);
    let named = scan(&bed, &aws);
    // None of the two has it yet.
    let output = program(&bed, &aws, &scanning(&[])).output().unwrap();
    let unknown = Outcomes::of(&output);
    assert!(unknown.at_aws().iter().all(|line| !line.contains(" aws-eks")));
    for (rule, code, message) in unknown.errors() {
        let helps = message.contains("posturebeat.aws.cluster_name") && message.contains("2 clusters");
        assert!(code == "missing" && helps, "{rule}: {code}: {message}");
    }
    assert_eq!(report(&output)["cluster"]["name"], bed::env("TESTBED_CLUSTER_NAME"));

    let authority = STANDARD.encode(std::fs::read("/etc/kubernetes/pki/ca.crt").unwrap());
    aws.front.extras(|extras| {
        extras.cluster(HOME, "good")["cluster"]["certificateAuthority"] = json!({"data": authority});
    });
    let output = program(&bed, &aws, &scanning(&["-v"])).output().unwrap();
    assert_eq!(Outcomes::of(&output), named);
    assert_eq!(report(&output)["cluster"]["name"], "good");
    let log = said(&output);
    assert!(log.contains("found the EKS cluster's name") && log.contains("certificate authority"), "{log}");

    let mut lines = program(&bed, &aws, &["scan", "--format", "ndjson", "--benchmark", "cis_eks"]);
    let output = lines.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["resource"].is_object() {
            assert_eq!(line["orchestrator"]["cluster"]["name"], "good", "{line:#}");
            assert_eq!(
                line["cloud"]["region"].as_str().is_some_and(|region| !region.is_empty()),
                line["resource"]["sub_type"] != "aws-ecr-public",
                "{line:#}"
            );
        }
    }
}
