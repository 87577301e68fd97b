//! The cluster and its lists.

use super::*;
use crate::collect::aws::tests::{page, refused};

#[tokio::test]
async fn a_cluster_has_the_fields_of_the_api() {
    let server = double().await;
    let cluster = cluster(&server).await;
    assert_eq!((cluster.kind, cluster.sub_type.as_str()), (Kind::Caas, "aws-eks"));
    assert_eq!((cluster.id.as_str(), cluster.name.as_str()), (CLUSTER_ARN, "demo"));
    assert_eq!(gaps(&cluster), []);
    let expected = json!({
        "name": "demo",
        "arn": CLUSTER_ARN,
        "version": "1.33",
        "createdAt": 1_690_000_000.5,
        "accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"},
        "aNewFieldOfTheApi": {"enabled": true},
        "addons": [],
        "accessEntries": [],
        "podIdentityAssociations": [],
        "identityProviderConfigs": [],
        "fargateProfiles": [],
        "nodegroups": [],
        "logGroups": [],
    });
    assert_eq!(cluster.raw, expected);
}

#[tokio::test]
async fn its_lists_are_read_over_all_pages() {
    let server = double().await;
    let pods = "/clusters/demo/pod-identity-associations";
    let association = |name: &str| json!({"namespace": "a", "serviceAccount": name, "clusterName": "demo"});
    answer(&server, pods, json_answer(json!({"associations": [association("x")], "nextToken": "t/1"}))).await;
    let second = json_answer(json!({"associations": [association("y")], "nextToken": "t2"}));
    page(pods, "t/1").respond_with(second).with_priority(1).mount(&server).await;
    let third = json_answer(json!({"associations": [association("z")], "nextToken": null}));
    page(pods, "t2").respond_with(third).with_priority(1).mount(&server).await;
    let providers = json!({"identityProviderConfigs": [{"type": "oidc", "name": "corp"}]});
    answer(&server, "/clusters/demo/identity-provider-configs", json_answer(providers)).await;
    let cluster = cluster(&server).await;
    let expected = json!([association("x"), association("y"), association("z")]);
    assert_eq!(cluster.raw["podIdentityAssociations"], expected);
    assert_eq!(cluster.raw["identityProviderConfigs"], json!([{"type": "oidc", "name": "corp"}]));
}

#[tokio::test]
async fn a_list_that_repeats_a_token_is_a_gap() {
    let server = double().await;
    let round = json!({"nodegroups": ["a"], "nextToken": "again"});
    answer(&server, "/clusters/demo/node-groups", json_answer(round)).await;
    let found = found(&server, BOTH).await;
    let mut all: Vec<_> = found.iter().map(|found| (found.sub_type.as_str(), gaps(found))).collect();
    all.sort();
    let expected =
        [("aws-eks", vec![("$.nodegroups", "malformed")]), ("aws-eks-nodegroup", vec![("$", "malformed")])];
    assert_eq!(all, expected);
}

#[tokio::test]
async fn a_refused_list_is_unread_and_the_rest_goes_on() {
    let server = double().await;
    answer(&server, "/clusters/demo/addons", refused(403, "AccessDeniedException")).await;
    answer(&server, "/clusters/demo/node-groups", json_answer(json!({"nodegroups": ["a", "b"]}))).await;
    let denied = refused(400, "AccessDeniedException");
    logs().respond_with(denied).mount(&server).await;
    let cluster = cluster(&server).await;
    assert_eq!(gaps(&cluster), [("$.addons", "denied"), ("$.logGroups", "denied")]);
    assert!(
        cluster.unread[0].gap.what.contains("allow the IAM action eks:ListAddons"),
        "{:?}",
        cluster.unread
    );
    assert!(cluster.unread[1].gap.what.contains("allow the IAM action logs:DescribeLogGroups"));
    assert_eq!(cluster.raw.get("addons"), None);
    assert_eq!(cluster.raw["nodegroups"], json!(["a", "b"]));
}

#[tokio::test]
async fn a_throttled_call_is_tried_again() {
    let server = double().await;
    let busy = refused(429, "TooManyRequestsException");
    get("/clusters/demo").respond_with(busy).up_to_n_times(1).with_priority(1).mount(&server).await;
    assert_eq!(gaps(&cluster(&server).await), []);
}

#[tokio::test]
async fn a_call_that_stays_throttled_is_unavailable() {
    let server = double().await;
    answer(&server, "/clusters/demo/addons", refused(429, "TooManyRequestsException")).await;
    assert_eq!(gaps(&cluster(&server).await), [("$.addons", "unavailable")]);
}

