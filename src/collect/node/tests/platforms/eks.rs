//! Nodes of EKS, as their images make them: Amazon Linux 2 by its bootstrap script, Amazon Linux 2023 by nodeadm,
//! Bottlerocket by its settings. And what the benchmark for EKS says of a node, by control.

mod nodes;
mod threads;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::collect::node::tests::{API_POD, HOST_MOUNTS, POD_MOUNTS, Planted, Seen, Tree};
use crate::evaluate::{Judge, Outcome};
use crate::rule::{Catalogue, Rule, built_in};

/// CIS EKS 1.0.1.
const OLD: &str = "1.0.1";
/// CIS EKS 1.8.0.
const NEW: &str = "1.8.0";

/// What a version says of a whole node: control → the outcome for each resource, in the order in which they are found.
/// A control without one was silent.
fn outcomes(version: &str, seen: &Seen) -> BTreeMap<&'static str, Vec<Outcome>> {
    static JUDGES: LazyLock<BTreeMap<&str, (Vec<Rule>, Judge)>> = LazyLock::new(|| {
        let catalogue = Catalogue::load(&built_in()).unwrap();
        let judge = |version: &&'static str| {
            let rules = catalogue.rules(&[format!("cis_eks@{version}")], &BTreeMap::new()).unwrap();
            // Section 3 is about nodes.
            let rules: Vec<Rule> =
                rules.into_iter().filter(|rule| rule.row.number.starts_with("3.")).collect();
            let judge = Judge::new(&rules);
            (*version, (rules, judge))
        };
        [OLD, NEW].iter().map(judge).collect()
    });
    let (rules, judge) = &JUDGES[version];
    let mut outcomes: BTreeMap<&str, Vec<Outcome>> =
        rules.iter().map(|rule| (rule.control.id.as_str(), Vec::new())).collect();
    for resource in &seen.resources {
        for (indexes, judgement) in judge.judge(resource.clone()) {
            for index in indexes {
                let control = rules[*index].control.id.as_str();
                outcomes.get_mut(control).unwrap().push(judgement.outcome);
            }
        }
    }
    outcomes
}

/// The controls that said anything but `passed`, and what.
fn shortfalls(version: &str, seen: &Seen) -> Vec<(&'static str, Vec<Outcome>)> {
    let all = outcomes(version, seen).into_iter();
    all.filter(|(_, outcomes)| *outcomes != vec![Outcome::Passed; outcomes.len().max(1)]).collect()
}

/// What a kubelet of Amazon Linux is told, whichever of the two.
fn amazon_linux_config() -> Value {
    json!({
        "kind": "KubeletConfiguration",
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "address": "0.0.0.0",
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"cacheTTL": "2m0s", "enabled": true},
            "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"},
        },
        "authorization": {
            "mode": "Webhook",
            "webhook": {"cacheAuthorizedTTL": "5m0s", "cacheUnauthorizedTTL": "30s"},
        },
        "cgroupDriver": "systemd",
        "cgroupRoot": "/",
        "clusterDNS": ["10.100.0.10"],
        "clusterDomain": "cluster.local",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "10%", "nodefs.inodesFree": "5%"},
        "featureGates": {"RotateKubeletServerCertificate": true},
        "hairpinMode": "hairpin-veth",
        "kubeReserved": {"cpu": "70m", "ephemeral-storage": "1Gi", "memory": "442Mi"},
        "kubeReservedCgroup": "/runtime",
        "maxPods": 17,
        "protectKernelDefaults": true,
        "providerID": "aws:///eu-central-1a/i-0123456789abcdef0",
        "readOnlyPort": 0,
        "serializeImagePulls": false,
        "serverTLSBootstrap": true,
        "systemReservedCgroup": "/system",
        "tlsCipherSuites": ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_256_GCM_SHA384"],
    })
}

impl Tree {
    /// A file that everybody may read, as most of a node's are.
    fn public(&self, path: &str, text: &str) {
        self.file(path, text);
        self.mode(path, 0o644);
    }

