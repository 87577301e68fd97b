//! The node groups, each with the policies of its nodes' role.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

use super::node_roles::{NodeRoles, role_name};
use super::{EksCluster, NODE_GROUP, is_gone, partial_list};
use crate::collect::aws::client::{CallRefusal, each};
use crate::collect::aws::scope::AwsScope;
use crate::resource::{Gap, Kind, Resource};

const POLICIES: &str = "nodeRolePolicies";

/// The node groups as resources; where they cannot be listed, one that stands for them.
pub(super) async fn observe(
    eks: &EksCluster,
    scope: &AwsScope,
    names: &Result<Vec<String>, Gap>,
) -> Vec<Resource> {
    let names = match names {
        Ok(names) => names.clone(),
        Err(gap) => return vec![scope.unlisted(Kind::Caas, NODE_GROUP, gap)],
    };
    let groups = each(names, |name| {
        let eks = eks.clone();
        async move {
            let group = eks.group(&name).await;
            (name, group)
        }
    });
    let groups = groups.await;
    let described = groups.iter().filter_map(|(_, group)| group.as_ref().ok());
    let roles: BTreeSet<String> = described.filter_map(role_name).collect();
    let roles = NodeRoles::read(eks, roles).await;
    let resource = |(name, group): (String, Result<Value, CallRefusal>)| match group {
        Ok(Value::Object(raw)) => Some(whole(eks, &roles, name, raw)),
        Err(refusal) if !is_gone(&refusal) => Some(hidden(eks, name, refusal.gap)),
        _ => None,
    };
    groups.into_iter().filter_map(resource).collect()
}

fn whole(eks: &EksCluster, roles: &NodeRoles, name: String, mut raw: Map<String, Value>) -> Resource {
    let mut unread = Vec::new();
    let policies = roles.policies(eks, raw.get("nodeRole"));
    partial_list::put(&mut raw, &mut unread, POLICIES, policies);
    let id =
        raw.get("nodegroupArn").and_then(Value::as_str).map_or_else(|| made_id(eks, &name), str::to_owned);
    Resource { unread, ..Resource::observed(Kind::Caas, NODE_GROUP.into(), id, name, Value::Object(raw)) }
}

/// A node group of which only the name is known.
fn hidden(eks: &EksCluster, name: String, gap: Gap) -> Resource {
    let raw = json!({"clusterName": &*eks.cluster, "nodegroupName": name});
    Resource {
        unread: vec![gap.at("$")],
        ..Resource::observed(Kind::Caas, NODE_GROUP.into(), made_id(eks, &name), name, raw)
    }
}

/// In place of the ARN, which ends with an id that only the description has.
fn made_id(eks: &EksCluster, name: &str) -> String {
    format!("nodegroup/{}/{name}", eks.cluster)
}
