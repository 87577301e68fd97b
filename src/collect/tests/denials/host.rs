//! A control-plane node in which every rule about files and processes has something to judge.

use serde_json::{Value, json};

use crate::collect::node::tests::{HOST_MOUNTS, POD_MOUNTS, Planted, STATIC_POD, Tree};

/// What differs from node to node.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shape {
    /// etcd trusts the authority of the API server's clients.
    pub shared_authority: bool,
    /// etcd has a configuration file.
    pub etcd_file: bool,
    /// etcd has its settings from variables.
    pub etcd_variables: bool,
    /// An old version, whose defaults are other ones.
    pub old: bool,
    /// Careless settings, and modes open to others.
    pub open: bool,
    /// Manifests lie where the kubelet's configuration says, under names that tell nothing.
    pub elsewhere: bool,
    /// The kubelet's configuration has drop-ins.
    pub drop_ins: bool,
    /// Control groups do not name pods.
    pub no_groups: bool,
}

/// How many bits there are.
pub(super) const BITS: u16 = 8;

/// The processes.
pub(super) const PIDS: [u32; 6] = [100, 101, 200, 201, 202, 203];

/// Where the files of etcd's authority lie, and where the link to them is.
pub(super) const LINKED: (&str, &str) = ("/data/etcd-pki", "/etc/kubernetes/pki/etcd");

/// What every static pod sees of the host: name, where it lies, and where it is seen.
const VOLUMES: [(&str, &str, &str); 3] = [
    ("kubernetes", "/etc/kubernetes", "/etc/kubernetes"),
    ("own", "/srv/own", "/own"),
    ("data", "/data", "/data"),
];

impl Shape {
    /// One bit each.
    pub(super) fn of(bits: u16) -> Self {
        let bit = |position: u16| bits >> position & 1 == 1;
        Self {
            shared_authority: bit(0),
            etcd_file: bit(1),
            etcd_variables: bit(2),
            old: bit(3),
            open: bit(4),
            elsewhere: bit(5),
            drop_ins: bit(6),
            no_groups: bit(7),
        }
    }

    /// Where static pods are declared.
    pub(super) fn manifests(self) -> &'static str {
        if self.elsewhere { "/srv/manifests" } else { "/etc/kubernetes/manifests" }
    }
}

/// Plants it.
pub(super) fn plant(shape: Shape) -> Tree {
    let tree = Tree::new();
    let host = Host { tree: &tree, shape };
    host.key_material();
    host.kubelet();
    host.proxy();
    host.api_server();
    host.controller_manager();
    host.scheduler();
    host.etcd();
    host.other_files();
    tree
}

struct Host<'a> {
    tree: &'a Tree,
    shape: Shape,
}

const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";

/// Any bytes will do: certificates are compared, not read.
fn certificate(body: &str) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

fn document(kind: &str, group: &str, rest: Value) -> String {
    let mut document = json!({"kind": kind, "apiVersion": group});
    document.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    document.to_string()
}

