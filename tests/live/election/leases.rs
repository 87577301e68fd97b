//! The Leases of a namespace: every state that they are in, as the API server tells it, and states that a test writes.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::BufReader;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::bed::{Bed, env};

/// A state of a Lease.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at: Timestamp,
    lease: String,
    /// Empty where it is free.
    pub holder: String,
    pub transitions: i64,
    /// The number of the last sweep that was begun.
    pub sequence: Option<i64>,
    /// When it was renewed, by its holder's clock.
    pub renewed: Option<Timestamp>,
}

impl Seen {
    /// Whether the holder is a process of that name: it adds something to it at each start.
    pub fn is_of(&self, process: &str) -> bool {
        self.holder.split_once('_').is_some_and(|(name, _)| name == process)
    }
}

/// Looks on for as long as it lives.
pub struct Leases<'b> {
    bed: &'b Bed,
    pub namespace: String,
    watch: Child,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl<'b> Leases<'b> {
    pub fn of(bed: &'b Bed, namespace: &str) -> Self {
        let mut watch = Command::new(format!("{}/kubectl", env("TESTBED_BIN")))
            .args(["--kubeconfig", &env("TESTBED_KUBECONFIG"), "--namespace", namespace])
            .args(["get", "leases", "--watch", "--output", "json"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (told, output) = (Arc::clone(&seen), BufReader::new(watch.stdout.take().unwrap()));
        std::thread::spawn(move || {
            for lease in
                serde_json::Deserializer::from_reader(output).into_iter::<Lease>().map_while(Result::ok)
            {
                told.lock().unwrap().push(lease.seen(Timestamp::now()));
            }
        });
        Self { bed, namespace: namespace.to_owned(), watch, seen }
    }

    /// All states of a Lease, in their order.
    pub fn seen(&self, lease: &str) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| seen.lease == lease).cloned().collect()
    }

    /// Its state now.
    pub fn last(&self, lease: &str) -> Option<Seen> {
        self.seen.lock().unwrap().iter().rfind(|seen| seen.lease == lease).cloned()
    }

    /// Makes a Lease that somebody holds.
    pub fn make(&self, lease: &str, holder: &str, renewed: Timestamp) {
        let path = self.bed.path(&format!("{lease}.json"));
        let object = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": lease, "namespace": self.namespace}, "spec": spec(holder, renewed, 15)});
        std::fs::write(&path, object.to_string()).unwrap();
        self.bed.kubectl(&["create", "-f", path.to_str().unwrap()]);
    }

    /// Renews it, as its holder.
    pub fn renew(&self, lease: &str, holder: &str) {
        self.patch(lease, &spec(holder, Timestamp::now(), 15));
    }

    /// Gives it up, as other programs do: nobody holds it, for a second.
    pub fn release(&self, lease: &str) {
        self.patch(lease, &spec("", Timestamp::now(), 1));
    }

    fn patch(&self, lease: &str, spec: &Value) {
        let patch = json!({ "spec": spec }).to_string();
        let namespace = &self.namespace;
        self.bed.kubectl(&["patch", "lease", lease, "-n", namespace, "--type", "merge", "--patch", &patch]);
    }
}

impl Drop for Leases<'_> {
    fn drop(&mut self) {
        let _ = self.watch.kill();
        let _ = self.watch.wait();
    }
}

fn spec(holder: &str, renewed: Timestamp, seconds: u32) -> Value {
    json!({"holderIdentity": holder, "leaseDurationSeconds": seconds, "renewTime": format!("{renewed:.6}")})
}

#[derive(Deserialize)]
struct Lease {
    metadata: Metadata,
    spec: Spec,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    annotations: Annotations,
}

#[derive(Deserialize, Default)]
struct Annotations {
    #[serde(rename = "posturebeat.dev/sequence")]
    sequence: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    holder_identity: Option<String>,
    lease_transitions: Option<i64>,
    renew_time: Option<Timestamp>,
}

impl Lease {
    fn seen(self, at: Timestamp) -> Seen {
        Seen {
            at,
            lease: self.metadata.name,
            holder: self.spec.holder_identity.unwrap_or_default(),
            transitions: self.spec.lease_transitions.unwrap_or_default(),
            sequence: self.metadata.annotations.sequence.map(|number| number.parse().unwrap()),
            renewed: self.spec.renew_time,
        }
    }
}
