//! Processes: who counts, what they are configured with, and what of it may be shown.

use rustix::io::Errno;
use serde_json::json;

use super::{API_POD, HOST_MOUNTS, POD_MOUNTS, Planted, SESSION, STATIC_POD, Tree, strings};
use crate::collect::node::filesystem::hostfs::refusals::Refused;
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
fn out_of_sight_is_an_error_and_not_an_impostor() {
    let tree = Tree::new();
    tree.process(&Planted {
        command: "kubelet --a",
        namespace: None,
        mounts: HOST_MOUNTS,
        ..Planted::default()
    });
    let unknown =
        Planted { pid: 200, command: "etcd --a", namespace: None, mounts: "", ..Planted::default() };
    tree.process(&unknown);
    let seen = tree.observe();
    assert!(seen.only("kubelet").unread.is_empty(), "the mount table tells too");
    let unread = seen.unread("etcd");
    assert_eq!((unread[0].0, unread[0].1), ("$", "denied"));
    assert_eq!(seen.only("etcd").id, "2004200");
}

#[test]
fn what_hides_may_yet_be_a_static_pod() {
    let tree = Tree::new();
    let pod = Planted {
        pid: 200,
        command: "etcd --a",
        namespace: Some("mnt:[2]"),
        mounts: POD_MOUNTS,
        ..Planted::default()
    };
    tree.process(&pod);
    tree.manifest("etcd", "etcd --a", &[]);
    let manifest = "/etc/kubernetes/manifests/etcd.yaml";
    for hidden in ["/proc/200/cgroup", manifest] {
        // By its arguments it is that of the manifest, unless this cannot be read.
        let seen = tree.observe_refusing(&[(hidden, Refused::Content, Errno::ACCESS)]);
        let unread =
            seen.only("etcd").unread.first().map(|unread| (unread.at.clone(), unread.gap.what.clone()));
        let expected = (hidden == manifest).then(|| ("$".to_owned(), format!("read {manifest}")));
        assert_eq!(unread, expected, "{hidden}");
    }
    std::fs::remove_file(tree.path(manifest)).unwrap();
    let seen = tree.observe();
    let (at, reason, what) = seen.unread("etcd")[0];
    assert_eq!((at, reason), ("$", "missing"), "nothing is hidden, and it is in no pod");
    assert!(what.starts_with("found process 200, not judged: it runs in another mount namespace"), "{what}");
    let seen = tree.observe_refusing(&[("/proc/200/cgroup", Refused::Content, Errno::ACCESS)]);
    assert_eq!(seen.unread("etcd"), [("$", "denied", "read /proc/200/cgroup")]);
}

#[test]
fn a_list_of_arguments_over_the_bound_makes_nothing_certain() {
    let tree = Tree::new();
    tree.process(&Planted {
        pid: 200,
        command: "kube-apiserver --audit-policy-file=/x",
        ..Planted::default()
    });
    let more = "--v=1\0".repeat(200_000);
    tree.file("/proc/200/cmdline", &format!("kube-apiserver\0--client-ca-file=/own/ca.pem\0{more}"));
    let seen = tree.observe();
    assert_eq!(seen.unread("kube-apiserver")[0], ("$", "too_large", "read /proc/200/cmdline"));
    // The last use of a flag counts, and that is out of sight.
    let on_node = seen.all("pki-key").into_iter().find(|resource| resource.is_unlisted()).unwrap();
    assert_eq!(on_node.unread[0].gap.what, "read /proc/200/cmdline");
}

#[test]
fn key_material_in_a_container_of_its_own_may_be_a_key() {
    let tree = Tree::new();
    let pod = Planted {
        pid: 200,
        command: "kube-apiserver --tls-private-key-file=/own/tls.pem",
        namespace: Some("mnt:[2]"),
        mounts: POD_MOUNTS,
        cgroup: STATIC_POD,
        ..Planted::default()
    };
    tree.process(&pod);
    let seen = tree.observe();
    let roles = &seen.at("kube-apiserver:/own/tls.pem").raw["roles"];
    assert_eq!(strings(roles), ["pki-cert", "pki-key", "pki-other"]);
}

