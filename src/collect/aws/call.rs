//! What is asked of AWS, which IAM action that takes, and what hangs on the answer: one table.
//!
//! The policy to attach, `test aws` and the messages of failed calls are made from it.

/// A call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The service as IAM names it: `eks`, `ecr-public`, `elasticloadbalancing`.
    pub service: &'static str,
    /// The operation: `DescribeCluster`.
    pub operation: &'static str,
    /// What it tells of which resources.
    pub feeds: &'static [Feed],
}

/// A place of a kind of resource that a call's answer fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feed {
    /// `caas/aws-eks`.
    pub selector: &'static str,
    /// `$` where without the call nothing is known of the resource, else such as `$.addons`.
    pub place: &'static str,
}

impl Call {
    /// The IAM action that it takes: `eks:DescribeCluster`.
    pub fn action(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }
}

const fn call(service: &'static str, operation: &'static str, feeds: &'static [Feed]) -> Call {
    Call { service, operation, feeds }
}

const fn feed(selector: &'static str, place: &'static str) -> Feed {
    Feed { selector, place }
}

const CLUSTER: &[Feed] = &[feed("caas/aws-eks", "$")];
const ADDONS: &[Feed] = &[feed("caas/aws-eks", "$.addons")];
const FARGATE: &[Feed] = &[feed("caas/aws-eks", "$.fargateProfiles")];
const NODE_GROUP: &[Feed] = &[feed("caas/aws-eks-nodegroup", "$")];
const ROLE_POLICIES: &[Feed] = &[feed("caas/aws-eks-nodegroup", "$.nodeRolePolicies")];
const BALANCER: &[Feed] = &[
    feed("load-balancer/aws-elb", "$"),
    feed("load-balancer/aws-alb", "$"),
    feed("load-balancer/aws-nlb", "$"),
];
const BALANCER_TAGS: &[Feed] = &[
    feed("load-balancer/aws-elb", "$.Tags"),
    feed("load-balancer/aws-alb", "$.Tags"),
    feed("load-balancer/aws-nlb", "$.Tags"),
];
const BALANCER_ATTRIBUTES: &[Feed] = &[
    feed("load-balancer/aws-elb", "$.Attributes"),
    feed("load-balancer/aws-alb", "$.Attributes"),
    feed("load-balancer/aws-nlb", "$.Attributes"),
];
const LISTENERS: &[Feed] =
    &[feed("load-balancer/aws-alb", "$.Listeners"), feed("load-balancer/aws-nlb", "$.Listeners")];
const PUBLIC_REPOSITORY: &[Feed] = &[feed("container-registry/aws-ecr-public", "$")];

/// Who we are: anybody may ask.
pub const GET_CALLER_IDENTITY: Call = call("sts", "GetCallerIdentity", &[]);
/// The names of the region's clusters, where nothing else tells ours.
pub const LIST_CLUSTERS: Call =
    call("eks", "ListClusters", &[feed("caas/aws-eks", "$"), feed("caas/aws-eks-nodegroup", "$")]);
/// The cluster.
pub const DESCRIBE_CLUSTER: Call = call("eks", "DescribeCluster", CLUSTER);
/// The names of its add-ons.
pub const LIST_ADDONS: Call = call("eks", "ListAddons", ADDONS);
/// An add-on.
pub const DESCRIBE_ADDON: Call = call("eks", "DescribeAddon", ADDONS);
/// The versions of an add-on that go with the cluster's.
pub const DESCRIBE_ADDON_VERSIONS: Call = call("eks", "DescribeAddonVersions", ADDONS);
/// The names of its Fargate profiles.
pub const LIST_FARGATE_PROFILES: Call = call("eks", "ListFargateProfiles", FARGATE);
/// A Fargate profile.
pub const DESCRIBE_FARGATE_PROFILE: Call = call("eks", "DescribeFargateProfile", FARGATE);
/// The principals that may enter.
pub const LIST_ACCESS_ENTRIES: Call =
    call("eks", "ListAccessEntries", &[feed("caas/aws-eks", "$.accessEntries")]);
/// What one of them may do.
pub const LIST_ASSOCIATED_ACCESS_POLICIES: Call =
    call("eks", "ListAssociatedAccessPolicies", &[feed("caas/aws-eks", "$.accessEntries")]);
/// The service accounts that have a role.
pub const LIST_POD_IDENTITY_ASSOCIATIONS: Call =
    call("eks", "ListPodIdentityAssociations", &[feed("caas/aws-eks", "$.podIdentityAssociations")]);
/// Who else may say who a user is.
pub const LIST_IDENTITY_PROVIDER_CONFIGS: Call =
    call("eks", "ListIdentityProviderConfigs", &[feed("caas/aws-eks", "$.identityProviderConfigs")]);
/// The names of its node groups.
pub const LIST_NODEGROUPS: Call = call(
    "eks",
    "ListNodegroups",
    &[feed("caas/aws-eks-nodegroup", "$"), feed("caas/aws-eks", "$.nodegroups")],
);
/// A node group.
pub const DESCRIBE_NODEGROUP: Call = call("eks", "DescribeNodegroup", NODE_GROUP);
/// The managed policies of a role.
pub const LIST_ATTACHED_ROLE_POLICIES: Call = call("iam", "ListAttachedRolePolicies", ROLE_POLICIES);
/// Which version of a managed policy is in force.
pub const GET_POLICY: Call = call("iam", "GetPolicy", ROLE_POLICIES);
/// What it says.
pub const GET_POLICY_VERSION: Call = call("iam", "GetPolicyVersion", ROLE_POLICIES);
/// The names of the policies that are a role's own.
pub const LIST_ROLE_POLICIES: Call = call("iam", "ListRolePolicies", ROLE_POLICIES);
/// What one of them says.
pub const GET_ROLE_POLICY: Call = call("iam", "GetRolePolicy", ROLE_POLICIES);
/// Where the control plane's logs go.
pub const DESCRIBE_LOG_GROUPS: Call =
    call("logs", "DescribeLogGroups", &[feed("caas/aws-eks", "$.logGroups")]);
