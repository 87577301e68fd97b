//! A small cluster in which every rule about objects has something to judge, and every join decides somewhere.

use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::verdicts::demands;
use crate::collect::cluster::{KINDS, paths};

/// What differs from cluster to cluster: each decides a rule by what another object says.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shape {
    /// The second of two API servers has the PodSecurity plug-in off.
    pub plugin_off: bool,
    /// The second has a file for its admission plug-ins, which nobody sees from here.
    pub admission_file: bool,
    /// A webhook verifies images, and another injects secrets.
    pub webhooks: bool,
    /// A policy engine sees pods.
    pub engine: bool,
    /// The network plug-in enforces no policies.
    pub flannel: bool,
    /// Somebody got a client certificate.
    pub certificate: bool,
    /// There are objects of operators that keep secrets elsewhere.
    pub stores: bool,
    /// kube-proxy's metrics are open to the network.
    pub proxy_open: bool,
    /// Pods run in `default`, and nowhere else but in the system's namespaces.
    pub one_namespace: bool,
    /// Secrets are not asked for.
    pub without_secrets: bool,
}

impl Shape {
    /// One bit each.
    pub(super) fn of(bits: u16) -> Self {
        let bit = |position: u16| bits >> position & 1 == 1;
        Self {
            plugin_off: bit(0),
            admission_file: bit(1),
            webhooks: bit(2),
            engine: bit(3),
            flannel: bit(4),
            certificate: bit(5),
            stores: bit(6),
            proxy_open: bit(7),
            one_namespace: bit(8),
            without_secrets: bit(9),
        }
    }
}

/// How many bits there are.
pub(super) const BITS: u16 = 10;

/// Every list of a cycle, by path with its selector.
pub(super) fn lists(shape: Shape) -> BTreeMap<String, Vec<Value>> {
    let (mut lists, demands) = (BTreeMap::new(), demands());
    for kind in KINDS {
        let objects = objects(kind.name, shape);
        for path in paths(&kind, &demands) {
            let of_path = objects.iter().filter(|object| admits(&path, object)).cloned().collect();
            lists.insert(path, of_path);
        }
    }
    if shape.stores {
        lists.insert(
            "/apis/external-secrets.io/v1/secretstores".into(),
            vec![object("vault", "shop", json!({}))],
        );
        lists.insert("/apis/external-secrets.io/v1/externalsecrets".into(), Vec::new());
        let drivers = "/apis/secrets-store.csi.x-k8s.io/v1/secretproviderclasses";
        lists.insert(drivers.into(), vec![object("vault", "lab", json!({}))]);
    }
    for (root, kinds) in FOREIGN {
        for (_, plural) in kinds {
            lists.insert(format!("{root}/namespaces/default/{plural}"), Vec::new());
        }
    }
    lists
}

/// The kinds that are not built in and that rules ask about in the namespace default, by the path of their version.
static FOREIGN: [(&str, &[(&str, &str)]); 4] = [
    (
        "/api/v1",
        &[
            ("LimitRange", "limitranges"),
            ("PodTemplate", "podtemplates"),
            ("ReplicationController", "replicationcontrollers"),
            ("ResourceQuota", "resourcequotas"),
        ],
    ),
    ("/apis/autoscaling/v2", &[("HorizontalPodAutoscaler", "horizontalpodautoscalers")]),
    ("/apis/policy/v1", &[("PodDisruptionBudget", "poddisruptionbudgets")]),
    (
        "/apis/resource.k8s.io/v1",
        &[("ResourceClaim", "resourceclaims"), ("ResourceClaimTemplate", "resourceclaimtemplates")],
    ),
];

/// Discovery of every kind.
fn discovery() -> impl Iterator<Item = (String, Value)> {
    let mut by_root: BTreeMap<String, Vec<(&str, &str)>> = BTreeMap::new();
    for kind in KINDS {
        let prefix = if kind.api_version.contains('/') { "/apis" } else { "/api" };
        by_root.entry(format!("{prefix}/{}", kind.api_version)).or_default().push((kind.name, kind.plural));
    }
    for (root, kinds) in &FOREIGN {
        by_root.entry((*root).to_owned()).or_default().extend(*kinds);
    }
    let group = |(name, version): (&str, &str)| json!({"name": name, "versions": [{"groupVersion": format!("{name}/{version}"), "version": version}]});
    let groups = by_root.keys().filter_map(|root| root.strip_prefix("/apis/")?.split_once('/'));
    let groups = json!({"kind": "APIGroupList", "groups": groups.map(group).collect::<Vec<_>>()});
    let resources = by_root.into_iter().map(|(root, kinds)| {
        let one = |(kind, plural): (&str, &str)| json!({"name": plural, "kind": kind, "namespaced": true, "verbs": ["list", "watch"]});
        let kinds: Vec<Value> = kinds.into_iter().map(one).collect();
        (root, json!({"kind": "APIResourceList", "resources": kinds}))
    });
    resources.chain([("/apis".to_owned(), groups)])
}

