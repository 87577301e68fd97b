//! How a setting may be written, and what is never taken for a setting that was left out.

use super::platforms::verdicts;
use super::{Planted, Tree};
use crate::evaluate::Outcome;

const CONFIG: &str = "/var/lib/kubelet/config.yaml";
const HEAD: &str = "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n";

/// More lines than the library for YAML takes by itself.
fn comments() -> String {
    "  # why it is so\n".repeat(400)
}

#[test]
fn comments_may_be_long_in_every_file_that_is_read() {
    let tree = Tree::new();
    tree.kubelet("staticPodPath: /opt/m\n");
    let why = comments();
    tree.file(
        "/etc/kubelet.d/10-open.conf",
        &format!("{HEAD}authentication:\n{why}  anonymous:\n{why}    enabled: true\n"),
    );
    let command = "kubelet --config=/var/lib/kubelet/config.yaml --config-dir=/etc/kubelet.d";
    tree.process(&Planted { command, ..Planted::default() });
    tree.file(
        "/opt/m/p.yaml",
        &format!("kind: Pod\napiVersion: v1\nspec:\n{why}  containers:\n{why}  - image: a\n    command:\n{why}    - kube-scheduler\n"),
    );
    tree.file("/etc/etcd.yml", &format!("client-transport-security:\n{why}  auto-tls: true\n"));
    tree.process(&Planted { pid: 200, command: "etcd --config-file=/etc/etcd.yml", ..Planted::default() });
    tree.file("/proc/200/environ", "");
    tree.file(
        "/etc/enc.yaml",
        &format!("kind: EncryptionConfiguration\napiVersion: apiserver.config.k8s.io/v1\nresources:\n{why}- resources: [secrets]\n  providers:\n{why}  - identity: {{}}\n"),
    );
    let command = "kube-apiserver --encryption-provider-config=/etc/enc.yaml";
    tree.process(&Planted { pid: 300, command, ..Planted::default() });
    let seen = tree.observe();
    assert_eq!(verdicts(seen.only("kubelet"))["kubelet-anonymous-auth"], Outcome::Failed);
    assert_eq!(seen.only("scheduler-manifest").id, "/opt/m/p.yaml");
    assert_eq!(verdicts(seen.only("etcd"))["etcd-no-auto-tls"], Outcome::Failed);
    let server = verdicts(seen.only("kube-apiserver"));
    assert_eq!(server["api-server-encryption-provider"], Outcome::Failed);
}

#[test]
fn a_kubelet_s_file_means_the_same_in_every_style() {
    let json = "{\n\t\"kind\": \"KubeletConfiguration\",\n\t\"apiVersion\": \"kubelet.config.k8s.io/v1beta1\",\n\t\"authentication\": {\n\t\t\"anonymous\": {\n\t\t\t\"enabled\": true\n\t\t}\n\t}\n}\n";
    let windows = format!("\u{feff}{HEAD}authentication: {{anonymous: {{enabled: true}}}}\n");
    for text in [
        json.to_owned(),
        windows.replace('\n', "\r\n"),
        format!("%YAML 1.1\n---\n{HEAD}authentication: {{anonymous: {{enabled: yes}}}}\n...\n"),
        format!("{HEAD}x-on: &on {{enabled: true}}\nauthentication: {{anonymous: *on}}\n"),
        format!("{HEAD}authentication: {{anonymous: {{<<: {{enabled: true}}}}}}\n"),
        format!("{HEAD}\"authentication\":\n  ? anonymous\n  : enabled: !!bool \"true\"\n"),
    ] {
        let tree = Tree::new();
        tree.kubelet("");
        tree.file(CONFIG, &text);
        let judged = verdicts(tree.observe().only("kubelet"));
        assert_eq!(judged["kubelet-anonymous-auth"], Outcome::Failed, "{text}");
    }
}

#[test]
fn a_file_in_an_encoding_that_is_not_read_is_an_error() {
    let text = format!("{HEAD}authentication: {{anonymous: {{enabled: false}}}}\n");
    let utf_16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin_1 = [text.as_bytes(), b"# caf\xe9\n"].concat();
    for bytes in [utf_16, latin_1] {
        let tree = Tree::new();
        tree.kubelet("");
        std::fs::write(tree.path(CONFIG), bytes).unwrap();
        let seen = tree.observe();
        assert_eq!(verdicts(seen.only("kubelet"))["kubelet-anonymous-auth"], Outcome::Error);
        assert_eq!((seen.unread("kubelet")[0].0, seen.unread("kubelet")[0].1), ("$.config", "malformed"));
    }
}