/// Load balancers, of both generations.
pub const DESCRIBE_LOAD_BALANCERS: Call = call("elasticloadbalancing", "DescribeLoadBalancers", BALANCER);
/// Their tags.
pub const DESCRIBE_TAGS: Call = call("elasticloadbalancing", "DescribeTags", BALANCER_TAGS);
/// Their attributes.
pub const DESCRIBE_LOAD_BALANCER_ATTRIBUTES: Call =
    call("elasticloadbalancing", "DescribeLoadBalancerAttributes", BALANCER_ATTRIBUTES);
/// The policies of one of the older generation.
pub const DESCRIBE_LOAD_BALANCER_POLICIES: Call = call(
    "elasticloadbalancing",
    "DescribeLoadBalancerPolicies",
    &[feed("load-balancer/aws-elb", "$.Policies")],
);
/// The listeners of one of the newer generation.
pub const DESCRIBE_LISTENERS: Call = call("elasticloadbalancing", "DescribeListeners", LISTENERS);
/// Private repositories.
pub const DESCRIBE_REPOSITORIES: Call =
    call("ecr", "DescribeRepositories", &[feed("container-registry/aws-ecr", "$")]);
/// Who may do what with a repository.
pub const GET_REPOSITORY_POLICY: Call =
    call("ecr", "GetRepositoryPolicy", &[feed("container-registry/aws-ecr", "$.policy")]);
/// Who may do what with the whole registry.
pub const GET_REGISTRY_POLICY: Call =
    call("ecr", "GetRegistryPolicy", &[feed("container-registry/aws-ecr", "$.registryPolicy")]);
/// How the registry scans.
pub const GET_REGISTRY_SCANNING_CONFIGURATION: Call = call(
    "ecr",
    "GetRegistryScanningConfiguration",
    &[feed("container-registry/aws-ecr", "$.registryScanningConfiguration")],
);
/// How that meets a repository.
pub const BATCH_GET_REPOSITORY_SCANNING_CONFIGURATION: Call = call(
    "ecr",
    "BatchGetRepositoryScanningConfiguration",
    &[feed("container-registry/aws-ecr", "$.scanningConfiguration")],
);
/// What scans of the images that run have found.
pub const DESCRIBE_IMAGES: Call =
    call("ecr", "DescribeImages", &[feed("container-registry/aws-ecr", "$.images")]);
/// Public registries of the account.
pub const DESCRIBE_PUBLIC_REGISTRIES: Call = call("ecr-public", "DescribeRegistries", PUBLIC_REPOSITORY);
/// Their repositories.
pub const DESCRIBE_PUBLIC_REPOSITORIES: Call = call("ecr-public", "DescribeRepositories", PUBLIC_REPOSITORY);
/// Who may do what with a public repository.
pub const GET_PUBLIC_REPOSITORY_POLICY: Call =
    call("ecr-public", "GetRepositoryPolicy", &[feed("container-registry/aws-ecr-public", "$.policy")]);

/// Every call that is made.
pub const CALLS: [Call; 34] = [
    GET_CALLER_IDENTITY,
    LIST_CLUSTERS,
    DESCRIBE_CLUSTER,
    LIST_ADDONS,
    DESCRIBE_ADDON,
    DESCRIBE_ADDON_VERSIONS,
    LIST_FARGATE_PROFILES,
    DESCRIBE_FARGATE_PROFILE,
    LIST_ACCESS_ENTRIES,
    LIST_ASSOCIATED_ACCESS_POLICIES,
    LIST_POD_IDENTITY_ASSOCIATIONS,
    LIST_IDENTITY_PROVIDER_CONFIGS,
    LIST_NODEGROUPS,
    DESCRIBE_NODEGROUP,
    LIST_ATTACHED_ROLE_POLICIES,
    GET_POLICY,
    GET_POLICY_VERSION,
    LIST_ROLE_POLICIES,
    GET_ROLE_POLICY,
    DESCRIBE_LOG_GROUPS,
    DESCRIBE_LOAD_BALANCERS,
    DESCRIBE_TAGS,
    DESCRIBE_LOAD_BALANCER_ATTRIBUTES,
    DESCRIBE_LOAD_BALANCER_POLICIES,
    DESCRIBE_LISTENERS,
    DESCRIBE_REPOSITORIES,
    GET_REPOSITORY_POLICY,
    GET_REGISTRY_POLICY,
    GET_REGISTRY_SCANNING_CONFIGURATION,
    BATCH_GET_REPOSITORY_SCANNING_CONFIGURATION,
    DESCRIBE_IMAGES,
    DESCRIBE_PUBLIC_REGISTRIES,
    DESCRIBE_PUBLIC_REPOSITORIES,
    GET_PUBLIC_REPOSITORY_POLICY,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{CLOUD, Selector};
    use std::collections::BTreeSet;

    #[test]
    fn every_call_feeds_something_that_is_known() {
        let mut actions = BTreeSet::new();
        for call in CALLS {
            assert!(actions.insert(call.action()), "{} stands twice", call.action());
            assert!(!call.feeds.is_empty() || call == GET_CALLER_IDENTITY, "{}", call.action());
            for feed in call.feeds {
                let selector: Selector = feed.selector.parse().unwrap();
                let known = |(kind, names): &(_, &[&str])| {
                    *kind == selector.kind && names.contains(&selector.name.as_str())
                };
                assert!(CLOUD.iter().any(known), "{}", feed.selector);
            }
        }
    }
}
