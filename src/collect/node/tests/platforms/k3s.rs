//! k3s: one process that hides its arguments, options in files, and arguments of its own.

mod options;

use std::collections::BTreeMap;

use super::{assert_inventory, verdicts};
use crate::collect::node::tests::{API_POD, HOST_MOUNTS, Planted, SESSION, Seen, Tree};
use crate::evaluate::Outcome;

const DATA: &str = "/var/lib/rancher/k3s";
const DEFAULTS: &str = "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf";

impl Tree {
    /// k3s as it shows itself: a title, and zeros where its arguments and variables were.
    fn k3s(&self, mode: &str, unit: &str) {
        let cgroup = format!("0::/system.slice/{unit}.service\n");
        self.process(&Planted { command: "k3s", cgroup: &cgroup, mounts: HOST_MOUNTS, ..Planted::default() });
        self.file("/proc/100/cmdline", &format!("/usr/local/bin/k3s {mode}\0\0\0\0\0"));
        self.file("/proc/100/environ", "\0\0\0\0\0\0");
    }

    /// The unit that its installer writes.
    fn unit(&self, unit: &str, arguments: &str) {
        self.file(
            &format!("/etc/systemd/system/{unit}.service"),
            &format!(
                "[Unit]\nDescription=Lightweight Kubernetes\n[Service]\nEnvironmentFile=-/etc/default/%N\n\
                 EnvironmentFile=-/etc/systemd/system/{unit}.service.env\nExecStartPre=-/sbin/modprobe overlay\n\
                 ExecStart=/usr/local/bin/k3s \\\n    {arguments}\n"
            )
            .replace("%N", unit),
        );
    }

    /// A kubelet's drop-in.
    fn drop_in(&self, path: &str, text: &str) {
        self.file(
            path,
            &format!("kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n{text}"),
        );
    }
}

fn agent() -> Tree {
    let tree = Tree::new();
    tree.files(&[
        "/var/lib/rancher/k3s/agent/kubelet.kubeconfig",
        "/var/lib/rancher/k3s/agent/kubeproxy.kubeconfig",
        "/var/lib/rancher/k3s/agent/client-ca.crt",
        "/var/lib/rancher/k3s/agent/etc/cni/net.d/10-flannel.conflist",
    ]);
    tree.drop_in(
        DEFAULTS,
        "authentication: {anonymous: {enabled: false}, x509: {clientCAFile: /var/lib/rancher/k3s/agent/client-ca.crt}}\n\
         authorization: {mode: Webhook}\nprotectKernelDefaults: false\nstaticPodPath: /var/lib/rancher/k3s/agent/pod-manifests\n",
    );
    tree.unit("k3s-agent", "agent");
    tree.k3s("agent", "k3s-agent");
    tree
}

const AGENT: [&str; 7] = [
    "kubelet",
    "kube-proxy",
    "kubelet-kubeconfig /var/lib/rancher/k3s/agent/kubelet.kubeconfig",
    "kubelet-config /var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf",
    "kubelet-client-ca /var/lib/rancher/k3s/agent/client-ca.crt",
    "proxy-kubeconfig /var/lib/rancher/k3s/agent/kubeproxy.kubeconfig",
    "cni-config /var/lib/rancher/k3s/agent/etc/cni/net.d/10-flannel.conflist",
];

/// A hardened server with etcd.
fn server(config: &str) -> Tree {
    let tree = agent();
    let tls = [
        "client-ca.crt",
        "server-ca.crt",
        "service.key",
        "client-auth-proxy.crt",
        "client-auth-proxy.key",
        "request-header-ca.crt",
        "client-kube-apiserver.crt",
        "client-kube-apiserver.key",
        "serving-kube-apiserver.crt",
        "serving-kube-apiserver.key",
        "etcd/server-ca.crt",
        "etcd/client.crt",
        "etcd/client.key",
    ];
    for name in tls {
        tree.file(&format!("{DATA}/server/tls/{name}"), "");
    }
    tree.files(&[
        "/etc/rancher/k3s/k3s.yaml",
        "/var/lib/rancher/k3s/server/cred/admin.kubeconfig",
        "/var/lib/rancher/k3s/server/cred/scheduler.kubeconfig",
        "/var/lib/rancher/k3s/server/cred/controller.kubeconfig",
    ]);
    tree.file(
        &format!("{DATA}/server/db/etcd/config"),
        "data-dir: /var/lib/rancher/k3s/server/db/etcd\nclient-transport-security:\n  cert-file: /var/lib/rancher/k3s/server/tls/etcd/client.crt\n  client-cert-auth: true\n  trusted-ca-file: /var/lib/rancher/k3s/server/tls/etcd/server-ca.crt\nlisten-client-urls: https://127.0.0.1:2379\n",
    );
    tree.file("/etc/rancher/k3s/config.yaml", config);
    tree.unit("k3s", "server");
    tree.k3s("server", "k3s");
    tree
}

