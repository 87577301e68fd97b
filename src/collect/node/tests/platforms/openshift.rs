//! OpenShift: flags in a file of its operators, a proxy of etcd beside the member, a kubelet behind a wrapper.

use super::verdicts;
use crate::collect::node::tests::{HOST_MOUNTS, POD_MOUNTS, Planted, STATIC_POD, Tree};
use crate::evaluate::Outcome;

const MANIFEST: &str = "/etc/kubernetes/manifests/kube-apiserver-pod.yaml";
const RESOURCES: &str = "/etc/kubernetes/static-pod-resources/kube-apiserver-pod-7";
const CONFIG: &str = "/etc/kubernetes/static-pod-resources/configmaps/config/config.yaml";

fn node() -> Tree {
    let tree = Tree::new();
    tree.kubelet("staticPodPath: /etc/kubernetes/manifests\n");
    tree
}

fn in_pod(tree: &Tree, pid: u32, command: &str) {
    let namespace = Some("mnt:[2]");
    tree.process(&Planted {
        pid,
        command,
        namespace,
        mounts: POD_MOUNTS,
        cgroup: STATIC_POD,
        ..Planted::default()
    });
}

/// An API server as its operator starts it, with this file.
fn api_server(config: Option<&str>) -> Tree {
    let tree = node();
    tree.file(
        MANIFEST,
        &format!(
            "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - name: kube-apiserver\n    command: [/bin/bash, -ec]\n    args:\n    - |\n      LOCK=/var/log/kube-apiserver/.lock\n      exec watch-termination --termination-lock-file=${{LOCK}} -- hyperkube kube-apiserver --openshift-config={CONFIG} --advertise-address=${{HOST_IP}} -v=2\n    volumeMounts: [{{name: resource-dir, mountPath: /etc/kubernetes/static-pod-resources}}]\n  - name: kube-apiserver-cert-syncer\n    command: [cluster-kube-apiserver-operator, cert-syncer]\n  volumes: [{{name: resource-dir, hostPath: {{path: {RESOURCES}}}}}]\n"
        ),
    );
    in_pod(
        &tree,
        300,
        &format!("hyperkube kube-apiserver --openshift-config={CONFIG} --advertise-address=10.0.0.1 -v=2"),
    );
    if let Some(config) = config {
        tree.file(
            &format!("{RESOURCES}/configmaps/config/config.yaml"),
            &format!("{{\"kind\": \"KubeAPIServerConfig\", \"apiVersion\": \"kubecontrolplane.config.openshift.io/v1\", {config}}}"),
        );
    }
    tree
}

const ARGUMENTS: &str = r#""apiServerArguments": {"audit-log-path": ["/var/log/audit.log"], "audit-log-maxage": ["30"],
    "profiling": ["false"], "token-auth-file": ["/canary"], "etcd-servers": ["https://u:canary@10.0.0.1:2379"]},
    "servingInfo": {"bindAddress": "0.0.0.0:6443", "clientCA": "/etc/kubernetes/ca.crt"},
    "admission": {"pluginConfig": {"PodSecurity": {"configuration": {"kind": "PodSecurityConfiguration"}}}},
    "authConfig": {"oauthMetadataFile": "canary"}"#;

#[test]
fn the_flags_behind_openshift_config_are_read_through_the_manifest_s_volume() {
    let tree = api_server(Some(ARGUMENTS));
    let seen = tree.observe();
    let server = seen.only("kube-apiserver");
    let judged = verdicts(server);
    for control in [
        "api-server-audit-log-path",
        "api-server-audit-log-maxage",
        "api-server-profiling",
        "api-server-client-ca-file",
    ] {
        assert_eq!(judged[control], Outcome::Passed, "{control}");
    }
    assert_eq!(judged["api-server-anonymous-auth"], Outcome::Failed, "on by default there");
    assert_eq!(judged["api-server-encryption-at-rest"], Outcome::Failed, "all flags are known");
    assert_eq!(judged["audit-policy"], Outcome::Failed, "no policy is set");
    // What is set in another form is out of sight.
    let unread = seen.unread("kube-apiserver");
    let is_unread = |place: &str| unread.iter().any(|(at, ..)| *at == place);
    assert!(is_unread("$.args.admission-control-config-file") && is_unread("$.files.admissionConfiguration"));
    assert!(is_unread("$.args.secure-port"));
    let text = seen.text();
    assert_eq!(text.matches("canary").count(), 1, "the path of a file: {text}");
    assert_eq!(server.raw["args"]["etcd-servers"][0], "https://<redacted>@10.0.0.1:2379");
}

#[test]
fn what_stands_behind_an_unread_file_is_unread_and_not_absent() {
    for config in [None, Some("\"kind\": \"Other\"")] {
        let seen = api_server(config).observe();
        let judged = verdicts(seen.only("kube-apiserver"));
        for control in [
            "audit-policy",
            "audit-policy-coverage-credentials",
            "api-server-profiling",
            "api-server-encryption-provider",
        ] {
            assert_eq!(judged[control], Outcome::Error, "{control} {config:?}");
        }
        assert!(!judged.values().any(|outcome| *outcome == Outcome::Failed), "{judged:#?}");
    }
}

