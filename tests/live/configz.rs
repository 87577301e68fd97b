//! The kubelet asked itself: what it says counts, and nobody but the kubelet is told our token.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Output, Stdio};
use std::sync::Arc;

use crate::bed::{Bed, env};
use crate::certificates::serving_pair;
use crate::kept::{Kept, Kubelet};
use crate::verdicts::{Verdicts, assert_flipped, breaks};

const CONFIG: &str = "/var/lib/kubelet/config.yaml";
const FALLS_BACK: &str = "cannot get /configz; judging the kubelet by its flags and files";

fn url() -> String {
    format!("posturebeat.collect.kubelet_url=https://{}:10250", env("TESTBED_NODE_IP"))
}

/// The place that a verdict on the kubelet rests on.
fn place(verdicts: &Verdicts, number: &str) -> String {
    let evidence = &verdicts.get(number, "kubelet").unwrap().evidence;
    evidence.as_object().unwrap().keys().next().unwrap().clone()
}

/// An account of the namespace demo that may `get` these resources and nothing else.
fn account(name: &str, resources: Value) -> Value {
    let api = "rbac.authorization.k8s.io";
    let version = format!("{api}/v1");
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"name": name}, "items": [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "demo"}},
        {"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": name},
            "rules": [{"apiGroups": [""], "resources": resources, "verbs": ["get"]}]},
        {"apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "demo"}]},
    ]})
}

#[test]
fn a_kubelet_with_a_certificate_of_its_own_making_is_not_asked() {
    let bed = Bed::take();
    let before = bed.verdicts(&[], &[]);
    let (asked, log) = bed.verdicts_and_log(&["-E", &url()], &[]);
    assert!(log.contains(FALLS_BACK) && log.contains("certificate") && log.contains(":10250"), "{log}");
    assert_flipped(&before, &asked, &[]);
    assert!(place(&asked, "4.2.1").starts_with("$.config."));
}

#[test]
fn what_the_kubelet_says_counts() {
    let bed = Bed::take();
    let pair = serving_pair(&bed);
    let config = Kept::new(CONFIG);
    let files = format!("tlsCertFile: {}\ntlsPrivateKeyFile: {}\n", pair.certificate, pair.key);
    let good = format!("{}{files}", config.text());
    let kubelet = Kubelet::with(&bed, vec![(config, good.clone())]);

    let (asked, log) = bed.verdicts_and_log(&["-E", &url()], &[]);
    assert!(!log.contains(FALLS_BACK), "{log}");
    let by_files = bed.verdicts(&[], &[]);
    assert_flipped(&by_files, &asked, &[]);

    // What the file says from now on, the kubelet has not read.
    let changed_file = good.replacen("enabled: false", "enabled: true", 1);
    kubelet.files[0].write(&changed_file);
    let asked = bed.verdicts(&["-E", &url()], &[]);
    let changed = bed.verdicts(&[], &[]);
    assert_flipped(&by_files, &asked, &[]);
    assert_eq!(place(&asked, "4.2.1"), "$.configz.authentication.anonymous.enabled");
    assert_flipped(&by_files, &changed, &breaks("kubelet", &["4.2.1"]));
    assert_eq!(place(&changed, "4.2.1"), "$.config.authentication.anonymous.enabled");

    // One narrow right is enough, and without it we say so.
    for (name, resources, may) in
        [("asks", json!(["nodes/configz"]), true), ("may-not", json!(["nodes"]), false)]
    {
        let _account = bed.apply(&account(name, resources));
        let (kubeconfig, token) = bed.kubeconfig("demo", name);
        let resource = if may { "--subresource=configz" } else { "--subresource=" };
        let who = format!("--as=system:serviceaccount:demo:{name}");
        // The kubelet remembers a refusal for half a minute.
        bed.until("the right to reach the authorizer", || {
            let output = bed.kubectl_output(&["auth", "can-i", "get", "nodes", resource, &who]);
            output.status.success().then_some(())
        });
        let kubeconfig = format!("posturebeat.kube_config={}", kubeconfig.display());
        let (narrow, log) = bed.verdicts_and_log(&["-E", &kubeconfig, "-E", &url()], &[]);
        let fell_back = log.lines().find(|line| line.contains(FALLS_BACK));
        assert_eq!(fell_back.is_some_and(|line| line.contains("denied")), !may, "{log}");
        assert_eq!(fell_back.is_some(), !may, "{log}");
        assert_eq!(place(&narrow, "4.2.1").starts_with("$.configz."), may);
        assert!(!log.contains(&token));
        // Where the file cannot be read, nothing else tells.
        kubelet.files[0].remove();
        let (narrow, _) = bed.verdicts_and_log(&["-E", &kubeconfig, "-E", &url()], &[]);
        let outcome = narrow.get("4.2.1", "kubelet").map(|verdict| verdict.outcome.clone());
        assert_eq!(outcome.as_deref(), Some(if may { "passed" } else { "error" }));
        kubelet.files[0].write(&changed_file);
    }
}

/// What comes in at a TLS server with this certificate while a scan asks it for the kubelet's configuration.
fn overheard(bed: &Bed, certificate: &str, key: &str) -> (String, Output) {
    let certificates = CertificateDer::pem_file_iter(certificate).unwrap().collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let config =
        rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key).unwrap();
    let listener = TcpListener::bind((env("TESTBED_NODE_IP"), 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("posturebeat.collect.kubelet_url=https://{}", listener.local_addr().unwrap());
    let (kubeconfig, _) = bed.kubeconfig("demo", "asks");
    let kubeconfig = format!("posturebeat.kube_config={}", kubeconfig.display());
    let scan = bed
        .posturebeat(&["scan", "--format", "ndjson", "-E", &kubeconfig, "-E", &url])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut client, _) = bed.until("the scan to ask", || listener.accept().ok());
    client.set_nonblocking(false).unwrap();
    let mut connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
    let mut stream = rustls::Stream::new(&mut connection, &mut client);
    let mut heard = Vec::new();
    let mut buffer = [0; 1024];
    while !heard.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(length) => heard.extend(&buffer[..length]),
        }
    }
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
    drop(listener);
    let output = scan.wait_with_output().unwrap();
    (String::from_utf8_lossy(&heard).into_owned(), output)
}

#[test]
fn a_thief_in_the_kubelet_s_place_gets_no_token() {
    let bed = Bed::take();
    let pair = serving_pair(&bed);
    let _account = bed.apply(&account("asks", json!(["nodes/configz"])));
    let (heard, output) =
        overheard(&bed, "/var/lib/kubelet/pki/kubelet.crt", "/var/lib/kubelet/pki/kubelet.key");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(heard.is_empty(), "{} bytes went to a server whose certificate did not verify", heard.len());
    assert!(log.contains(FALLS_BACK) && log.contains("certificate"), "{log}");
    // With a certificate of the cluster's authority it would have come this way.
    let (heard, output) = overheard(&bed, &pair.certificate, &pair.key);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(
        heard.starts_with("GET /configz") && heard.to_lowercase().contains("\r\nauthorization: bearer ey"),
        "{heard}"
    );
    assert!(log.contains(FALLS_BACK) && log.contains("kubeletconfig"), "{log}");
}
