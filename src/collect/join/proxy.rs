//! kubeadm's kube-proxy: it runs from a DaemonSet, and reads its configuration from a ConfigMap.

use serde_json::Value;

use super::statements::ObjectKey;
use crate::collect::config_files;
use crate::collect::config_files::kinds::PROXY;
use crate::redact::KUBE_PROXY_CONFIG;
use crate::resource::{Gap, Resource};

#[derive(Debug, Default)]
pub(super) struct Proxy {
    /// The text of its configuration, and where it stands.
    config: Option<(ObjectKey, String)>,
}

impl Proxy {
    /// Notes a ConfigMap; returns whether kube-proxy's configuration changed.
    pub(super) fn note(&mut self, config_map: &Resource, key: ObjectKey) -> bool {
        let (namespace, name, entry) = KUBE_PROXY_CONFIG;
        if config_map.namespace() != Some(namespace) || config_map.name != name {
            return false;
        }
        let text = config_map.raw.get("data").and_then(|data| data.get(entry)).and_then(Value::as_str);
        let same = self.config.as_ref().map(|(_, text)| text.as_str()) == text;
        self.config = text.map(|text| (key, text.to_owned()));
        !same
    }

    /// Forgets a ConfigMap; returns whether it held kube-proxy's configuration.
    pub(super) fn forget(&mut self, key: ObjectKey) -> bool {
        self.config.take_if(|(of, _)| *of == key).is_some()
    }

    /// Gives the DaemonSet `kubeProxy`; `gap` says that ConfigMaps could not be listed.
    pub(super) fn relate(&self, set: &mut Resource, gap: Option<&Gap>) {
        let (namespace, name, _) = KUBE_PROXY_CONFIG;
        if set.namespace() != Some(namespace) || set.name != name {
            return;
        }
        let at = "$.related.kubeProxy";
        if let Some(gap) = gap {
            set.unread.push(gap.clone().at(at));
            return;
        }
        let Some((_, text)) = &self.config else { return };
        match config_files::parse(&PROXY, text.as_bytes()) {
            Ok(config) => {
                set.related.insert("kubeProxy".into(), config);
            }
            Err(gap) => {
                set.unread.push(gap.during(format!("read the ConfigMap {namespace}/{name}")).at(at));
            }
        }
    }
}
