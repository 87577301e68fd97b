//! Roles that are elsewhere, in parts, in other namespaces and of other groups; rights that no request has.

use serde_json::json;

use super::Judged;

#[test]
fn roles_that_kubernetes_makes_for_itself_are_known_and_those_of_a_vendor_are_not() {
    let bindings = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBindingList
items:
- {metadata: {name: part}, roleRef: {kind: ClusterRole, name: "system:aggregate-to-edit"}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: controller}, roleRef: {kind: ClusterRole, name: "system:controller:namespace-controller"}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: node}, roleRef: {kind: ClusterRole, name: "system:node"}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: scheduler}, roleRef: {kind: ClusterRole, name: "system:kube-scheduler"}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: openshift}, roleRef: {kind: ClusterRole, name: "system:image-puller"}, subjects: [{kind: User, name: jane}]}
---
apiVersion: rbac.authorization.k8s.io/v1beta1
kind: RoleBinding
metadata: {name: old, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{kind: ServiceAccount, name: default, namespace: shop}]
"#;
    Judged::of(&[("bindings.yaml", bindings)], &[]).has(&[
        ("part", "5.1.2", "failed"),
        ("controller", "5.1.2", "failed"),
        ("controller", "5.1.4", "passed"),
        ("node", "5.1.4", "failed"),
        ("node", "5.1.13", "failed"),
        ("scheduler", "5.1.2", "passed"),
        ("scheduler", "5.1.4", "passed"),
        ("openshift", "5.1.2", "error"),
        ("openshift", "5.1.8", "error"),
        ("old", "5.1.2", "failed"),
        ("old", "5.1.13", "failed"),
    ]);
}

#[test]
fn a_role_of_that_name_in_another_namespace_kind_or_group_is_not_the_one() {
    let roles = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: helper, namespace: other}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: wide}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: access.example.com/v1
kind: ClusterRole
metadata: {name: foreign}
rules: []
---
apiVersion: iam.aws.upbound.io/v1beta1
kind: Role
metadata: {name: cloud, namespace: shop}
spec: {forProvider: {assumeRolePolicy: "{}"}}
"#;
    let bindings = r"
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBindingList
items:
- {metadata: {name: found, namespace: other}, roleRef: {kind: Role, name: helper}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: by-namespace, namespace: shop}, roleRef: {kind: Role, name: helper}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: by-kind, namespace: shop}, roleRef: {kind: Role, name: wide}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: by-group, namespace: shop}, roleRef: {kind: ClusterRole, name: foreign}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: by-cloud, namespace: shop}, roleRef: {kind: Role, name: cloud}, subjects: [{kind: User, name: jane}]}
";
    Judged::of(&[("bindings.yaml", bindings), ("roles.yaml", roles)], &[]).has(&[
        ("found", "5.1.2", "passed"),
        ("by-namespace", "5.1.2", "error"),
        ("by-kind", "5.1.2", "error"),
        ("by-group", "5.1.2", "error"),
        ("by-cloud", "5.1.2", "error"),
        ("cloud", "5.1.3", ""),
    ]);
}

#[test]
fn a_role_in_a_file_that_cannot_be_read_may_grant_anything() {
    let binding = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: people}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: helper}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:authenticated"}]
"#;
    let role = r"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: helper
rules: []
";
    let judged = Judged::of(&[("binding.yaml", binding), ("role.yaml", role)], &[]);
    judged.has(&[("people", "5.1.2", "error"), ("people", "5.1.4", "error")]);
    assert!(judged.ran.err.contains("Not read: m/role.yaml:"), "{}", judged.ran.err);
}

#[test]
fn parts_of_parts_and_parts_for_roles_of_kubernetes_count_in_every_order() {
    let bindings = r"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBindingList
items:
- {metadata: {name: to-view}, roleRef: {kind: ClusterRole, name: view}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: to-top}, roleRef: {kind: ClusterRole, name: top}, subjects: [{kind: User, name: jane}]}
";
    let top = r"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: top}
aggregationRule:
  clusterRoleSelectors:
  - matchLabels: {never: set}
  - matchExpressions: [{key: shop, operator: In, values: [upper, middle]}]
";
    let middle = r"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: middle, labels: {shop: middle}}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {shop: lower}}]}
";
    let parts = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleList
items:
- metadata: {name: lower, labels: {shop: lower}}
  rules: [{apiGroups: [""], resources: [pods], verbs: [create]}]
- metadata: {name: metrics, labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}}
  rules: [{apiGroups: [""], resources: [secrets], verbs: [watch]}]
"#;
    let files = [("1.yaml", bindings), ("2.yaml", top), ("3.yaml", middle), ("4.yaml", parts)];
    Judged::of(&files, &[]).has(&[
        ("to-view", "5.1.2", "failed"),
        ("to-view", "5.1.4", "error"),
        ("to-top", "5.1.4", "failed"),
        ("to-top", "5.1.2", "error"),
    ]);
}

