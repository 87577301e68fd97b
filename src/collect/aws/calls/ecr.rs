//! Calls to ECR.

use aws_sdk_ecr::Client;

use super::{NO_NAME, service_calls};

service_calls! {
    service "ecr", client Client, region |target| Some(target.region);

    /// Private repositories.
    DESCRIBE_REPOSITORIES = "DescribeRepositories" feeds { "container-registry/aws-ecr": "$" },
    probe |ecr, _| ecr.describe_repositories().max_results(1);

    /// The policy of a repository.
    GET_REPOSITORY_POLICY = "GetRepositoryPolicy" feeds { "container-registry/aws-ecr": "$.policy" },
    probe |ecr, _| ecr.get_repository_policy().repository_name(NO_NAME);

    /// The policy of the whole registry.
    GET_REGISTRY_POLICY = "GetRegistryPolicy" feeds { "container-registry/aws-ecr": "$.registryPolicy" },
    probe |ecr, _| ecr.get_registry_policy();

    /// The scanning configuration of the registry.
    GET_REGISTRY_SCANNING_CONFIGURATION = "GetRegistryScanningConfiguration" feeds {
        "container-registry/aws-ecr": "$.registryScanningConfiguration"
    },
    probe |ecr, _| ecr.get_registry_scanning_configuration();

    /// The scanning configuration of each repository.
    BATCH_GET_REPOSITORY_SCANNING_CONFIGURATION = "BatchGetRepositoryScanningConfiguration" feeds {
        "container-registry/aws-ecr": "$.scanningConfiguration"
    },
    probe |ecr, _| ecr.batch_get_repository_scanning_configuration().repository_names(NO_NAME);

    /// The findings of scans, for the images that run.
    DESCRIBE_IMAGES = "DescribeImages" feeds { "container-registry/aws-ecr": "$.images" },
    probe |ecr, _| ecr.describe_images().repository_name(NO_NAME);
}
