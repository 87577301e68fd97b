//! The node groups, and what their nodes may do.

use super::*;
use crate::collect::aws::tests::{refused, refused_xml};

const MANAGED: &str = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy";

fn group(name: &str, role: &str) -> Value {
    json!({
        "nodegroupName": name,
        "nodegroupArn": format!("arn:aws:eks:eu-west-1:111122223333:nodegroup/demo/{name}/9ac1"),
        "nodeRole": role,
        "remoteAccess": {"ec2SshKey": "k"},
    })
}

/// Node groups `a` and `b` with one role, `gone` that was deleted, and `hidden`.
async fn with_groups() -> MockServer {
    let server = double().await;
    let groups = "/clusters/demo/node-groups";
    answer(&server, groups, json_answer(json!({"nodegroups": ["a", "gone", "b", "hidden"]}))).await;
    for name in ["a", "b"] {
        let group = group(name, "arn:aws:iam::111122223333:role/team/nodes");
        answer(&server, &format!("{groups}/{name}"), json_answer(json!({"nodegroup": group}))).await;
    }
    answer(&server, &format!("{groups}/gone"), refused(404, "ResourceNotFoundException")).await;
    answer(&server, &format!("{groups}/hidden"), refused(403, "AccessDeniedException")).await;
    server
}

async fn xml(server: &MockServer, name: &str, word: &str, result: &str) {
    action(name, word).respond_with(xml_answer(name, result)).mount(server).await;
}

/// The role `nodes`, with a managed policy on the second page of its list, and one of its own.
async fn with_policies(server: &MockServer) {
    let attached = |name: &str, arn: &str| {
        format!(
            "<AttachedPolicies><member><PolicyName>{name}</PolicyName><PolicyArn>{arn}</PolicyArn></member></AttachedPolicies>"
        )
    };
    let first = attached("Pull", "arn:aws:iam::111122223333:policy/Pull");
    let truncated = format!("{first}<IsTruncated>true</IsTruncated><Marker>m1</Marker>");
    let last = format!("{}<IsTruncated>false</IsTruncated>", attached("AmazonEKSWorkerNodePolicy", MANAGED));
    xml(server, "ListAttachedRolePolicies", "RoleName=nodes", &truncated).await;
    let name = "ListAttachedRolePolicies";
    action(name, "Marker=m1").respond_with(xml_answer(name, &last)).with_priority(1).mount(server).await;
    let own = "<PolicyNames><member>own</member></PolicyNames><IsTruncated>false</IsTruncated>";
    xml(server, "ListRolePolicies", "RoleName=nodes", own).await;
    for (arn, version) in [("policy%2FPull", "v7"), ("AmazonEKSWorkerNodePolicy", "v3")] {
        let policy = format!("<Policy><DefaultVersionId>{version}</DefaultVersionId></Policy>");
        xml(server, "GetPolicy", arn, &policy).await;
        let document = format!(
            "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Sid%22%3A%22{version}%22%7D%7D"
        );
        let version_id = format!("VersionId={version}");
        let answer = format!("<PolicyVersion><Document>{document}</Document></PolicyVersion>");
        xml(server, "GetPolicyVersion", &version_id, &answer).await;
    }
    let own = "<RoleName>nodes</RoleName><PolicyName>own</PolicyName><PolicyDocument>%7B%22Statement%22%3A%5B%7B%22Action%22%3A%22ecr%3A%2A%22%7D%5D%7D</PolicyDocument>";
    xml(server, "GetRolePolicy", "PolicyName=own", own).await;
}

async fn groups(server: &MockServer) -> Vec<Resource> {
    found(server, &["aws-eks-nodegroup"]).await
}

#[tokio::test]
async fn a_node_group_has_the_policies_of_its_role() {
    let server = with_groups().await;
    with_policies(&server).await;
    let found = groups(&server).await;
    let names: Vec<_> = found.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "hidden"], "one is gone");
    let mut expected = group("a", "arn:aws:iam::111122223333:role/team/nodes");
    expected["nodeRolePolicies"] = json!([
        {
            "policyName": "Pull",
            "policyArn": "arn:aws:iam::111122223333:policy/Pull",
            "document": {"Version": "2012-10-17", "Statement": [{"Sid": "v7"}]},
        },
        {
            "policyName": "AmazonEKSWorkerNodePolicy",
            "policyArn": MANAGED,
            "document": {"Version": "2012-10-17", "Statement": [{"Sid": "v3"}]},
        },
        {"policyName": "own", "document": {"Statement": [{"Action": "ecr:*"}]}},
    ]);
    assert_eq!(found[0].raw, expected);
    assert_eq!(found[0].id, expected["nodegroupArn"].as_str().unwrap());
    assert_eq!(gaps(&found[0]), []);
    assert_eq!(found[1].raw["nodeRolePolicies"], expected["nodeRolePolicies"]);
}

