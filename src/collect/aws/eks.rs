//! The managed cluster and its node groups, as EKS tells of them.
//!
//! In: the cluster's name and region. Out: `caas/aws-eks`, the answer of DescribeCluster with the lists that hang on
//! the cluster, and one `caas/aws-eks-nodegroup` for each node group, with what its nodes' role may do. A list that
//! could not be read is unread at its key, an entry at its index.

mod access;
mod addons;
mod cluster;
mod groups;
mod part;
mod roles;

#[cfg(test)]
mod tests;

use serde_json::Value;
use std::sync::Arc;
use tokio::sync::mpsc;

use super::access::{Access, Problem};
use super::ask::{ask, ask_pages};
use super::call::{Call, DESCRIBE_NODEGROUP, LIST_NODEGROUPS};
use super::request::Request;
use crate::resource::{Kind, Reason, Resource};

const CLUSTER: &str = "aws-eks";
const NODE_GROUP: &str = "aws-eks-nodegroup";

/// One cluster, and how to ask for it.
#[derive(Debug, Clone)]
struct Eks {
    access: Access,
    client: aws_sdk_eks::Client,
    region: Arc<str>,
    cluster: Arc<str>,
}

/// Reads what is wanted of the cluster and its node groups.
///
/// Ends early when the receiver of `found` is gone.
pub async fn observe(access: &Access, request: &Request, found: &mpsc::Sender<Resource>) {
    let wants_cluster = request.wants(Kind::Caas, CLUSTER);
    let wants_groups = request.wants(Kind::Caas, NODE_GROUP);
    if !wants_cluster && !wants_groups {
        return;
    }
    let eks = Eks {
        access: access.clone(),
        client: aws_sdk_eks::Client::new(&access.at(&request.region)),
        region: request.region.as_str().into(),
        cluster: request.cluster.as_str().into(),
    };
    let groups = eks.group_names().await;
    let cluster = async {
        if wants_cluster {
            // Nothing is left to do for a receiver that is gone.
            let _ = found.send(cluster::observe(&eks, request, &groups).await).await;
        }
    };
    let node_groups = async {
        if wants_groups {
            for group in groups::observe(&eks, request, &groups).await {
                let _ = found.send(group).await;
            }
        }
    };
    tokio::join!(cluster, node_groups);
}

impl Eks {
    async fn group_names(&self) -> Result<Vec<String>, Problem> {
        let request = || self.client.list_nodegroups().cluster_name(&*self.cluster);
        let names = ask_pages!(self.access, LIST_NODEGROUPS, self.region, "nodegroups", request)?;
        Ok(texts(names))
    }

    async fn group(&self, name: &str) -> Result<Value, Problem> {
        let request = self.client.describe_nodegroup().cluster_name(&*self.cluster).nodegroup_name(name);
        let answer = ask!(self.access, DESCRIBE_NODEGROUP, self.region, request)?;
        self.object(&DESCRIBE_NODEGROUP, answer, "nodegroup")
    }

    /// The object under `key` of an answer.
    fn object(&self, call: &Call, mut answer: Value, key: &str) -> Result<Value, Problem> {
        let object = answer.get_mut(key).map(Value::take).filter(Value::is_object);
        object.ok_or_else(|| {
            let said = format!("the answer has no object `{key}`");
            Problem::new(call, &self.region, Reason::Malformed, &said)
        })
    }
}

/// The texts among values: names and ARNs are nothing else.
fn texts(values: Vec<Value>) -> Vec<String> {
    let text = |value| match value {
        Value::String(text) => Some(text),
        _ => None,
    };
    values.into_iter().filter_map(text).collect()
}

/// Whether something was deleted since it was listed.
fn is_gone(problem: &Problem) -> bool {
    problem.code == "ResourceNotFoundException"
}
