//! Ids that other programs compute too: never change them.

use sha1::{Digest, Sha1};
use uuid::{Builder, Uuid};

use crate::resource::{Identity, Kind, Resource};

/// The namespace in which Elastic's integration hashes resource ids.
const RESOURCE_NAMESPACE: Uuid = Uuid::from_u128(0x971a_1103_6b5d_4b60_ab3d_8a33_9a58_c6c8);
/// The namespace of our own event ids.
const EVENT_NAMESPACE: Uuid = Uuid::from_u128(0x5a56_820f_082d_5405_8cec_ef92_e299_bc5f);
/// Elastic's agent has the host's files below this directory and hashes the path with it.
const HOSTFS: &str = "/hostfs";

/// `resource.id`: stable across cycles, and equal to Elastic's for the same resource.
pub(super) fn resource_id(resource: &Resource, identity: &Identity, shared_cloud_id: bool) -> String {
    let (cluster, node) = (identity.cluster.id.as_str(), identity.node.id.as_str());
    let name = match resource.kind {
        // A rule may judge several kinds that could not be listed: each is a separate outcome.
        _ if resource.is_unlisted() => format!("{}/{}", resource.id, resource.selectors().join(",")),
        Kind::File => format!("{cluster}{node}{HOSTFS}{}", resource.id),
        // The cluster shows it, whichever node looks.
        Kind::Process if resource.id.starts_with("cluster/") => resource.id.clone(),
        Kind::Process => format!("{cluster}{node}{}", resource.id),
        Kind::K8sObject => resource.id.clone(),
        Kind::Caas | Kind::LoadBalancer | Kind::ContainerRegistry if shared_cloud_id => cluster.to_owned(),
        Kind::Caas | Kind::LoadBalancer | Kind::ContainerRegistry => format!("{cluster}{}", resource.id),
    };
    hash(&name)
}

fn hash(name: &str) -> String {
    version_5(RESOURCE_NAMESPACE, &[name]).to_string()
}

/// `_id` and `event.id`: the same for the same finding in the same cycle, so that sending it twice stores it once.
/// `cycle` is [`cycle`]'s.
pub(super) fn event_id(rule_id: &str, resource_id: &str, cycle: &str) -> Uuid {
    version_5(EVENT_NAMESPACE, &[rule_id, "|", resource_id, "|", cycle])
}

/// The part of event ids that stands for the cycle and the judgement in it.
pub(super) fn cycle(sequence: i64, judgement: u32) -> String {
    format!("{sequence}|{judgement}")
}

/// UUID v5 of a name in pieces. This runs for every finding, and the uuid crate's SHA-1 does not use the processor's
/// SHA instructions.
fn version_5(namespace: Uuid, name: &[&str]) -> Uuid {
    let mut hash = Sha1::new_with_prefix(namespace.as_bytes());
    for piece in name {
        hash.update(piece);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    Builder::from_sha1_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_ids_are_what_others_computed() {
        assert_eq!(hash("metadata_id"), "16d3e3ff-583a-5b0d-86e2-1f7c6675dfb3");
        assert_eq!(hash("cluster_id"), "e0b7df83-548e-5f75-b460-23bf3a96f679");
        assert_eq!(hash("cluster_idnode_idmetadata_id"), "76389fcc-375d-5acc-8e0a-db814362fc50");
    }

    #[test]
    fn resources_of_clouds_have_ids_of_their_own_unless_asked_otherwise() {
        let mut identity = Identity::default();
        identity.cluster.id = "cluster_id".into();
        let repository = Resource::observed(
            Kind::ContainerRegistry,
            "aws-ecr".into(),
            "arn:aws:ecr:eu-west-1:1:repository/web".into(),
            "web".into(),
            serde_json::json!({}),
        );
        let own = hash("cluster_idarn:aws:ecr:eu-west-1:1:repository/web");
        assert_eq!(resource_id(&repository, &identity, false), own);
        assert_eq!(resource_id(&repository, &identity, true), hash("cluster_id"));
    }

    #[test]
    fn a_process_that_the_cluster_shows_has_one_id_from_every_node() {
        let process = |id: &str| {
            Resource::observed(
                Kind::Process,
                "process".into(),
                id.into(),
                "kube-apiserver".into(),
                serde_json::json!({"component": "kube-apiserver"}),
            )
        };
        let id = |process: &Resource, node: &str| {
            let mut identity = Identity::default();
            identity.cluster.id = "u".into();
            identity.node.id = node.into();
            resource_id(process, &identity, false)
        };
        let shown = process("cluster/u/process/kube-apiserver");
        assert_eq!(id(&shown, ""), hash("cluster/u/process/kube-apiserver"));
        assert_eq!(id(&shown, "a"), id(&shown, "b"));
        let own = process("812100");
        assert_ne!(id(&own, "a"), id(&own, "b"), "processes of two nodes may have one number");
        let unlisted = Resource::unlisted(
            &"process/kube-apiserver".parse().unwrap(),
            &crate::resource::Owner { id: "cluster/u".into(), name: "c".into() },
            crate::resource::Gap::new(crate::resource::Reason::Denied, "get /flagz"),
        );
        assert_ne!(id(&unlisted, ""), id(&shown, ""));
    }

    #[test]
    fn ids_in_pieces_are_those_of_the_uuid_crate() {
        let whole = Uuid::new_v5(&EVENT_NAMESPACE, b"r|s|1|0");
        assert_eq!(event_id("r", "s", &cycle(1, 0)), whole);
        assert_eq!(whole.get_version_num(), 5);
    }

    #[test]
    fn event_ids_tell_rule_resource_cycle_and_judgement_apart() {
        let id = event_id("r", "s", &cycle(1, 0));
        for other in [
            event_id("q", "s", &cycle(1, 0)),
            event_id("r", "t", &cycle(1, 0)),
            event_id("r", "s", &cycle(2, 0)),
            event_id("r", "s", &cycle(1, 1)),
        ] {
            assert_ne!(id, other);
        }
    }
}