#[tokio::test]
async fn a_hidden_cluster_and_hidden_node_groups_are_one_resource_each() {
    let server = double().await;
    answer(&server, "/clusters/demo", refused(403, "AccessDeniedException")).await;
    answer(&server, "/clusters/demo/node-groups", refused(403, "AccessDeniedException")).await;
    let mut found = found(&server, BOTH).await;
    found.sort_by(|a, b| a.sub_type.cmp(&b.sub_type));
    let names: Vec<_> = found.iter().map(|found| found.sub_type.as_str()).collect();
    assert_eq!(names, BOTH);
    for resource in &found {
        assert!(resource.is_unlisted());
        assert_eq!((resource.id.as_str(), resource.name.as_str()), ("cluster/uid", "prod"));
        assert_eq!(gaps(resource), [("$", "denied")]);
    }
    assert!(found[0].unread[0].gap.what.contains("eks:DescribeCluster"));
    assert!(found[1].unread[0].gap.what.contains("eks:ListNodegroups"));
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_missing() {
    let server = double().await;
    answer(&server, "/clusters/demo", refused(404, "ResourceNotFoundException")).await;
    assert_eq!(gaps(&cluster(&server).await), [("$", "missing")]);
}

#[tokio::test]
async fn an_answer_without_a_cluster_is_none() {
    for body in [json!({}), json!({"cluster": {"name": "demo"}})] {
        let server = double().await;
        answer(&server, "/clusters/demo", json_answer(body)).await;
        assert_eq!(gaps(&cluster(&server).await), [("$", "malformed")]);
    }
}

/// One add-on with a default version, one without, one whose versions are hidden, one that is hidden, one that is gone.
#[tokio::test]
async fn add_ons_have_the_version_that_eks_would_install() {
    let server = double().await;
    let names = ["vpc-cni", "private", "coredns", "kube-proxy", "deleted"];
    answer(&server, "/clusters/demo/addons", json_answer(json!({"addons": names}))).await;
    for name in &names[..3] {
        let addon = json!({"addon": {"addonName": name, "addonVersion": "v1", "status": "ACTIVE"}});
        answer(&server, &format!("/clusters/demo/addons/{name}"), json_answer(addon)).await;
    }
    answer(&server, "/clusters/demo/addons/kube-proxy", refused(403, "AccessDeniedException")).await;
    answer(&server, "/clusters/demo/addons/deleted", refused(404, "ResourceNotFoundException")).await;
    let version = |version: &str, cluster: &str, default: bool| json!({"addonVersion": version, "compatibilities": [{"clusterVersion": cluster, "defaultVersion": default}]});
    let cni = [version("v3", "1.33", false), version("v2", "1.33", true), version("v1", "1.32", true)];
    let private = [version("v1", "1.33", false)];
    for (name, versions) in [("vpc-cni", &cni[..]), ("private", &private[..]), ("kube-proxy", &[])] {
        let versions = json!({"addons": [{"addonName": name, "addonVersions": versions}]});
        let request = get("/addons/supported-versions")
            .and(matchers::query_param("addonName", name))
            .and(matchers::query_param("kubernetesVersion", "1.33"));
        request.respond_with(json_answer(versions)).mount(&server).await;
    }
    let denied = refused(403, "AccessDeniedException");
    get("/addons/supported-versions").respond_with(denied).with_priority(9).mount(&server).await;
    let cluster = cluster(&server).await;
    let expected = json!([
        {"addonName": "vpc-cni", "addonVersion": "v1", "status": "ACTIVE", "defaultVersion": "v2"},
        {"addonName": "private", "addonVersion": "v1", "status": "ACTIVE"},
        {"addonName": "coredns", "addonVersion": "v1", "status": "ACTIVE"},
        {"addonName": "kube-proxy"},
    ]);
    assert_eq!(cluster.raw["addons"], expected);
    assert_eq!(gaps(&cluster), [("$.addons[2].defaultVersion", "denied"), ("$.addons[3]", "denied")]);
    assert!(cluster.unread[0].gap.what.contains("eks:DescribeAddonVersions"), "{:?}", cluster.unread);
    assert!(cluster.unread[1].gap.what.contains("eks:DescribeAddon "), "{:?}", cluster.unread);
}

#[tokio::test]
async fn access_entries_have_their_policies() {
    let server = double().await;
    let principal = |name: &str| format!("arn:aws:iam::111122223333:role/path/{name}");
    let entries = "/clusters/demo/access-entries";
    let (admin, node, other) = (principal("admin"), principal("node"), principal("other"));
    answer(&server, entries, json_answer(json!({"accessEntries": [admin, node], "nextToken": "t"}))).await;
    let rest = json_answer(json!({"accessEntries": [other]}));
    page(entries, "t").respond_with(rest).with_priority(1).mount(&server).await;
    let policy = |name: &str| {
        let arn = format!("arn:aws:eks::aws:cluster-access-policy/{name}");
        json!({"policyArn": arn, "accessScope": {"type": "namespace", "namespaces": ["a"]}, "modifiedAt": 1.0})
    };
    let of = |name: &str| {
        let arn = format!("arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fpath%2F{name}");
        format!("{entries}/{arn}/access-policies")
    };
    let first = json_answer(json!({"associatedAccessPolicies": [policy("AdminPolicy")], "nextToken": "p"}));
    answer(&server, &of("admin"), first).await;
    let second = json_answer(json!({"associatedAccessPolicies": [policy("ViewPolicy")]}));
    page(&of("admin"), "p").respond_with(second).with_priority(1).mount(&server).await;
    answer(&server, &of("node"), json_answer(json!({"associatedAccessPolicies": []}))).await;
    answer(&server, &of("other"), refused(403, "AccessDeniedException")).await;
    let cluster = cluster(&server).await;
    let expected = json!([
        {"principalArn": admin, "associatedAccessPolicies": [policy("AdminPolicy"), policy("ViewPolicy")]},
        {"principalArn": node, "associatedAccessPolicies": []},
        {"principalArn": other},
    ]);
    assert_eq!(cluster.raw["accessEntries"], expected);
    assert_eq!(gaps(&cluster), [("$.accessEntries[2].associatedAccessPolicies", "denied")]);
}

#[tokio::test]
async fn many_refusals_in_one_list_are_one_gap() {
    let server = double().await;
    let entries: Vec<_> = (0..30).map(|number| format!("role-{number}")).collect();
    answer(&server, "/clusters/demo/access-entries", json_answer(json!({"accessEntries": entries}))).await;
    let policies = matchers::path_regex("/access-policies$");
    Mock::given(policies).respond_with(refused(403, "AccessDeniedException")).mount(&server).await;
    let cluster = cluster(&server).await;
    assert_eq!(gaps(&cluster), [("$.accessEntries", "denied")]);
    assert!(cluster.unread[0].gap.what.contains("eks:ListAssociatedAccessPolicies"), "{:?}", cluster.unread);
    assert!(cluster.unread[0].gap.what.ends_with("and 29 more like it"), "{:?}", cluster.unread);
}

#[tokio::test]
async fn a_cluster_without_access_entries_has_an_empty_list() {
    for (config, expected) in [
        (json!({"authenticationMode": "CONFIG_MAP"}), vec![]),
        (json!(null), vec![]),
        (json!({"authenticationMode": "API"}), vec![("$.accessEntries", "malformed")]),
    ] {
        let server = double().await;
        let old = json!({"cluster": {"arn": CLUSTER_ARN, "version": "1.33", "accessConfig": config}});
        answer(&server, "/clusters/demo", json_answer(old)).await;
        answer(&server, "/clusters/demo/access-entries", refused(400, "InvalidRequestException")).await;
        let cluster = cluster(&server).await;
        assert_eq!(gaps(&cluster), expected, "{config}");
        assert_eq!(cluster.raw["accessEntries"] == json!([]), expected.is_empty(), "{config}");
    }
}

#[tokio::test]
async fn fargate_profiles_are_described() {
    let server = double().await;
    let profiles = "/clusters/demo/fargate-profiles";
    answer(&server, profiles, json_answer(json!({"fargateProfileNames": ["a", "gone", "b"]}))).await;
    let profile = json!({"fargateProfileName": "a", "selectors": [{"namespace": "x"}]});
    answer(&server, &format!("{profiles}/a"), json_answer(json!({"fargateProfile": profile}))).await;
    answer(&server, &format!("{profiles}/gone"), refused(404, "ResourceNotFoundException")).await;
    answer(&server, &format!("{profiles}/b"), refused(500, "ServerException")).await;
    let cluster = cluster(&server).await;
    assert_eq!(cluster.raw["fargateProfiles"], json!([profile, {"fargateProfileName": "b"}]));
    assert_eq!(gaps(&cluster), [("$.fargateProfiles[1]", "unavailable")]);
}

#[tokio::test]
async fn only_the_clusters_own_log_group_is_kept() {
    let server = double().await;
    let name = "/aws/eks/demo/cluster";
    let own = json!({"logGroupName": name, "retentionInDays": 90, "storedBytes": 5, "kmsKeyId": "arn:k", "arn": "a"});
    let groups = json!({"logGroups": [own, {"logGroupName": "/aws/eks/demo/cluster-2"}]});
    let asked = matchers::body_string_contains(name);
    logs().and(asked).respond_with(json_answer(groups)).mount(&server).await;
    let cluster = cluster(&server).await;
    let expected =
        json!({"logGroupName": name, "retentionInDays": 90, "storedBytes": 5, "kmsKeyId": "arn:k"});
    assert_eq!(list(&cluster, "logGroups"), [expected]);
}

#[tokio::test]
async fn only_what_is_wanted_is_asked_for() {
    let server = double().await;
    assert_eq!(found(&server, &["something-else"]).await, []);
    assert_eq!(found(&server, &["aws-eks-nodegroup"]).await, []);
    let asked = server.received_requests().await.unwrap();
    let paths: Vec<_> = asked.iter().map(|request| request.url.path()).collect();
    assert_eq!(paths, ["/clusters/demo/node-groups"]);
}
