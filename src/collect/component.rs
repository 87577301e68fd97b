//! The components of Kubernetes that run as processes: their names, and how they read arguments.
//!
//! In: an argument list. Out: the component that it starts. The tables hold the flags that CIS rules look at; they
//! matter only for `--flag value`, which is ambiguous for a flag of unknown type.

pub(crate) mod command_line;

/// A component of Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Component {
    /// kube-apiserver.
    ApiServer,
    /// kube-controller-manager.
    ControllerManager,
    /// kube-scheduler.
    Scheduler,
    /// etcd.
    Etcd,
    /// kubelet.
    Kubelet,
    /// kube-proxy.
    Proxy,
}

/// How the value of a flag without `=` is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagValue {
    /// The flag is a bool: its value is true.
    None,
    /// The next word, whatever it looks like.
    NextWord,
    /// The flag is not in the tables: the next word, unless that looks like a flag.
    Unknown,
}

impl Component {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::ApiServer, Self::ControllerManager, Self::Scheduler, Self::Etcd, Self::Kubelet, Self::Proxy];

    /// The name in `raw.component` and in a control's `resource:`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Etcd => "etcd",
            Self::Kubelet => "kubelet",
            Self::Proxy => "kube-proxy",
        }
    }

    /// What it is, for rule authors.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::ApiServer => "the API server",
            Self::ControllerManager => "the controller manager",
            Self::Scheduler => "the scheduler",
            Self::Etcd => "the key-value store of the API server",
            Self::Kubelet => "the node agent",
            Self::Proxy => "the network proxy of each node",
        }
    }

    /// The role of the static pod manifest that starts it.
    pub fn manifest_role(self) -> Option<&'static [&'static str]> {
        match self {
            Self::ApiServer => Some(&["api-server-manifest"]),
            Self::ControllerManager => Some(&["controller-manager-manifest"]),
            Self::Scheduler => Some(&["scheduler-manifest"]),
            Self::Etcd => Some(&["etcd-manifest"]),
            Self::Kubelet | Self::Proxy => None,
        }
    }

    /// The component that an argument list starts, by the base name of its first word. The process name in the kernel
    /// is not used: it is cut to 15 characters and the process can change it.
    pub fn of_command(words: &[String]) -> Option<Self> {
        let name = base_name(words.first()?);
        if name == HYPERKUBE {
            let name = words.get(1)?;
            return Self::named(name).or_else(|| Self::short_named(name));
        }
        match Self::named(name) {
            // `etcd grpc-proxy` and `etcd gateway` are programs of their own: they store nothing and take other flags.
            Some(Self::Etcd) if words.get(1).is_some_and(|word| !word.starts_with('-')) => return None,
            Some(component) => return Some(component),
            None => {}
        }
        // Old packages used short names that other programs have too.
        let wiring = ["--kubeconfig", "--master", "--etcd-servers"];
        let is_wired = |_: &Self| {
            let mut flags =
                words.iter().map(|word| word.split_once('=').map_or(word.as_str(), |(flag, _)| flag));
            flags.any(|flag| wiring.contains(&flag))
        };
        Self::short_named(name).filter(is_wired)
    }

    /// How many words of an argument list that starts a component stand before its flags.
    pub(super) fn name_words(words: &[String]) -> usize {
        if words.first().is_some_and(|word| base_name(word) == HYPERKUBE) { 2 } else { 1 }
    }

    /// The component of this full name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|component| component.as_str() == name)
            .or_else(|| (name == "kube-controller").then_some(Self::ControllerManager))
    }

    fn short_named(name: &str) -> Option<Self> {
        match name {
            "apiserver" => Some(Self::ApiServer),
            "controller-manager" => Some(Self::ControllerManager),
            "scheduler" => Some(Self::Scheduler),
            "proxy" => Some(Self::Proxy),
            _ => None,
        }
    }

    /// How the value of a flag without `=` is found.
    pub fn takes(self, flag: &str) -> FlagValue {
        let (switches, valued) = self.flags();
        if switches.contains(&flag) || flag == "help" || flag == "version" {
            FlagValue::None
        } else if valued.contains(&flag) {
            FlagValue::NextWord
        } else {
            FlagValue::Unknown
        }
    }

    /// Bool flags, and flags whose value may begin with a dash.
    fn flags(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::ApiServer => (API_SERVER_SWITCHES, API_SERVER_NUMBERS),
            Self::ControllerManager => {
                (CONTROLLER_MANAGER_SWITCHES, &["controllers", "terminated-pod-gc-threshold"])
            }
            Self::Scheduler => (SCHEDULER_SWITCHES, &[]),
            Self::Etcd => (ETCD_SWITCHES, &[]),
            Self::Kubelet => (KUBELET_SWITCHES, KUBELET_NUMBERS),
            Self::Proxy => (PROXY_SWITCHES, &["oom-score-adj"]),
        }
    }
}

/// One program for all components, which the first argument chooses from.
pub(super) const HYPERKUBE: &str = "hyperkube";

/// The part of a path after its last slash.
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

