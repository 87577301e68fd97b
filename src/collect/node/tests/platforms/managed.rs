//! Nodes of managed clusters but EKS, and OpenShift: what of them is in sight.

use super::{assert_inventory, verdicts};
use crate::collect::node::tests::{Planted, Tree};
use crate::evaluate::Outcome;

const KUBELET_CONFIG: &str = "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\nauthentication: {anonymous: {enabled: false}}\n";

#[test]
fn nodes_of_gke_and_aks_have_their_files() {
    let gke = Tree::new();
    gke.file("/home/kubernetes/kubelet-config.yaml", KUBELET_CONFIG);
    gke.files(&["/var/lib/kubelet/kubeconfig", "/var/lib/kube-proxy/kubeconfig"]);
    let command = "/home/kubernetes/bin/kubelet --config=/home/kubernetes/kubelet-config.yaml --kubeconfig=/var/lib/kubelet/kubeconfig";
    gke.process(&Planted { command, ..Planted::default() });
    let command = "kube-proxy --kubeconfig=/var/lib/kube-proxy/kubeconfig";
    gke.static_pod(
        200,
        "/etc/kubernetes/manifests/kube-proxy.manifest",
        command,
        &[("/var/lib/kube-proxy/kubeconfig", "/var/lib/kube-proxy/kubeconfig")],
    );
    assert_inventory(
        &gke.observe(),
        &[
            "kubelet",
            "kube-proxy",
            "kubelet-config /home/kubernetes/kubelet-config.yaml",
            "kubelet-kubeconfig /var/lib/kubelet/kubeconfig",
            "proxy-kubeconfig /var/lib/kube-proxy/kubeconfig",
        ],
    );

    let aks = Tree::new();
    aks.files(&["/etc/default/kubelet", "/var/lib/kubelet/kubeconfig", "/etc/kubernetes/certs/ca.crt"]);
    let command = "/usr/local/bin/kubelet --anonymous-auth=false --client-ca-file=/etc/kubernetes/certs/ca.crt --kubeconfig=/var/lib/kubelet/kubeconfig";
    aks.process(&Planted { command, ..Planted::default() });
    assert_inventory(
        &aks.observe(),
        &[
            "kubelet",
            "kubelet-config /etc/default/kubelet",
            "kubelet-kubeconfig /var/lib/kubelet/kubeconfig",
            "kubelet-client-ca+pki-cert /etc/kubernetes/certs/ca.crt",
            "pki-dir /etc/kubernetes/certs",
        ],
    );
}

#[test]
fn kube_bench_1435_openshift_s_kubelet_configuration_is_no_kubeconfig() {
    let tree = Tree::new();
    tree.file("/etc/kubernetes/kubelet.conf", KUBELET_CONFIG);
    tree.files(&["/var/lib/kubelet/kubeconfig", "/etc/kubernetes/kubeconfig"]);
    let command = "/usr/bin/kubelet --config=/etc/kubernetes/kubelet.conf --bootstrap-kubeconfig=/etc/kubernetes/kubeconfig --kubeconfig=/var/lib/kubelet/kubeconfig";
    tree.process(&Planted { command, ..Planted::default() });
    let seen = tree.observe();
    assert_inventory(
        &seen,
        &[
            "kubelet",
            "kubelet-config /etc/kubernetes/kubelet.conf",
            "kubelet-kubeconfig /etc/kubernetes/kubeconfig",
            "kubelet-kubeconfig /var/lib/kubelet/kubeconfig",
        ],
    );
    assert_eq!(verdicts(seen.only("kubelet"))["kubelet-anonymous-auth"], Outcome::Passed);
}

#[test]
fn arguments_that_openshift_s_operators_keep_elsewhere_are_not_taken_for_defaults() {
    let tree = Tree::new();
    tree.kubelet("staticPodPath: /etc/kubernetes/manifests\n");
    let config = "/etc/kubernetes/static-pod-resources/configmaps/config/config.yaml";
    tree.static_pod(
        300,
        "/etc/kubernetes/manifests/kube-apiserver-pod.yaml",
        &format!("hyperkube kube-apiserver --openshift-config={config} --advertise-address=10.0.0.1"),
        &[],
    );
    let seen = tree.observe();
    assert_eq!(seen.only("api-server-manifest").id, "/etc/kubernetes/manifests/kube-apiserver-pod.yaml");
    let unread = seen.unread("kube-apiserver");
    assert!(unread[0].0 == "$.args" && unread[0].2.contains(config), "{unread:?}");
    assert_eq!(verdicts(seen.only("kube-apiserver"))["api-server-anonymous-auth"], Outcome::Error);
}
