//! The files of `deploy/aws/`, which `make update` generates from the table of calls: the policy as it is, and templates
//! that make a role of it.

use serde_json::Value;
use std::fmt::Write as _;

use super::super::calls::{calls, policy};

/// `deploy/aws/policy.json`.
fn policy_file() -> String {
    format!("{:#}\n", policy(calls()))
}

/// `deploy/aws/cloudformation.yml`: the policy, and a role that EKS Pod Identity gives to a service account.
fn cloud_formation() -> String {
    let mut out = String::from(
        "# Made from the table of calls that posturebeat makes; see docs/eks.md.
AWSTemplateFormatVersion: \"2010-09-09\"
Description: What posturebeat may read of an EKS cluster, its load balancers and its image repositories.
Resources:
  Policy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Description: Reads for posturebeat
      PolicyDocument:
        Version: \"2012-10-17\"
        Statement:
          - Sid: PosturebeatReads
            Effect: Allow
            Resource: \"*\"
            Action:
",
    );
    for action in actions() {
        // Writing to memory does not fail.
        let _ = writeln!(out, "              - {action}");
    }
    out.push_str(
        "  Role:
    Type: AWS::IAM::Role
    Properties:
      Description: posturebeat, by EKS Pod Identity
      AssumeRolePolicyDocument:
        Version: \"2012-10-17\"
        Statement:
          - Effect: Allow
            Principal: {Service: pods.eks.amazonaws.com}
            Action: [\"sts:AssumeRole\", \"sts:TagSession\"]
      ManagedPolicyArns: [!Ref Policy]
Outputs:
  PolicyArn: {Value: !Ref Policy}
  RoleArn: {Value: !GetAtt Role.Arn}
",
    );
    out
}

/// `deploy/aws/main.tf`: the same for Terraform.
fn terraform() -> String {
    let mut out = String::from(
        "# Made from the table of calls that posturebeat makes; see docs/eks.md.

data \"aws_iam_policy_document\" \"posturebeat\" {
  statement {
    sid       = \"PosturebeatReads\"
    resources = [\"*\"]
    actions = [
",
    );
    for action in actions() {
        let _ = writeln!(out, "      \"{action}\",");
    }
    out.push_str(
        "    ]
  }
}

resource \"aws_iam_policy\" \"posturebeat\" {
  name        = \"posturebeat\"
  description = \"Reads for posturebeat\"
  policy      = data.aws_iam_policy_document.posturebeat.json
}

data \"aws_iam_policy_document\" \"posturebeat_pods\" {
  statement {
    actions = [\"sts:AssumeRole\", \"sts:TagSession\"]
    principals {
      type        = \"Service\"
      identifiers = [\"pods.eks.amazonaws.com\"]
    }
  }
}

resource \"aws_iam_role\" \"posturebeat\" {
  name               = \"posturebeat\"
  description        = \"posturebeat, by EKS Pod Identity\"
  assume_role_policy = data.aws_iam_policy_document.posturebeat_pods.json
}

resource \"aws_iam_role_policy_attachment\" \"posturebeat\" {
  role       = aws_iam_role.posturebeat.name
  policy_arn = aws_iam_policy.posturebeat.arn
}

output \"role_arn\" {
  value = aws_iam_role.posturebeat.arn
}
",
    );
    out
}

fn actions() -> Vec<String> {
    let policy = policy(calls());
    let actions = policy["Statement"][0]["Action"].as_array().unwrap();
    actions.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Compares a committed file with the generated one; `UPDATE=1` writes it.
fn hold(name: &str, generated: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/aws").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, generated).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, generated, "{} is stale: run `make update`", path.display());
}

#[test]
fn the_files_grant_every_call_and_no_more() {
    hold("policy.json", &policy_file());
    hold("cloudformation.yml", &cloud_formation());
    hold("main.tf", &terraform());
    for file in [policy_file(), cloud_formation(), terraform()] {
        let words: Vec<&str> =
            file.split(|c: char| c.is_whitespace() || matches!(c, '"' | ',' | '[' | ']')).collect();
        for action in actions() {
            assert_eq!(words.iter().filter(|word| **word == action).count(), 1, "{action}");
        }
        assert!(!file.contains(":*"), "no wildcard");
    }
}
