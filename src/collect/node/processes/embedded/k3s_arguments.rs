//! The arguments that k3s passes to its components regardless of its options.
//!
//! Data, from the sources of k3s for Kubernetes 1.21 to 1.37 (`pkg/daemons/control`, `agent`): the flags that all of
//! these versions pass with a known value, and those that at least one of them may pass with a value that no file on
//! the node shows. Every other flag comes from the options.

use crate::collect::component::Component;

/// The value of an argument.
#[derive(Debug, Clone, Copy)]
pub(super) enum K3sValue {
    /// Always this.
    Is(&'static str),
    /// A path below the folder `server` of the data directory.
    Server(&'static str),
    /// A path below the folder `agent` of the data directory.
    Agent(&'static str),
}

use K3sValue::{Agent, Is, Server};

/// How k3s configures its kubelet, which changed twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KubeletForm {
    /// Through drop-ins that it writes.
    DropIns,
    /// Through a file that it writes.
    File,
    /// Through arguments.
    Arguments,
}

/// The flags with a known value.
pub(super) fn known(component: Component, kubelet: KubeletForm) -> &'static [(&'static str, K3sValue)] {
    match (component, kubelet) {
        (Component::ApiServer, _) => API_SERVER,
        (Component::ControllerManager, _) => CONTROLLER_MANAGER,
        (Component::Scheduler, _) => SCHEDULER,
        (Component::Etcd, _) => &[("config-file", Server("db/etcd/config"))],
        (Component::Proxy, _) => PROXY,
        (Component::Kubelet, KubeletForm::DropIns) => {
            &[("config-dir", Agent("etc/kubelet.conf.d")), ("kubeconfig", Agent("kubelet.kubeconfig"))]
        }
        (Component::Kubelet, KubeletForm::File) => {
            &[("config", Agent("etc/kubelet.conf")), ("kubeconfig", Agent("kubelet.kubeconfig"))]
        }
        (Component::Kubelet, KubeletForm::Arguments) => KUBELET,
    }
}

/// The flags that may be passed with an unknown value.
pub(super) fn hidden(component: Component, kubelet: KubeletForm) -> Vec<&'static str> {
    match component {
        Component::ApiServer => API_SERVER_HIDDEN.to_vec(),
        Component::ControllerManager => CONTROLLER_MANAGER_HIDDEN.to_vec(),
        Component::Scheduler => SCHEDULER_HIDDEN.to_vec(),
        // Its file holds everything.
        Component::Etcd => Vec::new(),
        Component::Proxy => PROXY_HIDDEN.to_vec(),
        Component::Kubelet if kubelet == KubeletForm::Arguments => {
            [KUBELET_HIDDEN, KUBELET_ARGUMENTS_HIDDEN].concat()
        }
        // The file cannot express zero; the flag for it was added after the file.
        Component::Kubelet => [KUBELET_HIDDEN, &["read-only-port"]].concat(),
    }
}

const API_SERVER: &[(&str, K3sValue)] = &[
    ("allow-privileged", Is("true")),
    ("anonymous-auth", Is("false")),
    ("authorization-mode", Is("Node,RBAC")),
    ("client-ca-file", Server("tls/client-ca.crt")),
    ("enable-admission-plugins", Is("NodeRestriction")),
    ("kubelet-certificate-authority", Server("tls/server-ca.crt")),
    ("kubelet-client-certificate", Server("tls/client-kube-apiserver.crt")),
    ("kubelet-client-key", Server("tls/client-kube-apiserver.key")),
    ("profiling", Is("false")),
    ("proxy-client-cert-file", Server("tls/client-auth-proxy.crt")),
    ("proxy-client-key-file", Server("tls/client-auth-proxy.key")),
    ("requestheader-allowed-names", Is("system:auth-proxy")),
    ("requestheader-client-ca-file", Server("tls/request-header-ca.crt")),
    ("requestheader-extra-headers-prefix", Is("X-Remote-Extra-")),
    ("requestheader-group-headers", Is("X-Remote-Group")),
    ("requestheader-username-headers", Is("X-Remote-User")),
    ("service-account-key-file", Server("tls/service.key")),
    ("storage-backend", Is("etcd3")),
    ("tls-cert-file", Server("tls/serving-kube-apiserver.crt")),
    ("tls-private-key-file", Server("tls/serving-kube-apiserver.key")),
];
const API_SERVER_HIDDEN: &[&str] = &[
    "advertise-address",
    "advertise-port",
    "api-audiences",
    "cert-dir",
    "egress-selector-config-file",
    "enable-aggregator-routing",
    "enable-bootstrap-token-auth",
    "encryption-provider-config-automatic-reload",
    "etcd-cafile",
    "etcd-certfile",
    "etcd-keyfile",
    "etcd-servers",
    "feature-gates",
    "insecure-port",
    "kubelet-preferred-address-types",
    "service-account-issuer",
    "service-cluster-ip-range",
    "service-node-port-range",
    "v",
    "vmodule",
];

