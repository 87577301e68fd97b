//! Roles of nodes: with AWS's own policies, a customer's, and ones of their own.

use aws_sdk_iam::Client;
use serde_json::{Value, json};

use super::{ACCOUNT, HOME};

/// An ARN of a role of the account.
pub fn arn(role: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{role}")
}

fn policy(actions: &[&str]) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})
        .to_string()
}

pub async fn plant(emulator: &str) {
    let iam = Client::new(&super::super::config(emulator, HOME));
    let trust: Value = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    for role in ["good-nodes", "bad-nodes"] {
        let request = iam.create_role().role_name(role).assume_role_policy_document(trust.to_string());
        request.send().await.unwrap();
    }
    for (role, policy) in [
        ("good-nodes", "AmazonEKSWorkerNodePolicy"),
        ("good-nodes", "AmazonEC2ContainerRegistryPullOnly"),
        ("bad-nodes", "AmazonEKSWorkerNodePolicy"),
        ("bad-nodes", "AmazonEC2ContainerRegistryPowerUser"),
    ] {
        let arn = format!("arn:aws:iam::aws:policy/{policy}");
        iam.attach_role_policy().role_name(role).policy_arn(arn).send().await.unwrap();
    }

    // A customer's policy whose second version is in force.
    let harmless = policy(&["ecr:BatchGetImage"]);
    let made = iam.create_policy().policy_name("builders").policy_document(harmless).send().await.unwrap();
    let arn = made.policy().unwrap().arn().unwrap().to_owned();
    let pushing = policy(&["ecr:PutImage", "ecr:InitiateLayerUpload"]);
    let version = iam.create_policy_version().policy_arn(&arn).policy_document(pushing).set_as_default(true);
    version.send().await.unwrap();
    iam.attach_role_policy().role_name("bad-nodes").policy_arn(arn).send().await.unwrap();

    for (role, actions) in [("good-nodes", "ecr:BatchGetImage"), ("bad-nodes", "ecr:*")] {
        let own = iam.put_role_policy().role_name(role).policy_name("images");
        own.policy_document(policy(&[actions])).send().await.unwrap();
    }
}
