//! An API server that shows what a test wants, path by path.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use kube::client::Body;
use serde_json::{Value, json};

use crate::collect::arguments;
use crate::collect::component::Component;

/// Where it says that it is.
pub(super) const ADDRESS: &str = "10.0.0.1";

/// What is asked with which `Accept`, and the answer.
type Answers = dyn Fn(&str, &str) -> (u16, String) + Send + Sync;

/// What answers, and what it was asked.
#[derive(Clone)]
pub(super) struct Api {
    answers: Arc<Answers>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Api {
    pub(super) fn new(answers: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self { answers: Arc::new(answers), asked: Arc::default() }
    }

    /// A client of it; only inside a runtime.
    pub(super) fn client(&self) -> kube::Client {
        kube::Client::new(self.clone(), "default")
    }

    /// The paths that were asked for.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl tower_service::Service<Request<Body>> for Api {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let accept = request.headers()[http::header::ACCEPT].to_str().unwrap().to_owned();
        self.asked.lock().unwrap().push(request.uri().path().to_owned());
        let (status, text) = (self.answers)(request.uri().path(), &accept);
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status.try_into().unwrap();
        ready(Ok(response))
    }
}

/// What the parts of a cluster show.
#[derive(Clone)]
pub(super) struct Shown {
    /// Status and text of `/flagz`.
    pub flagz: (u16, String),
    /// `serverAddress` of `/api`.
    pub address: &'static str,
    /// The pods of our own namespace.
    pub agents: Vec<Value>,
    /// The pods of kube-system with the API server's label.
    pub servers: Vec<Value>,
    /// Whether pods may be listed.
    pub pods: bool,
}

impl Default for Shown {
    fn default() -> Self {
        let words = stock();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Self {
            flagz: (200, flagz(&words, &[])),
            address: "10.0.0.1:6443",
            agents: Vec::new(),
            servers: Vec::new(),
            pods: true,
        }
    }
}

impl Shown {
    pub(super) fn api(self) -> Api {
        Api::new(move |path, _| match path {
            "/flagz" => self.flagz.clone(),
            "/api" => {
                let local = json!({"clientCIDR": "10.96.0.0/12", "serverAddress": "10.96.0.1:443"});
                let whole = json!({"clientCIDR": "0.0.0.0/0", "serverAddress": self.address});
                (200, json!({"versions": ["v1"], "serverAddressByClientCIDRs": [local, whole]}).to_string())
            }
            _ if !self.pods => refused(403),
            "/api/v1/namespaces/posturebeat/pods" => (200, json!({"items": self.agents}).to_string()),
            "/api/v1/namespaces/kube-system/pods" => (200, json!({"items": self.servers}).to_string()),
            _ => refused(404),
        })
    }
}

pub(super) fn refused(status: u16) -> (u16, String) {
    (status, json!({"kind": "Status", "code": status, "message": "no"}).to_string())
}

/// The command line that kubeadm 1.37 writes.
pub(super) fn stock() -> Vec<String> {
    let pki = "/etc/kubernetes/pki";
    [
        format!("--advertise-address={ADDRESS}"),
        "--allow-privileged=true".into(),
        "--authorization-mode=Node,RBAC".into(),
        format!("--client-ca-file={pki}/ca.crt"),
        "--enable-admission-plugins=NodeRestriction".into(),
        "--enable-bootstrap-token-auth=true".into(),
        format!("--etcd-cafile={pki}/etcd/ca.crt"),
        format!("--etcd-certfile={pki}/apiserver-etcd-client.crt"),
        format!("--etcd-keyfile={pki}/apiserver-etcd-client.key"),
        "--etcd-servers=https://127.0.0.1:2379".into(),
        format!("--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt"),
        format!("--kubelet-client-key={pki}/apiserver-kubelet-client.key"),
        "--secure-port=6443".into(),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".into(),
        format!("--service-account-key-file={pki}/sa.pub"),
        format!("--service-account-signing-key-file={pki}/sa.key"),
        "--service-cluster-ip-range=10.96.0.0/12".into(),
        format!("--tls-cert-file={pki}/apiserver.crt"),
        format!("--tls-private-key-file={pki}/apiserver.key"),
    ]
    .into()
}

