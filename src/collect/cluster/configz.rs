//! The configuration that a kubelet runs with: `/configz`.
//!
//! In: the way to the API server, whose credentials the kubelet takes too, and the kubelet's address from our own
//! configuration. Out: that configuration, cut as a file would be. It takes `get` on `nodes/configz` since
//! Kubernetes 1.33; before, only `nodes/proxy` opened it, which also lets run commands in pods, and is not asked for.

use serde_json::Value;
use std::time::Duration;

use super::pages;
use crate::collect::config_files;
use crate::collect::config_files::kinds::KUBELET;
use crate::kube_api::Connection;
use crate::resource::{Gap, Reason};

/// A kubelet is on our own node: it answers at once or not at all.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Asks the kubelet at `url`. Our token goes only to a server whose certificate the cluster's authority signed.
pub async fn configz(connection: &Connection, url: &str) -> Result<Value, Gap> {
    let failed = |gap: Gap| gap.during(format_args!("ask the kubelet at {url}"));
    let client = connection.client_for(url, TIMEOUT).await.map_err(failed)?;
    let mut answer = pages::get_once(&client, "/configz").await.map_err(|error| failed(error.into()))?;
    let Some(Value::Object(mut configuration)) = answer.get_mut("kubeletconfig").map(Value::take) else {
        return Err(failed(Gap::new(Reason::Malformed, "the answer has no `kubeletconfig`")));
    };
    // A file names them, and this answer does not.
    configuration.insert("kind".into(), "KubeletConfiguration".into());
    configuration.insert("apiVersion".into(), "kubelet.config.k8s.io/v1beta1".into());
    config_files::cut(&KUBELET, Value::Object(configuration)).map_err(failed)
}