/// The groups of operators that are installed, and discovery.
pub(super) fn documents(shape: Shape) -> BTreeMap<String, Value> {
    let group = |name: &str| {
        let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
        let group =
            json!({"kind": "APIGroup", "name": name, "versions": [version], "preferredVersion": version});
        (format!("/apis/{name}"), group)
    };
    let groups = ["external-secrets.io", "secrets-store.csi.x-k8s.io"];
    groups.into_iter().filter(|_| shape.stores).map(group).chain(discovery()).collect()
}

/// What a path's namespace and field selector leave of a kind's objects.
fn admits(path: &str, object: &Value) -> bool {
    let (path, selector) = path.split_once("?fieldSelector=").unwrap_or((path, ""));
    let namespace = path.split_once("/namespaces/").and_then(|(_, rest)| rest.split('/').next());
    let in_it = namespace.is_none_or(|namespace| object["metadata"]["namespace"] == namespace);
    let picked = selector.split_once("%3D").is_none_or(|(field, value)| {
        let place = format!("/{}", field.replace('.', "/"));
        object.pointer(&place).is_some_and(|found| *found == value.replace("%2F", "/"))
    });
    in_it && picked
}

fn object(name: &str, namespace: &str, mut rest: Value) -> Value {
    let mut metadata = json!({"name": name, "uid": format!("{namespace}-{name}")});
    if !namespace.is_empty() {
        metadata["namespace"] = namespace.into();
    }
    if let Some(more) = rest.as_object_mut().unwrap().remove("metadata") {
        metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    }
    rest["metadata"] = metadata;
    rest
}

fn objects(kind: &str, shape: Shape) -> Vec<Value> {
    let plain = |names: &[&str]| names.iter().map(|name| object(name, "default", json!({}))).collect();
    match kind {
        "NetworkPolicy" => [("deny", "shop"), ("allow", "shop"), ("stray", "default")]
            .map(|(name, namespace)| object(name, namespace, json!({})))
            .into(),
        "ValidatingWebhookConfiguration" => webhooks(&[
            ("certificates", "cert-manager", "secrets", true),
            ("policy.sigstore.dev", "webhook", "pods", shape.webhooks),
            ("kyverno-pods", "kyverno-svc", "*", shape.engine),
        ]),
        "MutatingWebhookConfiguration" => webhooks(&[
            ("defaults", "cert-manager", "secrets", true),
            ("names", "names", "services", true),
            ("vault-agent-injector-cfg", "vault", "pods", shape.webhooks),
        ]),
        "ConfigMap" => config_maps(shape),
        "CertificateSigningRequest" => requests(shape),
        "DaemonSet" => daemon_sets(shape),
        "ClusterRole" => vec![
            role("cluster-admin", "", "*", "*", "*"),
            role("reader", "", "", "configmaps", "get"),
            role("wide", "", "*", "*", "*"),
            role("harmless", "", "apps", "deployments", "list"),
            role("tokens", "", "", "serviceaccounts/token", "create"),
        ],
        "Role" => vec![
            role("secrets", "shop", "", "secrets", "list"),
            role("plain", "shop", "", "pods", "get"),
            role("starter", "lab", "", "pods", "create"),
            role("stray", "default", "", "*", "get"),
        ],
        "ClusterRoleBinding" => vec![
            binding("cluster-admin", "", "ClusterRole/cluster-admin", "Group", "system:masters"),
            binding("plain", "", "ClusterRole/harmless", "User", "jane"),
            binding("wide", "", "ClusterRole/wide", "User", "joe"),
            binding("admins", "", "ClusterRole/cluster-admin", "Group", "ops"),
            binding("nowhere", "", "ClusterRole/gone", "ServiceAccount", "default"),
            binding("masters", "", "ClusterRole/reader", "Group", "system:masters"),
        ],
        "RoleBinding" => vec![
            binding("secrets", "shop", "Role/secrets", "ServiceAccount", "web"),
            binding("plain", "shop", "Role/plain", "ServiceAccount", "default"),
            binding("starter", "lab", "Role/starter", "User", "joe"),
            binding("tokens", "lab", "ClusterRole/tokens", "User", "joe"),
            binding("stray", "default", "ClusterRole/cluster-admin", "User", "joe"),
        ],
        "Node" => vec![object("cp-1", "", json!({}))],
        "Service" => plain(&["kubernetes", "stray"]),
        "Deployment"
        | "ReplicaSet"
        | "StatefulSet"
        | "Job"
        | "CronJob"
        | "PersistentVolumeClaim"
        | "Ingress" => plain(&["stray"]),
        "Pod" => pods(shape),
        "ServiceAccount" => vec![
            object("default", "shop", json!({"automountServiceAccountToken": false})),
            object("web", "shop", json!({"automountServiceAccountToken": false})),
            object("default", "lab", json!({})),
            object("idle", "lab", json!({})),
            object("default", "default", json!({})),
        ],
        "Secret" => secrets(),
        "Namespace" => {
            let labelled =
                |level: &str| json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": level}}});
            vec![
                object("default", "", json!({})),
                object("kube-system", "", json!({})),
                object("shop", "", labelled("restricted")),
                object("lab", "", labelled("privileged")),
                object("going", "", json!({"status": {"phase": "Terminating"}})),
            ]
        }
        other => panic!("there are no objects of {other}"),
    }
}

