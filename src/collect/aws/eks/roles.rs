//! What the roles of nodes may do: their policies, of IAM. Each role and each policy is asked for once, however many
//! node groups have it, because IAM answers slowly and is soon tired of questions.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

use super::Eks;
use super::part::Part;
use crate::collect::aws::access::{Access, Problem};
use crate::collect::aws::ask::{Page, each, follow};
use crate::collect::aws::call::{
    Call, DESCRIBE_NODEGROUP, GET_POLICY, GET_POLICY_VERSION, GET_ROLE_POLICY, LIST_ATTACHED_ROLE_POLICIES,
    LIST_ROLE_POLICIES,
};
use crate::collect::aws::policy;
use crate::resource::Reason;

/// Roles by name, and managed policies by ARN.
pub(super) struct Roles {
    roles: BTreeMap<String, Result<Role, Problem>>,
    managed: BTreeMap<String, Result<Value, Problem>>,
}

/// The policies of a role.
struct Role {
    /// Name and ARN of those that others may have too.
    attached: Vec<(String, String)>,
    /// Name and document of its own.
    inline: Vec<(String, Result<Value, Problem>)>,
}

/// IAM, which is the same in all regions of a partition.
#[derive(Clone)]
struct Iam {
    access: Access,
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

impl Roles {
    /// Reads the policies of these roles.
    pub async fn read(eks: &Eks, names: BTreeSet<String>) -> Self {
        let iam = Iam {
            access: eks.access.clone(),
            client: aws_sdk_iam::Client::new(&eks.access.at(&eks.region)),
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
    pub fn policies(&self, eks: &Eks, arn: Option<&Value>) -> Result<Part, Problem> {
        let Some(role) = name_of(arn).and_then(|name| self.roles.get(&name)) else {
            let said = "the node group names no role";
            return Err(Problem::new(&DESCRIBE_NODEGROUP, &eks.region, Reason::Malformed, said));
        };
        let role = role.as_ref().map_err(Clone::clone)?;
        let mut part = Part::default();
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

fn push(part: &mut Part, mut entry: Value, document: &Result<Value, Problem>) {
    match document {
        Ok(document) => {
            entry["document"] = document.clone();
            part.push(entry);
        }
        Err(problem) => {
            part.push(entry);
            part.misses(".document", problem.clone());
        }
    }
}

impl Iam {
    async fn role(&self, name: &str) -> Result<Role, Problem> {
        let (attached, inline) = tokio::join!(self.attached(name), self.inline(name));
        match (attached, inline) {
            (Ok(attached), Ok(inline)) => Ok(Role { attached, inline }),
            // Whoever allows one of them should hear of the other too.
            (Err(mut first), Err(second)) => {
                first.what = format!("{}; {}", first.what, second.what);
                Err(first)
            }
            (Err(problem), _) | (_, Err(problem)) => Err(problem),
        }
    }

    async fn attached(&self, role: &str) -> Result<Vec<(String, String)>, Problem> {
        let call = &LIST_ATTACHED_ROLE_POLICIES;
        let policies = follow(call, &self.region, |marker| async move {
            let request = self.client.list_attached_role_policies().role_name(role).set_marker(marker);
            let answer = self.access.ask(call, &self.region, Box::pin(request.send())).await?;
            let next = answer.marker.filter(|_| answer.is_truncated);
            Ok(Page { items: answer.attached_policies.unwrap_or_default(), next })
        });
        let named =
            |policy: aws_sdk_iam::types::AttachedPolicy| Some((policy.policy_name?, policy.policy_arn?));
        Ok(policies.await?.into_iter().filter_map(named).collect())
    }

    async fn inline(&self, role: &str) -> Result<Vec<(String, Result<Value, Problem>)>, Problem> {
        let call = &LIST_ROLE_POLICIES;
        let names = follow(call, &self.region, |marker| async move {
            let request = self.client.list_role_policies().role_name(role).set_marker(marker);
            let answer = self.access.ask(call, &self.region, Box::pin(request.send())).await?;
            let next = answer.marker.filter(|_| answer.is_truncated);
            Ok(Page { items: answer.policy_names, next })
        });
        let policies = each(names.await?, |name| {
            let (iam, role) = (self.clone(), role.to_owned());
            async move {
                let request = iam.client.get_role_policy().role_name(role).policy_name(&name);
                let answer = iam.access.ask(&GET_ROLE_POLICY, &iam.region, Box::pin(request.send())).await;
                let document =
                    answer.and_then(|answer| iam.document(&GET_ROLE_POLICY, &answer.policy_document));
                (name, document)
            }
        });
        Ok(policies.await)
    }

    /// What the version of a managed policy says that is in force.
    async fn managed(&self, arn: &str) -> Result<Value, Problem> {
        let request = self.client.get_policy().policy_arn(arn);
        let answer = self.access.ask(&GET_POLICY, &self.region, Box::pin(request.send())).await?;
        let version = answer.policy.and_then(|policy| policy.default_version_id);
        let Some(version) = version else {
            let said = "the policy has no default version";
            return Err(Problem::new(&GET_POLICY, &self.region, Reason::Malformed, said));
        };
        let request = self.client.get_policy_version().policy_arn(arn).version_id(version);
        let answer = self.access.ask(&GET_POLICY_VERSION, &self.region, Box::pin(request.send())).await?;
        let text = answer.policy_version.and_then(|version| version.document).unwrap_or_default();
        self.document(&GET_POLICY_VERSION, &text)
    }

    fn document(&self, call: &Call, text: &str) -> Result<Value, Problem> {
        policy::document(text).map_err(|why| Problem::new(call, &self.region, Reason::Malformed, &why))
    }
}
