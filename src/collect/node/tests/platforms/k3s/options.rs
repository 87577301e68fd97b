//! The options of k3s: its file, drop-ins, unit and variables.

use super::*;

#[test]
fn options_are_the_file_s_then_its_drop_ins_then_the_unit_s() {
    let tree = server(
        "kube-apiserver-arg: [audit-log-maxage=1, audit-log-maxbackup=1]\nkube-scheduler-arg: [profiling=true]\n",
    );
    tree.file("/etc/rancher/k3s/config.yaml.d/10.yaml", "kube-apiserver-arg: [audit-log-maxage=2]\n");
    tree.file("/etc/rancher/k3s/config.yaml.d/20.YML", "kube-apiserver-arg+: [audit-log-maxage=3]\n");
    tree.file("/etc/rancher/k3s/config.yaml.d/30.txt", "kube-apiserver-arg: [audit-log-maxage=9]\n");
    tree.unit("k3s", "server '--kube-apiserver-arg=audit-log-maxage=4' \\\n --kube-apiserver-arg --enable-admission-plugins+=EventRateLimit \\\n --disable-kube-proxy");
    let seen = tree.observe();
    assert_eq!(seen.flag("kube-apiserver", "audit-log-maxage"), ["2", "3", "4"], "the last one counts");
    assert!(seen.flag("kube-apiserver", "audit-log-maxbackup").is_empty(), "a drop-in replaces the list");
    assert_eq!(
        seen.flag("kube-apiserver", "enable-admission-plugins"),
        ["NodeRestriction", "EventRateLimit"]
    );
    assert_eq!(seen.flag("kube-scheduler", "profiling"), ["true"], "an option takes the place of k3s' own");
    assert!(seen.all("kube-proxy").is_empty());
}

#[test]
fn the_unit_s_variables_name_another_configuration() {
    let tree = server("kube-scheduler-arg: [profiling=true]\n");
    tree.file("/etc/systemd/system/k3s.service.env", "K3S_TOKEN=canary\nK3S_CONFIG_FILE='/opt/k3s.yaml'\n");
    tree.file("/opt/k3s.yaml", "disable-agent: true\ndisable-scheduler: true\n");
    let seen = tree.observe();
    assert!(seen.all("kube-scheduler").is_empty() && seen.all("kubelet").is_empty());
    assert!(!seen.text().contains("canary"));
}

#[test]
fn options_that_cannot_be_read_are_never_taken_for_defaults() {
    let case = |plant: &dyn Fn(&Tree), reason: &str, what: &str| {
        let tree = server(HARDENED);
        plant(&tree);
        let seen = tree.observe();
        for component in COMPONENTS {
            let unread = seen.unread(component);
            assert!(
                unread.iter().any(|(at, is, said)| *at == "$.args" && *is == reason && said.contains(what)),
                "{component} {unread:?}"
            );
        }
        let server = verdicts(seen.only("kube-apiserver"));
        assert_eq!(server["api-server-profiling"], Outcome::Error);
        assert_eq!(server["api-server-token-auth-file"], Outcome::Error);
        assert_eq!(verdicts(seen.only("kubelet"))["kubelet-anonymous-auth"], Outcome::Error);
    };
    case(
        &|tree| tree.file("/etc/rancher/k3s/config.yaml", "a: [\n"),
        "malformed",
        "/etc/rancher/k3s/config.yaml",
    );
    case(
        &|tree| tree.file("/etc/rancher/k3s/config.yaml.d/a.yaml", "- a\n"),
        "malformed",
        "config.yaml.d/a.yaml: expected a map",
    );
    case(
        &|tree| std::fs::remove_dir_all(tree.path(&format!("{DATA}/server/tls"))).unwrap(),
        "missing",
        "stat /var/lib/rancher/k3s/server/tls: the data directory of k3s",
    );
}
