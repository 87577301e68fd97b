//! Which configuration files there are, and what of each is kept.
//!
//! Data, and for some kinds a function that cuts deeper. A field that is not named here is never seen by
//! a rule and never shipped.

use serde_json::{Map, Value};

use super::cut;
use crate::collect::redact::BLANK;

/// What a file is expected to be.
#[derive(Debug)]
pub struct FileKind {
    /// `kind`, and the group its `apiVersion` must be in; none for etcd's file, which says neither.
    pub kinds: &'static [(&'static str, &'static str)],
    /// The top-level fields that are kept.
    pub fields: &'static [&'static str],
    /// Further cuts.
    pub shape: fn(&mut Map<String, Value>),
}

/// The kubelet's `--config`, and its drop-ins.
pub const KUBELET: FileKind = FileKind {
    kinds: &[("KubeletConfiguration", "kubelet.config.k8s.io")],
    fields: KUBELET_FIELDS,
    shape: as_is,
};

/// kube-scheduler's `--config`.
pub const SCHEDULER: FileKind = FileKind {
    kinds: &[("KubeSchedulerConfiguration", "kubescheduler.config.k8s.io")],
    fields: &[
        "clientConnection",
        "enableContentionProfiling",
        "enableProfiling",
        "healthzBindAddress",
        "leaderElection",
        "metricsBindAddress",
    ],
    shape: as_is,
};

/// kube-proxy's `--config`.
pub const PROXY: FileKind = FileKind {
    kinds: &[("KubeProxyConfiguration", "kubeproxy.config.k8s.io")],
    fields: &[
        "bindAddress",
        "bindAddressHardFail",
        "clientConnection",
        "clusterCIDR",
        "enableProfiling",
        "featureGates",
        "healthzBindAddress",
        "hostnameOverride",
        "metricsBindAddress",
        "mode",
        "nodePortAddresses",
        "oomScoreAdj",
        "portRange",
        "showHiddenMetricsForVersion",
    ],
    shape: as_is,
};

/// etcd's `--config-file`.
pub const ETCD: FileKind = FileKind {
    kinds: &[],
    fields: &[
        "advertise-client-urls",
        "cipher-suites",
        "client-transport-security",
        "data-dir",
        "enable-pprof",
        "feature-gates",
        "initial-advertise-peer-urls",
        "listen-client-http-urls",
        "listen-client-urls",
        "listen-metrics-urls",
        "listen-peer-urls",
        "metrics",
        "name",
        "peer-transport-security",
        "self-signed-cert-validity",
        "strict-reconfig-check",
        "tls-max-version",
        "tls-min-version",
        "wal-dir",
    ],
    shape: etcd,
};

/// kube-apiserver's `--authentication-config`.
pub const AUTHENTICATION: FileKind = FileKind {
    kinds: &[("AuthenticationConfiguration", "apiserver.config.k8s.io")],
    fields: &["anonymous", "jwt"],
    shape: as_is,
};

/// kube-apiserver's `--authorization-config`.
pub const AUTHORIZATION: FileKind = FileKind {
    kinds: &[("AuthorizationConfiguration", "apiserver.config.k8s.io")],
    fields: &["authorizers"],
    shape: as_is,
};

/// kube-apiserver's `--admission-control-config-file`.
pub const ADMISSION: FileKind = FileKind {
    kinds: &[
        ("AdmissionConfiguration", "apiserver.config.k8s.io"),
        ("AdmissionConfiguration", "apiserver.k8s.io"),
    ],
    fields: &["plugins"],
    shape: admission,
};

/// What the admission configuration says of ImagePolicyWebhook: the file has neither kind nor version.
pub const IMAGE_POLICY: FileKind = FileKind { kinds: &[], fields: &["imagePolicy"], shape: image_policy };

/// What a plug-in's configuration is, for those that rules ask about.
pub fn of_plugin(name: &str) -> Option<&'static FileKind> {
    match name {
        "PodSecurity" => Some(&POD_SECURITY),
        "ImagePolicyWebhook" => Some(&IMAGE_POLICY),
        _ => None,
    }
}

/// What the admission configuration says of Pod Security, in it or in a file of its own.
pub const POD_SECURITY: FileKind = FileKind {
    kinds: &[("PodSecurityConfiguration", "pod-security.admission.config.k8s.io")],
    fields: &["defaults", "exemptions"],
    shape: as_is,
};