#[test]
fn where_drop_ins_cannot_be_listed_there_may_be_any() {
    let tree = Tree::new();
    tree.kubelet("");
    tree.directory("/etc/kubelet.d");
    let command = "kubelet --config=/var/lib/kubelet/config.yaml --config-dir=/etc/kubelet.d";
    tree.process(&Planted { command, ..Planted::default() });
    let seen = tree.observe_refusing(&[("/etc/kubelet.d", Refused::Content, Errno::ACCESS)]);
    let [of_node, file] = seen.all("kubelet-config")[..] else { panic!("{:#?}", seen.all("kubelet-config")) };
    let (of_node, file) = if of_node.is_unlisted() { (of_node, file) } else { (file, of_node) };
    assert_eq!(file.id, "/var/lib/kubelet/config.yaml");
    assert_eq!(of_node.unread[0].gap.what, "list /etc/kubelet.d");
}

#[test]
fn a_manifest_that_cannot_be_read_may_be_any_component_s() {
    let tree = Tree::new();
    for (name, text) in [("web.yaml", "kind: Pod\n"), ("kube-scheduler.yaml", ""), ("notes.txt", "a: [")] {
        tree.file(&format!("/etc/kubernetes/manifests/{name}"), text);
    }
    let file = |name: &str| format!("/etc/kubernetes/manifests/{name}");
    let refused = |name: &str| [(file(name), Refused::Content, Errno::ACCESS)];
    let observe = |name: &str| {
        let [(path, how, errno)] = refused(name);
        tree.observe_refusing(&[(path.as_str(), how, errno)])
    };
    assert_eq!(observe("web.yaml").only("etcd-manifest").id, "node/uid-1");
    let seen = observe("kube-scheduler.yaml");
    assert!(seen.all("etcd-manifest").is_empty(), "its name tells, and what is no document starts nothing");
    assert_eq!(seen.only("scheduler-manifest").id, file("kube-scheduler.yaml"));
}

#[test]
fn where_the_kubelet_s_configuration_is_hidden_so_is_what_it_names() {
    let tree = Tree::new();
    tree.kubelet("staticPodPath: /srv/manifests\n");
    let config = "/var/lib/kubelet/config.yaml";
    let seen = tree.observe_refusing(&[(config, Refused::Content, Errno::ACCESS)]);
    for role in ["etcd-manifest", "api-server-manifest", "kubelet-client-ca"] {
        assert_eq!(seen.only(role).id, "node/uid-1");
        assert_eq!(seen.unread(role), [("$", "denied", "read /var/lib/kubelet/config.yaml")], "{role}");
    }
    assert!(seen.all("kubelet-kubeconfig").is_empty(), "only a flag names that");
}

#[test]
fn an_etcd_whose_variables_are_hidden_may_have_any_file_and_authority() {
    let tree = Tree::new();
    tree.process(&Planted { pid: 200, command: "etcd --name=a", ..Planted::default() });
    tree.file("/proc/200/environ", "ETCD_CONFIG_FILE=/etcd.yaml\0");
    let seen = tree.observe_refusing(&[("/proc/200/environ", Refused::Content, Errno::ACCESS)]);
    let at: Vec<_> = seen.unread("etcd").into_iter().map(|(at, ..)| at).collect();
    assert_eq!(at, ["$.env", "$.config", "$.authorities"]);
    assert_eq!(seen.only("etcd-data-dir").id, "node/uid-1");
}

/// `hidepid=invisible`: others' processes are not denied, they are not there.
#[test]
fn a_list_of_processes_without_the_first_one_hides_others() {
    let tree = Tree::new();
    std::fs::remove_dir_all(tree.path("/proc/1")).unwrap();
    tree.process(&Planted { pid: 4711, command: "posturebeat scan", uid: 1000, ..Planted::default() });
    let seen = tree.observe();
    let what = "list /proc: it does not show process 1, so it hides others (hidepid)";
    assert_eq!(seen.unread("kubelet"), [("$", "denied", what)]);
    assert_eq!(seen.only("kube-apiserver").id, "node/uid-1");
}

#[test]
fn a_node_whose_processes_cannot_be_listed_has_an_error_for_each_component() {
    let tree = Tree::new();
    std::fs::remove_dir_all(tree.path("/proc")).unwrap();
    for plant in [None, Some("/proc")] {
        if let Some(path) = plant {
            tree.directory(path);
        }
        let seen = tree.observe();
        let of_processes = seen.resources.iter().filter(|resource| resource.kind == Kind::Process);
        assert_eq!(of_processes.count(), 6);
        assert!(seen.resources.iter().all(|resource| resource.is_unlisted() && resource.id == "node/uid-1"));
        // Nor is it known which files they name.
        assert!(seen.unread("kubelet-client-ca")[0].2.starts_with("list /proc"));
        assert!(seen.unread("kubelet")[0].2.starts_with("list /proc"));
    }
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
