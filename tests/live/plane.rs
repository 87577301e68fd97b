//! API servers of a test's own, on an etcd of its own: objects, and nobody who runs them.

pub mod api;

use serde_json::{Value, json};
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::bed::{Bed, env};
use api::Api;

/// Who may do all; who may read all, as posturebeat does; who may do what a test lets him.
pub const ADMIN: &str = "admin";
pub const READER: &str = "reader";
pub const SLOW: &str = "slow";

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// No test needs more.
const SERVERS: usize = 2;

/// The processes end when it is dropped. The bed's certificates are good for it too.
pub struct Plane<'b> {
    bed: &'b Bed,
    name: String,
    etcd: Child,
    etcd_url: String,
    /// Port and process of each API server.
    servers: Vec<(u16, Option<Child>)>,
    /// The controller manager, where objects are to become other objects.
    controllers: Option<Child>,
    /// Whether pods get the account and the token that a cluster gives them.
    accounts: bool,
}

/// Those that make pods, and the accounts that pods need.
const CONTROLLERS: [&str; 8] = [
    "cronjob-controller",
    "daemonset-controller",
    "deployment-controller",
    "job-controller",
    "replicaset-controller",
    "replicationcontroller-controller",
    "serviceaccount-controller",
    "statefulset-controller",
];

impl<'b> Plane<'b> {
    /// Starts so many API servers, and waits until they can be used.
    pub fn start(bed: &'b Bed, name: &str, count: usize) -> Self {
        Self::launch(bed, name, count, false)
    }

    /// Starts one, with the controllers that make pods of workloads.
    pub fn with_controllers(bed: &'b Bed, name: &str) -> Self {
        let mut plane = Self::launch(bed, name, 1, true);
        let kubeconfig = plane.kubeconfig(ADMIN, &plane.address(0));
        let arguments = [
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--controllers={}", CONTROLLERS.join(",")),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
            "--kube-api-qps=200".to_owned(),
            "--kube-api-burst=400".to_owned(),
        ];
        let log = format!("{name}-controllers");
        plane.controllers = Some(spawn(bed, &log, "kube-controller-manager", &arguments));
        plane
    }

    fn launch(bed: &'b Bed, name: &str, count: usize, accounts: bool) -> Self {
        let tokens = format!(
            "{ADMIN},{ADMIN},{ADMIN},system:masters\n{READER},{READER},{READER}\n{SLOW},{SLOW},{SLOW}\n"
        );
        std::fs::write(bed.path("tokens.csv"), tokens).unwrap();
        let [own, peer, ports @ ..] = free_ports::<{ 2 + SERVERS }>();
        let [own, peer] = [own, peer].map(|port| format!("http://127.0.0.1:{port}"));
        let arguments = [
            format!("--data-dir={}", bed.path(&format!("{name}-etcd")).display()),
            format!("--listen-client-urls={own}"),
            format!("--advertise-client-urls={own}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=default={peer}"),
            "--unsafe-no-fsync".to_owned(),
        ];
        let etcd = spawn(bed, &format!("{name}-etcd"), "etcd", &arguments);
        let mut plane = Self {
            bed,
            name: name.to_owned(),
            etcd,
            etcd_url: own,
            servers: Vec::new(),
            controllers: None,
            accounts,
        };
        for (server, port) in ports.into_iter().take(count).enumerate() {
            plane.servers.push((port, None));
            plane.begin(server);
        }
        (0..count).for_each(|server| plane.until_ready(server));
        plane.let_read();
        plane
    }

