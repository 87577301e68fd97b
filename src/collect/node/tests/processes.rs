//! Processes: who counts, what they are configured with, and what of it may be shown.

use serde_json::json;

use super::{API_POD, POD_MOUNTS, Planted, SESSION, STATIC_POD, Tree, strings};
use crate::resource::Kind;

/// A unit of a user's own systemd.
const USER_UNIT: &str = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/etcd.service\n";

#[test]
fn a_component_has_the_usual_keys_and_more() {
    let tree = Tree::new();
    tree.kubelet("readOnlyPort: 0\nextra: 1\n");
    let seen = tree.observe();
    let kubelet = seen.only("kubelet");
    assert_eq!((kubelet.id.as_str(), kubelet.name.as_str()), ("1004200", "kubelet"));
    let raw = &kubelet.raw;
    assert_eq!(raw["pid"], "100");
    assert_eq!(raw["command"], "/usr/bin/kubelet --config=/var/lib/kubelet/config.yaml");
    assert_eq!(raw["stat"]["EffectiveUID"], "0");
    assert_eq!(raw["stat"]["StartTime"], "4200");
    assert_eq!(raw["external_data"], json!({}));
    assert_eq!(raw["component"], "kubelet");
    assert_eq!(raw["args"], json!({"config": ["/var/lib/kubelet/config.yaml"]}));
    assert_eq!(raw["files"], json!({}));
    assert_eq!(raw["started"], "2023-11-14T22:14:02.000Z");
    assert_eq!(raw["config"]["readOnlyPort"], 0);
    assert_eq!(raw["config"]["extra"], crate::redact::BLANK, "unknown, and not absent");
    assert_eq!(seen.only("kubelet-config").id, "/var/lib/kubelet/config.yaml");
}

#[test]
fn drop_ins_are_merged_in_the_order_of_their_names() {
    let tree = Tree::new();
    tree.kubelet("port: 1\nreadOnlyPort: 1\n");
    let drop_in = |name: &str, text: &str| {
        let head = "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n";
        tree.file(&format!("/etc/kubelet.d/{name}"), &format!("{head}{text}"));
    };
    drop_in("10-a.conf", "port: 10\nmaxPods: 10\npodsPerCore: 10\n");
    drop_in("20-sub/99.conf", "port: 20\nmaxPods: 20\n");
    drop_in("9-c.conf", "port: 9\n");
    drop_in("99-ignored.yaml", "port: 99\n");
    let command = "kubelet --config=/var/lib/kubelet/config.yaml --config-dir=/etc/kubelet.d";
    tree.process(&Planted { command, ..Planted::default() });
    let seen = tree.observe();
    let config = &seen.only("kubelet").raw["config"];
    let values = ["readOnlyPort", "podsPerCore", "maxPods", "port"].map(|key| config[key].as_i64().unwrap());
    assert_eq!(values, [1, 10, 20, 9]);
    assert_eq!(seen.all("kubelet-config").len(), 4);

    drop_in("50-broken.conf", "port: [\n");
    let seen = tree.observe();
    assert_eq!(seen.only("kubelet").raw.get("config"), None);
    let unread = seen.unread("kubelet");
    assert_eq!((unread[0].0, unread[0].1), ("$.config", "malformed"));
    assert!(unread[0].2.starts_with("read /etc/kubelet.d/50-broken.conf: line "), "{}", unread[0].2);
}

