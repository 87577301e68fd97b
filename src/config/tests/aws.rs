//! `posturebeat.aws`, in our own file and in a Fleet policy.

use secrecy::ExposeSecret as _;

use super::Files;
use crate::config::AwsKeys;

/// A stream of the integration with these credentials.
fn policy(credentials: &str) -> String {
    format!(
        "type: cloudbeat/cis_eks\nstreams:\n  - config: {{v1: {{benchmark: cis_eks, deployment: eks, aws: {{credentials: {credentials}}}}}}}\n"
    )
}

#[test]
fn every_form_of_credentials_that_kibana_offers() {
    let direct =
        Files::new(&policy("{type: direct_access_keys, access_key_id: AK, secret_access_key: hunter2}"));
    assert_eq!(direct.notes(), [""; 0]);
    let aws = direct.settings().posture.aws;
    assert!(matches!(&aws.keys, AwsKeys::Static { access_key_id, secret_access_key, session_token: None }
        if access_key_id == "AK" && secret_access_key.expose_secret() == "hunter2"));
    let temporary = "{type: temporary_keys, access_key_id: AK, secret_access_key: s, session_token: t}";
    let aws = Files::new(&policy(temporary)).settings().posture.aws;
    assert!(
        matches!(&aws.keys, AwsKeys::Static { session_token: Some(token), .. } if token.expose_secret() == "t")
    );
    let shared = "{type: shared_credentials, shared_credential_file: /x, credential_profile_name: audit}";
    let aws = Files::new(&policy(shared)).settings().posture.aws;
    assert!(matches!(&aws.keys, AwsKeys::Shared { file: Some(file), profile: Some(profile) }
        if file.to_str() == Some("/x") && profile == "audit"));
    let role = "{type: assume_role, role_arn: 'arn:aws:iam::1:role/r', external_id: e}";
    let aws = Files::new(&policy(role)).settings().posture.aws;
    assert!(matches!(aws.keys, AwsKeys::Environment));
    let assumed = aws.assume_role.unwrap();
    assert_eq!(assumed.role_arn, "arn:aws:iam::1:role/r");
    assert_eq!(assumed.external_id.unwrap().expose_secret(), "e");
}

#[test]
fn a_type_with_blank_fields_means_what_the_environment_gives() {
    for kind in ["''", "assume_role", "direct_access_keys", "temporary_keys", "shared_credentials"] {
        let blank = format!(
            "{{type: {kind}, access_key_id: '', secret_access_key: '', session_token: '', shared_credential_file: '', \
             credential_profile_name: '', role_arn: ''}}"
        );
        let aws = Files::new(&policy(&blank)).settings().posture.aws;
        assert!(matches!(aws.keys, AwsKeys::Environment) && aws.assume_role.is_none(), "{kind}");
    }
}

#[test]
fn a_policy_s_unknown_type_of_credentials_is_said_and_the_rest_counts() {
    let files = Files::new(&policy("{type: cloud_connectors, role_arn: 'arn:aws:iam::1:role/r'}"));
    assert_eq!(files.settings().posture.aws.assume_role.unwrap().role_arn, "arn:aws:iam::1:role/r");
    assert_eq!(
        files.notes(),
        ["not used from the policy 1.yml: keys `streams.0.config.v1.aws.credentials.type`"]
    );
}

#[test]
fn halves_of_credentials_are_refused() {
    let error = |text: &str| Files::new(&format!("posturebeat.aws.credentials: {text}")).error();
    for (text, message) in [
        (
            "{access_key_id: AK}",
            "`posturebeat.aws.credentials.secret_access_key`: expected the secret of `access_key_id`",
        ),
        (
            "{secret_access_key: hunter2}",
            "`posturebeat.aws.credentials.access_key_id`: expected the id of `secret_access_key`",
        ),
        ("{session_token: hunter2}", "a session token requires"),
        ("{type: temporary_keys, access_key_id: AK, secret_access_key: s}", "expected the session token"),
        ("{access_key_id: AK, secret_access_key: s, credential_profile_name: p}", "found both"),
        ("{role_arn: admin}", "expected a role such as"),
        ("{external_id: hunter2}", "expected `role_arn` too"),
        ("{type: magic}", "magic"),
    ] {
        let error = error(text);
        assert!(error.contains(message) && !error.contains("hunter2"), "{text}: {error}");
    }
    let error = Files::new("posturebeat.aws: {endpoint: localhost}").error();
    assert!(error.contains("expected a URL"), "{error}");
    let error = Files::new("posturebeat.aws: {region: 'Ireland!'}").error();
    assert!(error.contains("expected a region such as"), "{error}");
}