    /// What runs on the node: its kubelet, seen without the right to follow a namespace's link, containerd, and the
    /// pod of the add-on kube-proxy, which nobody on the node vouches for.
    fn kubelet_of_eks(&self, command: &str, cgroup: &str) {
        let plant = |pid, command, cgroup, namespace, mounts| {
            self.process(&Planted { pid, command, namespace, mounts, cgroup, ..Planted::default() });
        };
        plant(100, command, cgroup, None, HOST_MOUNTS);
        plant(200, "/usr/bin/containerd", "0::/runtime.slice/containerd.service\n", None, HOST_MOUNTS);
        let proxy =
            "kube-proxy --v=2 --config=/var/lib/kube-proxy-config/config --hostname-override=ip-10-0-1-5";
        plant(300, proxy, API_POD, None, POD_MOUNTS);
    }
}

const AL2_CONFIG: &str = "/etc/kubernetes/kubelet/kubelet-config.json";
const AL2023_CONFIG: &str = "/etc/kubernetes/kubelet/config.json";
const AL2023_DROP_INS: &str = "/etc/kubernetes/kubelet/config.json.d";
const PROVIDER_CONFIG: &str = "/etc/eks/image-credential-provider/config.json";
const KUBECONFIG: &str = "/var/lib/kubelet/kubeconfig";

/// Makes a node.
type Image = fn() -> Tree;

/// What Amazon Linux has, whichever of the two.
fn amazon_linux() -> Tree {
    let tree = Tree::new();
    tree.public(KUBECONFIG, "");
    tree.public("/etc/kubernetes/pki/ca.crt", "-----BEGIN CERTIFICATE-----\n");
    tree.public("/etc/systemd/system/kubelet.service", "[Service]\n");
    tree.public("/etc/cni/net.d/10-aws.conflist", "{}");
    // Its kind is another, and whoever could change it would choose what the kubelet runs to log in to registries.
    tree.public(
        PROVIDER_CONFIG,
        "{\"kind\": \"CredentialProviderConfig\", \"apiVersion\": \"kubelet.config.k8s.io/v1\", \"providers\": []}",
    );
    tree
}

/// Amazon Linux 2. Blanks stand before the values of the unit, equals signs before those of the bootstrap script and
/// before `extra`, what the user gives it.
fn al2(extra: &str) -> Tree {
    let tree = amazon_linux();
    tree.public(AL2_CONFIG, &amazon_linux_config().to_string());
    tree.public("/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf", "[Service]\n");
    tree.public("/etc/systemd/system/kubelet.service.d/30-kubelet-extra-args.conf", "[Service]\n");
    let command = format!(
        "/usr/bin/kubelet --config {AL2_CONFIG} --kubeconfig {KUBECONFIG} \
         --container-runtime-endpoint unix:///run/containerd/containerd.sock \
         --image-credential-provider-config {PROVIDER_CONFIG} \
         --image-credential-provider-bin-dir /etc/eks/image-credential-provider \
         --node-ip=10.0.1.5 --v=2 --hostname-override=ip-10-0-1-5.eu-central-1.compute.internal \
         --cloud-provider=external --node-labels=eks.amazonaws.com/nodegroup=workers{extra}"
    );
    tree.kubelet_of_eks(
        &command,
        "11:memory:/runtime.slice/kubelet.service\n1:name=systemd:/runtime.slice/kubelet.service\n",
    );
    tree
}

/// Amazon Linux 2023. nodeadm writes its arguments in no certain order, and `extra`, what the user gives it, at the end.
fn al2023(extra: &str) -> Tree {
    let tree = amazon_linux();
    tree.public(AL2023_CONFIG, &serde_json::to_string_pretty(&amazon_linux_config()).unwrap());
    tree.public("/etc/eks/kubelet/environment", "NODEADM_KUBELET_ARGS=--anonymous-auth=true\n");
    let command = format!(
        "/usr/bin/kubelet --cloud-provider=external --hostname-override=ip-10-0-1-5.eu-central-1.compute.internal \
         --image-credential-provider-bin-dir=/etc/eks/image-credential-provider \
         --image-credential-provider-config={PROVIDER_CONFIG} --node-ip=10.0.1.5 --config={AL2023_CONFIG} \
         --config-dir={AL2023_DROP_INS} --kubeconfig={KUBECONFIG} \
         --node-labels=eks.amazonaws.com/nodegroup=workers{extra}"
    );
    tree.drop_in_of_eks("40-nodeadm.conf", &json!({"maxPods": 29}));
    tree.kubelet_of_eks(&command, "0::/runtime.slice/kubelet.service\n");
    tree
}

