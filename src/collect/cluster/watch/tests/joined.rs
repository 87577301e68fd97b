//! Who is joined with what changed is judged again.

use super::*;

/// Who is sent after a change, but for what changed itself.
fn touched(change: impl FnOnce(&Api), itself: &[&str], expected: &[&str]) {
    watching(&api(), async |api, found| {
        change(api);
        let mut sent = found.names(5).await;
        sent.retain(|name| !itself.contains(&name.as_str()));
        assert_eq!(sent, expected);
    });
}

#[test]
fn a_network_policy_is_about_its_namespace_and_the_cluster() {
    watching(&api(), async |api, found| {
        api.put("networkpolicies", object("deny", "shop", json!({})));
        let sent = found.in_seconds(5).await;
        let names: Vec<&String> = sent.keys().collect();
        assert_eq!(names, ["Cluster cluster", "Namespace shop", "NetworkPolicy deny"]);
        assert_eq!(
            sent["Namespace shop"].related["networkPolicies"],
            json!([{"kind": "NetworkPolicy", "name": "deny"}])
        );
        api.requests();
        api.delete("networkpolicies", "shop-deny");
        let sent = found.in_seconds(5).await;
        assert_eq!(sent.keys().collect::<Vec<_>>(), ["Cluster cluster", "Namespace shop"]);
        assert_eq!(sent["Namespace shop"].related["networkPolicies"], json!([]));
        assert_eq!(api.requests().len(), 1, "one namespace is one request");
    });
}

#[test]
fn an_engine_is_about_namespaces() {
    let webhook = |service: &str| {
        let rule = json!({"apiGroups": [""], "operations": ["CREATE"], "resources": ["pods"]});
        let client = json!({"service": {"namespace": "system", "name": service}});
        object("hook", "", json!({"webhooks": [{"clientConfig": client, "rules": [rule]}]}))
    };
    let itself = "ValidatingWebhookConfiguration hook";
    let put = |service| move |api: &Api| api.put("validatingwebhookconfigurations", webhook(service));
    touched(put("kyverno-svc"), &[itself], &["Cluster cluster", "Namespace lab", "Namespace shop"]);
    touched(put("names"), &[itself], &["Cluster cluster"]);
}

#[test]
fn a_role_is_about_the_bindings_that_name_it() {
    let rules = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]);
    let wide = |name, namespace| object(name, namespace, json!({"rules": rules.clone()}));
    watching(&api(), async |api, found| {
        api.put("clusterroles", wide("reader", ""));
        let sent = found.in_seconds(5).await;
        let names: Vec<&String> = sent.keys().collect();
        assert_eq!(names, ["ClusterRole reader", "ClusterRoleBinding readers", "RoleBinding wide"]);
        assert_eq!(sent["RoleBinding wide"].related["role"]["rules"], rules);
        api.put("roles", wide("own", "shop"));
        assert_eq!(found.names(5).await, ["Role own", "RoleBinding own"]);
        api.delete("clusterroles", "-reader");
        let sent = found.in_seconds(5).await;
        assert_eq!(sent.keys().collect::<Vec<_>>(), ["ClusterRoleBinding readers", "RoleBinding wide"]);
        assert!(!sent["RoleBinding wide"].related.contains_key("role"));
        api.delete("rolebindings", "shop-wide");
        api.put("clusterroles", wide("reader", ""));
        api.requests();
        assert_eq!(found.names(5).await, ["ClusterRole reader", "ClusterRoleBinding readers"]);
        let asked = api.requests();
        assert!(!asked.is_empty() && asked.iter().all(|(uri, _)| !uri.contains("wide")), "{asked:?}");
    });
}