fn webhooks(of: &[(&str, &str, &str, bool)]) -> Vec<Value> {
    let one = |(name, service, resources, _): &(&str, &str, &str, bool)| {
        let rules = json!([{"apiGroups": ["*"], "operations": ["CREATE"], "resources": [resources]}]);
        let client = json!({"service": {"namespace": "system", "name": service}});
        object(name, "", json!({"webhooks": [{"clientConfig": client, "rules": rules}]}))
    };
    of.iter().filter(|(_, _, _, there)| *there).map(one).collect()
}

fn config_maps(shape: Shape) -> Vec<Value> {
    let address = if shape.proxy_open { "0.0.0.0:10249" } else { "" };
    let config = format!(
        "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nmetricsBindAddress: \"{address}\"\n"
    );
    vec![
        object("kube-proxy", "kube-system", json!({"data": {"config.conf": config}})),
        object("kube-root-ca.crt", "default", json!({})),
        object("one", "default", json!({})),
        object("two", "default", json!({})),
    ]
}

fn requests(shape: Shape) -> Vec<Value> {
    let request = |name: &str, signer: &str, condition: &str| {
        let status = json!({"conditions": [{"type": condition}]});
        object(
            name,
            "",
            json!({"spec": {"signerName": signer, "username": "joe", "groups": []}, "status": status}),
        )
    };
    let client = "kubernetes.io/kube-apiserver-client";
    let mut requests = vec![
        request("kubelet", "kubernetes.io/kubelet-serving", "Approved"),
        request("denied", client, "Denied"),
    ];
    requests.extend(shape.certificate.then(|| request("joe", client, "Approved")));
    requests
}

fn daemon_sets(shape: Shape) -> Vec<Value> {
    let set = |name: &str, namespace: &str, image: &str, command: Value| {
        let containers = json!([{"name": "c", "image": image, "command": command}]);
        object(name, namespace, json!({"spec": {"template": {"spec": {"containers": containers}}}}))
    };
    let command = json!(["/usr/local/bin/kube-proxy", "--config=/var/lib/kube-proxy/config.conf"]);
    let network = if shape.flannel { "flannel-io/flannel:v0" } else { "quay.io/cilium/cilium:v1" };
    vec![
        set("kube-proxy", "kube-system", "registry.k8s.io/kube-proxy:v1.37.2", command),
        set("agent", "shop", "shop/agent:1", json!([])),
        set("network", "kube-system", network, json!([])),
        set("stray", "default", "shop/agent:1", json!([])),
    ]
}

fn role(name: &str, namespace: &str, group: &str, resource: &str, verb: &str) -> Value {
    let labels = if name == "cluster-admin" {
        json!({"kubernetes.io/bootstrapping": "rbac-defaults"})
    } else {
        json!({})
    };
    let rules = json!([{"apiGroups": [group], "resources": [resource], "verbs": [verb]}]);
    object(name, namespace, json!({"metadata": {"labels": labels}, "rules": rules}))
}

