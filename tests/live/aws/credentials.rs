//! Who asks: nobody, a role, a profile of a file, keys of the configuration.

use std::process::Command;

use super::outcomes::{GOOD, Outcomes, program, said, scan, scanning, without_aws};
use super::seed::HOME;
use super::{Aws, KEY_ID, objects};
use crate::bed::Bed;

/// A program that could reach the front, and has nothing to sign with.
fn nobody(bed: &Bed, aws: &Aws, args: &[&str]) -> Command {
    let mut command = without_aws(bed, args);
    command.env("AWS_ENDPOINT_URL", aws.front.url()).env("AWS_REGION", HOME);
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

#[test]
fn without_credentials_only_what_aws_tells_is_missing() {
    let bed = Bed::take();
    let aws = Aws::take();
    let _objects = objects::apply(&bed, &aws.seed);
    let before = scan(&bed, &aws);
    let calls = aws.front.calls();
    let after = Outcomes::of(&nobody(&bed, &aws, &scanning(&GOOD)).output().unwrap());
    assert_eq!(aws.front.calls(), calls, "nobody is asked by nobody");

    assert!(after.at_aws().is_empty(), "{:?}", after.at_aws());
    let told = before.at_aws();
    let about_aws = told.iter().map(|line| format!("cis_eks@{}", line.split(' ').next().unwrap()));
    assert_eq!(
        after.broken().into_iter().map(str::to_owned).collect::<std::collections::BTreeSet<_>>(),
        about_aws.collect()
    );
    for (rule, code, message) in after.errors() {
        assert!(
            code == "no_credentials" && message.contains("posturebeat.aws.credentials"),
            "{rule}: {code}: {message}"
        );
    }
    // Nodes, objects and the cluster itself are judged as ever.
    for change in before.changes(&after) {
        let lost = change.before.iter().filter(|one| !change.after.contains(one));
        assert!(lost.clone().all(|one| !one.of.starts_with("k8s_object/")), "{change}");
        let new = change.after.iter().filter(|one| !change.before.contains(one));
        assert!(new.clone().all(|one| one.outcome == "error"), "{change}");
    }
}

#[test]
fn without_credentials_there_is_nothing_to_test_and_nothing_to_see_from_outside() {
    let bed = Bed::take();
    let aws = Aws::take();
    for args in [["test", "aws"].as_slice(), &["scan", "--eks-cluster", "good", "--region", HOME]] {
        let output = nobody(&bed, &aws, args).output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(output.stdout.is_empty() && said.contains("posturebeat.aws.credentials"), "{args:?}: {said}");
    }
}

/// `test aws` as the program is configured by these settings: who it says it is, and whose key asked for the cluster.
fn caller(program: &mut Command, aws: &Aws, settings: &[&str]) -> (String, Vec<String>) {
    program.args(["-E", "posturebeat.aws.cluster_name=good"]);
    for setting in settings {
        program.args(["-E", &format!("posturebeat.aws.credentials.{setting}")]);
    }
    let output = program.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("caller... OK ")).unwrap();
    (line.to_owned(), aws.front.keys("eks:DescribeCluster").into_iter().collect())
}

const ROLE: &str = "role_arn=arn:aws:iam::123456789012:role/auditors";
const ASSUMED: &str = "arn:aws:sts::123456789012:assumed-role/auditors/posturebeat";

#[test]
fn a_role_is_assumed() {
    let bed = Bed::take();
    let aws = Aws::take();
    let (arn, keys) = caller(&mut program(&bed, &aws, &["test", "aws"]), &aws, &[ROLE, "external_id=shop"]);
    assert_eq!(arn, ASSUMED);
    assert_eq!(aws.front.keys("sts:AssumeRole"), [KEY_ID.to_owned()].into());
    assert!(keys.len() == 1 && keys[0] != KEY_ID, "{keys:?}");
    // And for that only.
    assert_eq!(aws.front.keys("sts:GetCallerIdentity").into_iter().collect::<Vec<_>>(), keys);
}

#[test]
fn a_service_account_has_its_role() {
    let bed = Bed::take();
    let aws = Aws::take();
    let mut program = nobody(&bed, &aws, &["test", "aws"]);
    let token = bed.path("token");
    std::fs::write(&token, "of.a.service-account").unwrap();
    program.env("AWS_WEB_IDENTITY_TOKEN_FILE", token).env("AWS_ROLE_SESSION_NAME", "posturebeat");
    program.env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/auditors");
    let (arn, keys) = caller(&mut program, &aws, &[]);
    assert_eq!(arn, ASSUMED);
    assert_eq!((keys.len(), aws.front.calls()["sts:AssumeRoleWithWebIdentity"]), (1, 1));
}

#[test]
fn what_is_configured_comes_before_the_environment() {
    let bed = Bed::take();
    let file = bed.path("credentials");
    std::fs::write(
        &file,
        "[default]\naws_access_key_id = OTHER\naws_secret_access_key = other\n\
         [audit]\naws_access_key_id = OFFILE\naws_secret_access_key = of-file\n\
         [auditor]\nsource_profile = audit\nrole_arn = arn:aws:iam::123456789012:role/auditors\n\
         role_session_name = posturebeat\n",
    )
    .unwrap();
    let shared = format!("shared_credential_file={}", file.display());
    for (settings, key) in [
        (vec![shared.as_str(), "credential_profile_name=audit"], "OFFILE"),
        (vec![shared.as_str()], "OTHER"),
        (vec!["access_key_id=OFCONFIG", "secret_access_key=of-config"], "OFCONFIG"),
        (vec![], KEY_ID),
    ] {
        let aws = Aws::take();
        let (_, keys) = caller(&mut program(&bed, &aws, &["test", "aws"]), &aws, &settings);
        assert_eq!(keys, [key], "{settings:?}");
    }
    // A role, with the keys of the file: by our configuration, and by the file's own.
    for settings in [
        vec![shared.as_str(), "credential_profile_name=audit", ROLE],
        vec![&shared, "credential_profile_name=auditor"],
    ] {
        let aws = Aws::take();
        let (arn, keys) = caller(&mut program(&bed, &aws, &["test", "aws"]), &aws, &settings);
        assert_eq!((arn.as_str(), aws.front.keys("sts:AssumeRole")), (ASSUMED, ["OFFILE".to_owned()].into()));
        assert_ne!(keys, ["OFFILE"], "{settings:?}");
    }
}

#[test]
fn a_role_that_may_not_be_assumed_is_told_of() {
    let bed = Bed::take();
    let aws = Aws::take();
    aws.front.deny(["sts:AssumeRole"]);
    let setting = format!("posturebeat.aws.credentials.{ROLE}");
    let output = program(&bed, &aws, &["test", "aws", "-E", &setting]).output().unwrap();
    let text = said(&output);
    assert!(output.status.code() == Some(1) && text.contains("sts:AssumeRole"), "{text}");
    let outcomes = Outcomes::of(&program(&bed, &aws, &scanning(&["-E", &setting])).output().unwrap());
    assert!(outcomes.errors().count() > 20);
    assert!(outcomes.errors().all(|(_, _, message)| message.contains("sts:AssumeRole")));
    assert!(outcomes.rules().len() > outcomes.broken().len(), "the rest is judged");
}
