//! The managed cluster and its node groups, as EKS describes them.
//!
//! In: the cluster's name and region. Out: `caas/aws-eks`, the answer of DescribeCluster with the lists of
//! the cluster, and one `caas/aws-eks-nodegroup` for each node group, with the policies of its nodes' role. A list that
//! could not be read is unread at its key, an entry at its index.

mod access_entries;
mod addons;
mod cluster;
mod node_groups;
mod node_roles;
mod partial_list;

#[cfg(test)]
mod tests;

use serde_json::Value;
use std::sync::Arc;
use tokio::sync::mpsc;

use super::calls::eks::{DESCRIBE_NODEGROUP, LIST_NODEGROUPS};
use super::client::{AwsClient, CallRefusal, ask, ask_pages, call_gap};
use super::scope::AwsScope;
use crate::collect::cloud::CloudCall;
use crate::resource::{Gap, Kind, Reason, Resource};

const CLUSTER: &str = "aws-eks";
const NODE_GROUP: &str = "aws-eks-nodegroup";

/// One cluster, and a client for it.
#[derive(Debug, Clone)]
struct EksCluster {
    aws: AwsClient,
    client: aws_sdk_eks::Client,
    region: Arc<str>,
    cluster: Arc<str>,
}

/// Sends what is wanted of the cluster and its node groups to `found`; returns early when its receiver is dropped.
pub(super) async fn observe(aws: &AwsClient, scope: &AwsScope, found: &mpsc::Sender<Resource>) {
    let wants_cluster = scope.wants(Kind::Caas, CLUSTER);
    let wants_groups = scope.wants(Kind::Caas, NODE_GROUP);
    if !wants_cluster && !wants_groups {
        return;
    }
    let eks = EksCluster {
        aws: aws.clone(),
        client: aws_sdk_eks::Client::new(&aws.at(&scope.region)),
        region: scope.region.as_str().into(),
        cluster: scope.cluster.as_str().into(),
    };
    let groups = eks.group_names().await;
    let cluster = async {
        if wants_cluster {
            // Fails when the receiver was dropped: the cycle is over.
            let _ = found.send(cluster::observe(&eks, scope, &groups).await).await;
        }
    };
    let node_groups = async {
        if wants_groups {
            for group in node_groups::observe(&eks, scope, &groups).await {
                let _ = found.send(group).await;
            }
        }
    };
    tokio::join!(cluster, node_groups);
}

impl EksCluster {
    async fn group_names(&self) -> Result<Vec<String>, Gap> {
        let request = || self.client.list_nodegroups().cluster_name(&*self.cluster);
        let names = ask_pages!(self.aws, LIST_NODEGROUPS, self.region, "nodegroups", request)?;
        Ok(texts(names))
    }

    async fn group(&self, name: &str) -> Result<Value, CallRefusal> {
        let request = self.client.describe_nodegroup().cluster_name(&*self.cluster).nodegroup_name(name);
        let answer = ask!(self.aws, DESCRIBE_NODEGROUP, self.region, request)?;
        Ok(self.object(&DESCRIBE_NODEGROUP, answer, "nodegroup")?)
    }

    /// The object under `key` of an answer.
    fn object(&self, call: &CloudCall, mut answer: Value, key: &str) -> Result<Value, Gap> {
        let object = answer.get_mut(key).map(Value::take).filter(Value::is_object);
        object.ok_or_else(|| {
            let why = format!("the answer has no object `{key}`");
            call_gap(call, &self.region, Reason::Malformed, &why)
        })
    }
}

/// The strings among values: names and ARNs are strings.
fn texts(values: Vec<Value>) -> Vec<String> {
    let text = |value| match value {
        Value::String(text) => Some(text),
        _ => None,
    };
    values.into_iter().filter_map(text).collect()
}

/// Whether something was deleted since it was listed.
fn is_gone(refusal: &CallRefusal) -> bool {
    refusal.code == "ResourceNotFoundException"
}
