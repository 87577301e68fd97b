//! What other tools got wrong about nodes of EKS, one test for each public thread.

use rustix::io::Errno;

use super::{
    AL2_CONFIG, AL2023_CONFIG, Image, KUBECONFIG, NEW, OLD, PROVIDER_CONFIG, Tree, al2, al2023,
    amazon_linux_config, bottlerocket, outcomes,
};
use crate::collect::node::filesystem::hostfs::refusals::Refused;
use crate::collect::node::tests::Planted;
use crate::evaluate::Outcome;
use serde_json::json;

/// The only outcome of a control.
fn outcome(tree: &Tree, control: &str) -> Outcome {
    let seen = tree.observe();
    let [old, new] = [OLD, NEW].map(|version| outcomes(version, &seen));
    let [outcome] = old[control][..] else { panic!("{control}: {:?}", old[control]) };
    assert!(new.get(control).is_none_or(|new| *new == [outcome]), "{control}: {new:?}");
    outcome
}

/// `elastic/cloudbeat#631`: the flag was looked for with a blank behind it only, and 26492 passed.
#[test]
fn cloudbeat_631_an_open_port_fails_however_the_flag_is_written() {
    for extra in [" --read-only-port=26492", " --read-only-port 26492"] {
        for tree in [al2(extra), al2023(extra)] {
            assert_eq!(outcome(&tree, "kubelet-read-only-port"), Outcome::Failed, "{extra}");
        }
    }
    assert_eq!(
        outcome(&al2(" --read-only-port 26492 --read-only-port=0"), "kubelet-read-only-port"),
        Outcome::Passed
    );
}

/// `elastic/cloudbeat#633`: the same, of iptables chains that are off.
#[test]
fn cloudbeat_633_chains_that_are_off_fail_wherever_that_is_written() {
    const CONTROL: &str = "kubelet-iptables-util-chains";
    for tree in [al2(""), al2023(""), bottlerocket()] {
        assert_eq!(outcome(&tree, CONTROL), Outcome::Passed);
    }
    let off = " --make-iptables-util-chains=false";
    for tree in [al2(off), al2023(off)] {
        assert_eq!(outcome(&tree, CONTROL), Outcome::Failed);
    }
    let tree = al2023("");
    tree.drop_in_of_eks("40-nodeadm.conf", &json!({"makeIPTablesUtilChains": false}));
    assert_eq!(outcome(&tree, CONTROL), Outcome::Failed);
    tree.drop_in_of_eks("50-own.conf", &json!({"makeIPTablesUtilChains": true}));
    assert_eq!(outcome(&tree, CONTROL), Outcome::Passed);
}

/// `aquasecurity/kube-bench#808`, `#887`, `#996`, `#1765`: nearly every check of a node failed, for no path was known.
#[test]
fn kube_bench_1765_a_node_of_bottlerocket_is_found_and_judged() {
    let tree = bottlerocket();
    for version in [OLD, NEW] {
        let outcomes = outcomes(version, &tree.observe());
        assert!(outcomes.values().all(|outcomes| outcomes.len() == 1), "one file, one process: {outcomes:?}");
        assert!(outcomes.values().flatten().all(|outcome| *outcome != Outcome::Error), "{outcomes:?}");
        for control in [
            "kubelet-kubeconfig-mode",
            "kubelet-config-mode",
            "kubelet-anonymous-auth",
            "kubelet-authorization-mode",
            "kubelet-client-ca-file",
            "kubelet-read-only-port",
            "kubelet-rotate-server-certificate-gate",
        ] {
            assert_eq!(outcomes[control], [Outcome::Passed], "{control}");
        }
    }
    tree.mode("/etc/kubernetes/kubelet/config", 0o664);
    assert_eq!(outcome(&tree, "kubelet-config-mode"), Outcome::Failed, "found, not passed over");
}

