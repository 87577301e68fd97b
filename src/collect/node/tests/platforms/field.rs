//! What other tools got wrong about the files of a node, one test for each public thread.

use super::verdicts;
use crate::collect::node::tests::{Planted, Tree};
use crate::evaluate::Outcome;

const HEAD: &str = "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n";

fn kubelet(tree: &Tree, command: &str) {
    tree.process(&Planted { command, ..Planted::default() });
}

#[test]
fn kube_bench_1256_a_relative_config_path_is_followed() {
    let tree = Tree::new();
    tree.file("/opt/kubelet/kubelet_conf.json", "{\"kind\": \"KubeletConfiguration\", \"apiVersion\": \"kubelet.config.k8s.io/v1beta1\", \"authentication\": {\"anonymous\": {\"enabled\": false}, \"x509\": {\"clientCAFile\": \"pki/ca.crt\"}}}");
    tree.file("/opt/kubelet/pki/ca.crt", "");
    kubelet(&tree, "/usr/bin/kubelet --config=kubelet_conf.json");
    tree.link("/proc/100/cwd", "/opt/kubelet");
    let seen = tree.observe();
    assert_eq!(seen.only("kubelet-config").id, "/opt/kubelet/kubelet_conf.json");
    assert_eq!(seen.only("kubelet-client-ca").id, "/opt/kubelet/pki/ca.crt");
    assert_eq!(verdicts(seen.only("kubelet"))["kubelet-anonymous-auth"], Outcome::Passed);
}

#[test]
fn kube_bench_852_the_file_of_the_flag_is_read() {
    let tree = Tree::new();
    tree.file(
        "/var/lib/kubelet/config.yaml",
        &format!("{HEAD}authentication: {{anonymous: {{enabled: true}}}}\n"),
    );
    tree.file("/etc/my-kubelet.yaml", &format!("{HEAD}authentication: {{anonymous: {{enabled: false}}}}\n"));
    kubelet(&tree, "kubelet --config /etc/my-kubelet.yaml");
    let seen = tree.observe();
    assert_eq!(seen.only("kubelet-config").id, "/etc/my-kubelet.yaml", "what nobody reads is of no interest");
    assert_eq!(verdicts(seen.only("kubelet"))["kubelet-anonymous-auth"], Outcome::Passed);
}

#[test]
fn kube_bench_1364_flags_alone_are_enough() {
    let tree = Tree::new();
    kubelet(&tree, "kubelet --anonymous-auth=false --read-only-port=0 --authorization-mode Webhook");
    let seen = tree.observe();
    let judged = verdicts(seen.only("kubelet"));
    for control in ["kubelet-anonymous-auth", "kubelet-read-only-port", "kubelet-authorization-mode"] {
        assert_eq!(judged[control], Outcome::Passed, "{control}");
    }
    assert!(seen.all("kubelet-config").is_empty());

    // What the flags leave out has the default of a kubelet without a file.
    kubelet(&tree, "kubelet --authorization-mode=Webhook");
    assert_eq!(verdicts(tree.observe().only("kubelet"))["kubelet-anonymous-auth"], Outcome::Failed);
}

#[test]
fn kube_bench_699_no_kubeconfig_of_kube_proxy_is_no_failure() {
    let tree = Tree::new();
    tree.kubelet("");
    tree.file(
        "/var/lib/kube-proxy/config.conf",
        "kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\nclientConnection: {kubeconfig: ''}\n",
    );
    let command = "kube-proxy --config=/var/lib/kube-proxy/config.conf";
    tree.process(&Planted { pid: 200, command, ..Planted::default() });
    let seen = tree.observe();
    assert_eq!(seen.all("kube-proxy").len(), 1);
    assert!(seen.all("proxy-kubeconfig").is_empty());
}

#[test]
fn kube_bench_1598_a_file_is_judged_by_its_own_mode() {
    let tree = Tree::new();
    tree.kubelet("");
    tree.mode("/var/lib/kubelet/config.yaml", 0o644);
    tree.mode("/var/lib/kubelet", 0o700);
    let seen = tree.observe();
    let file = seen.only("kubelet-config");
    assert_eq!(file.raw["mode"], "644");
    assert_eq!(verdicts(file)["kubelet-config-mode"], Outcome::Failed, "as the benchmark asks");
}

#[test]
fn kube_bench_1853_a_wrong_mode_is_seen_through_a_link_and_a_relative_path() {
    let tree = Tree::new();
    tree.file("/data/kubelet/real.yaml", HEAD);
    tree.mode("/data/kubelet/real.yaml", 0o744);
    tree.link("/var/lib/kubelet", "../../data/kubelet");
    tree.link("/var/lib/kubelet/config.yaml", "real.yaml");
    kubelet(&tree, "kubelet --config=./lib/../lib/kubelet/config.yaml");
    tree.link("/proc/100/cwd", "/var");
    let seen = tree.observe();
    assert_eq!(seen.only("kubelet-config").raw["mode"], "744");
    assert_eq!(verdicts(seen.only("kubelet-config"))["kubelet-config-mode"], Outcome::Failed);
}

#[test]
fn trivy_operator_1181_the_kubelet_s_file_counts() {
    let tree = Tree::new();
    tree.kubelet("rotateCertificates: true\nprotectKernelDefaults: true\ntlsCertFile: /a.crt\ntlsPrivateKeyFile: /a.key\n");
    let judged = verdicts(tree.observe().only("kubelet"));
    for control in ["kubelet-rotate-certificates", "kubelet-serving-certificate", "kubelet-anonymous-auth"] {
        assert_eq!(judged[control], Outcome::Passed, "{control}");
    }
}

#[test]
fn datadog_agent_24090_an_unreadable_config_is_an_error() {
    let tree = Tree::new();
    tree.kubelet("");
    std::fs::remove_file(tree.path("/var/lib/kubelet/config.yaml")).unwrap();
    let command = "kube-scheduler --config=/run/scheduler.yaml --profiling=false";
    tree.process(&Planted { pid: 200, command, ..Planted::default() });
    tree.file("/run/scheduler.yaml", "profiling: [");
    let seen = tree.observe();
    assert_eq!(verdicts(seen.only("kubelet"))["kubelet-anonymous-auth"], Outcome::Error);
    assert_eq!(
        verdicts(seen.only("kube-scheduler"))["scheduler-profiling"],
        Outcome::Error,
        "the flag does not count beside a file"
    );
    assert_eq!(seen.unread("kubelet-config"), [("$", "missing", "stat /var/lib/kubelet/config.yaml")]);
}

#[test]
fn hyperkube_and_short_names_are_components_where_their_arguments_say_so() {
    let tree = Tree::new();
    tree.kubelet("");
    let plant = |pid: u32, command: &str| tree.process(&Planted { pid, command, ..Planted::default() });
    plant(200, "/hyperkube scheduler --profiling=false");
    plant(201, "/usr/bin/apiserver --etcd-servers=http://127.0.0.1:2379");
    plant(202, "/usr/sbin/proxy --spool=/var/spool");
    plant(203, "/usr/bin/controller-manager --daemon");
    let seen = tree.observe();
    assert_eq!(seen.flag("kube-scheduler", "profiling"), ["false"]);
    assert_eq!(seen.flag("kube-apiserver", "etcd-servers"), ["http://127.0.0.1:2379"]);
    assert!(seen.all("kube-proxy").is_empty() && seen.all("kube-controller-manager").is_empty());
}