#[test]
fn a_controller_manager_has_its_flags_there_too() {
    let tree = node();
    let file = "/etc/kubernetes/kcm.yaml";
    tree.file(
        file,
        "kind: KubeControllerManagerConfig\napiVersion: kubecontrolplane.config.openshift.io/v1\nextendedArguments: {profiling: ['false'], use-service-account-credentials: [true]}\n",
    );
    tree.process(&Planted {
        pid: 400,
        command: &format!("hyperkube kube-controller-manager --openshift-config={file} -v=2"),
        ..Planted::default()
    });
    let judged = verdicts(tree.observe().only("kube-controller-manager"));
    assert_eq!(judged["controller-manager-profiling"], Outcome::Passed);
    assert_eq!(judged["controller-manager-service-account-credentials"], Outcome::Error, "no text");
}

#[test]
fn a_proxy_of_etcd_is_no_member() {
    let tree = node();
    in_pod(&tree, 600, "etcd --auto-tls=false --client-cert-auth=true --data-dir=/data");
    in_pod(
        &tree,
        601,
        "etcd grpc-proxy start --endpoints=https://10.0.0.1:9978 --metrics-addr=https://0.0.0.0:9979",
    );
    let seen = tree.observe();
    assert_eq!(seen.only("etcd").raw["pid"], "600");
    tree.file(
        "/etc/kubernetes/manifests/etcd-pod.yaml",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{name: etcd-metrics, command: [/bin/sh, -c, 'exec nice -n -18 etcd grpc-proxy start']}]}\n",
    );
    assert!(tree.observe().all("etcd-manifest").is_empty());
}

#[test]
fn a_kubelet_in_the_mount_namespace_of_kubens_is_judged() {
    let tree = Tree::new();
    tree.kubelet("authentication: {anonymous: {enabled: false}}\n");
    tree.file(
        "/etc/systemd/system/kubelet.service",
        "[Service]\nEnvironmentFile=-/etc/kubernetes/kubelet-env\nExecStart=/usr/local/bin/kubenswrapper \\\n    /usr/bin/kubelet \\\n      --config=/var/lib/kubelet/config.yaml \\\n      --hostname-override=${KUBELET_NODE_NAME}\n",
    );
    let command = "/usr/bin/kubelet --config=/var/lib/kubelet/config.yaml --hostname-override=n1";
    let kubens = "700 1 254:0 / / rw - ext4 /dev/vda rw\n";
    for (namespace, mounts) in [("mnt:[1]", HOST_MOUNTS), ("mnt:[3]", kubens)] {
        tree.process(&Planted { command, namespace: Some(namespace), mounts, ..Planted::default() });
        let seen = tree.observe();
        let judged = verdicts(seen.only("kubelet"));
        assert_eq!(judged["kubelet-anonymous-auth"], Outcome::Passed, "{namespace}");
        assert_eq!(judged["kubelet-hostname-override"], Outcome::NotApplicable, "{namespace}");
        assert_eq!(seen.only("kubelet-config").id, "/var/lib/kubelet/config.yaml");
    }
}

#[test]
fn cni_files_are_looked_for_where_cri_o_keeps_them() {
    let tree = node();
    tree.file("/etc/crio/crio.conf.d/00-default", "[crio.network]\nnetwork_dir = \"/opt/cni/net.d/\"\n");
    tree.file("/opt/cni/net.d/multus.d/multus.kubeconfig", "");
    tree.file("/etc/kubernetes/cni/net.d/00-multus.conf", "{}");
    let seen = tree.observe();
    let mut found: Vec<&str> = seen.all("cni-config").iter().map(|file| file.id.as_str()).collect();
    found.sort_unstable();
    assert_eq!(
        found,
        ["/etc/kubernetes/cni/net.d/00-multus.conf", "/opt/cni/net.d/multus.d/multus.kubeconfig"]
    );
    tree.file("/etc/crio/crio.conf", "[crio\n");
    let seen = tree.observe();
    let of_node = seen.all("cni-config").into_iter().find(|resource| resource.is_unlisted()).unwrap();
    assert!(
        of_node.unread[0].gap.what.starts_with("read /etc/crio/crio.conf: line 1"),
        "it may name another"
    );
}

#[test]
fn the_kubelet_s_configuration_is_known_by_its_content_where_no_kubelet_names_it() {
    let tree = Tree::new();
    let path = "/etc/kubernetes/kubelet.conf";
    tree.file(path, "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n");
    assert_eq!(tree.observe().only("kubelet-config").id, path);
    tree.kubelet("");
    let seen = tree.observe();
    assert_eq!(seen.only("kubelet-config").id, "/var/lib/kubelet/config.yaml", "what nobody reads");
    assert!(seen.all("kubelet-kubeconfig").is_empty());
    tree.file(path, "kind: Config\napiVersion: v1\n");
    assert_eq!(tree.observe().only("kubelet-kubeconfig").id, path);
}
