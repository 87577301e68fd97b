//! The node groups, each with what the role of its nodes may do.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

use super::roles::{Roles, role_name};
use super::{Eks, NODE_GROUP, is_gone, part};
use crate::collect::aws::access::Problem;
use crate::collect::aws::ask::each;
use crate::collect::aws::request::Request;
use crate::resource::{Kind, Resource};

const POLICIES: &str = "nodeRolePolicies";

/// The node groups as resources; where they cannot be listed, one that stands for them.
pub(super) async fn observe(
    eks: &Eks,
    request: &Request,
    names: &Result<Vec<String>, Problem>,
) -> Vec<Resource> {
    let names = match names {
        Ok(names) => names.clone(),
        Err(problem) => return vec![request.unlisted(Kind::Caas, NODE_GROUP, problem)],
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
    let roles = Roles::read(eks, roles).await;
    let told = |(name, group)| match group {
        Ok(Value::Object(raw)) => Some(whole(eks, &roles, name, raw)),
        Err(problem) if !is_gone(&problem) => Some(hidden(eks, name, &problem)),
        _ => None,
    };
    groups.into_iter().filter_map(told).collect()
}

fn whole(eks: &Eks, roles: &Roles, name: String, mut raw: Map<String, Value>) -> Resource {
    let mut unread = Vec::new();
    let policies = roles.policies(eks, raw.get("nodeRole"));
    part::put(&mut raw, &mut unread, POLICIES, policies);
    let id =
        raw.get("nodegroupArn").and_then(Value::as_str).map_or_else(|| made_id(eks, &name), str::to_owned);
    Resource { unread, ..Resource::observed(Kind::Caas, NODE_GROUP.into(), id, name, Value::Object(raw)) }
}

/// A node group of which only the name is known.
fn hidden(eks: &Eks, name: String, problem: &Problem) -> Resource {
    let raw = json!({"clusterName": &*eks.cluster, "nodegroupName": name});
    Resource {
        unread: vec![problem.unread("$")],
        ..Resource::observed(Kind::Caas, NODE_GROUP.into(), made_id(eks, &name), name, raw)
    }
}

/// Stands for the ARN, which ends with an id that only the description tells.
fn made_id(eks: &Eks, name: &str) -> String {
    format!("nodegroup/{}/{name}", eks.cluster)
}
