//! The identity of a node or cluster that the API does not show now.

use uuid::Uuid;

use crate::collect::cluster::NodeHints;
use crate::collect::node::host::HostFacts;
use crate::observe::data_dir::DataDir;
use crate::resource::{Identity, IdentitySource, Node};

/// A node that the API does not show: as last seen, else identified by the machine's id. The ids of its files and
/// processes are hashed from it, so it must not change because one request failed.
pub(super) fn known_node(identity: &Identity, data: &DataDir, hints: &NodeHints, host: &HostFacts) -> Node {
    let last = data.last_identity().filter(|last| last.cluster.id == identity.cluster.id);
    let last = last.map(|last| last.node).filter(|node| !node.id.is_empty());
    let node = last.unwrap_or_else(|| Node {
        id: host.machine_id.clone(),
        name: hints.name.clone().unwrap_or_else(|| host.hostname.clone()),
        kubelet_version: None,
    });
    tracing::warn!(
        node = node.name,
        "no Node object found for this host; set posturebeat.node_name or NODE_NAME"
    );
    node
}

/// A cluster whose API never answered: identified by the machine's id, and by the context where one is named. So two
/// such clusters are still told apart.
pub(super) fn unknown(host: &HostFacts, context: Option<&str>, name: Option<String>) -> Identity {
    let mut identity = Identity::default();
    identity.cluster.id = match context {
        None => host.machine_id.clone(),
        Some(context) => {
            let both = format!("{}/{context}", host.machine_id);
            Uuid::new_v5(&Uuid::NAMESPACE_OID, both.as_bytes()).to_string()
        }
    };
    identity.cluster.name = name.or_else(|| context.map(str::to_owned));
    identity.cluster.source = IdentitySource::MachineId;
    identity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_that_never_answered_are_told_apart() {
        let host = HostFacts { machine_id: "m".into(), ..HostFacts::default() };
        let id = |context: Option<&str>| unknown(&host, context, None).cluster.id;
        assert_eq!(id(None), "m");
        let ids = [id(None), id(Some("eu")), id(Some("us"))];
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
        assert_eq!(id(Some("eu")), ids[1], "from cycle to cycle the same");
        let name = |name: Option<&str>| unknown(&host, Some("eu"), name.map(str::to_owned)).cluster.name;
        assert_eq!((name(None).unwrap(), name(Some("prod-eu")).unwrap()), ("eu".into(), "prod-eu".into()));
    }
}
