//! Changed and deleted objects: the index ends as if it had seen only the last version of each.

use proptest::prelude::*;
use std::collections::BTreeMap;

use super::*;

/// A change of an object: its position in `OBJECTS`, its new shape, and whether it is deleted instead.
type Step = (usize, u8, bool);

/// Kinds, namespaces and names of the objects.
const OBJECTS: [(&str, &str, &str); 21] = [
    ("NetworkPolicy", "shop", "a"),
    ("NetworkPolicy", "shop", "b"),
    ("NetworkPolicy", "lab", "a"),
    (webhooks::VALIDATING, "", "a"),
    (webhooks::MUTATING, "", "b"),
    ("ClusterRole", "", "a"),
    ("Role", "shop", "a"),
    ("ServiceAccount", "shop", "a"),
    ("ServiceAccount", "shop", "b"),
    ("ServiceAccount", "lab", "a"),
    ("ConfigMap", "kube-system", "kube-proxy"),
    ("ConfigMap", "default", "other"),
    ("CertificateSigningRequest", "", "a"),
    ("DaemonSet", "kube-system", "a"),
    ("DaemonSet", "kube-system", "b"),
    ("Pod", "shop", "a"),
    ("Pod", "shop", "b"),
    ("Pod", "lab", "a"),
    ("Pod", "kube-system", "server-a"),
    ("Pod", "kube-system", "server-b"),
    ("Node", "", "a"),
];

