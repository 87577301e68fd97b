//! A kubelet's own word on its configuration: `/configz`.
//!
//! In: the way to the API server, whose credentials the kubelet takes too, and the kubelet's address from our own
//! configuration. Out: the configuration in force, cut as a file would be. It takes `get` on `nodes/configz` since
//! Kubernetes 1.33; before, only `nodes/proxy` opened it, which also lets run commands in pods, and is not asked for.

use serde_json::Value;
use std::time::Duration;

use super::connect::{Connection, client};
use super::list;
use crate::collect::config_files;
use crate::collect::config_files::kinds::KUBELET;
use crate::resource::{Reason, Unread};

/// A kubelet is on our own node: it answers at once or not at all.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Asks the kubelet at `url`. Our token goes to nobody whose certificate the cluster's authority did not sign.
pub async fn configz(connection: &Connection, url: &str) -> Result<Value, Unread> {
    let failed = |reason, why: &str| Unread::new("$", reason, format!("ask the kubelet at {url}: {why}"));
    let mut config = connection.config.clone();
    if config.accept_invalid_certs || config.root_cert.is_none() {
        let why = "its certificate could not be verified: the kubeconfig names no certificate authority";
        return Err(failed(Reason::Unavailable, why));
    }
    config.cluster_url = url.parse().map_err(|_| failed(Reason::Malformed, "that is no URL"))?;
    config.tls_server_name = None;
    config.proxy_url = None;
    config.connect_timeout = Some(TIMEOUT);
    config.read_timeout = Some(TIMEOUT);
    let client = client(config, false).await?;
    let answer = list::get_once(&client, "/configz").await;
    let mut answer = answer.map_err(|problem| failed(problem.reason, &problem.message))?;
    let Some(Value::Object(mut configuration)) = answer.get_mut("kubeletconfig").map(Value::take) else {
        return Err(failed(Reason::Malformed, "the answer holds no `kubeletconfig`"));
    };
    // What a file says of itself, this leaves out.
    configuration.insert("kind".into(), "KubeletConfiguration".into());
    configuration.insert("apiVersion".into(), "kubelet.config.k8s.io/v1beta1".into());
    config_files::cut(&KUBELET, Value::Object(configuration)).map_err(|gap| failed(gap.reason, &gap.what))
}