const CONTROLLER_MANAGER: &[(&str, K3sValue)] = &[
    ("allocate-node-cidrs", Is("true")),
    // By version, names of cloud controllers follow that it leaves out.
    ("controllers", Is("*")),
    ("kubeconfig", Server("cred/controller.kubeconfig")),
    ("profiling", Is("false")),
    ("root-ca-file", Server("tls/server-ca.crt")),
    ("use-service-account-credentials", Is("true")),
];
const CONTROLLER_MANAGER_HIDDEN: &[&str] = &[
    "address",
    "authentication-kubeconfig",
    "authorization-kubeconfig",
    "cluster-cidr",
    "cluster-signing-kube-apiserver-client-cert-file",
    "cluster-signing-kube-apiserver-client-key-file",
    "cluster-signing-kubelet-client-cert-file",
    "cluster-signing-kubelet-client-key-file",
    "cluster-signing-kubelet-serving-cert-file",
    "cluster-signing-kubelet-serving-key-file",
    "cluster-signing-legacy-unknown-cert-file",
    "cluster-signing-legacy-unknown-key-file",
    "configure-cloud-routes",
    "leader-elect",
    "port",
    "secure-port",
    "service-cluster-ip-range",
    "tls-cert-file",
    "tls-private-key-file",
    "v",
    "vmodule",
];

const SCHEDULER: &[(&str, K3sValue)] =
    &[("kubeconfig", Server("cred/scheduler.kubeconfig")), ("profiling", Is("false"))];
const SCHEDULER_HIDDEN: &[&str] = &[
    "address",
    "authentication-kubeconfig",
    "authorization-kubeconfig",
    "leader-elect",
    "port",
    "secure-port",
    "tls-cert-file",
    "tls-private-key-file",
    "v",
    "vmodule",
];

const PROXY: &[(&str, K3sValue)] = &[
    ("conntrack-max-per-core", Is("0")),
    ("conntrack-tcp-timeout-close-wait", Is("0s")),
    ("conntrack-tcp-timeout-established", Is("0s")),
    ("kubeconfig", Agent("kubeproxy.kubeconfig")),
    ("proxy-mode", Is("iptables")),
];
const PROXY_HIDDEN: &[&str] = &[
    "alsologtostderr",
    "cluster-cidr",
    "healthz-bind-address",
    "hostname-override",
    "log-file",
    "v",
    "vmodule",
];

const KUBELET: &[(&str, K3sValue)] = &[
    ("anonymous-auth", Is("false")),
    ("authentication-token-webhook", Is("true")),
    ("authorization-mode", Is("Webhook")),
    ("client-ca-file", Agent("client-ca.crt")),
    ("fail-swap-on", Is("false")),
    ("kubeconfig", Agent("kubelet.kubeconfig")),
    ("pod-manifest-path", Agent("pod-manifests")),
    ("read-only-port", Is("0")),
    ("tls-cert-file", Agent("serving-kubelet.crt")),
    ("tls-private-key-file", Agent("serving-kubelet.key")),
];
const KUBELET_HIDDEN: &[&str] = &[
    "cert-dir",
    "cloud-provider",
    "container-runtime-endpoint",
    "containerd",
    "hostname-override",
    "image-credential-provider-bin-dir",
    "image-credential-provider-config",
    "node-ip",
    "node-labels",
    "root-dir",
    "runtime-cgroups",
];
const KUBELET_ARGUMENTS_HIDDEN: &[&str] = &[
    "address",
    "allowed-unsafe-sysctls",
    "cgroup-driver",
    "cgroups-per-qos",
    "cluster-dns",
    "cluster-domain",
    "cni-bin-dir",
    "cni-conf-dir",
    "container-runtime",
    "cpu-cfs-quota",
    "enforce-node-allocatable",
    "eviction-hard",
    "eviction-minimum-reclaim",
    "feature-gates",
    "healthz-bind-address",
    "image-service-endpoint",
    "kubelet-cgroups",
    "network-plugin",
    "pod-infra-container-image",
    "register-with-taints",
    "resolv-conf",
    "seccomp-profile-root",
    "serialize-image-pulls",
    "v",
    "vmodule",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_known_or_hidden() {
        for component in Component::ALL {
            for form in [KubeletForm::DropIns, KubeletForm::File, KubeletForm::Arguments] {
                let mut names: Vec<&str> = known(component, form).iter().map(|(name, _)| *name).collect();
                names.extend(hidden(component, form));
                let count = names.len();
                names.sort_unstable();
                names.dedup();
                assert_eq!(names.len(), count, "{component:?} {form:?}");
            }
        }
    }
}