fn binding(name: &str, namespace: &str, role: &str, subject: &str, who: &str) -> Value {
    let (kind, role) = role.split_once('/').unwrap();
    let mut subject = json!({"kind": subject, "name": who});
    if subject["kind"] == "ServiceAccount" {
        subject["namespace"] = "shop".into();
    }
    let reference = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role});
    object(name, namespace, json!({"roleRef": reference, "subjects": [subject]}))
}

/// A mirror pod, as the kubelet of its node makes one.
fn api_server(name: &str, flags: &[&str]) -> Value {
    let node = name.trim_start_matches("kube-apiserver-");
    let metadata = json!({"labels": {"component": "kube-apiserver"}, "annotations": {"kubernetes.io/config.mirror": "x"},
        "ownerReferences": [{"kind": "Node", "name": node}]});
    let command: Vec<&str> =
        ["kube-apiserver", "--client-ca-file=/ca.crt"].iter().chain(flags).copied().collect();
    let spec =
        json!({"nodeName": node, "hostNetwork": true, "containers": [{"name": "c", "command": command}]});
    object(name, "kube-system", json!({"metadata": metadata, "spec": spec}))
}

fn pods(shape: Shape) -> Vec<Value> {
    let pod = |name: &str, namespace: &str, account: &str, mut spec: Value| {
        spec["serviceAccountName"] = account.into();
        object(name, namespace, json!({"spec": spec}))
    };
    let hardened = json!({"allowPrivilegeEscalation": false, "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"}});
    let careful = json!({"automountServiceAccountToken": false, "containers": [{"name": "c", "securityContext": hardened}]});
    let token =
        json!({"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}});
    let from_secret = json!([{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]);
    let careless = json!({"hostNetwork": true, "hostPID": true, "hostIPC": true,
        "volumes": [{"name": "root", "hostPath": {"path": "/"}}, token],
        "securityContext": {"windowsOptions": {"hostProcess": true}},
        "containers": [{"name": "c", "env": from_secret, "ports": [{"containerPort": 1, "hostPort": 1}],
            "securityContext": {"privileged": true, "capabilities": {"add": ["NET_RAW"]}}}]});
    let silent = json!({"containers": [{"name": "c"}]});
    let mut second: Vec<&str> = Vec::new();
    second.extend(shape.plugin_off.then_some("--disable-admission-plugins=PodSecurity"));
    second.extend(shape.admission_file.then_some("--admission-control-config-file=/admission.yaml"));
    second.extend(shape.webhooks.then_some("--oidc-issuer-url=https://id"));
    let mut pods = vec![
        api_server("kube-apiserver-a", &["--oidc-issuer-url=https://id"]),
        pod("dns", "kube-system", "dns", silent.clone()),
        api_server("kube-apiserver-b", &second),
    ];
    if shape.one_namespace {
        pods.push(pod("stray", "default", "default", silent.clone()));
        return pods;
    }
    pods.extend([
        pod("web", "shop", "web", careful),
        pod("tool", "shop", "default", careless),
        pod("silent", "lab", "default", silent.clone()),
    ]);
    pods
}

fn secrets() -> Vec<Value> {
    let token = |name: &str, namespace: &str, account: &str| {
        let metadata = json!({"annotations": {"kubernetes.io/service-account.name": account}});
        object(name, namespace, json!({"type": "kubernetes.io/service-account-token", "metadata": metadata}))
    };
    // `true`, `2020-01-01T00:00:00Z` and `a`
    let yes = "dHJ1ZQ==";
    let bootstrap = |name: &str, data: Value| {
        object(name, "kube-system", json!({"type": "bootstrap.kubernetes.io/token", "data": data}))
    };
    vec![
        token("used", "shop", "web"),
        token("unused", "lab", "idle"),
        token("more", "lab", "default"),
        bootstrap(
            "expired",
            json!({"usage-bootstrap-authentication": yes, "expiration": "MjAyMC0wMS0wMVQwMDowMDowMFo="}),
        ),
        bootstrap("endless", json!({"usage-bootstrap-authentication": yes, "auth-extra-groups": "YQ=="})),
        bootstrap("other", json!({})),
    ]
}
