//! Section 4.2 by the kubelet's own files, with one restart there and one back.

use crate::bed::Bed;
use crate::certificates::{Pair, serving_pair};
use crate::kept::{Kept, Kubelet};
use crate::verdicts::{assert_flipped, breaks, mends};

/// All that a file can turn. What is left is the host name, without which this node would be another one.
fn turned(config: &str, pair: &Pair) -> String {
    let changes = [
        ("anonymous:\n    enabled: false", "anonymous:\n    enabled: true"),
        ("clientCAFile: /etc/kubernetes/pki/ca.crt", "clientCAFile: ''"),
        ("mode: Webhook", "mode: AlwaysAllow"),
        ("rotateCertificates: true", "rotateCertificates: false"),
    ];
    let changed = changes.iter().fold(config.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{text}");
        text.replacen(from, to, 1)
    });
    let Pair { certificate, key, .. } = pair;
    format!(
        "{changed}\
        readOnlyPort: 10255\n\
        makeIPTablesUtilChains: false\n\
        eventRecordQPS: 0\n\
        tlsCertFile: {certificate}\n\
        tlsPrivateKeyFile: {key}\n\
        featureGates: {{RotateKubeletServerCertificate: false}}\n\
        tlsCipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n\
        podPidsLimit: 4096\n\
        seccompDefault: true\n"
    )
}

#[test]
fn the_settings_of_the_kubelet() {
    let bed = Bed::take();
    // By default no rate is too low.
    let scan = || bed.verdicts(&["-E", "posturebeat.rules.params.kubelet-event-rate.min=100"], &[]);
    let before = scan();
    let pair = serving_pair(&bed);
    let config = Kept::new("/var/lib/kubelet/config.yaml");
    let changed = turned(&config.text(), &pair);
    // In its file a zero means the default; as a flag it means no end.
    let flags = Kept::new("/var/lib/kubelet/kubeadm-flags.env");
    let with_flag = flags.text().replacen("ARGS=\"", "ARGS=\"--streaming-connection-idle-timeout=0 ", 1);
    let kubelet = Kubelet::with(&bed, vec![(config, changed), (flags, with_flag)]);
    let turned = scan();
    drop(kubelet);
    let after = scan();

    let broken = ["4.2.1", "4.2.2", "4.2.3", "4.2.4", "4.2.5", "4.2.6", "4.2.10", "4.2.11"];
    let mended = ["4.2.8", "4.2.9", "4.2.12", "4.2.13", "4.2.14"];
    assert_flipped(&before, &turned, &[breaks("kubelet", &broken), mends("kubelet", &mended)].concat());
    assert_flipped(&before, &after, &[]);
}