#[test]
fn a_configuration_that_cannot_be_read_is_said() {
    let config = "/var/lib/kubelet/config.yaml";
    let case = |reason: &str, plant: &dyn Fn(&Tree)| {
        let tree = Tree::new();
        tree.kubelet("");
        std::fs::remove_file(tree.path(config)).unwrap();
        plant(&tree);
        let seen = tree.observe();
        assert_eq!(seen.only("kubelet").raw.get("config"), None);
        let unread = seen.unread("kubelet");
        assert_eq!((unread[0].0, unread[0].1), ("$.config", reason), "{unread:?}");
        assert!(unread[0].2.starts_with("read /var/lib/kubelet/config.yaml"), "{unread:?}");
    };
    case("missing", &|_| {});
    case("malformed", &|tree| tree.directory(config));
    case("malformed", &|tree| tree.file(config, "kind: Secret\napiVersion: v1\n"));
    case("too_large", &|tree| tree.file(config, &"# comment\n".repeat(110_000)));
    case("malformed", &|tree| {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let items = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        tree.file(config, &bomb);
    });
    // A pipe would block whoever opens it.
    case("malformed", &|tree| {
        rustix::fs::mknodat(
            rustix::fs::CWD,
            tree.path(config),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
    });
}

#[test]
fn a_pod_s_impostor_is_not_judged_and_makes_nothing_be_read() {
    let tree = Tree::new();
    tree.kubelet("");
    let command = "etcd --config-file=/etc/secret.yaml --data-dir=/root";
    tree.manifest("etcd", command, &[]);
    tree.file("/etc/secret.yaml", "name: canary\n");
    for (pid, namespace) in [(200, Some("mnt:[2]")), (201, None)] {
        // It even copies the real one's arguments.
        tree.process(&Planted {
            pid,
            command,
            namespace,
            mounts: POD_MOUNTS,
            cgroup: API_POD,
            ..Planted::default()
        });
    }
    // A process of a user, and one in a container of a user who is root in it.
    tree.process(&Planted { pid: 202, command, uid: 1000, cgroup: SESSION, ..Planted::default() });
    tree.process(&Planted { pid: 203, command, uid: 1000, cgroup: USER_UNIT, ..Planted::default() });
    let lone = Planted {
        pid: 204,
        command: "etcd --a",
        namespace: None,
        mounts: POD_MOUNTS,
        cgroup: SESSION,
        ..Planted::default()
    };
    tree.process(&lone);
    // A container calls its groups as those of a unit are called.
    let cgroup =
        "0::/kubepods/burstable/pod6be53e68-0d64-4010-a6db-79d67ae4390b/85c6/system.slice/etcd.service\n";
    tree.file("/etc/systemd/system/etcd.service", "[Service]\nExecStart=/usr/bin/etcd\n");
    for (pid, namespace) in [(205, Some("mnt:[2]")), (206, Some("mnt:[1]"))] {
        tree.process(&Planted { pid, command, namespace, mounts: POD_MOUNTS, cgroup, ..Planted::default() });
    }
    let seen = tree.observe();
    assert!(seen.all("etcd").is_empty());
    assert!(seen.all("etcd-data-dir").is_empty());
    assert!(!seen.text().contains("canary"));
    let judged = seen.resources.iter().filter(|resource| resource.kind == Kind::Process);
    assert_eq!(judged.map(|resource| resource.name.as_str()).collect::<Vec<_>>(), ["kubelet"]);
}

#[test]
fn a_static_pod_s_files_are_followed_through_its_volumes() {
    let tree = Tree::new();
    tree.kubelet("staticPodPath: /etc/kubernetes/manifests\n");
    let command = "etcd --data-dir=/data --trusted-ca-file=/x --config-dir=/y";
    tree.manifest("etcd", command, &[("/data", "/mnt/disk/etcd")]);
    tree.directory("/mnt/disk/etcd");
    tree.directory("/data");
    let pod = Planted {
        pid: 200,
        command,
        namespace: Some("mnt:[2]"),
        mounts: POD_MOUNTS,
        cgroup: STATIC_POD,
        ..Planted::default()
    };
    tree.process(&pod);
    let seen = tree.observe();
    assert_eq!(seen.only("etcd-data-dir").id, "/mnt/disk/etcd", "not the host's own /data");
    assert_eq!(seen.only("etcd").raw["version"], "1.37");
    assert_eq!(seen.only("etcd").raw["env"], json!({}));
    assert_eq!(seen.only("etcd-manifest").id, "/etc/kubernetes/manifests/etcd.yaml");
}

#[test]
fn without_its_manifest_a_static_pod_is_followed_through_its_mounts() {
    let tree = Tree::new();
    tree.kubelet("");
    let command = "etcd --data-dir=/data/etcd --config-file=/own.yaml";
    let mounts = format!("{POD_MOUNTS}305 304 254:0 /srv/etcd.yaml /own.yaml rw - ext4 /dev/vda rw\n");
    tree.file("/srv/etcd.yaml", "data-dir: /in/the/container\nname: a\n");
    let pod = Planted {
        pid: 200,
        command,
        namespace: None,
        mounts: &mounts,
        cgroup: STATIC_POD,
        ..Planted::default()
    };
    tree.process(&pod);
    let seen = tree.observe();
    assert_eq!(seen.only("etcd").raw["config"]["name"], "a");
    let data = seen.only("etcd-data-dir");
    assert_eq!(data.id, "etcd:/in/the/container", "never the id of the host's file of that name");
    let what = "read /in/the/container, which is in the container's own file system";
    assert_eq!(seen.unread("etcd-data-dir"), [("$", "denied", what)]);
    let unread = seen.unread("etcd");
    assert_eq!(
        unread,
        [
            ("$.env", "missing", "read /proc/200/environ"),
            ("$.version", "missing", "find the manifest of the process")
        ]
    );
}

#[test]
fn a_manifest_is_found_where_the_kubelet_looks_and_under_any_name() {
    let tree = Tree::new();
    tree.kubelet("staticPodPath: manifests\n");
    tree.manifest("etcd", "etcd --name=a", &[]);
    let text = std::fs::read_to_string(tree.path("/etc/kubernetes/manifests/etcd.yaml")).unwrap();
    std::fs::remove_file(tree.path("/etc/kubernetes/manifests/etcd.yaml")).unwrap();
    tree.file("/var/lib/kubelet/manifests/db.json", &text);
    tree.file("/var/lib/kubelet/manifests/.etcd.yaml", &text);
    tree.file("/var/lib/kubelet/manifests/kube-scheduler.yaml", "broken: [");
    let seen = tree.observe();
    assert_eq!(seen.only("etcd-manifest").id, "/var/lib/kubelet/manifests/db.json");
    assert_eq!(seen.only("scheduler-manifest").id, "/var/lib/kubelet/manifests/kube-scheduler.yaml");

    std::fs::remove_dir_all(tree.path("/var/lib/kubelet/manifests")).unwrap();
    tree.link("/var/lib/kubelet/manifests", "manifests");
    let seen = tree.observe();
    assert_eq!(seen.only("api-server-manifest").id, "node/uid-1");
    assert_eq!(seen.unread("etcd-manifest"), [("$", "malformed", "list /var/lib/kubelet/manifests")]);
}

#[test]
fn no_planted_secret_comes_out() {
    let tree = Tree::new();
    tree.kubelet("staticPodURL: https://u:canary@host/\nstaticPodURLHeader: {Authorization: [canary]}\nextra: canary\n");
    tree.file("/etc/kubernetes/admin.conf", "users: [{user: {token: canary}}]\n");
    tree.file("/etc/kubernetes/pki/sa.key", "-----BEGIN PRIVATE KEY-----\ncanary\n");
    tree.file(
        "/etc/enc.yaml",
        "kind: EncryptionConfiguration\napiVersion: apiserver.config.k8s.io/v1\nresources:\n- resources: [secrets]\n  providers:\n  - aescbc: {keys: [{name: key1, secret: canary}]}\n",
    );
    tree.file("/etc/audit.yaml", "kind: Wrong\nsecret: canary\n");
    tree.file("/etc/admission.yaml", "kind: AdmissionConfiguration\napiVersion: apiserver.config.k8s.io/v1\nplugins:\n- {name: PodSecurity, path: pod-security.yaml}\n- {name: X, configuration: {key: canary}}\n");
    tree.file("/etc/pod-security.yaml", "kind: PodSecurityConfiguration\napiVersion: pod-security.admission.config.k8s.io/v1\ndefaults: {enforce: restricted}\n");
    let command = "kube-apiserver --etcd-servers=https://u:canary@h:2379 --my-token=canary --db-password canary \
        --service-account-extend-token-expiration=false --encryption-provider-config=/etc/enc.yaml \
        --audit-policy-file=/etc/audit.yaml --admission-control-config-file=/etc/admission.yaml \
        --authorization-config=/etc/absent.yaml";
    tree.process(&Planted { pid: 200, command, ..Planted::default() });
    tree.process(&Planted { pid: 300, command: "/bin/etcd --name=a", ..Planted::default() });
    tree.file(
        "/proc/300/environ",
        "AWS_SECRET=canary\0ETCD_CERT_FILE=/a.crt\0ETCD_INITIAL_CLUSTER_TOKEN=canary\0ETCD_LISTEN_CLIENT_URLS=https://u:canary@h\0",
    );
    let seen = tree.observe();
    let text = seen.text();
    assert!(
        !text.contains("canary"),
        "{}",
        text.lines().find(|line| line.contains("canary")).unwrap_or_default()
    );

    let api_server = &seen.only("kube-apiserver").raw;
    assert_eq!(strings(&api_server["args"]["service-account-extend-token-expiration"]), ["false"]);
    assert_eq!(strings(&api_server["args"]["my-token"]), ["<redacted>"]);
    let files = &api_server["files"];
    assert_eq!(
        files["encryptionConfiguration"]["resources"][0]["providers"][0]["aescbc"]["keys"][0]["name"],
        "key1"
    );
    assert_eq!(
        files["admissionConfiguration"]["plugins"][0]["configuration"]["defaults"]["enforce"],
        "restricted"
    );
    assert_eq!(
        seen.unread("kube-apiserver"),
        [
            ("$.files.authorizationConfiguration", "missing", "read /etc/absent.yaml"),
            ("$.files.auditPolicy", "malformed", "read /etc/audit.yaml: expected kind Policy"),
        ]
    );
    assert_eq!(
        seen.only("etcd").raw["env"],
        json!({"ETCD_CERT_FILE": "/a.crt", "ETCD_LISTEN_CLIENT_URLS": "https://<redacted>@h"})
    );
}