/// An object in one of four shapes (0 to 3). In shape 3 nothing of it can be read.
fn shaped((kind, namespace, name): (&str, &str, &str), shape: u8) -> Resource {
    let mut raw = json!({"kind": kind, "metadata": {"name": name, "uid": format!("{namespace}/{name}")}});
    if !namespace.is_empty() {
        raw["metadata"]["namespace"] = namespace.into();
    }
    let bit = shape == 1;
    match kind {
        "NetworkPolicy" if bit => raw["spec"] = "odd".into(),
        webhooks::VALIDATING | webhooks::MUTATING => {
            let rule = json!({"apiGroups": [""], "operations": ["CREATE"], "resources": ["pods"]});
            let service = json!({"namespace": "s", "name": if bit { "kyverno-svc" } else { "names" }});
            raw["webhooks"] = json!([{"clientConfig": {"service": service}, "rules": [rule]}]);
        }
        "ClusterRole" | "Role" => raw["rules"] = json!([{"verbs": [if bit { "get" } else { "*" }]}]),
        "ServiceAccount" => {
            let role = format!("arn:aws:iam::1:role/{}", if bit { "a" } else { "b" });
            raw["metadata"]["annotations"] = json!({"eks.amazonaws.com/role-arn": role});
            raw["automountServiceAccountToken"] = bit.into();
        }
        "ConfigMap" if bit => raw["data"] = json!({"config.conf": "kind: KubeProxyConfiguration"}),
        "CertificateSigningRequest" => {
            raw["spec"] = json!({"signerName": "kubernetes.io/kube-apiserver-client"});
            raw["status"] = json!({"conditions": [{"type": if bit { "Approved" } else { "Denied" }}]});
        }
        "DaemonSet" => {
            raw["spec"] = json!({"template": {"spec": {"containers": [{"image": format!("i:{shape}")}]}}});
        }
        "Pod" if namespace == "kube-system" && shape > 0 => {
            let flag = if bit { "--disable-admission-plugins=PodSecurity" } else { "--v=1" };
            raw["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "x"});
            raw["metadata"]["labels"] = json!({"component": "kube-apiserver"});
            let owner = name.trim_start_matches("server-");
            raw["metadata"]["ownerReferences"] = json!([{"kind": "Node", "name": owner}]);
            raw["spec"] = json!({"nodeName": owner, "containers": [{"command": ["kube-apiserver", flag]}]});
        }
        "Pod" => {
            let source = json!({"serviceAccountToken": {"audience": "pods.eks.amazonaws.com"}});
            let sources = if shape == 2 { json!([source]) } else { json!([]) };
            raw["spec"] = json!({"serviceAccountName": if bit { "a" } else { "b" },
                "volumes": [{"projected": {"sources": sources}}]});
        }
        _ => {}
    }
    let mut resource = object(raw);
    if shape == 3 {
        resource.unread.push(Unread::new("$", Reason::TooLarge, format!("read {kind} {name}")));
    }
    resource
}

/// Resources of every kind that has joins.
fn probes() -> Vec<Resource> {
    let bare = |kind: &str, namespace: &str, name: &str| json!({"kind": kind, "metadata": {"name": name, "namespace": namespace}});
    let mut all = vec![object(json!({"kind": "Cluster", "metadata": {"name": "c"}}))];
    for namespace in ["shop", "lab"] {
        all.push(object(json!({"kind": "Namespace", "metadata": {"name": namespace}})));
        for name in ["a", "b"] {
            let mut pod = bare("Pod", namespace, name);
            pod["spec"] = json!({"serviceAccountName": name});
            let mut token = bare("Secret", namespace, name);
            token["type"] = "kubernetes.io/service-account-token".into();
            token["metadata"]["annotations"] = json!({"kubernetes.io/service-account.name": name});
            let mut account = bare("ServiceAccount", namespace, name);
            let role = format!("arn:aws:iam::1:role/{name}");
            account["metadata"]["annotations"] = json!({"eks.amazonaws.com/role-arn": role});
            all.extend([pod, token, account].map(object));
        }
        let mut binding = bare("RoleBinding", namespace, "a");
        binding["roleRef"] = json!({"kind": "Role", "name": "a"});
        all.push(object(binding));
    }
    let role = json!({"kind": "ClusterRole", "name": "a"});
    all.push(object(json!({"kind": "ClusterRoleBinding", "metadata": {"name": "a"}, "roleRef": role})));
    all.push(object(bare("DaemonSet", "kube-system", "kube-proxy")));
    all
}

/// The probes with their joins and gaps.
fn joins(index: &Index) -> Vec<Resource> {
    let joined = |mut probe: Resource| {
        index.relate(&mut probe);
        probe
    };
    probes().into_iter().map(joined).collect()
}

/// Joins and gaps as rules see them: whether a count is zero, not its value; where a gap is, not its reason.
fn seen(resource: &Resource) -> (Value, Vec<String>) {
    let mut related = Value::Object(resource.related.clone());
    if let Some(count) = related.get_mut("podCount") {
        *count = (*count != json!(0)).into();
    }
    for workload in related.get_mut("workloads").and_then(Value::as_array_mut).into_iter().flatten() {
        workload["pods"] = 1.into();
    }
    (related, resource.unread.iter().map(|unread| unread.at.clone()).collect())
}

/// Whether changes to the probe's joins must be reported: for an account, only if it exists with the probe's IAM role.
fn has_role(probe: &Resource, last: &BTreeMap<usize, u8>) -> bool {
    let which = |it: &(&str, &str, &str)| {
        *it == ("ServiceAccount", probe.namespace().unwrap_or_default(), &probe.name)
    };
    let shape = OBJECTS.iter().position(which).and_then(|which| last.get(&which));
    let role = shape.filter(|shape| **shape != 3).map(|shape| if *shape == 1 { "a" } else { "b" });
    probe.sub_type != "ServiceAccount" || role == Some(&probe.name)
}

/// Whether a resource is among the reported dependents.
fn is_told(resource: &Resource, told: &[Dependent]) -> bool {
    let (kind, name) = (resource.sub_type.as_str(), resource.name.as_str());
    let namespace = resource.namespace().unwrap_or_default();
    told.iter().any(|dependent| match dependent {
        Dependent::Cluster => kind == "Cluster",
        Dependent::All(of) => *of == kind,
        Dependent::Object(of, its, it) => (*of, its.as_str(), it.as_str()) == (kind, namespace, name),
        Dependent::PodsOf(its, account) => {
            kind == "Pod" && namespace == its && runs_as(&resource.raw) == Some(account)
        }
        Dependent::TokensOf(its, account) => {
            kind == "Secret" && namespace == its && token_account(&resource.raw) == Some(account)
        }
        Dependent::BindingsTo(of, its, role) => {
            let named = RoleName::of_binding(resource);
            kind.ends_with("Binding") && (named.kind, &named.namespace, &named.name) == (of, its, role)
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_index_that_saw_changes_is_one_that_saw_only_the_end(
        steps in prop::collection::vec((0..OBJECTS.len(), 0..4_u8, any::<bool>()), 0..60),
    ) {
        let mut changed = index();
        let mut last: BTreeMap<usize, u8> = BTreeMap::new();
        let mut before = joins(&changed);
        for (which, shape, goes) in steps {
            let resource = shaped(OBJECTS[which], shape);
            let told = step(&mut changed, &mut last, &resource, (which, shape, goes));
            let there = |probe: &Resource| has_role(probe, &last) && probe.id != resource.id;
            let now = joins(&changed);
            for (before, now) in before.iter().zip(&now).filter(|(_, now)| there(now)) {
                prop_assert!(
                    seen(before) == seen(now) || is_told(now, &told),
                    "the joins of {} {} changed, but only {told:?} was reported", now.sub_type, now.name
                );
            }
            before = now;
        }
        let mut fresh = index();
        for (which, shape) in last.iter().rev() {
            fresh.note(&shaped(OBJECTS[*which], *shape));
        }
        prop_assert_eq!(before, joins(&fresh));
    }
}

fn step(
    index: &mut Index,
    last: &mut BTreeMap<usize, u8>,
    resource: &Resource,
    step: Step,
) -> Vec<Dependent> {
    let (which, shape, goes) = step;
    if goes {
        last.remove(&which);
        return index.forget(&resource.sub_type, ObjectKey::of(resource));
    }
    last.insert(which, shape);
    index.note(resource)
}

#[test]
fn one_that_takes_another_s_name_stays_when_that_goes() {
    let mut index = index();
    let of = |kind: &str, uid: &str, rest: Value| {
        let mut raw = json!({"kind": kind, "metadata": {"name": "a", "namespace": "shop", "uid": uid}});
        raw.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        object(raw)
    };
    for (kind, rest) in
        [("Role", json!({"rules": []})), ("ServiceAccount", json!({})), ("NetworkPolicy", json!({}))]
    {
        let (old, new) = (of(kind, "1", rest.clone()), of(kind, "2", rest));
        index.note(&old);
        index.note(&new);
        index.forget(kind, ObjectKey::of(&old));
    }
    let told = joins(&index);
    let find = |kind: &str| {
        told.iter().find(|it| it.sub_type == kind && (it.name == "a" || it.name == "shop")).unwrap()
    };
    assert_eq!(find("RoleBinding").related["role"]["rules"], json!([]));
    assert_eq!(find("Pod").related["serviceAccount"], json!({}));
    assert_eq!(find("Namespace").related["networkPolicies"].as_array().unwrap().len(), 1);
}

#[test]
fn a_kind_that_is_listed_after_all_is_known() {
    let mut index = index();
    gap(&mut index, "Pod");
    let account = json!({"kind": "ServiceAccount", "metadata": {"name": "a", "namespace": "shop"}});
    assert_eq!(unread_at(&related(&index, account.clone())), ["$.related.podCount"]);
    let told = index.heal("Pod");
    assert!(
        told.contains(&Dependent::All("ServiceAccount")) && told.contains(&Dependent::Cluster),
        "{told:?}"
    );
    assert_eq!(related(&index, account).related["podCount"], 0);
    assert_eq!(index.heal("Pod"), [], "reported only once");
}
