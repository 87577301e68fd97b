//! The kinds of configuration files, and the fields of each that are kept.
//!
//! Data, and for some kinds a function that removes nested fields. A field that is not listed here is never seen by a
//! rule and never shipped. This is a redaction, so it is code and not a file that users change.

use serde_json::{Map, Value};

use super::cut;
use super::in_known_case;
use crate::redact::BLANK;

/// A kind of configuration file.
#[derive(Debug)]
pub(crate) struct FileKind {
    /// `kind`, and the group of `apiVersion`; none for etcd's file, which has neither.
    pub kinds: &'static [(&'static str, &'static str)],
    /// The top-level fields that are kept.
    pub fields: &'static [&'static str],
    /// Removes nested fields.
    pub shape: fn(&mut Map<String, Value>),
}

/// The kubelet's `--config`, and its drop-ins.
pub(crate) const KUBELET: FileKind = FileKind {
    kinds: &[("KubeletConfiguration", "kubelet.config.k8s.io")],
    fields: KUBELET_FIELDS,
    shape: as_is,
};

/// kube-scheduler's `--config`.
pub(crate) const SCHEDULER: FileKind = FileKind {
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
pub(crate) const PROXY: FileKind = FileKind {
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
pub(crate) const ETCD: FileKind = FileKind {
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
pub(crate) const AUTHENTICATION: FileKind = FileKind {
    kinds: &[("AuthenticationConfiguration", "apiserver.config.k8s.io")],
    fields: &["anonymous", "jwt"],
    shape: as_is,
};

/// kube-apiserver's `--authorization-config`.
pub(crate) const AUTHORIZATION: FileKind = FileKind {
    kinds: &[("AuthorizationConfiguration", "apiserver.config.k8s.io")],
    fields: &["authorizers"],
    shape: as_is,
};

/// kube-apiserver's `--admission-control-config-file`.
pub(crate) const ADMISSION: FileKind = FileKind {
    kinds: &[
        ("AdmissionConfiguration", "apiserver.config.k8s.io"),
        ("AdmissionConfiguration", "apiserver.k8s.io"),
    ],
    fields: &["plugins"],
    shape: admission,
};

/// The configuration of the admission plug-in ImagePolicyWebhook, which has neither kind nor version.
pub(crate) const IMAGE_POLICY: FileKind =
    FileKind { kinds: &[], fields: &["imagePolicy"], shape: image_policy };

/// The kind of an admission plug-in's configuration, for plug-ins that rules ask about.
pub(crate) fn of_plugin(name: &str) -> Option<&'static FileKind> {
    match name {
        "PodSecurity" => Some(&POD_SECURITY),
        "ImagePolicyWebhook" => Some(&IMAGE_POLICY),
        _ => None,
    }
}

/// The configuration of the admission plug-in PodSecurity, inline or in its own file.
pub(crate) const POD_SECURITY: FileKind = FileKind {
    kinds: &[("PodSecurityConfiguration", "pod-security.admission.config.k8s.io")],
    fields: &["defaults", "exemptions"],
    shape: as_is,
};

/// kube-apiserver's `--encryption-provider-config`. The second kind is its first name, which is still accepted.
pub(crate) const ENCRYPTION: FileKind = FileKind {
    kinds: &[("EncryptionConfiguration", "apiserver.config.k8s.io"), ("EncryptionConfig", "")],
    fields: &["resources"],
    shape: encryption,
};

/// kube-apiserver's `--audit-policy-file`.
pub(crate) const AUDIT_POLICY: FileKind = FileKind {
    kinds: &[("Policy", "audit.k8s.io")],
    fields: &["omitManagedFields", "omitStages", "rules"],
    shape: as_is,
};

/// The files that kube-apiserver's flags name and that rules look into: the flag, the key of the file's content in
/// `files`, and the kind of file.
pub(crate) const API_SERVER_FILES: [(&str, &str, &FileKind); 5] = [
    ("authentication-config", "authenticationConfiguration", &AUTHENTICATION),
    ("authorization-config", "authorizationConfiguration", &AUTHORIZATION),
    ("admission-control-config-file", "admissionConfiguration", &ADMISSION),
    ("encryption-provider-config", "encryptionConfiguration", &ENCRYPTION),
    ("audit-policy-file", "auditPolicy", &AUDIT_POLICY),
];

/// The file of OpenShift's kube-apiserver's `--openshift-config`.
pub(crate) const OPENSHIFT_API_SERVER: FileKind = FileKind {
    kinds: &[("KubeAPIServerConfig", "kubecontrolplane.config.openshift.io")],
    fields: &[
        "admission",
        "apiServerArguments",
        "auditConfig",
        "kubeletClientInfo",
        "serviceAccountPublicKeyFiles",
        "servingInfo",
        "storageConfig",
    ],
    shape: as_is,
};

/// The file of OpenShift's kube-controller-manager's `--openshift-config`.
pub(crate) const OPENSHIFT_CONTROLLER_MANAGER: FileKind = FileKind {
    kinds: &[("KubeControllerManagerConfig", "kubecontrolplane.config.openshift.io")],
    fields: &["extendedArguments"],
    shape: as_is,
};

impl FileKind {
    /// Whether a document declares this kind.
    pub(crate) fn admits(&self, map: &Map<String, Value>) -> bool {
        let text = |key| map.get(key).and_then(Value::as_str).unwrap_or_default();
        // The group of `v1` is empty.
        let group = text("apiVersion").rsplit_once('/').map_or("", |(group, _)| group);
        let version = !text("apiVersion").is_empty();
        self.kinds.is_empty() || (version && self.kinds.contains(&(text("kind"), group)))
    }
}

fn as_is(_: &mut Map<String, Value>) {}

/// Keeps only the sections known to hold paths and switches, one level deep.
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
                *section = in_known_case(std::mem::take(section), TRANSPORT);
                section.retain(|key, value| TRANSPORT.contains(&key.as_str()) && !value.is_object());
            }
            Value::Object(_) => *value = Value::Null,
            _ => {}
        }
    }
}

/// Keeps the webhook's kubeconfig path and the default if it does not answer.
fn image_policy(map: &mut Map<String, Value>) {
    if let Some(Value::Object(policy)) = map.get_mut("imagePolicy") {
        policy.retain(|key, _| matches!(key.as_str(), "kubeConfigFile" | "defaultAllow"));
    }
}

/// Keeps names of plug-ins, paths of their configuration, and the configuration of those that rules ask about.
fn admission(map: &mut Map<String, Value>) {
    let Some(Value::Array(plugins)) = map.get_mut("plugins") else { return };
    for plugin in plugins.iter_mut().filter_map(Value::as_object_mut) {
        plugin.retain(|key, _| matches!(key.as_str(), "name" | "path" | "configuration"));
        let expected = of_plugin(plugin.get("name").and_then(Value::as_str).unwrap_or_default());
        if let Some(configuration) = plugin.remove("configuration").filter(|it| !it.is_null()) {
            let kept = expected.and_then(|expected| cut(expected, configuration).ok());
            plugin.insert("configuration".to_owned(), kept.unwrap_or_else(|| BLANK.into()));
        }
    }
}

/// Keeps which provider encrypts which resources, in order, and the names of keys.
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

/// Every field of the kubelet's configuration up to Kubernetes 1.37, except `staticPodURLHeader`, which holds
/// credentials.
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
