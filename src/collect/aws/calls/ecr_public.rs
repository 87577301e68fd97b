//! Calls to ECR Public.

use aws_sdk_ecrpublic::Client;

use super::{NO_NAME, service_calls};
use crate::collect::aws::client::{PUBLIC_PARTITION, PUBLIC_REGION};

service_calls! {
    service "ecr-public", client Client,
    region |target| (target.partition == PUBLIC_PARTITION).then_some(PUBLIC_REGION);

    /// The account's public registries.
    DESCRIBE_PUBLIC_REGISTRIES = "DescribeRegistries" feeds { "container-registry/aws-ecr-public": "$" },
    probe |ecr, _| ecr.describe_registries();

    /// Their repositories.
    DESCRIBE_PUBLIC_REPOSITORIES = "DescribeRepositories" feeds { "container-registry/aws-ecr-public": "$" },
    probe |ecr, _| ecr.describe_repositories();

    /// The policy of a public repository.
    GET_PUBLIC_REPOSITORY_POLICY =
        "GetRepositoryPolicy" feeds { "container-registry/aws-ecr-public": "$.policy" },
    probe |ecr, _| ecr.get_repository_policy().repository_name(NO_NAME);
}