/// `rancher/cis-operator#225`: a profile for EKS named files that the kubelet does not read.
#[test]
fn cis_operator_225_the_running_kubelet_s_own_flags_decide() {
    let tree = al2023("");
    // Left from another image, open to all in both senses.
    let mut stale = amazon_linux_config();
    stale["authentication"]["anonymous"]["enabled"] = json!(true);
    for path in [AL2_CONFIG, "/var/lib/kubelet/config.yaml", "/etc/kubernetes/kubelet/config"] {
        tree.file(path, &stale.to_string());
        tree.mode(path, 0o666);
    }
    let seen = tree.observe();
    let judged = outcomes(NEW, &seen);
    assert_eq!(judged["kubelet-anonymous-auth"], [Outcome::Passed]);
    assert_eq!(judged["kubelet-config-mode"], [Outcome::Passed; 2], "what nobody reads is of no interest");

    // And the other way round, where no image has them.
    tree.public(AL2023_CONFIG, &stale.to_string());
    tree.public("/opt/kubelet/own.json", &amazon_linux_config().to_string());
    tree.file("/opt/kubelet/kubeconfig", "");
    tree.mode("/opt/kubelet/kubeconfig", 0o666);
    let command = "/usr/bin/kubelet --config=/opt/kubelet/own.json --kubeconfig=/opt/kubelet/kubeconfig";
    tree.process(&Planted { command, ..Planted::default() });
    let seen = tree.observe();
    assert_eq!(seen.only("kubelet-config").id, "/opt/kubelet/own.json");
    let judged = outcomes(NEW, &seen);
    assert_eq!(judged["kubelet-anonymous-auth"], [Outcome::Passed]);
    // A kubeconfig that lies about is a credential all the same.
    assert_eq!(judged["kubelet-kubeconfig-mode"], [Outcome::Failed, Outcome::Passed]);
    assert_eq!(seen.at(KUBECONFIG).raw["mode"], "644");
}

/// `elastic/cloudbeat#2008`: the kubelet of one node of EKS could not be read, and its 11 findings were missing.
#[test]
fn cloudbeat_2008_an_unreadable_kubelet_of_eks_is_an_error_for_each_control() {
    let images: [Image; 3] = [|| al2(""), || al2023(""), bottlerocket];
    for image in images {
        for hidden in ["/proc/100", "/proc/100/cmdline", "/proc/100/status", "/proc"] {
            for errno in [Errno::ACCESS, Errno::IO] {
                let seen = image().observe_refusing(&[(hidden, Refused::All, errno)]);
                for version in [OLD, NEW] {
                    for (control, outcomes) in outcomes(version, &seen) {
                        assert!(!outcomes.is_empty(), "{control} is silent where {hidden} is hidden");
                        let about_files = control.starts_with("kubelet-config")
                            || control.starts_with("kubelet-kubeconfig");
                        // Which files the kubelet reads nobody knows then; those in the usual places are judged.
                        assert!(outcomes.contains(&Outcome::Error), "{control}, {hidden}: {outcomes:?}");
                        assert!(
                            about_files || outcomes == [Outcome::Error],
                            "{control}, {hidden}: {outcomes:?}"
                        );
                    }
                }
            }
        }
    }
}

/// `elastic/cloudbeat#621` shows the trap: the first flag that ends in `-config` was taken for the kubelet's own.
#[test]
fn cloudbeat_621_the_credential_provider_s_file_is_not_the_kubelet_s() {
    for tree in [al2(""), al2023("")] {
        tree.mode(PROVIDER_CONFIG, 0o666);
        let seen = tree.observe();
        assert!(seen.resources.iter().all(|resource| resource.id != PROVIDER_CONFIG));
        let kubelet = seen.only("kubelet");
        assert_eq!(kubelet.raw["config"]["kind"], "KubeletConfiguration");
        assert_eq!(kubelet.unread, []);
    }
    // In whatever order and form.
    for command in [
        "--image-credential-provider-config=P --config=C",
        "--config=C --image-credential-provider-config=P",
        "--image-credential-provider-config P --config C",
        "--image-credential-provider-config=P --kubeconfig=K --config C",
    ] {
        let command =
            command.replace('P', PROVIDER_CONFIG).replace('C', AL2023_CONFIG).replace('K', KUBECONFIG);
        let tree = al2023("");
        tree.process(&Planted { command: &format!("/usr/bin/kubelet {command}"), ..Planted::default() });
        let seen = tree.observe();
        assert_eq!(seen.only("kubelet-config").id, AL2023_CONFIG, "{command}");
        assert_eq!(outcome(&tree, "kubelet-read-only-port"), Outcome::Passed, "{command}");
    }
}