#[test]
fn a_flag_that_cannot_be_read_never_passes() {
    for (component, flag, control) in [
        ("kubelet", "--read-only-port=none", "kubelet-read-only-port"),
        ("kubelet", "--read-only-port=${PORT}", "kubelet-read-only-port"),
        ("kubelet", "--streaming-connection-idle-timeout=5", "kubelet-streaming-idle-timeout"),
        ("kubelet", "--rotate-certificates=no", "kubelet-rotate-certificates"),
        (
            "kube-controller-manager",
            "--terminated-pod-gc-threshold=many",
            "controller-manager-terminated-pod-gc",
        ),
        (
            "kube-controller-manager",
            "--feature-gates=RotateKubeletServerCertificate",
            "controller-manager-rotate-server-certificate-gate",
        ),
        ("kube-apiserver", "--profiling=off", "api-server-profiling"),
        ("kube-apiserver", "--authorization-mode=RBAC --anonymous-auth=none", "api-server-anonymous-auth"),
    ] {
        let tree = Tree::new();
        let command = format!("{component} {flag}");
        tree.process(&Planted { command: &command, ..Planted::default() });
        let judged = verdicts(tree.observe().only(component));
        assert_eq!(judged[control], Outcome::Error, "{command}");
    }
}

/// A bool flag takes no second word: `--anonymous-auth false` turns it on.
#[test]
fn a_second_word_is_no_value_of_a_bool_flag() {
    let tree = Tree::new();
    tree.kubelet("authentication: {anonymous: {enabled: false}}\n");
    let command = "kubelet --config=/var/lib/kubelet/config.yaml --anonymous-auth false";
    tree.process(&Planted { command, ..Planted::default() });
    let judged = verdicts(tree.observe().only("kubelet"));
    assert_eq!(judged["kubelet-anonymous-auth"], Outcome::Failed);
}

#[test]
fn drop_ins_without_a_file_set_what_they_name_and_leave_the_defaults_of_flags() {
    let tree = Tree::new();
    let command = "/usr/bin/kubelet --config-dir=/etc/kubernetes/kubelet.d";
    tree.process(&Planted { command, ..Planted::default() });
    let drop_in = |name: &str, text: &str| {
        tree.file(&format!("/etc/kubernetes/kubelet.d/{name}"), &format!("{HEAD}{text}"));
    };
    let port = || verdicts(tree.observe().only("kubelet"))["kubelet-read-only-port"];
    drop_in("10-a.conf", "authentication: {anonymous: {enabled: false}}\n");
    let judged = verdicts(tree.observe().only("kubelet"));
    assert_eq!(judged["kubelet-anonymous-auth"], Outcome::Passed);
    assert_eq!(port(), Outcome::Failed, "10255 is open by default");
    drop_in("20-b.conf", "readOnlyPort: 0\n");
    assert_eq!(port(), Outcome::Passed);
    drop_in("30-c.conf", "readOnlyPort: 10255\n");
    assert_eq!(port(), Outcome::Failed, "the last name counts");
    drop_in("40-d.yaml", "readOnlyPort: 0\n");
    assert_eq!(port(), Outcome::Failed, "the kubelet reads no such ending");
}

/// Since 1.32, k3s configures its kubelet by drop-ins, and before 1.32.4 it left the port open then.
#[test]
fn k3s_12164_only_an_option_says_whether_the_read_only_port_is_open() {
    for (options, outcome) in [
        ("", Outcome::Error),
        ("- v=2", Outcome::Error),
        ("- read-only-port=0", Outcome::Passed),
        ("- read-only-port=10255", Outcome::Failed),
    ] {
        let tree = Tree::new();
        tree.file("/etc/systemd/system/k3s.service", "[Service]\nExecStart=/usr/local/bin/k3s server\n");
        tree.directory("/var/lib/rancher/k3s/server/tls");
        tree.file("/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf", HEAD);
        let why = comments();
        tree.file("/etc/rancher/k3s/config.yaml", &format!("kubelet-arg:\n{why}  {options}\n"));
        let cgroup = "0::/system.slice/k3s.service\n";
        tree.process(&Planted { command: "k3s", cgroup, ..Planted::default() });
        tree.file("/proc/100/cmdline", "/usr/local/bin/k3s server\0\0\0");
        let judged = verdicts(tree.observe().only("kubelet"));
        assert_eq!(judged["kubelet-read-only-port"], outcome, "{options}");
    }
}