#[tokio::test]
async fn a_policy_is_asked_for_once() {
    let server = with_groups().await;
    with_policies(&server).await;
    groups(&server).await;
    let asked = server.received_requests().await.unwrap();
    let count =
        |word: &str| asked.iter().filter(|ask| String::from_utf8_lossy(&ask.body).contains(word)).count();
    assert_eq!((count("Action=GetPolicy&"), count("Action=ListRolePolicies&")), (2, 1));
}

#[tokio::test]
async fn a_node_group_that_is_hidden_is_one_resource() {
    let server = with_groups().await;
    let found = groups(&server).await;
    let hidden = found.last().unwrap();
    assert_eq!((hidden.id.as_str(), hidden.name.as_str()), ("nodegroup/demo/hidden", "hidden"));
    assert_eq!(gaps(hidden), [("$", "denied")]);
    assert!(!hidden.is_unlisted());
    assert!(hidden.unread[0].gap.what.contains("allow the IAM action eks:DescribeNodegroup"), "{hidden:?}");
}

#[tokio::test]
async fn a_policy_that_is_hidden_is_unread_in_its_place() {
    let server = with_groups().await;
    with_policies(&server).await;
    let denied = refused_xml(403, "AccessDenied");
    action("GetPolicyVersion", "VersionId=v7").respond_with(denied).with_priority(1).mount(&server).await;
    let found = groups(&server).await;
    assert_eq!(gaps(&found[0]), [("$.nodeRolePolicies[0].document", "denied")]);
    assert!(found[0].unread[0].gap.what.contains("allow the IAM action iam:GetPolicyVersion"));
    let pull = json!({"policyName": "Pull", "policyArn": "arn:aws:iam::111122223333:policy/Pull"});
    assert_eq!(list(&found[0], "nodeRolePolicies")[0], pull);
    assert_eq!(list(&found[0], "nodeRolePolicies").len(), 3);
}

#[tokio::test]
async fn a_role_that_is_hidden_leaves_no_list() {
    let server = with_groups().await;
    with_policies(&server).await;
    for name in ["ListAttachedRolePolicies", "ListRolePolicies"] {
        let denied = refused_xml(403, "AccessDenied");
        action(name, "RoleName=nodes").respond_with(denied).with_priority(1).mount(&server).await;
    }
    let found = groups(&server).await;
    assert_eq!(gaps(&found[0]), [("$.nodeRolePolicies", "denied")]);
    let what = &found[0].unread[0].gap.what;
    assert!(what.contains("iam:ListAttachedRolePolicies") && what.contains("iam:ListRolePolicies"), "{what}");
    assert_eq!(found[0].raw.get("nodeRolePolicies"), None);
}

#[tokio::test]
async fn a_document_that_is_no_policy_is_malformed() {
    let server = with_groups().await;
    with_policies(&server).await;
    let odd = "<RoleName>nodes</RoleName><PolicyName>own</PolicyName><PolicyDocument>%7B</PolicyDocument>";
    let odd = xml_answer("GetRolePolicy", odd);
    action("GetRolePolicy", "PolicyName=own").respond_with(odd).with_priority(1).mount(&server).await;
    assert_eq!(gaps(&groups(&server).await[0]), [("$.nodeRolePolicies[2].document", "malformed")]);
}

#[tokio::test]
async fn a_node_group_without_a_role_says_so() {
    let server = double().await;
    answer(&server, "/clusters/demo/node-groups", json_answer(json!({"nodegroups": ["a"]}))).await;
    answer(&server, "/clusters/demo/node-groups/a", json_answer(json!({"nodegroup": group("a", "odd")})))
        .await;
    assert_eq!(gaps(&groups(&server).await[0]), [("$.nodeRolePolicies", "malformed")]);
}