const API_SERVER_SWITCHES: &[&str] = &[
    "allow-privileged",
    "anonymous-auth",
    "audit-log-compress",
    "contention-profiling",
    "enable-aggregator-routing",
    "enable-bootstrap-token-auth",
    "enable-garbage-collector",
    "enable-logs-handler",
    "enable-priority-and-fairness",
    "encryption-provider-config-automatic-reload",
    "kubelet-https",
    "permit-address-sharing",
    "permit-port-sharing",
    "profiling",
    "repair-malformed-updates",
    "service-account-extend-token-expiration",
    "service-account-lookup",
    "watch-cache",
];
const API_SERVER_NUMBERS: &[&str] =
    &["audit-log-maxage", "audit-log-maxbackup", "audit-log-maxsize", "request-timeout"];

const CONTROLLER_MANAGER_SWITCHES: &[&str] = &[
    "allocate-node-cidrs",
    "authentication-skip-lookup",
    "authentication-tolerate-lookup-failure",
    "configure-cloud-routes",
    "contention-profiling",
    "enable-dynamic-provisioning",
    "enable-garbage-collector",
    "enable-leader-migration",
    "leader-elect",
    "permit-address-sharing",
    "permit-port-sharing",
    "profiling",
    "use-service-account-credentials",
];

const SCHEDULER_SWITCHES: &[&str] = &[
    "authentication-skip-lookup",
    "authentication-tolerate-lookup-failure",
    "contention-profiling",
    "leader-elect",
    "permit-address-sharing",
    "permit-port-sharing",
    "profiling",
];

const ETCD_SWITCHES: &[&str] = &[
    "auto-tls",
    "client-cert-auth",
    "enable-grpc-gateway",
    "enable-pprof",
    "enable-v2",
    "experimental-initial-corrupt-check",
    "experimental-peer-skip-client-san-verification",
    "force-new-cluster",
    "initial-election-tick-advance",
    "peer-auto-tls",
    "peer-client-cert-auth",
    "peer-skip-client-san-verification",
    "pre-vote",
    "strict-reconfig-check",
    "unsafe-no-fsync",
];

const KUBELET_SWITCHES: &[&str] = &[
    "allow-privileged",
    "anonymous-auth",
    "authentication-token-webhook",
    "cgroups-per-qos",
    "contention-profiling",
    "cpu-cfs-quota",
    "enable-controller-attach-detach",
    "enable-debugging-handlers",
    "enable-server",
    "fail-cgroupv1",
    "fail-swap-on",
    "kernel-memcg-notification",
    "local-storage-capacity-isolation",
    "make-iptables-util-chains",
    "protect-kernel-defaults",
    "register-node",
    "register-schedulable",
    "rotate-certificates",
    "rotate-server-certificates",
    "runonce",
    "seccomp-default",
    "serialize-image-pulls",
];
const KUBELET_NUMBERS: &[&str] = &[
    "event-burst",
    "event-qps",
    "oom-score-adj",
    "pod-max-pids",
    "read-only-port",
    "streaming-connection-idle-timeout",
];

const PROXY_SWITCHES: &[&str] = &[
    "bind-address-hard-fail",
    "cleanup",
    "init-only",
    "ipvs-strict-arp",
    "iptables-localhost-nodeports",
    "masquerade-all",
    "profiling",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(command: &str) -> Option<Component> {
        Component::of_command(&command.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_component_is_known_by_the_base_name_of_its_first_word() {
        assert_eq!(of("/usr/local/bin/kube-apiserver --x"), Some(Component::ApiServer));
        assert_eq!(of("etcd"), Some(Component::Etcd));
        assert_eq!(of("/hyperkube kubelet --config=/x"), Some(Component::Kubelet));
        assert_eq!(of("hyperkube proxy"), Some(Component::Proxy));
        assert_eq!(of("etcdctl get"), None);
        assert_eq!(of("/hyperkube apiserver --a"), Some(Component::ApiServer));
        assert_eq!(of("vim kube-apiserver"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn cloudbeat_646_every_component_is_known_by_the_name_it_runs_under() {
        for component in Component::ALL {
            assert_eq!(of(&format!("/usr/bin/{} --v=2", component.as_str())), Some(component));
        }
        assert_eq!(of("kube-controller-manager --v=2"), Some(Component::ControllerManager));
    }

    #[test]
    fn an_etcd_with_a_sub_command_is_no_member() {
        for command in
            ["etcd grpc-proxy start --endpoints=https://a", "/usr/bin/etcd gateway start", "etcd x"]
        {
            assert_eq!(of(command), None, "{command}");
        }
        assert_eq!(of("/usr/bin/etcd -name a"), Some(Component::Etcd));
    }

    #[test]
    fn a_short_old_name_needs_the_flags_of_a_component() {
        assert_eq!(of("/usr/bin/scheduler --master=https://10.0.0.1"), Some(Component::Scheduler));
        assert_eq!(of("proxy --kubeconfig /etc/proxy.conf"), Some(Component::Proxy));
        assert_eq!(of("/opt/print/scheduler --spool /var/spool"), None);
    }
}