const HARDENED: &str = "protect-kernel-defaults: true\nsecrets-encryption: true\ntoken: canary\nkube-apiserver-arg:\n- 'audit-log-path=/var/lib/rancher/k3s/server/logs/audit.log'\n\
    - audit-log-maxage=30\n- service-account-extend-token-expiration=false\nkube-controller-manager-arg: ['terminated-pod-gc-threshold=10']\n\
    kubelet-arg:\n- 'streaming-connection-idle-timeout=5m'\n- config-dir=/etc/my-drop-ins\n";

const COMPONENTS: [&str; 5] =
    ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kubelet"];

fn unread_flags<'a>(seen: &'a Seen, component: &str) -> Vec<&'a str> {
    seen.unread(component).into_iter().filter_map(|(at, ..)| at.strip_prefix("$.args.")).collect()
}

#[test]
fn kube_bench_1351_a_hardened_server_is_found_whole_and_passes() {
    let tree = server(HARDENED);
    tree.file(
        &format!("{DATA}/server/cred/encryption-config.json"),
        "{\"kind\": \"EncryptionConfiguration\", \"apiVersion\": \"apiserver.config.k8s.io/v1\", \"resources\": [{\"resources\": [\"secrets\"], \"providers\": [{\"aescbc\": {\"keys\": [{\"name\": \"k\", \"secret\": \"canary\"}]}}, {\"identity\": {}}]}]}",
    );
    let seen = tree.observe();
    let mut wanted = AGENT.to_vec();
    wanted.extend([
        "kube-apiserver",
        "kube-scheduler",
        "kube-controller-manager",
        "etcd",
        "etcd-manifest /var/lib/rancher/k3s/server/db/etcd/config",
        "etcd-data-dir /var/lib/rancher/k3s/server/db/etcd",
        "admin-kubeconfig /etc/rancher/k3s/k3s.yaml",
        "admin-kubeconfig /var/lib/rancher/k3s/server/cred/admin.kubeconfig",
        "scheduler-kubeconfig /var/lib/rancher/k3s/server/cred/scheduler.kubeconfig",
        "controller-manager-kubeconfig /var/lib/rancher/k3s/server/cred/controller.kubeconfig",
        "pki-dir /var/lib/rancher/k3s/server/tls",
        "pki-dir /var/lib/rancher/k3s/server/tls/etcd",
        "pki-cert /var/lib/rancher/k3s/server/tls/client-ca.crt",
        "pki-cert /var/lib/rancher/k3s/server/tls/server-ca.crt",
        "pki-cert /var/lib/rancher/k3s/server/tls/client-kube-apiserver.crt",
        "pki-cert /var/lib/rancher/k3s/server/tls/serving-kube-apiserver.crt",
        "pki-cert /var/lib/rancher/k3s/server/tls/etcd/server-ca.crt",
        "pki-cert /var/lib/rancher/k3s/server/tls/etcd/client.crt",
        "pki-cert /var/lib/rancher/k3s/server/tls/client-auth-proxy.crt",
        "pki-cert /var/lib/rancher/k3s/server/tls/request-header-ca.crt",
        "pki-key /var/lib/rancher/k3s/server/tls/client-auth-proxy.key",
        "pki-key /var/lib/rancher/k3s/server/tls/service.key",
        "pki-key /var/lib/rancher/k3s/server/tls/client-kube-apiserver.key",
        "pki-key /var/lib/rancher/k3s/server/tls/serving-kube-apiserver.key",
        "pki-key /var/lib/rancher/k3s/server/tls/etcd/client.key",
    ]);
    assert_inventory(&seen, &wanted);
    for component in COMPONENTS {
        assert_eq!(seen.only(component).raw["program"], "k3s");
        assert_eq!(seen.only(component).raw["command"], "/usr/local/bin/k3s server");
    }
    assert!(!seen.text().contains("canary"));

    // What the options give, what k3s passes by itself, and what neither gives.
    let server = verdicts(seen.only("kube-apiserver"));
    for control in [
        "api-server-audit-log-path",
        "api-server-audit-log-maxage",
        "api-server-token-expiration",
        "api-server-encryption-at-rest",
        "api-server-authorization-node",
        "api-server-anonymous-auth",
        "api-server-node-restriction",
        "api-server-profiling",
        "api-server-token-auth-file",
        "api-server-etcd-ca-file",
        "api-server-kubelet-certificate-authority",
        "api-server-service-account-key-file",
    ] {
        assert_eq!(server[control], Outcome::Passed, "{control}");
    }
    assert_eq!(server["api-server-event-rate-limit"], Outcome::Failed);
    // They depend on the version, which only the API tells.
    let unknown =
        ["api-server-pod-security-plugin", "controller-manager-bind-address", "scheduler-bind-address"];
    let known = |mut verdicts: BTreeMap<String, Outcome>| {
        verdicts.retain(|control, _| !unknown.contains(&control.as_str()));
        verdicts
    };
    let server = known(server);
    assert!(server.values().all(|outcome| *outcome != Outcome::Error), "{server:#?}");
    let manager = known(verdicts(seen.only("kube-controller-manager")));
    assert!(manager.values().all(|outcome| *outcome == Outcome::Passed), "{manager:#?}");
    let scheduler = known(verdicts(seen.only("kube-scheduler")));
    assert!(scheduler.values().all(|outcome| *outcome == Outcome::Passed), "{scheduler:#?}");
    assert_eq!(verdicts(seen.only("etcd"))["etcd-client-cert-auth"], Outcome::Passed);
}

