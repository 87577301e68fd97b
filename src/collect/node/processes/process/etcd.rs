//! The environment of etcd, which takes settings from variables.

use std::collections::BTreeMap;

use super::{Process, path_of};
use crate::redact;
use crate::resource::Unread;

/// The variables that rules look at: names, paths and switches. No other variable leaves the node.
const VARIABLES: &[&str] = &[
    "ETCD_AUTO_TLS",
    "ETCD_CERT_FILE",
    "ETCD_CIPHER_SUITES",
    "ETCD_CLIENT_CERT_AUTH",
    "ETCD_CONFIG_FILE",
    "ETCD_DATA_DIR",
    "ETCD_KEY_FILE",
    "ETCD_LISTEN_CLIENT_HTTP_URLS",
    "ETCD_LISTEN_CLIENT_URLS",
    "ETCD_LISTEN_PEER_URLS",
    "ETCD_PEER_AUTO_TLS",
    "ETCD_PEER_CERT_FILE",
    "ETCD_PEER_CLIENT_CERT_AUTH",
    "ETCD_PEER_KEY_FILE",
    "ETCD_PEER_TRUSTED_CA_FILE",
    "ETCD_TLS_MAX_VERSION",
    "ETCD_TLS_MIN_VERSION",
    "ETCD_TRUSTED_CA_FILE",
];

/// The variables of an etcd process. Reading its environment takes the right to trace it; without that, its manifest is
/// used.
pub(super) fn environment(process: &Process<'_>, unread: &mut Vec<Unread>) -> BTreeMap<String, String> {
    let variables: BTreeMap<String, String> = match (process.directory.read("environ"), process.container) {
        (Ok(bytes), _) => bytes
            .split(|byte| *byte == 0)
            .filter_map(|variable| {
                let variable = String::from_utf8_lossy(variable);
                variable.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
            })
            .collect(),
        (Err(_), Some(container)) => container.env.clone(),
        (Err(error), None) => {
            unread.push(Unread::new(
                "$.env",
                error.reason,
                format!("read {}", path_of(process.pid, "environ")),
            ));
            BTreeMap::new()
        }
    };
    variables
        .into_iter()
        .filter(|(name, _)| VARIABLES.contains(&name.as_str()))
        .map(|(name, value)| (name, redact::url_user_info(&value).into_owned()))
        .collect()
}