impl Tree {
    /// A drop-in of nodeadm's directory.
    fn drop_in_of_eks(&self, name: &str, settings: &Value) {
        let mut document =
            json!({"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1"});
        document.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        self.public(&format!("{AL2023_DROP_INS}/{name}"), &document.to_string());
    }
}

const BOTTLEROCKET: &str = "kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
address: 0.0.0.0
authentication:
  anonymous: {enabled: false}
  webhook: {cacheTTL: 2m0s, enabled: true}
  x509: {clientCAFile: \"/etc/kubernetes/pki/ca.crt\"}
authorization:
  mode: Webhook
  webhook: {cacheAuthorizedTTL: 5m0s, cacheUnauthorizedTTL: 30s}
clusterDomain: cluster.local
clusterDNS: [10.100.0.10]
podPidsLimit: 1048576
resolvConf: /run/netdog/resolv.conf
readOnlyPort: 0
protectKernelDefaults: true
seccompDefault: false
serverTLSBootstrap: true
staticPodPath: /etc/kubernetes/static-pods/
enableDebuggingHandlers: false
";

/// Bottlerocket. It has no accounts but root's, and here not even their names.
fn bottlerocket() -> Tree {
    let tree = Tree::new();
    for names in ["/etc/passwd", "/etc/group"] {
        std::fs::remove_file(tree.path(names)).unwrap();
    }
    for (path, text) in [
        ("/etc/kubernetes/kubelet/config", BOTTLEROCKET),
        ("/etc/kubernetes/kubelet/kubeconfig", ""),
        ("/etc/kubernetes/pki/ca.crt", "-----BEGIN CERTIFICATE-----\n"),
        ("/etc/systemd/system/kubelet.service.d/exec-start.conf", "[Service]\n"),
    ] {
        tree.file(path, text);
        tree.mode(path, 0o600);
    }
    tree.directory("/etc/kubernetes/pki/private");
    tree.directory("/etc/kubernetes/kubelet/config.d");
    tree.directory("/etc/kubernetes/static-pods");
    tree.public("/usr/lib/systemd/system/kubelet.service", "[Service]\n");
    tree.public("/usr/lib/systemd/system/kubelet.service.d/make-kubelet-dirs.conf", "[Service]\n");
    tree.link("/lib", "usr/lib");
    tree.public("/etc/cni/net.d/10-aws.conflist", "{}");
    // An empty word stands where there are no taints.
    let command = "/usr/bin/kubelet --cloud-provider external --kubeconfig /etc/kubernetes/kubelet/kubeconfig \
        --config /etc/kubernetes/kubelet/config --container-runtime-endpoint=unix:///run/containerd/containerd.sock \
        --root-dir /var/lib/kubelet --cert-dir /var/lib/kubelet/pki \
        --image-credential-provider-bin-dir /usr/libexec/kubernetes/kubelet/plugins \
        --image-credential-provider-config /etc/kubernetes/kubelet/credential-provider-config.yaml \
        --hostname-override ip-10-0-1-5.eu-central-1.compute.internal --node-ip 10.0.1.5 \
        --node-labels eks.amazonaws.com/nodegroup=workers --register-with-taints  -v 2 \
        --config-dir=/etc/kubernetes/kubelet/config.d --runtime-cgroups=/runtime.slice/containerd.service";
    tree.kubelet_of_eks(command, "0::/runtime.slice/kubelet.service\n");
    tree
}