#[test]
fn kube_bench_1973_k3s_drop_ins_count() {
    let tree = server(HARDENED);
    let kubelet = |tree: &Tree| verdicts(tree.observe().only("kubelet"));
    assert_eq!(kubelet(&tree)["kubelet-seccomp-default"], Outcome::Failed);
    tree.drop_in(
        &format!("{DATA}/agent/etc/kubelet.conf.d/90-mine.conf"),
        "seccompDefault: true\nprotectKernelDefaults: true\nstreamingConnectionIdleTimeout: 1s\n",
    );
    let seen = tree.observe();
    assert_eq!(seen.all("kubelet-config").len(), 2);
    let verdicts = verdicts(seen.only("kubelet"));
    for control in [
        "kubelet-seccomp-default",
        "kubelet-anonymous-auth",
        "kubelet-authorization-mode",
        "kubelet-client-ca-file",
        "kubelet-iptables-util-chains",
        // A flag beats a drop-in.
        "kubelet-streaming-idle-timeout",
    ] {
        assert_eq!(verdicts[control], Outcome::Passed, "{control}");
    }
    assert_eq!(seen.flag("kubelet", "config-dir"), [format!("{DATA}/agent/etc/kubelet.conf.d")]);
    // What hangs on a flag that k3s sets and does not show is an error, and says what to do.
    assert_eq!(verdicts["kubelet-read-only-port"], Outcome::Error);
    let unread = seen.unread("kubelet");
    let (_, reason, what) = unread.iter().find(|(at, ..)| *at == "$.args.read-only-port").unwrap();
    assert_eq!(*reason, "missing");
    assert!(what.starts_with("read --read-only-port of kubelet: k3s sets it and shows it nowhere"), "{what}");
    assert!(what.contains("set it in kubelet-arg"), "{what}");

    let tree = server("kubelet-arg: [read-only-port=0]\n");
    assert_eq!(kubelet(&tree)["kubelet-read-only-port"], Outcome::Passed);
}

#[test]
fn an_agent_has_its_kubelet_and_whether_it_has_kube_proxy_its_server_knows() {
    let tree = agent();
    let seen = tree.observe();
    // Which files kube-proxy is given is out of sight too.
    assert_inventory(&seen, &[&AGENT[..], &["proxy-kubeconfig node/uid-1"]].concat());
    assert_eq!(verdicts(seen.only("kubelet"))["kubelet-anonymous-auth"], Outcome::Passed);
    let (at, _, what) = seen.unread("kube-proxy")[0];
    assert_eq!(at, "$.args");
    assert!(what.contains("its server decides"), "{what}");
    assert!(verdicts(seen.only("kube-proxy")).values().all(|outcome| *outcome == Outcome::Error));
}

#[test]
fn without_a_unit_the_arguments_are_out_of_sight() {
    let case = |plant: &dyn Fn(&Tree), what: &str| {
        let tree = server(HARDENED);
        plant(&tree);
        let seen = tree.observe();
        let unread = seen.unread("kube-scheduler");
        assert_eq!(unread.len(), 1, "{unread:?}");
        assert!(unread[0].0 == "$.args" && unread[0].2.contains(what), "{unread:?}");
    };
    case(&|tree| tree.file("/proc/100/cgroup", "0::/\n"), "it was not started by a systemd unit");
    case(&|tree| tree.unit("k3s", "server $K3S_OPTIONS"), "has variables");
    case(
        &|tree| tree.file("/etc/systemd/system/k3s.service", "[Service]\nExecStart=/opt/start.sh\n"),
        "starts another program",
    );
}

