//! A cluster of two plain processes, etcd and an API server, beside the bed's own: objects, and nobody who runs them.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::bed::{Bed, env};

/// A running one; ends when it is dropped. The bed's certificates are good for it too.
pub struct Plane {
    pub port: u16,
    /// The API server first: etcd is what it needs.
    processes: Vec<Child>,
}

impl Plane {
    /// Starts one and waits until it can be used.
    pub fn start(bed: &Bed, name: &str) -> Self {
        let [etcd, peer, port] = free_ports();
        let etcd = format!("http://127.0.0.1:{etcd}");
        let peer = format!("http://127.0.0.1:{peer}");
        let pki = "/etc/kubernetes/pki";
        let store = [
            format!("--data-dir={}", bed.path(&format!("{name}-etcd")).display()),
            format!("--listen-client-urls={etcd}"),
            format!("--advertise-client-urls={etcd}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=default={peer}"),
            "--unsafe-no-fsync".to_owned(),
        ];
        let server = [
            format!("--etcd-servers={etcd}"),
            format!("--secure-port={port}"),
            format!("--advertise-address={}", env("TESTBED_NODE_IP")),
            format!("--client-ca-file={pki}/ca.crt"),
            format!("--tls-cert-file={pki}/apiserver.crt"),
            format!("--tls-private-key-file={pki}/apiserver.key"),
            format!("--service-account-issuer=https://{name}.example"),
            format!("--service-account-key-file={pki}/sa.pub"),
            format!("--service-account-signing-key-file={pki}/sa.key"),
            "--authorization-mode=RBAC".to_owned(),
            "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
        ];
        let mut plane = Self { port, processes: Vec::new() };
        for (program, arguments) in [("etcd", &store[..]), ("kube-apiserver", &server[..])] {
            plane.processes.insert(0, spawn(bed, &format!("{name}-{program}"), program, arguments));
        }
        let server = format!("--server={}", plane.url());
        bed.until(&format!("the API server of {name}"), || {
            for process in &mut plane.processes {
                assert!(process.try_wait().unwrap().is_none(), "a part of {name} ended at once");
            }
            // Made by the API server itself, soon after it answers.
            bed.kubectl_output(&[&server, "get", "namespace", "kube-system"]).status.success().then_some(())
        });
        plane
    }

    pub fn url(&self) -> String {
        format!("https://{}:{}", env("TESTBED_NODE_IP"), self.port)
    }

    /// Ends the API server, and with it whatever it has to say.
    pub fn stop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        self.stop();
    }
}

pub fn spawn(bed: &Bed, log: &str, program: &str, arguments: &[String]) -> Child {
    let log = File::create(bed.path(&format!("{log}.log"))).unwrap();
    Command::new(Path::new(&env("TESTBED_BIN")).join(program))
        .args(arguments)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// Ports that nobody listens on: others may use the bed at the same time.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind(("0.0.0.0", 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