impl Host<'_> {
    /// A file that is to be closed to others.
    fn file(&self, path: &str, text: &str) {
        self.tree.file(path, text);
        self.tree.mode(path, if self.shape.open { 0o644 } else { 0o600 });
    }

    fn key_material(&self) {
        for (name, text) in [
            ("ca.crt", certificate("YQ==")),
            ("ca.key", KEY.to_owned()),
            ("apiserver.crt", certificate("Yg==")),
            ("both.pem", format!("{}{KEY}", certificate("Yw=="))),
            ("sa.pub", "-----BEGIN PUBLIC KEY-----\nAAAA\n".to_owned()),
        ] {
            self.file(&format!("/etc/kubernetes/pki/{name}"), &text);
        }
        self.file(&format!("{}/ca.crt", LINKED.0), &certificate("ZA=="));
        self.file(&format!("{}/server.key", LINKED.0), KEY);
        self.tree.link(LINKED.1, LINKED.0);
        self.file("/opt/ca.crt", &certificate("YQ=="));
        self.tree.mode("/opt/ca.crt", if self.shape.open { 0o666 } else { 0o644 });
    }

    fn kubelet(&self) {
        let open = self.shape.open;
        let mut config = json!({"authentication": {"x509": {"clientCAFile": "/opt/ca.crt"}, "anonymous": {"enabled": open}},
            "readOnlyPort": i32::from(open), "rotateCertificates": !open, "serverTLSBootstrap": !open, "seccompDefault": !open});
        if self.shape.elsewhere {
            config["staticPodPath"] = self.shape.manifests().into();
        }
        let of_kubelet = |rest| document("KubeletConfiguration", "kubelet.config.k8s.io/v1beta1", rest);
        self.file("/var/lib/kubelet/config.yaml", &of_kubelet(config));
        let mut command =
            "/usr/bin/kubelet --config=/var/lib/kubelet/config.yaml --kubeconfig=/opt/kubelet.conf"
                .to_owned();
        if self.shape.drop_ins {
            command.push_str(" --config-dir=/etc/kubelet.d");
            self.file("/etc/kubelet.d/10-port.conf", &of_kubelet(json!({"readOnlyPort": i32::from(!open)})));
            self.file("/etc/kubelet.d/20-sub/10.conf", &of_kubelet(json!({"podPidsLimit": 1000})));
        }
        self.file("/opt/kubelet.conf", "");
        self.tree.process(&Planted { pid: 100, command: &command, ..Planted::default() });
    }

    fn proxy(&self) {
        let address = if self.shape.open { "0.0.0.0:10249" } else { "127.0.0.1:10249" };
        let config =
            json!({"metricsBindAddress": address, "clientConnection": {"kubeconfig": "/opt/proxy.conf"}});
        let config = document("KubeProxyConfiguration", "kubeproxy.config.k8s.io/v1alpha1", config);
        self.file("/var/lib/kube-proxy/config.conf", &config);
        self.file("/opt/proxy.conf", "");
        let command = "kube-proxy --config=/var/lib/kube-proxy/config.conf";
        self.tree.process(&Planted { pid: 101, command, ..Planted::default() });
    }

    /// A static pod, with the same directories of the host as every other.
    fn pod(&self, pid: u32, name: &str, flags: &[&str], variables: &[(&str, &str)]) {
        let command = [&[name], flags].concat();
        let env: Vec<Value> =
            variables.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let version = if self.shape.old { "v1.22.1" } else { "v1.37.2" };
        let mounts = VOLUMES.map(|(name, _, inside)| json!({"name": name, "mountPath": inside}));
        let container = json!({"image": format!("registry/{name}:{version}"), "command": command, "env": env,
            "volumeMounts": mounts});
        let volumes = VOLUMES.map(|(name, outside, _)| json!({"name": name, "hostPath": {"path": outside}}));
        let pod = document("Pod", "v1", json!({"spec": {"containers": [container], "volumes": volumes}}));
        let file = if self.shape.elsewhere { format!("pod-{pid}") } else { name.to_owned() };
        self.file(&format!("{}/{file}.yaml", self.shape.manifests()), &pod);
        let bound =
            |(_, outside, inside)| format!("305 304 254:0 {outside} {inside} rw - ext4 /dev/vda rw\n");
        self.tree.process(&Planted {
            pid,
            command: &command.join(" "),
            namespace: Some("mnt:[2]"),
            mounts: &format!("{POD_MOUNTS}{}", VOLUMES.map(bound).concat()),
            cgroup: if self.shape.no_groups { "0::/\n" } else { STATIC_POD },
            ..Planted::default()
        });
        let environ: Vec<String> =
            variables.iter().map(|(name, value)| format!("{name}={value}\0")).collect();
        self.tree.file(&format!("/proc/{pid}/environ"), &environ.concat());
    }

    fn api_server(&self) {
        let group = "apiserver.config.k8s.io/v1";
        let level = if self.shape.open { "None" } else { "Metadata" };
        let provider =
            if self.shape.open { json!({"identity": {}}) } else { json!({"secretbox": {"keys": []}}) };
        for (name, text) in [
            ("audit.yaml", document("Policy", "audit.k8s.io/v1", json!({"rules": [{"level": level}]}))),
            (
                "encryption.yaml",
                document(
                    "EncryptionConfiguration",
                    group,
                    json!({"resources": [{"resources": ["secrets"], "providers": [provider]}]}),
                ),
            ),
            (
                "admission.yaml",
                document(
                    "AdmissionConfiguration",
                    group,
                    json!({"plugins": [{"name": "ImagePolicyWebhook", "path": "images.yaml"}]}),
                ),
            ),
            (
                "images.yaml",
                json!({"imagePolicy": {"kubeConfigFile": "/x", "defaultAllow": self.shape.open}}).to_string(),
            ),
            (
                "authentication.yaml",
                document(
                    "AuthenticationConfiguration",
                    group,
                    json!({"anonymous": {"enabled": self.shape.open}}),
                ),
            ),
            (
                "authorization.yaml",
                document(
                    "AuthorizationConfiguration",
                    group,
                    json!({"authorizers": [{"type": "Node"},
                    {"type": if self.shape.open { "Webhook" } else { "RBAC" }}]}),
                ),
            ),
        ] {
            self.file(&format!("/srv/own/{name}"), &text);
        }
        let mut flags = vec![
            "--client-ca-file=/etc/kubernetes/pki/ca.crt",
            "--tls-cert-file=/etc/kubernetes/pki/apiserver.crt",
            "--audit-policy-file=/own/audit.yaml",
            "--audit-log-path=/var/log/audit.log",
            "--encryption-provider-config=/own/encryption.yaml",
            "--admission-control-config-file=/own/admission.yaml",
            "--authentication-config=/own/authentication.yaml",
            "--authorization-config=/own/authorization.yaml",
            "--enable-admission-plugins=NodeRestriction,ImagePolicyWebhook",
            "--etcd-cafile=/etc/kubernetes/pki/etcd/ca.crt",
            "--tls-private-key-file=/own/serving.pem",
        ];
        self.file("/srv/own/serving.pem", KEY);
        if !self.shape.open {
            flags.extend([
                "--profiling=false",
                "--request-timeout=2m",
                "--service-account-key-file=/etc/kubernetes/pki/sa.pub",
            ]);
        }
        self.pod(200, "kube-apiserver", &flags, &[]);
    }

    fn controller_manager(&self) {
        let mut flags = vec!["--kubeconfig=/etc/kubernetes/controller-manager.conf"];
        if !self.shape.open {
            flags.extend([
                "--profiling=false",
                "--bind-address=127.0.0.1",
                "--root-ca-file=/etc/kubernetes/pki/ca.crt",
            ]);
        }
        self.pod(201, "kube-controller-manager", &flags, &[]);
        self.file("/etc/kubernetes/controller-manager.conf", "");
    }

    fn scheduler(&self) {
        let config = json!({"enableProfiling": self.shape.open, "clientConnection": {"kubeconfig": "/own/scheduler.conf"}});
        let config = document("KubeSchedulerConfiguration", "kubescheduler.config.k8s.io/v1", config);
        self.file("/srv/own/scheduler.yaml", &config);
        self.file("/srv/own/scheduler.conf", "");
        self.pod(202, "kube-scheduler", &["--config=/own/scheduler.yaml"], &[]);
    }

    fn etcd(&self) {
        let authority =
            if self.shape.shared_authority { "/etc/kubernetes/pki/ca.crt" } else { "/data/etcd-pki/ca.crt" };
        let (certificate, key) = ("/data/etcd-pki/ca.crt", "/data/etcd-pki/server.key");
        let secure = !self.shape.open;
        let url = if secure { "https://127.0.0.1:2379" } else { "http://0.0.0.0:2379" };
        self.tree.directory("/data/etcd");
        self.tree.mode("/data/etcd", if secure { 0o700 } else { 0o755 });
        let config = json!({"data-dir": "/data/etcd", "listen-client-urls": url,
            "client-transport-security": {"cert-file": certificate, "key-file": key, "trusted-ca-file": authority, "client-cert-auth": secure}});
        let flags = [
            "--data-dir=/data/etcd".to_owned(),
            format!("--listen-client-urls={url}"),
            format!("--cert-file={certificate}"),
            format!("--trusted-ca-file={authority}"),
            format!("--client-cert-auth={secure}"),
            format!("--peer-auto-tls={}", !secure),
        ];
        let variables = [
            ("ETCD_DATA_DIR", "/data/etcd"),
            ("ETCD_LISTEN_CLIENT_URLS", url),
            ("ETCD_CERT_FILE", certificate),
            ("ETCD_TRUSTED_CA_FILE", authority),
            ("ETCD_PEER_CERT_FILE", certificate),
            ("ETCD_PEER_KEY_FILE", key),
            ("ETCD_LISTEN_PEER_URLS", "https://127.0.0.1:2380"),
        ];
        match (self.shape.etcd_file, self.shape.etcd_variables) {
            (false, false) => {
                let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
                self.pod(203, "etcd", &flags, &[]);
            }
            (false, true) => self.pod(203, "etcd", &["--auto-tls=false"], &variables),
            (true, by_variable) => {
                self.file("/srv/own/etcd.yaml", &config.to_string());
                let (flag, variable) =
                    ("--config-file=/own/etcd.yaml", ("ETCD_CONFIG_FILE", "/own/etcd.yaml"));
                if by_variable {
                    self.pod(203, "etcd", &["--name=a"], &[variable]);
                } else {
                    self.pod(203, "etcd", &[flag], &[]);
                }
            }
        }
    }

    fn other_files(&self) {
        for path in [
            "/etc/kubernetes/admin.conf",
            "/etc/cni/net.d/10-net.conflist",
            "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
            "/usr/lib/systemd/system/kubelet.service",
        ] {
            self.file(path, "");
        }
        // What the kubelet of another day was started with.
        self.tree.file("/etc/kubernetes/kubelet.conf", "");
        self.tree.file("/proc/1/mountinfo", HOST_MOUNTS);
    }
}
