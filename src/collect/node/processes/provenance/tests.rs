//! Who is vouched for, by whom, and who is not.

use std::sync::LazyLock;

use super::*;
use crate::collect::node::processes::placement::placement;
use crate::collect::node::tests::Tree;
use crate::resource::Reason;

const HASH: &str = "f8a8d3b24ce0d2945cf528b1e30c375c";
const UUID: &str = "6be53e68-0d64-4010-a6db-79d67ae4390b";
const ETCD: Program = Program::One(Component::Etcd);

fn facts(words: &[String]) -> ProcessFacts<'_> {
    ProcessFacts {
        program: &ETCD,
        users: Ok((0, 0)),
        namespace: MountNamespace::Other,
        placement: Ok(Placement::Elsewhere),
        supervisor: None,
        words,
        in_doubt: None,
    }
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

fn pod(uid: &str) -> Placement {
    Placement::Pod(uid.to_owned())
}

fn hidden() -> Gap {
    Gap::new(Reason::Denied, "read /proc/7/ns/mnt".to_owned())
}

/// Judged on a host with these files.
fn judge_on(tree: &Tree, facts: &ProcessFacts<'_>, containers: &[StaticContainer]) -> Provenance {
    let host = tree.host();
    let owners = Owners::read(&host);
    judge(facts, containers, &HostRecords { host: &host, owners: &owners, is_talos: is_talos(&host) })
}

fn judged(facts: &ProcessFacts<'_>, containers: &[StaticContainer]) -> Provenance {
    static HOST: LazyLock<Tree> = LazyLock::new(Tree::new);
    judge_on(&HOST, facts, containers)
}

#[test]
fn root_in_the_host_s_namespace_is_vouched_for() {
    let words = words("etcd");
    let host = ProcessFacts { namespace: MountNamespace::Host, ..facts(&words) };
    assert_eq!(judged(&host, &[]), Provenance::Host);
    for users in [(1000, 1000), (0, 1000), (1000, 0)] {
        let other = ProcessFacts { users: Ok(users), namespace: MountNamespace::Host, ..facts(&words) };
        let why = "it runs as user 1000, not as root: no unit, manifest or container record names it";
        assert_eq!(judged(&other, &[]), Provenance::Unvouched(why.into()));
    }
}

#[test]
fn a_pod_of_the_api_is_an_impostor_whatever_its_arguments() {
    let words = words("etcd");
    let etcd = StaticContainer { component: Some(Component::Etcd), ..StaticContainer::default() };
    for namespace in [MountNamespace::Other, MountNamespace::Host, MountNamespace::Hidden(hidden())] {
        let facts = ProcessFacts { placement: Ok(pod(UUID)), namespace, ..facts(&words) };
        assert!(matches!(judged(&facts, std::slice::from_ref(&etcd)), Provenance::Impostor(_)));
    }
    let with_uid = StaticContainer { uid: Some(UUID.into()), ..etcd };
    let pod = ProcessFacts { placement: Ok(pod(UUID)), ..facts(&words) };
    assert_eq!(judged(&pod, &[with_uid]), Provenance::StaticPod(Some(0)));
}

#[test]
fn a_static_pod_is_known_by_its_hash() {
    let words = words("etcd");
    let pod = ProcessFacts { placement: Ok(pod(HASH)), ..facts(&words) };
    assert_eq!(judged(&pod, &[]), Provenance::StaticPod(None));
}

