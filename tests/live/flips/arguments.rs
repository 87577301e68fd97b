//! Flags and the files that they name, on real processes: sections 1.2 to 1.4, 2 and 3.2, and the API server's part of
//! 5.2.1 and 5.5.1.

use super::plain::{Changes, Plain};
use crate::bed::Bed;
use crate::verdicts::{assert_flipped, breaks, flip, mends};

/// Writes a file that a flag names.
fn file(bed: &Bed, name: &str, text: &str) -> String {
    let path = bed.path(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn audit_policy(bed: &Bed, level: &str) -> String {
    let text = format!("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{{level: {level}}}]\n");
    file(bed, &format!("audit-{level}.yaml"), &text)
}

/// The first provider is the one that writes.
fn encryption(bed: &Bed, providers: [&str; 2]) -> String {
    let key = "{secretbox: {keys: [{name: k, secret: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=}]}}";
    let [first, second] =
        providers.map(|provider| if provider == "secretbox" { key } else { "{identity: {}}" });
    let text = format!(
        "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n\
        resources: [{{resources: [secrets], providers: [{first}, {second}]}}]\n"
    );
    file(bed, &format!("encryption-{}.yaml", providers[0]), &text)
}

/// Limits for events, and a judge of images that nobody runs.
fn admission(bed: &Bed, default_allow: bool) -> String {
    let webhook = file(
        bed,
        "webhook.conf",
        "apiVersion: v1\nkind: Config\ncurrent-context: x\nclusters: [{name: x, cluster: {server: 'https://127.0.0.1:9/'}}]\n\
        users: [{name: x, user: {}}]\ncontexts: [{name: x, context: {cluster: x, user: x}}]\n",
    );
    let text = format!(
        "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n\
        - name: EventRateLimit\n  configuration: {{apiVersion: eventratelimit.admission.k8s.io/v1alpha1, \
        kind: Configuration, limits: [{{type: Server, qps: 50, burst: 100}}]}}\n\
        - name: ImagePolicyWebhook\n  configuration: {{imagePolicy: {{kubeConfigFile: '{webhook}', allowTTL: 50, \
        denyTTL: 50, retryBackoff: 500, defaultAllow: {default_allow}}}}}\n"
    );
    file(bed, &format!("admission-{default_allow}.yaml"), &text)
}

/// Much that is wrong by default is mended, and etcd speaks plain HTTP.
pub fn first_batch(bed: &Bed) -> [Changes; 4] {
    let plain_http = "http://127.0.0.1:22379";
    let etcd = Changes::set(&[
        &format!("listen-client-urls={plain_http}"),
        &format!("advertise-client-urls={plain_http}"),
        "auto-tls=true",
        "peer-auto-tls=true",
    ])
    .without(&["cert-file", "key-file", "client-cert-auth", "trusted-ca-file"])
    .without(&["peer-cert-file", "peer-key-file", "peer-client-cert-auth", "peer-trusted-ca-file"]);
    let api_server = Changes::set(&[
        &format!("etcd-servers={plain_http}"),
        "anonymous-auth=false",
        &format!("token-auth-file={}", file(bed, "tokens.csv", "token,jane,1\n")),
        "enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs,EventRateLimit,AlwaysPullImages,ImagePolicyWebhook",
        &format!("admission-control-config-file={}", admission(bed, false)),
        "kubelet-certificate-authority=/etc/kubernetes/pki/ca.crt",
        "profiling=false",
        &format!("audit-policy-file={}", audit_policy(bed, "Metadata")),
        &format!("audit-log-path={}", bed.path("audit.log").display()),
        "audit-log-maxage=30",
        "audit-log-maxbackup=10",
        "audit-log-maxsize=100",
        &format!("encryption-provider-config={}", encryption(bed, ["secretbox", "identity"])),
        "tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "service-account-extend-token-expiration=false",
    ])
    .without(&["etcd-cafile", "etcd-certfile", "etcd-keyfile"]);
    let controller_manager = Changes::set(&[
        "terminated-pod-gc-threshold=0",
        "profiling=F",
        "use-service-account-credentials=false",
        "feature-gates=RotateKubeletServerCertificate=false",
        "bind-address=0.0.0.0",
    ])
    .without(&["service-account-private-key-file", "root-ca-file"]);
    let scheduler = Changes::set(&["profiling=false", "bind-address=0.0.0.0"]);
    [etcd, api_server, controller_manager, scheduler]
}

fn first_batch_flips() -> Vec<String> {
    let tls = ["2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7"];
    let mended = [
        "1.2.1", "1.2.3", "1.2.5", "1.2.9", "1.2.11", "1.2.15", "1.2.16", "1.2.17", "1.2.18", "1.2.19",
        "1.2.27", "1.2.29", "1.2.30", "3.2.1",
    ];
    let mut flips = [
        breaks(Plain::ETCD, &tls),
        mends(Plain::API_SERVER, &mended),
        breaks(Plain::API_SERVER, &["1.2.2", "1.2.23", "1.2.26"]),
        mends(Plain::CONTROLLER_MANAGER, &["1.3.2"]),
        breaks(Plain::CONTROLLER_MANAGER, &["1.3.1", "1.3.3", "1.3.4", "1.3.5", "1.3.6", "1.3.7"]),
        mends(Plain::SCHEDULER, &["1.4.1"]),
        breaks(Plain::SCHEDULER, &["1.4.2"]),
    ]
    .concat();
    // Only now there is something to judge.
    flips.extend(["1.2.28", "3.2.2", "5.5.1"].map(|number| flip(number, Plain::API_SERVER, "-", "passed")));
    flips
}

/// What is good by default is broken; and what other flags and files have to say about a flag.
fn second_batch(bed: &Bed) -> [Changes; 4] {
    // The certificate that API servers show to kubelets is of the cluster's own authority.
    let etcd = Changes::set(&["trusted-ca-file=/etc/kubernetes/pki/ca.crt"]);
    let api_server = Changes::set(&[
        "etcd-certfile=/etc/kubernetes/pki/apiserver-kubelet-client.crt",
        "etcd-keyfile=/etc/kubernetes/pki/apiserver-kubelet-client.key",
        "authorization-mode=AlwaysAllow",
        "enable-admission-plugins=AlwaysAdmit,ImagePolicyWebhook",
        "disable-admission-plugins=ServiceAccount,NamespaceLifecycle,PodSecurity",
        &format!("admission-control-config-file={}", admission(bed, true)),
        &format!("audit-policy-file={}", audit_policy(bed, "Request")),
        &format!("audit-log-path={}", bed.path("audit.log").display()),
        "audit-log-maxage=1",
        "request-timeout=1000s",
        "service-account-lookup=false",
        &format!("encryption-provider-config={}", encryption(bed, ["identity", "secretbox"])),
        "tls-min-version=VersionTLS13",
    ])
    .without(&["kubelet-client-certificate", "kubelet-client-key", "client-ca-file"])
    .without(&["tls-cert-file", "tls-private-key-file"]);
    let controller_manager = Changes::set(&["profiling=true", "secure-port=0"]);
    let configuration = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n\
        enableProfiling: false\nclientConnection: {kubeconfig: /etc/kubernetes/scheduler.conf}\n";
    let configuration = file(bed, "scheduler.yaml", configuration);
    let scheduler = Changes::set(&["profiling=true", &format!("config={configuration}")]);
    [etcd, api_server, controller_manager, scheduler]
}

fn second_batch_flips() -> Vec<String> {
    let broken = [
        "1.2.4", "1.2.6", "1.2.7", "1.2.8", "1.2.10", "1.2.12", "1.2.13", "1.2.14", "1.2.20", "1.2.21",
        "1.2.24", "1.2.25", "5.2.1",
    ];
    // AlwaysAllow switches anonymous requests off. Of the log's limits only the age is written, the others are good.
    let mended = ["1.2.1", "1.2.16", "1.2.18", "1.2.19", "1.2.27", "1.2.29", "3.2.1"];
    let mut flips = [
        breaks(Plain::ETCD, &["2.7"]),
        breaks(Plain::API_SERVER, &broken),
        mends(Plain::API_SERVER, &mended),
        mends(Plain::CONTROLLER_MANAGER, &["1.3.2"]),
        mends(Plain::SCHEDULER, &["1.4.1"]),
    ]
    .concat();
    flips.extend(["1.2.28", "3.2.2", "5.5.1"].map(|number| flip(number, Plain::API_SERVER, "-", "failed")));
    flips
}

#[test]
fn the_flags_of_the_control_plane() {
    let bed = Bed::take();
    let scan = |changes: [Changes; 4]| {
        let mut plain = Plain::start(&bed, changes);
        let verdicts = bed.verdicts(&[], &plain.names());
        plain.assert_alive();
        verdicts
    };
    let stock = || <[Changes; 4]>::default();
    let before = scan(stock());
    for (pod, process) in [
        ("etcd", Plain::ETCD),
        ("kube-apiserver", Plain::API_SERVER),
        ("kube-controller-manager", Plain::CONTROLLER_MANAGER),
        ("kube-scheduler", Plain::SCHEDULER),
    ] {
        assert_eq!(before.of(pod), before.of(process), "the same flags, the same verdicts");
    }

    assert_flipped(&before, &scan(first_batch(&bed)), &first_batch_flips());
    assert_flipped(&before, &scan(second_batch(&bed)), &second_batch_flips());
    assert_flipped(&before, &scan(stock()), &[]);
}
