//! Certificates of the cluster's own authority, made with openssl.

use std::process::Command;

use crate::bed::{Bed, env};
use crate::kept::Kept;

/// A serving certificate for the kubelet, and its key. Both are removed when dropped.
pub struct Pair {
    pub certificate: String,
    pub key: String,
    _files: [Kept; 2],
}

fn openssl(args: &[&str]) -> String {
    let output = Command::new("openssl").args(args).output().unwrap();
    assert!(output.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Beside the kubelet's own pair, which is signed by itself.
pub fn serving_pair(bed: &Bed) -> Pair {
    let certificate = "/var/lib/kubelet/pki/test.crt".to_owned();
    let key = "/var/lib/kubelet/pki/test.key".to_owned();
    let files = [Kept::new(&certificate), Kept::new(&key)];
    let names = bed.path("names");
    std::fs::write(&names, format!("subjectAltName=IP:{}\n", env("TESTBED_NODE_IP"))).unwrap();
    let request = bed.path("kubelet.csr");
    std::fs::write(&request, signing_request("/O=system:nodes/CN=system:node:cp-1", &key)).unwrap();
    openssl(&[
        "x509",
        "-req",
        "-days",
        "1",
        "-in",
        request.to_str().unwrap(),
        "-out",
        &certificate,
        "-CA",
        "/etc/kubernetes/pki/ca.crt",
        "-CAkey",
        "/etc/kubernetes/pki/ca.key",
        "-set_serial",
        "4711",
        "-extfile",
        names.to_str().unwrap(),
    ]);
    Pair { certificate, key, _files: files }
}

/// A signing request in PEM. Its key goes to `key`.
pub fn signing_request(subject: &str, key: &str) -> String {
    let curve = "ec_paramgen_curve:prime256v1";
    openssl(&["req", "-new", "-newkey", "ec", "-pkeyopt", curve, "-nodes", "-keyout", key, "-subj", subject])
}