    fn let_read(&self) {
        let (api, version) = (self.api(), "rbac.authorization.k8s.io/v1");
        let all = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]);
        let role =
            json!({"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": READER}, "rules": all});
        api.create(&format!("{RBAC}/clusterroles"), &role);
        let group = "rbac.authorization.k8s.io";
        let binding = json!({"apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": READER},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": READER},
            "subjects": [{"apiGroup": group, "kind": "User", "name": READER}]});
        api.create(&format!("{RBAC}/clusterrolebindings"), &binding);
    }

    /// Ends an API server.
    pub fn stop(&mut self, server: usize) {
        if let Some(mut process) = self.servers[server].1.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Starts it again, where it was.
    pub fn start_again(&mut self, server: usize) {
        self.begin(server);
        self.until_ready(server);
    }

    /// Forgets all versions but the present one.
    pub fn forget(&self) {
        let answer = self.etcd("range", &json!({"key": "AA=="}));
        let revision = &answer["header"]["revision"];
        assert!(revision.is_string(), "{answer}");
        let answer = self.etcd("compaction", &json!({"revision": revision, "physical": true}));
        assert!(answer["header"].is_object(), "{answer}");
    }

    /// Host and port of an API server.
    pub fn address(&self, server: usize) -> String {
        format!("{}:{}", env("TESTBED_NODE_IP"), self.servers[server].0)
    }

    pub fn url(&self, server: usize) -> String {
        format!("https://{}", self.address(server))
    }

    /// For a user at an address, such as a gate's.
    pub fn kubeconfig(&self, user: &str, address: &str) -> PathBuf {
        let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{"name": "x", "cluster": {"server": format!("https://{address}"),
                "tls-server-name": "kubernetes", "certificate-authority": "/etc/kubernetes/pki/ca.crt"}}],
            "users": [{"name": "x", "user": {"token": user}}],
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}]});
        let path = self.bed.path(&format!("{user}-{address}.conf"));
        std::fs::write(&path, config.to_string()).unwrap();
        path
    }

    /// The last API server, for who may do all.
    pub fn api(&self) -> Api {
        self.api_of(ADMIN, self.servers.len() - 1)
    }

    pub fn api_of(&self, user: &str, server: usize) -> Api {
        Api::new(&self.kubeconfig(user, &self.address(server)))
    }

    fn begin(&mut self, server: usize) {
        let (port, pki) = (self.servers[server].0, "/etc/kubernetes/pki");
        let mut arguments = vec![
            format!("--etcd-servers={}", self.etcd_url),
            format!("--secure-port={port}"),
            format!("--bind-address={}", env("TESTBED_NODE_IP")),
            format!("--advertise-address={}", env("TESTBED_NODE_IP")),
            format!("--client-ca-file={pki}/ca.crt"),
            format!("--token-auth-file={}", self.bed.path("tokens.csv").display()),
            format!("--tls-cert-file={pki}/apiserver.crt"),
            format!("--tls-private-key-file={pki}/apiserver.key"),
            format!("--service-account-issuer=https://{}.posturebeat.test", self.name),
            format!("--service-account-key-file={pki}/sa.pub"),
            format!("--service-account-signing-key-file={pki}/sa.key"),
            "--authorization-mode=RBAC".to_owned(),
            "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
            "--allow-privileged=true".to_owned(),
        ];
        if !self.accounts {
            // Nobody makes accounts, and pods need none.
            arguments.push("--disable-admission-plugins=ServiceAccount".to_owned());
        }
        let log = format!("{}-server-{server}", self.name);
        self.servers[server].1 = Some(spawn(self.bed, &log, "kube-apiserver", &arguments));
    }

    fn until_ready(&mut self, server: usize) {
        let api = self.api_of(ADMIN, server);
        self.bed.until("the API server", || {
            let process = self.servers[server].1.as_mut().unwrap();
            assert!(process.try_wait().unwrap().is_none(), "an API server of {} ended", self.name);
            // Made by the API server itself, soon after it answers.
            let made = || api.text("/api/v1/namespaces/kube-system");
            api.text("/readyz").and_then(|_| made()).map(|_| ())
        });
    }

    /// A call of etcd, as JSON.
    fn etcd(&self, call: &str, body: &Value) -> Value {
        let url = format!("{}/v3/kv/{call}", self.etcd_url);
        let arguments = ["--silent", "--max-time", "10", "--data", &body.to_string(), &url];
        let output = Command::new("curl").args(arguments).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Plane<'_> {
    fn drop(&mut self) {
        if let Some(mut process) = self.controllers.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        (0..self.servers.len()).for_each(|server| self.stop(server));
        let _ = self.etcd.kill();
        let _ = self.etcd.wait();
    }
}

fn spawn(bed: &Bed, log: &str, program: &str, arguments: &[String]) -> Child {
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