/// Flags of a kind that shows a list.
const LISTS: [&str; 14] = [
    "admission-control",
    "api-audiences",
    "authorization-mode",
    "cors-allowed-origins",
    "disable-admission-plugins",
    "enable-admission-plugins",
    "etcd-servers",
    "etcd-servers-overrides",
    "kubelet-preferred-address-types",
    "requestheader-allowed-names",
    "service-account-issuer",
    "service-account-key-file",
    "tls-cipher-suites",
    "tls-sni-cert-key",
];

/// Flags with their values where nobody sets them, in Kubernetes 1.37.
const DEFAULTS: [(&str, &str); 33] = [
    ("admission-control-config-file", ""),
    ("anonymous-auth", "true"),
    ("audit-log-maxage", "366"),
    ("audit-log-maxbackup", "100"),
    ("audit-log-maxsize", "100"),
    ("audit-log-path", ""),
    ("audit-policy-file", ""),
    ("authentication-config", ""),
    ("authentication-token-webhook-config-file", ""),
    ("authorization-config", ""),
    ("bind-address", "::"),
    ("cert-dir", "/var/run/kubernetes"),
    ("client-ca-file", ""),
    ("enable-bootstrap-token-auth", "false"),
    ("encryption-provider-config", ""),
    ("etcd-cafile", ""),
    ("etcd-certfile", ""),
    ("etcd-keyfile", ""),
    ("etcd-prefix", "/registry"),
    ("feature-gates", ""),
    ("kubelet-certificate-authority", ""),
    ("kubelet-client-certificate", ""),
    ("kubelet-client-key", ""),
    ("kubelet-timeout", "5s"),
    ("profiling", "true"),
    ("request-timeout", "1m0s"),
    ("secure-port", "6443"),
    ("service-account-extend-token-expiration", "true"),
    ("service-account-lookup", "true"),
    ("tls-cert-file", ""),
    ("tls-min-version", ""),
    ("tls-private-key-file", ""),
    ("token-auth-file", ""),
];

/// What the server with this command line shows; `more` are flags as they are shown.
pub(super) fn flagz(words: &[&str], more: &[(&str, &str)]) -> String {
    let mut flags: std::collections::BTreeMap<String, String> =
        DEFAULTS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    flags.extend(LISTS.iter().map(|name| ((*name).to_owned(), "[]".to_owned())));
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    for (name, values) in arguments::parse(Component::ApiServer, &words) {
        let is_list = LISTS.contains(&name.as_str());
        let shown = if is_list { format!("[{}]", values.join(",")) } else { values.last().unwrap().clone() };
        flags.insert(name, shown);
    }
    flags.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let head =
        json!({"kind": "Flagz", "apiVersion": "config.k8s.io/v1beta1", "metadata": {"name": "apiserver"}});
    let mut answer = head;
    answer["flags"] = json!(flags);
    answer.to_string()
}

/// A pod of our DaemonSet that observes the node at `address`.
pub(super) fn agent(address: &str) -> Value {
    json!({
        "metadata": {"name": "posturebeat-x", "creationTimestamp": "2026-11-01T00:00:00Z",
            "ownerReferences": [{"kind": "DaemonSet", "name": "posturebeat"}]},
        "status": {"phase": "Running", "hostIP": address, "hostIPs": [{"ip": address}],
            "conditions": [{"type": "Ready", "status": "True"}]},
    })
}

/// The API server's mirror pod on the node at [`ADDRESS`].
pub(super) fn mirror(words: &[String]) -> Value {
    let command: Vec<&str> = ["kube-apiserver"].into_iter().chain(words.iter().map(String::as_str)).collect();
    json!({
        "metadata": {"name": "kube-apiserver-cp-1", "namespace": "kube-system",
            "annotations": {"kubernetes.io/config.mirror": "1"}},
        "spec": {"nodeName": "cp-1", "containers": [{"name": "kube-apiserver", "command": command}]},
        "status": {"phase": "Running", "hostIP": ADDRESS},
    })
}