#[test]
fn a_user_that_a_manifest_names_is_vouched_for_with_that_manifest_s_arguments_only() {
    let own = words("etcd --name=a");
    let containers =
        [StaticContainer { user: Some(52034), command: own.clone(), ..StaticContainer::default() }];
    let pod =
        |words, user| ProcessFacts { users: Ok((user, user)), placement: Ok(pod(HASH)), ..facts(words) };
    assert_eq!(judged(&pod(&own, 52034), &containers), Provenance::StaticPod(Some(0)));
    assert!(matches!(judged(&pod(&own, 1000), &containers), Provenance::Unvouched(_)));
    let other = words("etcd --config-file=/etc/shadow");
    assert!(matches!(judged(&pod(&other, 52034), &containers), Provenance::Unvouched(_)));
    // A pod of the API may run as that user too, and copy the arguments.
    let api = ProcessFacts { placement: Ok(super::tests::pod(UUID)), ..pod(&own, 52034) };
    assert!(matches!(judged(&api, &containers), Provenance::Impostor(_)));
    let on_host = ProcessFacts {
        namespace: MountNamespace::Host,
        placement: Ok(Placement::Elsewhere),
        ..pod(&own, 52034)
    };
    assert!(matches!(judged(&on_host, &containers), Provenance::Unvouched(_)));
    // The manifest gives them to a shell, which starts etcd with them.
    let shell = ["sh", "-c", "exec etcd --name=a"].map(str::to_owned).to_vec();
    let wrapped = [StaticContainer { user: Some(52034), command: shell, ..StaticContainer::default() }];
    assert_eq!(judged(&pod(&own, 52034), &wrapped), Provenance::StaticPod(Some(0)));
    assert!(matches!(judged(&pod(&other, 52034), &wrapped), Provenance::Unvouched(_)));
}

#[test]
fn out_of_sight_is_not_trusted() {
    let words = words("etcd");
    let unseen = ProcessFacts { namespace: MountNamespace::Hidden(hidden()), ..facts(&words) };
    assert_eq!(judged(&unseen, &[]), Provenance::Hidden(hidden()));
    let unknown = ProcessFacts { users: Err(hidden()), namespace: MountNamespace::Host, ..facts(&words) };
    assert_eq!(judged(&unknown, &[]), Provenance::Hidden(hidden()));
    assert!(matches!(judged(&facts(&words), &[]), Provenance::Unvouched(_)));
    let in_doubt = ProcessFacts { in_doubt: Some(hidden()), ..facts(&words) };
    assert_eq!(judged(&in_doubt, &[]), Provenance::Hidden(hidden()));
}

#[test]
fn what_a_user_s_session_holds_is_the_user_s() {
    let words = words("etcd");
    let slice = |slice: &str| Ok(Placement::UserSlice(slice.to_owned()));
    let of = |users, namespace, name| {
        let facts = ProcessFacts { users: Ok(users), namespace, placement: slice(name), ..facts(&words) };
        judged(&facts, &[])
    };
    let (host, other) = (|| MountNamespace::Host, || MountNamespace::Other);
    assert_eq!(of((0, 0), host(), "user-0.slice"), Provenance::Host);
    for (users, namespace, name) in [
        ((1000, 1000), host(), "user-1000.slice"),
        ((1000, 1000), other(), "user-1000.slice"),
        ((0, 0), other(), "user-1000.slice"),
        ((0, 0), other(), "user-0.slice"),
    ] {
        assert!(matches!(of(users, namespace, name), Provenance::Impostor(_)), "{users:?} {name}");
    }
    assert!(matches!(of((0, 0), host(), "user-1000.slice"), Provenance::Unvouched(_)), "sudo");
}

fn unit(tree: &Tree, name: &str, text: &str) {
    tree.file(&format!("/etc/systemd/system/{name}"), &format!("[Service]\n{text}\n"));
}

