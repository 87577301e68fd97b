//! The front and the emulator answer each call that the program makes, and turn it away as AWS does.

use aws_sdk_sts::config::http::HttpResponse;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_types::SdkConfig;
use posturebeat::collect::aws::calls;
use posturebeat::collect::cloud::CloudCall;

use super::Aws;
use super::seed::{HOME, Seed};

/// How many things an answer tells of, or status and code of the error.
type Told = Result<usize, String>;

/// Sends an operation and counts what its answer tells of.
macro_rules! told {
    ($operation:expr, $answer:ident => $count:expr) => {
        match $operation.send().await {
            Ok($answer) => Ok($count),
            Err(error) => Err(refused(&error)),
        }
    };
}

fn refused<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> String {
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    format!("{status} {}", error.code().unwrap_or("without a code"))
}

/// What the client of the call's service is told; of both balancer services where both have the call.
async fn ask(aws: &Aws, call: &CloudCall) -> Vec<Told> {
    let (home, operation) = (aws.config(HOME), call.operation);
    let told = match call.service {
        "sts" => {
            let sts = aws_sdk_sts::Client::new(&home);
            Some(told!(sts.get_caller_identity(), answer => answer.account().iter().len()))
        }
        "eks" => eks(&home, operation).await,
        "iam" => iam(&home, operation).await,
        "logs" => {
            let logs = aws_sdk_cloudwatchlogs::Client::new(&home);
            let asked = logs.describe_log_groups().log_group_name_prefix("/aws/eks/good/cluster");
            Some(told!(asked, answer => answer.log_groups().len()))
        }
        "ecr" => ecr(&home, operation).await,
        "ecr-public" => ecr_public(&aws.config("us-east-1"), operation).await,
        "elasticloadbalancing" => {
            let told = [classic(&home, operation).await, newer(&home, operation, &aws.seed).await];
            let told: Vec<Told> = told.into_iter().flatten().collect();
            assert!(!told.is_empty(), "{} is not asked here", call.permission);
            return told;
        }
        _ => None,
    };
    vec![told.unwrap_or_else(|| panic!("{} is not asked here", call.permission))]
}

async fn eks(config: &SdkConfig, operation: &str) -> Option<Told> {
    let eks = aws_sdk_eks::Client::new(config);
    let name = "good";
    Some(match operation {
        "ListClusters" => told!(eks.list_clusters(), answer => answer.clusters().len()),
        "DescribeCluster" => {
            told!(eks.describe_cluster().name(name), answer => answer.cluster().iter().len())
        }
        "ListAddons" => told!(eks.list_addons().cluster_name(name), answer => answer.addons().len()),
        "DescribeAddon" => {
            let asked = eks.describe_addon().cluster_name(name).addon_name("vpc-cni");
            told!(asked, answer => answer.addon().iter().len())
        }
        "DescribeAddonVersions" => {
            let asked = eks.describe_addon_versions().addon_name("vpc-cni").kubernetes_version("1.33");
            told!(asked, answer => answer.addons().len())
        }
        "ListFargateProfiles" => {
            told!(eks.list_fargate_profiles().cluster_name(name), answer => answer.fargate_profile_names().len())
        }
        "DescribeFargateProfile" => {
            let asked = eks.describe_fargate_profile().cluster_name(name).fargate_profile_name("batch");
            told!(asked, answer => answer.fargate_profile().iter().len())
        }
        "ListAccessEntries" => {
            told!(eks.list_access_entries().cluster_name(name), answer => answer.access_entries().len())
        }
        "ListAssociatedAccessPolicies" => {
            let asked = eks.list_associated_access_policies().cluster_name(name);
            let asked = asked.principal_arn("arn:aws:iam::123456789012:role/team/developers");
            told!(asked, answer => answer.associated_access_policies().len())
        }
        "ListPodIdentityAssociations" => {
            told!(eks.list_pod_identity_associations().cluster_name(name), answer => answer.associations().len())
        }
        "ListIdentityProviderConfigs" => {
            let asked = eks.list_identity_provider_configs().cluster_name(name);
            told!(asked, answer => answer.identity_provider_configs().len())
        }
        "ListNodegroups" => {
            told!(eks.list_nodegroups().cluster_name(name), answer => answer.nodegroups().len())
        }
        "DescribeNodegroup" => {
            let asked = eks.describe_nodegroup().cluster_name(name).nodegroup_name("good-nodes");
            told!(asked, answer => answer.nodegroup().iter().len())
        }
        _ => return None,
    })
}

async fn iam(config: &SdkConfig, operation: &str) -> Option<Told> {
    let iam = aws_sdk_iam::Client::new(config);
    let (role, policy) = ("bad-nodes", "arn:aws:iam::123456789012:policy/builders");
    Some(match operation {
        "ListAttachedRolePolicies" => {
            let asked = iam.list_attached_role_policies().role_name(role);
            told!(asked, answer => answer.attached_policies().len())
        }
        "GetPolicy" => {
            told!(iam.get_policy().policy_arn(policy), answer => answer.policy().iter().len())
        }
        "GetPolicyVersion" => {
            let asked = iam.get_policy_version().policy_arn(policy).version_id("v2");
            told!(asked, answer => answer.policy_version().iter().len())
        }
        "ListRolePolicies" => {
            told!(iam.list_role_policies().role_name(role), answer => answer.policy_names().len())
        }
        "GetRolePolicy" => {
            let asked = iam.get_role_policy().role_name(role).policy_name("images");
            told!(asked, answer => answer.policy_document().len())
        }
        _ => return None,
    })
}

