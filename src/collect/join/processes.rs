//! Processes of one node, for each other: etcd and an API server beside it.

use serde_json::{Map, Value, json};

use crate::resource::{Gap, Resource, Unread};

const API_SERVER: &str = "kube-apiserver";

#[derive(Debug, Default)]
pub(super) struct Processes {
    /// `{authorities}` of each API server, or why it is not known.
    api_servers: Vec<Result<Value, Gap>>,
    /// Why there may be more.
    gap: Option<Gap>,
}

impl Processes {
    pub(super) fn note(&mut self, process: &Resource) {
        // One that the cluster shows may run on any node.
        if process.selectors() != [API_SERVER] || process.id.starts_with("cluster/") {
            return;
        }
        if process.is_unlisted() {
            self.gap = process.unread.first().map(|unread| unread.gap.clone());
            return;
        }
        let hidden = |unread: &&Unread| ["$", "$.args", "$.authorities"].contains(&unread.at.as_str());
        self.api_servers.push(match process.unread.iter().find(hidden) {
            Some(unread) => Err(unread.gap.clone()),
            None => Ok(process.raw.get("authorities").cloned().unwrap_or_else(|| json!([]))),
        });
    }

    /// Gives etcd `processes`: the API servers of its node.
    pub(super) fn relate(&self, process: &mut Resource) {
        if process.selectors() != ["etcd"] {
            return;
        }
        if let Some(gap) = &self.gap {
            process.unread.push(gap.clone().at("$.related.processes"));
            return;
        }
        let mut servers = Vec::new();
        for (position, server) in self.api_servers.iter().enumerate() {
            servers.push(match server {
                Ok(authorities) => json!({"authorities": authorities}),
                Err(gap) => {
                    let at = format!("$.related.processes['{API_SERVER}'][{position}].authorities");
                    process.unread.push(gap.clone().at(at));
                    json!({})
                }
            });
        }
        let mut others = Map::new();
        if !servers.is_empty() {
            others.insert(API_SERVER.into(), servers.into());
        }
        process.related.insert("processes".into(), Value::Object(others));
    }
}
