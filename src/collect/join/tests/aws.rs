//! Joins about AWS: accounts with an IAM role, and whether the VPC CNI enforces network policies.

use super::*;

#[test]
fn accounts_that_ask_for_one_role_at_aws_know_of_each_other() {
    let mut index = index();
    let account = |namespace: &str, role: Value| {
        json!({"kind": "ServiceAccount", "metadata": {"name": "s", "namespace": namespace,
            "annotations": {"eks.amazonaws.com/role-arn": role}}})
    };
    for (namespace, role) in [("shop", "arn:1"), ("bank", "arn:1"), ("web", "arn:2"), ("none", "")] {
        index.note(&object(account(namespace, role.into())));
    }
    let of = |index: &Index, namespace: &str, role: &str| {
        related(index, account(namespace, role.into())).related.get("roleNamespaces").cloned()
    };
    assert_eq!(of(&index, "shop", "arn:1"), Some(json!(["bank", "shop"])));
    assert_eq!(of(&index, "web", "arn:2"), Some(json!(["web"])));
    assert_eq!(of(&index, "none", ""), None);
    gap(&mut index, "ServiceAccount");
    assert_eq!(unread_at(&related(&index, account("shop", "arn:1".into()))), ["$.related.roleNamespaces"]);
}

#[test]
fn the_cluster_knows_who_has_a_role_at_aws() {
    let cluster = || json!({"kind": "Cluster", "metadata": {"name": "c"}});
    let pod = |audience: &str| {
        let token = json!({"serviceAccountToken": {"path": "token", "audience": audience}});
        object(json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "bank"}, "spec": {
            "serviceAccountName": "b", "volumes": [{"projected": {"sources": [token]}}]}}))
    };
    let mut nobody = index();
    nobody.note(&pod("vault"));
    assert_eq!(related(&nobody, cluster()).related["roleUsers"], json!([]));
    gap(&mut nobody, "ServiceAccount");
    assert_eq!(unread_at(&related(&nobody, cluster())), ["$.related.roleUsers"]);
    let mut index = index();
    index.note(&object(json!({"kind": "ServiceAccount", "metadata": {"name": "a", "namespace": "shop",
        "annotations": {"eks.amazonaws.com/role-arn": "arn:1"}}})));
    index.note(&pod("pods.eks.amazonaws.com"));
    gap(&mut index, "Pod");
    assert_eq!(
        related(&index, cluster()).related["roleUsers"],
        json!([{"namespace": "bank", "serviceAccount": "b", "by": "pod-identity"},
            {"namespace": "shop", "serviceAccount": "a", "by": "annotation"}])
    );
}

#[test]
fn the_cluster_knows_its_policies_and_whether_its_plug_in_heeds_them() {
    let mut index = index();
    let policy = |name: &str, spec: Value| {
        object(
            json!({"kind": "NetworkPolicy", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}),
        )
    };
    index.note(&policy("deny", json!({})));
    index.note(&policy("no-policy", json!("all")));
    let agent = json!({"image": "x/aws-network-policy-agent:v1", "command": ["/controller"],
        "args": ["--enable-network-policy-logs=true", "--enable-network-policy=false", "--enable-ipv6=false"]});
    index.note(&object(
        json!({"kind": "DaemonSet", "metadata": {"name": "aws-node", "namespace": "kube-system"},
        "spec": {"template": {"spec": {"containers": [{"image": "x/amazon-k8s-cni:v1"}, agent]}}}}),
    ));
    let known = related(&index, json!({"kind": "Cluster", "metadata": {"name": "c"}})).related;
    assert_eq!(known["networkPolicies"], json!([{"namespace": "shop", "policies": 1}]));
    assert_eq!(known["daemonSets"][0]["policySwitches"], json!(["--enable-network-policy=false"]));
}
