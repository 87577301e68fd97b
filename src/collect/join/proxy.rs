//! kube-proxy as kubeadm installs it: a DaemonSet that reads its configuration from a ConfigMap.

use serde_json::Value;

use super::statements::ObjectKey;
use crate::collect::config_files;
use crate::collect::config_files::kinds::PROXY;
use crate::redact::KUBE_PROXY_CONFIG;
use crate::resource::{Gap, Resource};

#[derive(Debug, Default)]
pub(super) struct Proxy {
    /// The key of the ConfigMap, and the text of the configuration in it.
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

    /// Adds `kubeProxy` to the DaemonSet. `gap`: why ConfigMaps could not be read. `is_whole`: all of them are known.
    pub(super) fn relate(&self, set: &mut Resource, gap: Option<&Gap>, is_whole: bool) {
        let (namespace, name, _) = KUBE_PROXY_CONFIG;
        if set.namespace() != Some(namespace) || set.name != name {
            return;
        }
        let at = "$.related.kubeProxy";
        if let Some(gap) = gap {
            set.unread.push(gap.clone().at(at));
            return;
        }
        let Some((_, text)) = &self.config else {
            if !is_whole {
                set.unread.push(
                    super::relate::not_in_input(&format!("find the ConfigMap {namespace}/{name}")).at(at),
                );
            }
            return;
        };
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
