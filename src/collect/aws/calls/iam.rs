//! Calls to IAM.

use aws_sdk_iam::Client;

use super::{NO_NAME, ProbeTarget, service_calls};

service_calls! {
    service "iam", client Client, region |target| Some(target.region);

    /// The managed policies of a role.
    LIST_ATTACHED_ROLE_POLICIES =
        "ListAttachedRolePolicies" feeds { "caas/aws-eks-nodegroup": "$.nodeRolePolicies" },
    probe |iam, _| iam.list_attached_role_policies().role_name(NO_NAME);

    /// The default version of a managed policy.
    GET_POLICY = "GetPolicy" feeds { "caas/aws-eks-nodegroup": "$.nodeRolePolicies" },
    probe |iam, target| iam.get_policy().policy_arn(managed_policy(target));

    /// The document of that version.
    GET_POLICY_VERSION = "GetPolicyVersion" feeds { "caas/aws-eks-nodegroup": "$.nodeRolePolicies" },
    probe |iam, target| iam.get_policy_version().policy_arn(managed_policy(target)).version_id("v1");

    /// The names of a role's inline policies.
    LIST_ROLE_POLICIES = "ListRolePolicies" feeds { "caas/aws-eks-nodegroup": "$.nodeRolePolicies" },
    probe |iam, _| iam.list_role_policies().role_name(NO_NAME);

    /// The document of an inline policy.
    GET_ROLE_POLICY = "GetRolePolicy" feeds { "caas/aws-eks-nodegroup": "$.nodeRolePolicies" },
    probe |iam, _| iam.get_role_policy().role_name(NO_NAME).policy_name(NO_NAME);
}

/// A managed policy that every account has.
fn managed_policy(target: &ProbeTarget<'_>) -> String {
    format!("arn:{}:iam::aws:policy/AmazonEKSWorkerNodePolicy", target.partition)
}