#[test]
fn arguments_that_are_shown_are_believed() {
    let tree = server(HARDENED);
    tree.process(&Planted {
        command: "/usr/bin/k3s server --vpn-auth=name=tailscale,joinKey=canary --kube-apiserver-arg=profiling=true",
        cgroup: "0::/openrc.k3s\n",
        ..Planted::default()
    });
    let seen = tree.observe();
    assert_eq!(seen.flag("kube-apiserver", "profiling"), ["true"]);
    assert_eq!(seen.only("kubelet").raw["command"], "/usr/bin/k3s server");
    assert!(!seen.text().contains("canary"));
}

#[test]
fn without_etcd_there_is_none_and_its_rules_do_not_apply() {
    let tree = server("");
    std::fs::remove_dir_all(tree.path(&format!("{DATA}/server/db/etcd"))).unwrap();
    tree.file(&format!("{DATA}/server/db/state.db"), "");
    let seen = tree.observe();
    assert!(seen.all("etcd").is_empty() && seen.all("etcd-data-dir").is_empty());
    assert_eq!(verdicts(seen.only("kube-apiserver"))["api-server-etcd-ca-file"], Outcome::NotApplicable);
    // Another store: how it is reached is not known.
    let tree = server("datastore-endpoint: postgres://u:canary@db/k3s\n");
    let seen = tree.observe();
    assert!(seen.all("etcd").is_empty());
    assert_eq!(verdicts(seen.only("kube-apiserver"))["api-server-etcd-ca-file"], Outcome::Error);
    assert!(!seen.text().contains("canary"));
}

#[test]
fn a_file_of_authentication_leaves_open_what_k3s_passes_beside_it() {
    let tree = server("kube-apiserver-arg: [authorization-config=/etc/authz.yaml]\n");
    tree.file(
        "/etc/authz.yaml",
        "kind: AuthorizationConfiguration\napiVersion: apiserver.config.k8s.io/v1\nauthorizers: [{type: Node, name: node}, {type: RBAC, name: rbac}]\n",
    );
    let seen = tree.observe();
    assert!(unread_flags(&seen, "kube-apiserver").contains(&"authorization-mode"));
    assert!(!unread_flags(&seen, "kube-apiserver").contains(&"anonymous-auth"));
    assert_eq!(verdicts(seen.only("kube-apiserver"))["api-server-authorization-rbac"], Outcome::Passed);
}

#[test]
fn an_older_k3s_configures_its_kubelet_by_a_file_or_by_arguments() {
    let tree = server("protect-kernel-defaults: true\n");
    std::fs::remove_file(tree.path(DEFAULTS)).unwrap();
    let seen = tree.observe();
    assert_eq!(seen.flag("kubelet", "anonymous-auth"), ["false"]);
    assert_eq!(seen.flag("kubelet", "protect-kernel-defaults"), ["true"]);
    assert_eq!(verdicts(seen.only("kubelet"))["kubelet-read-only-port"], Outcome::Passed);
    // Nobody says so, and that k3s never says it is known.
    assert_eq!(verdicts(seen.only("kubelet"))["kubelet-pod-pid-limit"], Outcome::Failed);

    tree.drop_in(&format!("{DATA}/agent/etc/kubelet.conf"), "podPidsLimit: 100\n");
    let seen = tree.observe();
    assert_eq!(seen.only("kubelet-config").id, "/var/lib/rancher/k3s/agent/etc/kubelet.conf");
    assert_eq!(verdicts(seen.only("kubelet"))["kubelet-pod-pid-limit"], Outcome::Passed);
}

#[test]
fn k3s_of_another_user_or_in_a_pod_is_not_believed() {
    let processes = |planted: Planted<'_>| {
        let tree = server(HARDENED);
        tree.process(&Planted { command: "k3s server", ..planted });
        tree.file("/proc/100/cmdline", "/usr/local/bin/k3s server\0");
        let seen = tree.observe();
        let found = seen.resources.into_iter().filter(|it| it.kind == crate::resource::Kind::Process);
        found
            .inspect(|it| assert!(it.unread[0].gap.what.starts_with("found process 100, not judged: ")))
            .count()
    };
    let mounts = super::POD_MOUNTS;
    let container = || Planted { namespace: Some("mnt:[2]"), mounts, ..Planted::default() };
    assert_eq!(processes(Planted { cgroup: SESSION, uid: 1000, ..Planted::default() }), 0);
    assert_eq!(processes(Planted { cgroup: API_POD, ..container() }), 0);
    // Nobody knows who started these.
    assert_eq!(processes(Planted { uid: 1000, cgroup: "0::/\n", ..Planted::default() }), 6);
    assert_eq!(
        processes(Planted { cgroup: super::STATIC_POD, ..container() }),
        6,
        "not even in a static pod"
    );
}