/// kube-apiserver's `--encryption-provider-config`. The second form is what it was called at first, and
/// is still accepted.
pub const ENCRYPTION: FileKind = FileKind {
    kinds: &[("EncryptionConfiguration", "apiserver.config.k8s.io"), ("EncryptionConfig", "")],
    fields: &["resources"],
    shape: encryption,
};

/// kube-apiserver's `--audit-policy-file`.
pub const AUDIT_POLICY: FileKind = FileKind {
    kinds: &[("Policy", "audit.k8s.io")],
    fields: &["omitManagedFields", "omitStages", "rules"],
    shape: as_is,
};

impl FileKind {
    /// Whether a document says that it is of this kind.
    pub fn admits(&self, map: &Map<String, Value>) -> bool {
        let text = |key| map.get(key).and_then(Value::as_str).unwrap_or_default();
        // The group of `v1` is the empty one.
        let group = text("apiVersion").rsplit_once('/').map_or("", |(group, _)| group);
        let version = !text("apiVersion").is_empty();
        self.kinds.is_empty() || (version && self.kinds.contains(&(text("kind"), group)))
    }
}

fn as_is(_: &mut Map<String, Value>) {}

/// Only the sections known to hold paths and switches, one level deep.
fn etcd(map: &mut Map<String, Value>) {
    const TRANSPORT: &[&str] = &[
        "allowed-cn",
        "allowed-hostname",
        "auto-tls",
        "cert-file",
        "client-cert-auth",
        "client-cert-file",
        "client-key-file",
        "key-file",
        "skip-client-san-verification",
        "trusted-ca-file",
    ];
    for (key, value) in map.iter_mut() {
        match value {
            Value::Object(section) if key.ends_with("-transport-security") => {
                section.retain(|key, value| TRANSPORT.contains(&key.as_str()) && !value.is_object());
            }
            Value::Object(_) => *value = Value::Null,
            _ => {}
        }
    }
}

/// Whether there is a webhook to ask, and what holds when it does not answer.
fn image_policy(map: &mut Map<String, Value>) {
    if let Some(Value::Object(policy)) = map.get_mut("imagePolicy") {
        policy.retain(|key, _| matches!(key.as_str(), "kubeConfigFile" | "defaultAllow"));
    }
}

/// Names of plug-ins, where their configuration lies, and what of it rules ask about.
fn admission(map: &mut Map<String, Value>) {
    let Some(Value::Array(plugins)) = map.get_mut("plugins") else { return };
    for plugin in plugins.iter_mut().filter_map(Value::as_object_mut) {
        plugin.retain(|key, _| matches!(key.as_str(), "name" | "path" | "configuration"));
        let expected = of_plugin(plugin.get("name").and_then(Value::as_str).unwrap_or_default());
        if let Some(configuration) = plugin.remove("configuration").filter(Value::is_object)
            && let Some(expected) = expected
            && let Ok(kept) = cut(expected, configuration)
        {
            plugin.insert("configuration".to_owned(), kept);
        }
    }
}

/// Which provider encrypts what, in which order, and the names of the keys.
fn encryption(map: &mut Map<String, Value>) {
    let Some(Value::Array(entries)) = map.get_mut("resources") else { return };
    for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
        entry.retain(|key, _| matches!(key.as_str(), "resources" | "providers"));
        let Some(Value::Array(providers)) = entry.get_mut("providers") else { continue };
        for provider in providers.iter_mut().filter_map(Value::as_object_mut) {
            for (name, value) in provider.iter_mut() {
                provider_settings(name, value);
            }
        }
    }
}

fn provider_settings(name: &str, value: &mut Value) {
    const PLUGIN: &[&str] = &["apiVersion", "cachesize", "endpoint", "name", "timeout"];
    let Value::Object(settings) = value else { return };
    if name == "kms" {
        settings.retain(|key, _| PLUGIN.contains(&key.as_str()));
        return;
    }
    settings.retain(|key, _| key == "keys");
    let Some(Value::Array(keys)) = settings.get_mut("keys") else { return };
    for key in keys {
        let name = key.get("name").filter(|name| name.is_string()).cloned();
        *key = serde_json::json!({"name": name, "secret": BLANK});
    }
}

