//! One Lease, as the API server keeps it.

use crate::leader::lease::LeaseRequest;
use serde_json::{Value, json};

/// The Lease, if there is one, and how often it was written.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub lease: Option<Value>,
    writes: u64,
}

/// What a request comes to, beside success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Missing,
    Conflict,
}

impl Store {
    /// Does a request: a write must name the version that it replaces.
    pub(super) fn apply(&mut self, request: &LeaseRequest) -> Result<Value, Refusal> {
        match (request, &self.lease) {
            (LeaseRequest::Get, _) => {}
            (LeaseRequest::Create(lease), None) => self.put(lease.clone()),
            (LeaseRequest::Create(_), Some(_)) => return Err(Refusal::Conflict),
            (LeaseRequest::Update(_), None) => return Err(Refusal::Missing),
            (LeaseRequest::Update(lease), Some(old)) if version(lease) == version(old) => {
                // As in etcd: what changes nothing is no write.
                if lease != old {
                    self.put(lease.clone());
                }
            }
            (LeaseRequest::Update(_), Some(_)) => return Err(Refusal::Conflict),
        }
        self.lease.clone().ok_or(Refusal::Missing)
    }

    /// Writes whatever is there, as a person would.
    pub(super) fn put(&mut self, mut lease: Value) {
        self.writes += 1;
        lease["metadata"]["resourceVersion"] = self.writes.to_string().into();
        self.lease = Some(lease);
    }

    /// A Lease that somebody left behind.
    pub(super) fn held_by(holder: &str) -> Self {
        let mut store = Self::default();
        store.put(json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": "posturebeat-cluster-leader",
                "namespace": "posturebeat",
                "uid": "6a1c",
                "labels": {"team": "a"},
                "annotations": {"of": "others", "posturebeat.dev/sequence": "41"},
            },
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": 15,
                "leaseTransitions": 3,
                "acquireTime": "2026-01-01T00:00:00.000000Z",
                "renewTime": "2026-01-01T00:00:00.000000Z",
                "fromTheFuture": {"kept": true},
            },
        }));
        store
    }
}

fn version(lease: &Value) -> &Value {
    &lease["metadata"]["resourceVersion"]
}
