//! Calls to EKS.

use aws_sdk_eks::Client;

use super::{NO_NAME, service_calls};

service_calls! {
    service "eks", client Client, region |target| Some(target.region);

    /// The names of the region's clusters, where the cluster's name is not known otherwise.
    LIST_CLUSTERS = "ListClusters" feeds { "caas/aws-eks": "$", "caas/aws-eks-nodegroup": "$" },
    probe |eks, _| eks.list_clusters().max_results(1);

    /// The cluster.
    DESCRIBE_CLUSTER = "DescribeCluster" feeds { "caas/aws-eks": "$" },
    probe |eks, target| eks.describe_cluster().name(target.cluster());

    /// The names of its add-ons.
    LIST_ADDONS = "ListAddons" feeds { "caas/aws-eks": "$.addons" },
    probe |eks, target| eks.list_addons().cluster_name(target.cluster());

    /// An add-on.
    DESCRIBE_ADDON = "DescribeAddon" feeds { "caas/aws-eks": "$.addons" },
    probe |eks, target| eks.describe_addon().cluster_name(target.cluster()).addon_name("vpc-cni");

    /// The versions of an add-on that go with the cluster's.
    DESCRIBE_ADDON_VERSIONS = "DescribeAddonVersions" feeds { "caas/aws-eks": "$.addons" },
    probe |eks, _| eks.describe_addon_versions().addon_name("vpc-cni").max_results(1);

    /// The names of its Fargate profiles.
    LIST_FARGATE_PROFILES = "ListFargateProfiles" feeds { "caas/aws-eks": "$.fargateProfiles" },
    probe |eks, target| eks.list_fargate_profiles().cluster_name(target.cluster());

    /// A Fargate profile.
    DESCRIBE_FARGATE_PROFILE = "DescribeFargateProfile" feeds { "caas/aws-eks": "$.fargateProfiles" },
    probe |eks, target| {
        eks.describe_fargate_profile().cluster_name(target.cluster()).fargate_profile_name(NO_NAME)
    };

    /// The principals with access to the cluster.
    LIST_ACCESS_ENTRIES = "ListAccessEntries" feeds { "caas/aws-eks": "$.accessEntries" },
    probe |eks, target| eks.list_access_entries().cluster_name(target.cluster());

    /// The access policies of one of them.
    LIST_ASSOCIATED_ACCESS_POLICIES =
        "ListAssociatedAccessPolicies" feeds { "caas/aws-eks": "$.accessEntries" },
    probe |eks, target| {
        let principal = format!("arn:{}:iam::000000000000:role/{NO_NAME}", target.partition);
        eks.list_associated_access_policies().cluster_name(target.cluster()).principal_arn(principal)
    };

    /// The service accounts with a role (Pod Identity).
    LIST_POD_IDENTITY_ASSOCIATIONS =
        "ListPodIdentityAssociations" feeds { "caas/aws-eks": "$.podIdentityAssociations" },
    probe |eks, target| eks.list_pod_identity_associations().cluster_name(target.cluster());

    /// The cluster's OIDC identity providers.
    LIST_IDENTITY_PROVIDER_CONFIGS =
        "ListIdentityProviderConfigs" feeds { "caas/aws-eks": "$.identityProviderConfigs" },
    probe |eks, target| eks.list_identity_provider_configs().cluster_name(target.cluster());

    /// The names of its node groups.
    LIST_NODEGROUPS =
        "ListNodegroups" feeds { "caas/aws-eks-nodegroup": "$", "caas/aws-eks": "$.nodegroups" },
    probe |eks, target| eks.list_nodegroups().cluster_name(target.cluster());

    /// A node group.
    DESCRIBE_NODEGROUP = "DescribeNodegroup" feeds { "caas/aws-eks-nodegroup": "$" },
    probe |eks, target| eks.describe_nodegroup().cluster_name(target.cluster()).nodegroup_name(NO_NAME);
}