#[test]
fn what_has_no_namespace_and_what_names_none_find_each_other() {
    let files = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: cluster-admin, namespace: kube-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:masters"}]
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, namespace: default}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}}
---
apiVersion: v1
kind: Namespace
metadata: {name: default}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny}
spec: {podSelector: {}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: quiet}
automountServiceAccountToken: false
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default}
spec: {serviceAccountName: quiet, containers: [{name: web, image: shop/web}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBindingList
items:
- {metadata: {name: written, namespace: default}, roleRef: {kind: Role, name: reader}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: empty, namespace: ""}, roleRef: {kind: Role, name: reader}, subjects: [{kind: User, name: jane}]}
"#;
    Judged::of(&[("all.yaml", files)], &[]).has(&[
        ("cluster-admin", "5.1.1", "passed"),
        ("cluster-admin", "5.1.2", "passed"),
        ("shop", "5.3.2", "passed"),
        ("default", "5.3.2", "passed"),
        ("web", "5.1.6", "passed"),
        ("written", "5.1.2", "failed"),
        ("empty", "5.1.2", "failed"),
    ]);
}

/// A request to create an object has no name; one to create a token of an account, or a connection, has.
#[test]
fn names_end_a_right_to_create_objects_and_only_narrow_other_rights() {
    let roles = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleList
items:
- metadata: {name: volume}
  rules: [{apiGroups: [""], resources: [persistentvolumes], verbs: [create], resourceNames: [web]}]
- metadata: {name: webhook}
  rules: [{apiGroups: [admissionregistration.k8s.io], resources: [mutatingwebhookconfigurations], verbs: [create], resourceNames: [web]}]
- metadata: {name: token}
  rules: [{apiGroups: [""], resources: [serviceaccounts/token], verbs: [create], resourceNames: [web]}]
- metadata: {name: proxy}
  rules: [{apiGroups: [""], resources: [nodes/proxy], verbs: [create], resourceNames: [web]}]
- metadata: {name: bind}
  rules: [{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind], resourceNames: [web]}]
- metadata: {name: secret}
  rules: [{apiGroups: [""], resources: [secrets], verbs: [list], resourceNames: [web]}]
"#;
    let bindings = r"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBindingList
items:
- {metadata: {name: to-volume}, roleRef: {kind: ClusterRole, name: volume}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: to-webhook}, roleRef: {kind: ClusterRole, name: webhook}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: to-token}, roleRef: {kind: ClusterRole, name: token}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: to-proxy}, roleRef: {kind: ClusterRole, name: proxy}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: to-bind}, roleRef: {kind: ClusterRole, name: bind}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: to-secret}, roleRef: {kind: ClusterRole, name: secret}, subjects: [{kind: User, name: jane}]}
";
    Judged::of(&[("bindings.yaml", bindings), ("roles.yaml", roles)], &[]).has(&[
        ("to-volume", "5.1.9", "passed"),
        ("to-webhook", "5.1.12", "passed"),
        ("to-token", "5.1.13", "failed"),
        ("to-proxy", "5.1.10", "failed"),
        ("to-bind", "5.1.8", "failed"),
        ("to-secret", "5.1.2", "failed"),
    ]);
}

#[test]
fn kinds_of_other_groups_are_none_of_kubernetes_own() {
    let own = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
"#;
    let foreign = r"
{apiVersion: cluster.x-k8s.io/v1beta1, kind: Cluster, metadata: {name: a, namespace: default}, spec: {paused: true}}
---
{apiVersion: kind.x-k8s.io/v1alpha4, kind: Cluster, nodes: [{role: control-plane}]}
---
{apiVersion: longhorn.io/v1beta2, kind: Node, metadata: {name: b, namespace: default}}
---
{apiVersion: fleet.example.com/v1, kind: Namespace, metadata: {name: c}}
---
{apiVersion: example.com/v1, kind: Pod, metadata: {name: d, namespace: default}, spec: {hostPID: true}}
---
{apiVersion: generators.example.com/v1, kind: Secret, metadata: {name: e, namespace: default}}
---
{apiVersion: cloudplatform.gcp.upbound.io/v1beta1, kind: ServiceAccount, metadata: {name: default, namespace: default}}
---
{apiVersion: authorization.openshift.io/v1, kind: ClusterRoleBinding, metadata: {name: f}, roleRef: {name: cluster-admin}, subjects: [{kind: User, name: jane}]}
";
    let judged = Judged::of(&[("own.yaml", own), ("foreign.yaml", foreign)], &["--fail-on", "error"]);
    judged.has(&[("reader", "5.1.3", "passed")]);
    assert_eq!(judged.ran.code, Some(0), "{}", judged.ran.err);
    assert_eq!(judged.report["resources"].as_array().unwrap().len(), 1, "{:#}", judged.report["resources"]);
    let expected = json!([
        "Cluster.cluster.x-k8s.io",
        "Cluster.kind.x-k8s.io",
        "ClusterRoleBinding.authorization.openshift.io",
        "Namespace.fleet.example.com",
        "Node.longhorn.io",
        "Pod.example.com",
        "Secret.generators.example.com",
        "ServiceAccount.cloudplatform.gcp.upbound.io"
    ]);
    assert_eq!(judged.report["skipped"]["kinds"], expected, "named, though not judged");
}

