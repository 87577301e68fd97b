//! kubeadm's kube-proxy: it runs from a DaemonSet, and reads its configuration from a ConfigMap.

use serde_json::Value;

use crate::collect::config_files;
use crate::collect::config_kinds::PROXY;
use crate::collect::redact::KUBE_PROXY_CONFIG;
use crate::resource::{Resource, Unread};

#[derive(Debug, Default)]
pub(super) struct Proxy {
    /// The text of its configuration.
    config: Option<String>,
}

impl Proxy {
    pub fn note(&mut self, config_map: &Resource) {
        let (namespace, name, key) = KUBE_PROXY_CONFIG;
        if config_map.namespace() != Some(namespace) || config_map.name != name {
            return;
        }
        let text = config_map.raw.get("data").and_then(|data| data.get(key)).and_then(Value::as_str);
        self.config = text.map(str::to_owned);
    }

    /// Gives the DaemonSet `kubeProxy`; `gap` says that ConfigMaps could not be listed.
    pub fn relate(&self, set: &mut Resource, gap: Option<&Unread>) {
        let (namespace, name, _) = KUBE_PROXY_CONFIG;
        if set.namespace() != Some(namespace) || set.name != name {
            return;
        }
        let at = "$.related.kubeProxy";
        if let Some(gap) = gap {
            set.unread.push(Unread { at: at.into(), ..gap.clone() });
            return;
        }
        let Some(text) = &self.config else { return };
        match config_files::parse(&PROXY, text.as_bytes()) {
            Ok(config) => {
                set.related.insert("kubeProxy".into(), config);
            }
            Err(refusal) => {
                let what = format!("understand the ConfigMap {namespace}/{name}: {}", refusal.detail);
                set.unread.push(Unread::new(at, refusal.reason, what));
            }
        }
    }
}
