//! Which calls we may make: each is made once, about things that need not exist.
//!
//! AWS asks whether a caller may before it looks whether the thing is there, so "no such repository" means yes.

use std::future::Future;
use std::pin::Pin;

use super::PUBLIC_REGION;
use super::access::{Access, Problem};
use super::call::{self, Call};
use crate::resource::Reason;

/// A name that nobody uses.
const NOBODY: &str = "posturebeat-probe";

/// What became of one probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The call.
    pub call: Call,
    /// What it came to.
    pub answer: Answer,
}

/// What a probe came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// We may.
    Allowed,
    /// We may not: what was said.
    Denied(String),
    /// Nobody knows: what was said.
    Unknown(String),
}

type Asked<'a> = Pin<Box<dyn Future<Output = Result<(), Problem>> + Send + 'a>>;

/// Tries every call but `sts:GetCallerIdentity`, for a cluster of this name in this region.
pub async fn probe(access: &Access, region: &str, partition: &str, cluster: &str) -> Vec<Probe> {
    let mut asked: Vec<(Call, Asked<'_>)> = Vec::new();
    macro_rules! ask {
        ($call:expr, $region:expr, $operation:expr) => {{
            let operation = $operation;
            asked.push((
                $call,
                Box::pin(async move { access.ask(&$call, $region, operation.send()).await.map(drop) }),
            ));
        }};
    }
    let config = access.at(region);
    let eks = aws_sdk_eks::Client::new(&config);
    ask!(call::LIST_CLUSTERS, region, eks.list_clusters().max_results(1));
    ask!(call::DESCRIBE_CLUSTER, region, eks.describe_cluster().name(cluster));
    ask!(call::LIST_ADDONS, region, eks.list_addons().cluster_name(cluster));
    ask!(call::DESCRIBE_ADDON, region, eks.describe_addon().cluster_name(cluster).addon_name("vpc-cni"));
    ask!(
        call::DESCRIBE_ADDON_VERSIONS,
        region,
        eks.describe_addon_versions().addon_name("vpc-cni").max_results(1)
    );
    ask!(call::LIST_FARGATE_PROFILES, region, eks.list_fargate_profiles().cluster_name(cluster));
    ask!(
        call::DESCRIBE_FARGATE_PROFILE,
        region,
        eks.describe_fargate_profile().cluster_name(cluster).fargate_profile_name(NOBODY)
    );
    ask!(call::LIST_ACCESS_ENTRIES, region, eks.list_access_entries().cluster_name(cluster));
    ask!(
        call::LIST_ASSOCIATED_ACCESS_POLICIES,
        region,
        eks.list_associated_access_policies()
            .cluster_name(cluster)
            .principal_arn(format!("arn:{partition}:iam::000000000000:role/{NOBODY}"))
    );
    ask!(
        call::LIST_POD_IDENTITY_ASSOCIATIONS,
        region,
        eks.list_pod_identity_associations().cluster_name(cluster)
    );
    ask!(
        call::LIST_IDENTITY_PROVIDER_CONFIGS,
        region,
        eks.list_identity_provider_configs().cluster_name(cluster)
    );
    ask!(call::LIST_NODEGROUPS, region, eks.list_nodegroups().cluster_name(cluster));
    ask!(
        call::DESCRIBE_NODEGROUP,
        region,
        eks.describe_nodegroup().cluster_name(cluster).nodegroup_name(NOBODY)
    );
    let iam = aws_sdk_iam::Client::new(&config);
    let managed = format!("arn:{partition}:iam::aws:policy/AmazonEKSWorkerNodePolicy");
    ask!(call::LIST_ATTACHED_ROLE_POLICIES, region, iam.list_attached_role_policies().role_name(NOBODY));
    ask!(call::GET_POLICY, region, iam.get_policy().policy_arn(&managed));
    ask!(call::GET_POLICY_VERSION, region, iam.get_policy_version().policy_arn(&managed).version_id("v1"));
    ask!(call::LIST_ROLE_POLICIES, region, iam.list_role_policies().role_name(NOBODY));
    ask!(call::GET_ROLE_POLICY, region, iam.get_role_policy().role_name(NOBODY).policy_name(NOBODY));
    let logs = aws_sdk_cloudwatchlogs::Client::new(&config);
    ask!(
        call::DESCRIBE_LOG_GROUPS,
        region,
        logs.describe_log_groups().log_group_name_prefix(format!("/aws/eks/{cluster}/")).limit(1)
    );
    let elb = aws_sdk_elasticloadbalancing::Client::new(&config);
    ask!(call::DESCRIBE_LOAD_BALANCERS, region, elb.describe_load_balancers().page_size(1));
    ask!(call::DESCRIBE_TAGS, region, elb.describe_tags().load_balancer_names(NOBODY));
    ask!(
        call::DESCRIBE_LOAD_BALANCER_ATTRIBUTES,
        region,
        elb.describe_load_balancer_attributes().load_balancer_name(NOBODY)
    );
    ask!(
        call::DESCRIBE_LOAD_BALANCER_POLICIES,
        region,
        elb.describe_load_balancer_policies().load_balancer_name(NOBODY)
    );
    let elbv2 = aws_sdk_elasticloadbalancingv2::Client::new(&config);
    let balancer = format!(
        "arn:{partition}:elasticloadbalancing:{region}:000000000000:loadbalancer/app/{NOBODY}/0123456789abcdef"
    );
    ask!(call::DESCRIBE_LISTENERS, region, elbv2.describe_listeners().load_balancer_arn(balancer));
    let ecr = aws_sdk_ecr::Client::new(&config);
    ask!(call::DESCRIBE_REPOSITORIES, region, ecr.describe_repositories().max_results(1));
    ask!(call::GET_REPOSITORY_POLICY, region, ecr.get_repository_policy().repository_name(NOBODY));
    ask!(call::GET_REGISTRY_POLICY, region, ecr.get_registry_policy());
    ask!(call::GET_REGISTRY_SCANNING_CONFIGURATION, region, ecr.get_registry_scanning_configuration());
    ask!(
        call::BATCH_GET_REPOSITORY_SCANNING_CONFIGURATION,
        region,
        ecr.batch_get_repository_scanning_configuration().repository_names(NOBODY)
    );
    ask!(call::DESCRIBE_IMAGES, region, ecr.describe_images().repository_name(NOBODY));
    // Public repositories are Amazon's own partition's only.
    if partition == "aws" {
        let public = aws_sdk_ecrpublic::Client::new(&access.at(PUBLIC_REGION));
        ask!(call::DESCRIBE_PUBLIC_REGISTRIES, PUBLIC_REGION, public.describe_registries());
        ask!(call::DESCRIBE_PUBLIC_REPOSITORIES, PUBLIC_REGION, public.describe_repositories());
        ask!(
            call::GET_PUBLIC_REPOSITORY_POLICY,
            PUBLIC_REGION,
            public.get_repository_policy().repository_name(NOBODY)
        );
    }
    let mut probes = Vec::new();
    for (call, asked) in asked {
        let answer = match asked.await {
            Ok(()) => Answer::Allowed,
            Err(problem) => match problem.reason {
                Reason::Missing | Reason::Malformed => Answer::Allowed,
                Reason::Denied => Answer::Denied(problem.what),
                _ => Answer::Unknown(problem.what),
            },
        };
        probes.push(Probe { call, answer });
    }
    probes
}