/// Every field of the kubelet's configuration up to Kubernetes 1.37, but for `staticPodURLHeader`, which
/// carries credentials.
const KUBELET_FIELDS: &[&str] = &[
    "address",
    "allowedUnsafeSysctls",
    "authentication",
    "authorization",
    "cgroupDriver",
    "cgroupRoot",
    "cgroupsPerQOS",
    "clusterDNS",
    "clusterDomain",
    "configMapAndSecretChangeDetectionStrategy",
    "containerLogMaxFiles",
    "containerLogMaxSize",
    "containerLogMaxWorkers",
    "containerLogMonitorInterval",
    "containerRuntimeEndpoint",
    "contentType",
    "cpuCFSQuota",
    "cpuCFSQuotaPeriod",
    "cpuManagerPolicy",
    "cpuManagerPolicyOptions",
    "cpuManagerReconcilePeriod",
    "crashLoopBackOff",
    "defaultPodSysctls",
    "enableContentionProfiling",
    "enableControllerAttachDetach",
    "enableDebugFlagsHandler",
    "enableDebuggingHandlers",
    "enableProfilingHandler",
    "enableServer",
    "enableSystemLogHandler",
    "enableSystemLogQuery",
    "enforceNodeAllocatable",
    "eventBurst",
    "eventRecordQPS",
    "evictionHard",
    "evictionMaxPodGracePeriod",
    "evictionMinimumReclaim",
    "evictionPressureTransitionPeriod",
    "evictionSoft",
    "evictionSoftGracePeriod",
    "failCgroupV1",
    "failSwapOn",
    "featureGates",
    "fileCheckFrequency",
    "hairpinMode",
    "healthzBindAddress",
    "healthzPort",
    "httpCheckFrequency",
    "imageGCHighThresholdPercent",
    "imageGCLowThresholdPercent",
    "imageMaximumGCAge",
    "imageMinimumGCAge",
    "imagePullCredentialsVerificationPolicy",
    "imageServiceEndpoint",
    "iptablesDropBit",
    "iptablesMasqueradeBit",
    "kernelMemcgNotification",
    "kubeAPIBurst",
    "kubeAPIQPS",
    "kubeReserved",
    "kubeReservedCgroup",
    "kubeletCgroups",
    "localStorageCapacityIsolation",
    "logging",
    "makeIPTablesUtilChains",
    "maxOpenFiles",
    "maxParallelImagePulls",
    "maxPods",
    "memoryManagerPolicy",
    "memoryReservationPolicy",
    "memorySwap",
    "memoryThrottlingFactor",
    "mergeDefaultEvictionSettings",
    "nodeLeaseDurationSeconds",
    "nodeStatusMaxImages",
    "nodeStatusReportFrequency",
    "nodeStatusUpdateFrequency",
    "oomScoreAdj",
    "podCIDR",
    "podLogsDir",
    "podPidsLimit",
    "podsPerCore",
    "port",
    "preloadedImagesVerificationAllowlist",
    "protectKernelDefaults",
    "providerID",
    "qosReserved",
    "readOnlyPort",
    "registerNode",
    "registerWithTaints",
    "registryBurst",
    "registryPullQPS",
    "reservedMemory",
    "reservedSystemCPUs",
    "resolvConf",
    "rotateCertificates",
    "runOnce",
    "runtimeRequestTimeout",
    "seccompDefault",
    "serializeImagePulls",
    "serverTLSBootstrap",
    "showHiddenMetricsForVersion",
    "shutdownGracePeriod",
    "shutdownGracePeriodByPodPriority",
    "shutdownGracePeriodCriticalPods",
    "singleProcessOOMKill",
    "staticPodPath",
    "staticPodURL",
    "streamingConnectionIdleTimeout",
    "syncFrequency",
    "systemCgroups",
    "systemReserved",
    "systemReservedCgroup",
    "tlsCertFile",
    "tlsCipherSuites",
    "tlsCurvePreferences",
    "tlsMinVersion",
    "tlsPrivateKeyFile",
    "topologyManagerPolicy",
    "topologyManagerPolicyOptions",
    "topologyManagerScope",
    "tracing",
    "userNamespaces",
    "volumePluginDir",
    "volumeStatsAggPeriod",
];