#[test]
fn an_account_is_about_its_pods() {
    let account = |rest| object("web", "shop", rest);
    let itself = "ServiceAccount web";
    let put = |rest| move |api: &Api| api.put("serviceaccounts", account(rest));
    touched(put(json!({"automountServiceAccountToken": false})), &[itself], &["Pod web", "Pod web-2"]);
    touched(put(json!({"secrets": []})), &[itself], &[]);
    let role = json!({"metadata": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/a"}}});
    touched(put(role.clone()), &[itself], &["Cluster cluster"]);
    watching(&api(), async |api, found| {
        api.put("serviceaccounts", account(role.clone()));
        found.in_seconds(5).await;
        api.put("serviceaccounts", object("other", "lab", role));
        let sent = found.in_seconds(5).await;
        assert_eq!(
            sent.keys().collect::<Vec<_>>(),
            ["Cluster cluster", "ServiceAccount other", "ServiceAccount web"]
        );
        assert_eq!(sent["ServiceAccount web"].related["roleNamespaces"], json!(["lab", "shop"]));
    });
}

#[test]
fn the_first_and_the_last_pod_are_about_their_account() {
    watching(&api(), async |api, found| {
        api.put("pods", pod("one", "idle", false));
        let sent = found.in_seconds(5).await;
        let names: Vec<&String> = sent.keys().collect();
        assert_eq!(names, ["Pod one", "Secret token", "ServiceAccount idle"]);
        assert_eq!(sent["Secret token"].related["podCount"], 1);
        api.put("pods", pod("two", "idle", false));
        assert_eq!(found.names(5).await, ["Pod two"], "the second changes nothing");
        api.delete("pods", "shop-one");
        assert_eq!(found.names(5).await, Vec::<String>::new());
        api.delete("pods", "shop-two");
        assert_eq!(found.names(5).await, ["Secret token", "ServiceAccount idle"]);
    });
}

#[test]
fn an_api_server_s_flags_are_about_namespaces() {
    let server = |flag: &str| {
        let metadata = json!({"labels": {"component": "kube-apiserver"},
            "annotations": {"kubernetes.io/config.mirror": "x"},
            "ownerReferences": [{"kind": "Node", "name": "n"}]});
        let container = json!({"name": "c", "command": ["kube-apiserver", flag]});
        object(
            "kube-apiserver-n",
            "kube-system",
            json!({"metadata": metadata, "spec": {"nodeName": "n", "containers": [container]}}),
        )
    };
    let put = |api: &Api| api.put("pods", server("--disable-admission-plugins=PodSecurity"));
    touched(put, &["Pod kube-apiserver-n"], &["Cluster cluster", "Namespace lab", "Namespace shop"]);
}

#[test]
fn the_rest_is_about_kube_proxy_and_the_cluster() {
    let config = json!({"data": {"config.conf": "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\n"}});
    touched(
        |api| api.put("configmaps", object("kube-proxy", "kube-system", config)),
        &["ConfigMap kube-proxy"],
        &["DaemonSet kube-proxy"],
    );
    let containers = json!([{"name": "c", "image": "quay.io/cilium/cilium:v1"}]);
    let set = json!({"spec": {"template": {"spec": {"containers": containers}}}});
    let put = |api: &Api| api.put("daemonsets", object("network", "kube-system", set));
    touched(put, &["DaemonSet network"], &["Cluster cluster"]);
    let request = json!({"spec": {"signerName": "kubernetes.io/kube-apiserver-client", "username": "joe"},
        "status": {"conditions": [{"type": "Approved"}]}});
    let put = |api: &Api| api.put("certificatesigningrequests", object("joe", "", request));
    touched(put, &["CertificateSigningRequest joe"], &["Cluster cluster"]);
}

#[test]
fn many_are_read_as_a_list_and_the_cluster_is_not_sent_each_time() {
    let api = api();
    for number in 0..20 {
        api.put("namespaces", object(&format!("n{number}"), "", json!({})));
    }
    watching(&api, async |api, found| {
        for number in 0..20 {
            api.put("networkpolicies", object("deny", &format!("n{number}"), json!({})));
        }
        let mut clusters = 0;
        let mut namespaces = BTreeSet::new();
        let end = Instant::now() + Duration::from_secs(10);
        while let Ok(Some(resource)) = timeout_at(end, found.resources.recv()).await {
            clusters += usize::from(resource.sub_type == CLUSTER);
            if resource.sub_type == "Namespace" {
                namespaces.insert(resource.name.clone());
            }
        }
        assert_eq!((clusters, namespaces.len()), (1, 20));
        assert!(!namespaces.contains("shop"), "only those that are meant");
        // 22 namespaces are 11 pages of this server.
        assert_eq!(api.requests().len(), 11);
    });
}

#[test]
fn who_could_not_be_read_is_read_later() {
    watching(&api(), async |api, found| {
        api.unlist("namespaces", 503, 7);
        api.put("networkpolicies", object("deny", "shop", json!({})));
        let sent = found.names(60).await;
        assert!(sent.contains(&"Namespace shop".to_owned()), "{sent:?}");
    });
}