#[test]
fn only_network_policies_of_kubernetes_and_of_its_former_group_count() {
    let namespaces = r"
apiVersion: v1
kind: NamespaceList
items: [{metadata: {name: antrea}}, {metadata: {name: cilium}}, {metadata: {name: admin}}, {metadata: {name: old}}, {metadata: {name: bare}}]
";
    let policies = r"
{apiVersion: crd.antrea.io/v1beta1, kind: NetworkPolicy, metadata: {name: all, namespace: antrea}, spec: {priority: 5}}
---
{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: all, namespace: cilium}, spec: {endpointSelector: {}}}
---
{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: admin}, spec: {priority: 5}}
---
{apiVersion: extensions/v1beta1, kind: NetworkPolicy, metadata: {name: all, namespace: old}, spec: {podSelector: {}}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: bare, namespace: elsewhere}, spec: {podSelector: {}}}
";
    Judged::of(&[("namespaces.yaml", namespaces), ("policies.yaml", policies)], &[]).has(&[
        ("antrea", "5.3.2", "error"),
        ("cilium", "5.3.2", "error"),
        ("admin", "5.3.2", "error"),
        ("old", "5.3.2", "passed"),
        ("bare", "5.3.2", "error"),
    ]);
}

#[test]
fn a_binding_and_its_role_meet_across_files_lists_and_encodings() {
    let list = r#"{"kind": "List", "apiVersion": "v1", "items": [
  {"kind": "RoleBindingList", "apiVersion": "rbac.authorization.k8s.io/v1", "items": [
    {"metadata": {"name": "listed", "namespace": "shop"}, "roleRef": {"kind": "Role", "name": "helper"},
      "subjects": [{"kind": "User", "name": "jane"}]}]},
  {"kind": "RoleList", "apiVersion": "rbac.authorization.k8s.io/v1", "items": [
    {"metadata": {"name": "helper", "namespace": "shop"},
      "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}]}]}]}"#;
    let binding = r#"{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
  "metadata": {"name": "people", "namespace": "shop"}, "roleRef": {"kind": "ClusterRole", "name": "reader"},
  "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "shop"}]}"#;
    let role = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [watch]}
"#;
    Judged::of(&[("a/binding.json", binding), ("a/list.json", list), ("z/role.yaml", role)], &[]).has(&[
        ("people", "5.1.2", "failed"),
        ("people", "5.1.4", "passed"),
        ("listed", "5.1.2", "passed"),
        ("listed", "5.1.4", "failed"),
    ]);
}

#[test]
fn null_in_place_of_a_list_of_rules_verbs_subjects_or_selectors_is_an_empty_one() {
    let files = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleList
items:
- {metadata: {name: no-rules, labels: null}, rules: null}
- {metadata: {name: no-verbs}, rules: [{apiGroups: [""], resources: [secrets, pods], verbs: null}]}
- {metadata: {name: no-names}, rules: [{apiGroups: [""], resources: [secrets, pods], verbs: [get, create], resourceNames: null}]}
- {metadata: {name: no-selectors}, aggregationRule: {clusterRoleSelectors: null}, rules: []}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBindingList
items:
- {metadata: {name: to-no-rules}, roleRef: {kind: ClusterRole, name: no-rules}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: to-no-verbs}, roleRef: {kind: ClusterRole, name: no-verbs}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: to-no-names}, roleRef: {kind: ClusterRole, name: no-names}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: to-no-selectors}, roleRef: {kind: ClusterRole, name: no-selectors}, subjects: [{kind: User, name: jane}]}
- {metadata: {name: of-nobody}, roleRef: {kind: ClusterRole, name: no-names}, subjects: null}
"#;
    Judged::of(&[("all.yaml", files)], &[]).has(&[
        ("no-rules", "5.1.3", "passed"),
        ("no-verbs", "5.1.3", "passed"),
        ("to-no-rules", "5.1.2", "passed"),
        ("to-no-verbs", "5.1.4", "passed"),
        ("to-no-names", "5.1.2", "failed"),
        ("to-no-names", "5.1.4", "failed"),
        ("to-no-selectors", "5.1.2", "passed"),
        ("of-nobody", "5.1.2", "passed"),
    ]);
}
