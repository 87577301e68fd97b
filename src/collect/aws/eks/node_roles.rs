//! The IAM policies of the nodes' roles. Each role and each policy is read once, however many node groups have it,
//! because IAM is slow and throttles early.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

use super::EksCluster;
use super::partial_list::PartialList;
use crate::collect::aws::calls::eks::DESCRIBE_NODEGROUP;
use crate::collect::aws::calls::iam::{
    GET_POLICY, GET_POLICY_VERSION, GET_ROLE_POLICY, LIST_ATTACHED_ROLE_POLICIES, LIST_ROLE_POLICIES,
};
use crate::collect::aws::client::{AwsClient, Page, call_gap, each, follow};
use crate::collect::aws::document::policy_document;
use crate::collect::cloud::CloudCall;
use crate::resource::{Gap, Reason};

/// Roles by name, and managed policies by ARN.
pub(super) struct NodeRoles {
    roles: BTreeMap<String, Result<RolePolicies, Gap>>,
    managed: BTreeMap<String, Result<Value, Gap>>,
}

/// The policies of a role.
struct RolePolicies {
    /// Name and ARN of each managed policy.
    attached: Vec<(String, String)>,
    /// Name and document of each inline policy.
    inline: Vec<(String, Result<Value, Gap>)>,
}

/// IAM, which is the same in all regions of a partition.
#[derive(Clone)]
struct IamClient {
    aws: AwsClient,
    client: aws_sdk_iam::Client,
    region: String,
}

/// The name in the ARN of a node group's role, whatever path is before it.
pub(super) fn role_name(group: &Value) -> Option<String> {
    name_of(group.get("nodeRole"))
}

fn name_of(arn: Option<&Value>) -> Option<String> {
    let (_, path) = arn?.as_str()?.split_once(":role/")?;
    path.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned)
}

impl NodeRoles {
    /// Reads the policies of these roles.
    pub(super) async fn read(eks: &EksCluster, names: BTreeSet<String>) -> Self {
        let iam = IamClient {
            aws: eks.aws.clone(),
            client: aws_sdk_iam::Client::new(&eks.aws.at(&eks.region)),
            region: eks.region.to_string(),
        };
        let roles = each(names, |name| {
            let iam = iam.clone();
            async move {
                let role = iam.role(&name).await;
                (name, role)
            }
        });
        let roles: BTreeMap<_, _> = roles.await.into_iter().collect();
        let attached =
            roles.values().flatten().flat_map(|role| role.attached.iter().map(|(_, arn)| arn.clone()));
        let managed = each(attached.collect::<BTreeSet<_>>(), |arn| {
            let iam = iam.clone();
            async move {
                let document = iam.managed(&arn).await;
                (arn, document)
            }
        });
        let managed = managed.await.into_iter().collect();
        Self { roles, managed }
    }

    /// The policies of the role with this ARN.
    pub(super) fn policies(&self, eks: &EksCluster, arn: Option<&Value>) -> Result<PartialList, Gap> {
        let Some(role) = name_of(arn).and_then(|name| self.roles.get(&name)) else {
            let why = "the node group names no role";
            return Err(call_gap(&DESCRIBE_NODEGROUP, &eks.region, Reason::Malformed, why));
        };
        let role = role.as_ref().map_err(Clone::clone)?;
        let mut part = PartialList::default();
        for (name, arn) in &role.attached {
            let entry = json!({"policyName": name, "policyArn": arn});
            if let Some(document) = self.managed.get(arn) {
                push(&mut part, entry, document);
            }
        }
        for (name, document) in &role.inline {
            push(&mut part, json!({"policyName": name}), document);
        }
        Ok(part)
    }
}

fn push(part: &mut PartialList, mut entry: Value, document: &Result<Value, Gap>) {
    match document {
        Ok(document) => {
            entry["document"] = document.clone();
            part.push(entry);
        }
        Err(gap) => {
            part.push(entry);
            part.misses(".document", gap.clone());
        }
    }
}

impl IamClient {
    async fn role(&self, name: &str) -> Result<RolePolicies, Gap> {
        let (attached, inline) = tokio::join!(self.attached(name), self.inline(name));
        match (attached, inline) {
            (Ok(attached), Ok(inline)) => Ok(RolePolicies { attached, inline }),
            // Both actions are to be allowed, so both are named.
            (Err(mut first), Err(second)) => {
                first.what = format!("{}; {}", first.what, second.what);
                Err(first)
            }
            (Err(gap), _) | (_, Err(gap)) => Err(gap),
        }
    }

    async fn attached(&self, role: &str) -> Result<Vec<(String, String)>, Gap> {
        let call = &LIST_ATTACHED_ROLE_POLICIES;
        let policies = follow(call, &self.region, |marker| async move {
            let request = self.client.list_attached_role_policies().role_name(role).set_marker(marker);
            let answer = self.aws.ask(call, &self.region, Box::pin(request.send())).await?;
            let next = answer.marker.filter(|_| answer.is_truncated);
            Ok(Page { items: answer.attached_policies.unwrap_or_default(), next })
        });
        let named =
            |policy: aws_sdk_iam::types::AttachedPolicy| Some((policy.policy_name?, policy.policy_arn?));
        Ok(policies.await?.into_iter().filter_map(named).collect())
    }

    async fn inline(&self, role: &str) -> Result<Vec<(String, Result<Value, Gap>)>, Gap> {
        let call = &LIST_ROLE_POLICIES;
        let names = follow(call, &self.region, |marker| async move {
            let request = self.client.list_role_policies().role_name(role).set_marker(marker);
            let answer = self.aws.ask(call, &self.region, Box::pin(request.send())).await?;
            let next = answer.marker.filter(|_| answer.is_truncated);
            Ok(Page { items: answer.policy_names, next })
        });
        let policies = each(names.await?, |name| {
            let (iam, role) = (self.clone(), role.to_owned());
            async move {
                let request = iam.client.get_role_policy().role_name(role).policy_name(&name);
                let answer = iam.aws.ask(&GET_ROLE_POLICY, &iam.region, Box::pin(request.send())).await;
                let document = answer
                    .map_err(Gap::from)
                    .and_then(|answer| iam.document(&GET_ROLE_POLICY, &answer.policy_document));
                (name, document)
            }
        });
        Ok(policies.await)
    }

    /// The document of a managed policy: its default version.
    async fn managed(&self, arn: &str) -> Result<Value, Gap> {
        let request = self.client.get_policy().policy_arn(arn);
        let answer = self.aws.ask(&GET_POLICY, &self.region, Box::pin(request.send())).await?;
        let version = answer.policy.and_then(|policy| policy.default_version_id);
        let Some(version) = version else {
            let why = "the policy has no default version";
            return Err(call_gap(&GET_POLICY, &self.region, Reason::Malformed, why));
        };
        let request = self.client.get_policy_version().policy_arn(arn).version_id(version);
        let answer = self.aws.ask(&GET_POLICY_VERSION, &self.region, Box::pin(request.send())).await?;
        let text = answer.policy_version.and_then(|version| version.document).unwrap_or_default();
        self.document(&GET_POLICY_VERSION, &text)
    }

    fn document(&self, call: &CloudCall, text: &str) -> Result<Value, Gap> {
        policy_document(text).map_err(|why| call_gap(call, &self.region, Reason::Malformed, &why))
    }
}