#[test]
fn a_unit_vouches_for_what_it_starts_as_the_user_that_it_names() {
    let etcd = words("/usr/bin/etcd --name=a");
    let in_unit = |users, namespace| ProcessFacts {
        users: Ok((users, users)),
        namespace,
        placement: Ok(placement("0::/system.slice/etcd.service\n")),
        ..facts(&etcd)
    };
    let (host, other) = (|| MountNamespace::Host, || MountNamespace::Other);
    let of = |text: &str, user: u32, namespace: MountNamespace| {
        let tree = Tree::new();
        tree.file("/etc/passwd", "root:x:0:0:::\netcd:x:998:998:::\n");
        unit(&tree, "etcd.service", text);
        judge_on(&tree, &in_unit(user, namespace), &[])
    };
    assert_eq!(of("User=etcd\nExecStart=/usr/bin/etcd $ARGS", 998, host()), Provenance::Host);
    assert_eq!(of("User=998\nExecStart=/usr/bin/etcd", 998, host()), Provenance::Host);
    assert_eq!(of("DynamicUser=1\nExecStart=/usr/bin/etcd", 61184, host()), Provenance::Host);
    let by_shell = "User=etcd\nExecStart=/bin/bash -c \"GOMAXPROCS=$(nproc) /usr/bin/etcd --name=${NAME}\"";
    assert_eq!(of(by_shell, 998, host()), Provenance::Host);
    assert_eq!(of("PrivateTmp=true\nExecStart=/usr/bin/etcd", 0, other()), Provenance::OwnMounts(None));
    for (text, user, wanted) in [
        ("ExecStart=/usr/bin/etcd", 998, "etcd.service starts etcd as root"),
        ("User=etcd\nExecStart=/usr/bin/etcd", 1000, "etcd.service starts etcd as etcd"),
        ("User=etcd\nExecStart=/opt/app/run etc", 998, "etcd.service starts run, not etcd"),
        ("User=etcd\nExecStart=/usr/bin/etcd grpc-proxy start", 998, "etcd.service starts etcd, not etcd"),
        ("User=etcd\nExecStart=@/opt/app etcd", 998, "etcd.service starts app, not etcd"),
        ("User=etcd", 998, "expected one ExecStart"),
    ] {
        let Provenance::Unvouched(why) = of(text, user, host()) else { panic!("{text}") };
        assert!(why.ends_with(wanted), "{why}");
    }
    let none = judge_on(&Tree::new(), &in_unit(998, host()), &[]);
    assert!(
        matches!(none, Provenance::Unvouched(why) if why.ends_with("no unit file that shows what it starts"))
    );
}

#[test]
fn a_supervisor_vouches_for_its_children_with_the_users_that_it_gives_them() {
    let tree = Tree::new();
    tree.file("/etc/passwd", "root:x:0:0:::\netcd:x:998:998:::\nkube-apiserver:x:997:997:::\n");
    let etcd = words("etcd --name=a");
    let child = |supervisor, user: u32, group: &str| ProcessFacts {
        users: Ok((user, user)),
        namespace: MountNamespace::Host,
        placement: Ok(placement(group)),
        supervisor,
        ..facts(&etcd)
    };
    let elsewhere = "0::/\n";
    assert_eq!(judge_on(&tree, &child(Some(Supervisor::K0s), 998, elsewhere), &[]), Provenance::Host);
    for facts in [
        child(Some(Supervisor::K0s), 997, elsewhere),
        child(Some(Supervisor::Rke2), 998, elsewhere),
        child(None, 998, elsewhere),
    ] {
        assert!(matches!(judge_on(&tree, &facts, &[]), Provenance::Unvouched(_)), "{facts:?}");
    }
    // Its unit shows it too, where it has ended meanwhile.
    let group = "0::/system.slice/k0scontroller.service\n";
    unit(
        &tree,
        "k0scontroller.service",
        "ExecStart=/usr/local/bin/k0s controller --config=/etc/k0s/k0s.yaml",
    );
    assert_eq!(judge_on(&tree, &child(None, 998, group), &[]), Provenance::Host);
    assert!(matches!(judge_on(&tree, &child(None, 997, group), &[]), Provenance::Unvouched(_)));
    unit(&tree, "k0scontroller.service", "User=etcd\nExecStart=/usr/local/bin/k0s controller");
    assert!(matches!(judge_on(&tree, &child(None, 998, group), &[]), Provenance::Unvouched(_)));
}

