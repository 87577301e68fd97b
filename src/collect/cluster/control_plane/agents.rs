//! The node agents beside us.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::collect::cluster::pages::{ListItem, ListPages};

/// The labels of the DaemonSet's pods, which the manifests in `deploy/` set.
const LABELS: &str = "app.kubernetes.io%2Fname%3Dposturebeat%2Capp.kubernetes.io%2Fcomponent%3Dnode";

/// How long an agent may take to start or to be replaced. A rollout must not look like a node without an agent.
const SETTLING: SignedDuration = SignedDuration::from_mins(10);

/// The addresses of the nodes with an agent that works. Only our own namespace counts: whoever may create pods there is
/// trusted anyway, and elsewhere a label would be enough to keep the API server from being judged. Agents that cannot
/// be listed judge nothing for us.
pub(super) async fn addresses(client: &kube::Client, namespace: &str, now: Timestamp) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    let mut pages =
        ListPages::new(client, &format!("/api/v1/namespaces/{namespace}/pods?labelSelector={LABELS}"));
    loop {
        match pages.next().await {
            Ok(Some(page)) => {
                for item in page {
                    if let Ok(ListItem::Object(pod)) = ListItem::parse(&item)
                        && is_agent(&pod, now)
                    {
                        addresses.extend(host_addresses(&pod));
                    }
                }
            }
            Ok(None) => return addresses,
            Err(error) => {
                tracing::warn!(namespace, %error, "cannot list the node agents: the leader judges the API server itself");
                return Vec::new();
            }
        }
    }
}

/// Whether a pod is a DaemonSet's and observes its node, or soon will.
fn is_agent(pod: &Value, now: Timestamp) -> bool {
    let list = |pointer: &str| pod.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    let is_owned = list("/metadata/ownerReferences").any(|owner| owner["kind"] == "DaemonSet");
    let is_ready = list("/status/conditions")
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
    let time = |key: &str| {
        pod.pointer(&format!("/metadata/{key}")).and_then(Value::as_str)?.parse::<Timestamp>().ok()
    };
    let is_recent = |key: &str| time(key).is_some_and(|at| now.duration_since(at) < SETTLING);
    let is_leaving = pod.pointer("/metadata/deletionTimestamp").is_some();
    let works = is_ready && !is_leaving || is_recent("creationTimestamp") || is_recent("deletionTimestamp");
    is_owned && works
}

/// The addresses of the node that a pod runs on, which its kubelet reports.
pub(super) fn host_addresses(pod: &Value) -> impl Iterator<Item = IpAddr> {
    let several = pod.pointer("/status/hostIPs").and_then(Value::as_array).into_iter().flatten();
    let all = pod.pointer("/status/hostIP").into_iter().chain(several.filter_map(|one| one.get("ip")));
    all.filter_map(|address| address.as_str()?.parse().ok())
}
