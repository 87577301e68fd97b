//! The API server's command line, as its mirror pod shows it.

use std::net::IpAddr;

use serde_json::Value;

use super::ON_ITS_NODE;
use super::agents::host_addresses;
use crate::collect::arguments::{self, KnownArguments};
use crate::collect::cluster::pages::{ListItem, ListPages};
use crate::collect::redact;
use crate::kube_api::RequestError;
use crate::resource::{Reason, Unread};

/// The pods that kubeadm, kops, RKE2 and others run it in.
const PODS: &str = "/api/v1/namespaces/kube-system/pods?labelSelector=component%3Dkube-apiserver";

/// A pod of the API server.
#[derive(Debug)]
pub(super) struct MirrorPod {
    /// `Pod kube-system/kube-apiserver-a`.
    pub source: String,
    /// Its arguments.
    pub known: KnownArguments,
}

/// The mirror pod of the API server at `address`. Whoever may create pods can make one that looks like it, but only a
/// kubelet reports the address of the node that it runs on.
pub(super) async fn pod(client: &kube::Client, address: IpAddr) -> Result<Option<MirrorPod>, RequestError> {
    let mut pages = ListPages::new(client, PODS);
    while let Some(page) = pages.next().await? {
        for item in page {
            if let Ok(ListItem::Object(pod)) = ListItem::parse(&item)
                && is_mirror(&pod)
                && host_addresses(&pod).any(|own| own == address)
            {
                return Ok(Some(read(&pod)));
            }
        }
    }
    Ok(None)
}

fn is_mirror(pod: &Value) -> bool {
    let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str);
    let of_node = text("/spec/nodeName").is_some_and(|node| {
        text("/metadata/name")
            .is_some_and(|name| name.strip_suffix(node).is_some_and(|rest| rest.ends_with('-')))
    });
    let is_marked = text("/metadata/annotations/kubernetes.io~1config.mirror").is_some();
    let runs = text("/status/phase") == Some("Running");
    is_marked && of_node && runs && text("/metadata/deletionTimestamp").is_none()
}

fn read(pod: &Value) -> MirrorPod {
    let name = pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let source = format!("Pod kube-system/{name}");
    let containers = pod.pointer("/spec/containers").and_then(Value::as_array).into_iter().flatten();
    let commands = containers.map(|container| {
        let words = ["command", "args"].into_iter().flat_map(|list| {
            container.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        });
        words.map(str::to_owned).collect::<Vec<String>>()
    });
    let own = commands.map(|mut words| {
        redact::arguments(&mut words);
        arguments::of_api_server(&words)
    });
    let Some(arguments) = own.flatten().next() else {
        let what = format!(
            "read the API server's arguments in the pod {name}: none of its containers starts kube-apiserver itself"
        );
        let unread = vec![Unread::new("$.args", Reason::Malformed, what)];
        return MirrorPod { source, known: KnownArguments { unread, ..KnownArguments::default() } };
    };
    let elsewhere = arguments::last(&arguments, "openshift-config").map(|path| {
        let what = format!("read {path}, where OpenShift's operators put more arguments: {ON_ITS_NODE}");
        Unread::new("$.args", Reason::Missing, what)
    });
    MirrorPod { source, known: KnownArguments { arguments, unread: elsewhere.into_iter().collect() } }
}