async fn ecr(config: &SdkConfig, operation: &str) -> Option<Told> {
    let ecr = aws_sdk_ecr::Client::new(config);
    Some(match operation {
        "DescribeRepositories" => {
            told!(ecr.describe_repositories(), answer => answer.repositories().len())
        }
        "GetRepositoryPolicy" => {
            let asked = ecr.get_repository_policy().repository_name("open");
            told!(asked, answer => answer.policy_text().iter().len())
        }
        "GetRegistryPolicy" => {
            told!(ecr.get_registry_policy(), answer => answer.policy_text().iter().len())
        }
        "GetRegistryScanningConfiguration" => {
            let asked = ecr.get_registry_scanning_configuration();
            told!(asked, answer => answer.scanning_configuration().iter().len())
        }
        "BatchGetRepositoryScanningConfiguration" => {
            let asked = ecr.batch_get_repository_scanning_configuration().repository_names("good");
            told!(asked, answer => answer.scanning_configurations().len())
        }
        "DescribeImages" => {
            told!(ecr.describe_images().repository_name("good"), answer => answer.image_details().len())
        }
        _ => return None,
    })
}

async fn ecr_public(config: &SdkConfig, operation: &str) -> Option<Told> {
    let ecr = aws_sdk_ecrpublic::Client::new(config);
    Some(match operation {
        "DescribeRegistries" => told!(ecr.describe_registries(), answer => answer.registries().len()),
        "DescribeRepositories" => told!(ecr.describe_repositories(), answer => answer.repositories().len()),
        "GetRepositoryPolicy" => {
            let asked = ecr.get_repository_policy().repository_name("own-public");
            told!(asked, answer => answer.policy_text().iter().len())
        }
        _ => return None,
    })
}

async fn classic(config: &SdkConfig, operation: &str) -> Option<Told> {
    let elb = aws_sdk_elasticloadbalancing::Client::new(config);
    let name = "classic-https";
    Some(match operation {
        "DescribeLoadBalancers" => {
            told!(elb.describe_load_balancers(), answer => answer.load_balancer_descriptions().len())
        }
        "DescribeTags" => {
            let asked = elb.describe_tags().load_balancer_names(name);
            told!(asked, answer => answer.tag_descriptions()[0].tags().len())
        }
        "DescribeLoadBalancerAttributes" => {
            let asked = elb.describe_load_balancer_attributes().load_balancer_name(name);
            told!(asked, answer => answer.load_balancer_attributes().iter().len())
        }
        "DescribeLoadBalancerPolicies" => {
            let asked = elb.describe_load_balancer_policies().load_balancer_name(name);
            told!(asked, answer => answer.policy_descriptions().len())
        }
        _ => return None,
    })
}

async fn newer(config: &SdkConfig, operation: &str, seed: &Seed) -> Option<Told> {
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(config);
    let arn = &seed.balancers["alb-https"];
    Some(match operation {
        "DescribeLoadBalancers" => {
            told!(elb.describe_load_balancers(), answer => answer.load_balancers().len())
        }
        "DescribeTags" => {
            let asked = elb.describe_tags().resource_arns(arn);
            told!(asked, answer => answer.tag_descriptions()[0].tags().len())
        }
        "DescribeLoadBalancerAttributes" => {
            let asked = elb.describe_load_balancer_attributes().load_balancer_arn(arn);
            told!(asked, answer => answer.attributes().len())
        }
        "DescribeListeners" => {
            told!(elb.describe_listeners().load_balancer_arn(arn), answer => answer.listeners().len())
        }
        _ => return None,
    })
}

#[test]
fn every_call_is_answered() {
    let aws = Aws::take();
    aws.block_on(async {
        for call in calls() {
            for told in ask(&aws, &call).await {
                assert!(told.as_ref().is_ok_and(|things| *things > 0), "{}: {told:?}", call.permission);
            }
        }
    });
    let counts = aws.front.calls();
    for call in calls() {
        let twice = ["DescribeLoadBalancers", "DescribeTags", "DescribeLoadBalancerAttributes"];
        let expected = if twice.contains(&call.operation) { 2 } else { 1 };
        assert_eq!(counts[call.permission], expected, "{}", call.permission);
    }
    assert_eq!((counts.len(), aws.front.most_at_once()), (calls().count(), 1));
}

#[test]
fn every_call_can_be_turned_away() {
    let aws = Aws::take();
    aws.block_on(async {
        for call in calls() {
            let action = call.permission;
            aws.front.deny([action]);
            let codes = match call.service {
                "eks" => ["403 AccessDeniedException", "429 ThrottlingException"],
                "elasticloadbalancing" | "iam" | "sts" => ["403 AccessDenied", "400 Throttling"],
                _ => ["400 AccessDeniedException", "400 ThrottlingException"],
            };
            let told = ask(&aws, &call).await;
            assert!(told.iter().all(|told| *told == Err(codes[0].to_owned())), "{action}: {told:?}");

            aws.front.deny([]);
            aws.front.throttle(action, told.len());
            let told = ask(&aws, &call).await;
            assert!(told.iter().all(|told| *told == Err(codes[1].to_owned())), "{action}: {told:?}");
            let told = ask(&aws, &call).await;
            assert!(told.iter().all(Result::is_ok), "{action}: {told:?}");
        }
    });
}