#[test]
fn a_record_of_docker_vouches_for_what_shares_the_host_s_network() {
    let etcd = words("/usr/local/bin/etcd --name=a");
    let id = "a".repeat(64);
    let facts = |user: u32| ProcessFacts {
        users: Ok((user, user)),
        placement: Ok(Placement::Docker(id.clone())),
        ..facts(&etcd)
    };
    let of = |container: &str, host: &str, user: u32| {
        let tree = Tree::new();
        tree.file(&format!("/var/lib/docker/containers/{id}/config.v2.json"), container);
        tree.file(&format!("/var/lib/docker/containers/{id}/hostconfig.json"), host);
        judge_on(&tree, &facts(user), &[])
    };
    let shared = r#"{"NetworkMode": "host"}"#;
    let plain =
        r#"{"Path": "/usr/local/bin/etcd", "Args": ["--name=a"], "Config": {"Image": "etcd:v3.5.9"}}"#;
    assert_eq!(of(plain, shared, 0), Provenance::OwnMounts(Some("3.5".into())));
    let entry =
        r#"{"Path": "/entrypoint.sh", "Args": ["etcd", "--name=a"], "Config": {"User": "1001:1001"}}"#;
    assert_eq!(of(entry, shared, 1001), Provenance::OwnMounts(None));
    for (container, host, user) in [
        (plain, "{}", 0),
        (plain, shared, 1001),
        (entry, shared, 0),
        (r#"{"Path": "/usr/local/bin/etcd", "Args": ["--name=b"]}"#, shared, 0),
        (r#"{"Path": "sleep", "Args": []}"#, shared, 0),
    ] {
        assert!(matches!(of(container, host, user), Provenance::Unvouched(_)), "{container} {host} {user}");
    }
    assert!(matches!(of("{", shared, 0), Provenance::Hidden(_)), "a broken record may vouch for it");
    assert!(matches!(judge_on(&Tree::new(), &facts(0), &[]), Provenance::Unvouched(_)), "no record");
}

#[test]
fn machined_vouches_on_talos_only() {
    let etcd = words("/usr/local/bin/etcd");
    let facts = |user: u32| ProcessFacts {
        users: Ok((user, user)),
        placement: Ok(Placement::Machined("etcd".to_owned())),
        ..facts(&etcd)
    };
    let talos = Tree::new();
    talos.file("/etc/os-release", "NAME=\"Talos\"\nID=talos\n");
    assert_eq!(judge_on(&talos, &facts(60), &[]), Provenance::OwnMounts(None));
    assert!(matches!(judge_on(&talos, &facts(0), &[]), Provenance::Unvouched(_)));
    assert!(matches!(judge_on(&Tree::new(), &facts(60), &[]), Provenance::Unvouched(_)));
    // The pods that it serves by URL run as users of their own.
    let server = words("/usr/local/bin/kube-apiserver");
    let program = Program::One(Component::ApiServer);
    let pod = |user: u32| ProcessFacts {
        program: &program,
        users: Ok((user, user)),
        placement: Ok(pod(HASH)),
        ..super::tests::facts(&server)
    };
    assert_eq!(judge_on(&talos, &pod(65_534), &[]), Provenance::StaticPod(None));
    assert!(matches!(judge_on(&talos, &pod(65_535), &[]), Provenance::Unvouched(_)));
    assert!(matches!(judge_on(&Tree::new(), &pod(65_534), &[]), Provenance::Unvouched(_)));
}

#[test]
fn an_app_of_a_snap_is_vouched_for_by_its_unit() {
    let kubelite = words("/snap/microk8s/7000/kubelite --a");
    let program = Program::of_command(&kubelite).unwrap();
    let facts = |words| ProcessFacts {
        program: &program,
        placement: Ok(placement("0::/system.slice/snap.microk8s.daemon-kubelite.service\n")),
        ..facts(words)
    };
    let tree = Tree::new();
    let unit_name = "snap.microk8s.daemon-kubelite.service";
    unit(&tree, unit_name, "ExecStart=/usr/bin/snap run microk8s.daemon-kubelite");
    assert_eq!(judge_on(&tree, &facts(&kubelite), &[]), Provenance::OwnMounts(None));
    let other = words("/opt/kubelite --a");
    assert!(matches!(judge_on(&tree, &facts(&other), &[]), Provenance::Unvouched(_)));
}
