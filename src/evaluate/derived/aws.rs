//! What follows from what AWS says of a cluster, its node groups and its repositories of images.

mod cluster;
mod policy;
mod repository;

use serde_json::Value;

use super::Found;

/// Everything derived for one type of AWS's.
pub(super) fn of(sub_type: &str, root: &Value, found: &mut Found<'_>) {
    match sub_type {
        "aws-eks" => {
            let cidrs = "$.resourcesVpcConfig.publicAccessCidrs";
            found.put("publicCidrs", &[cidrs], cluster::public_cidrs(root));
            found.put("clusterAdmins", &["$.accessEntries"], cluster::admins(root));
            // Of the add-ons only one is asked about; what hides another is in nobody's way.
            let addon = cluster::vpc_cni(root);
            let source = addon.as_ref().map_or("$.addons".to_owned(), |(at, _)| format!("$.addons[{at}]"));
            found.put("vpcCni", &[&source], addon.map(|(_, addon)| addon));
        }
        "aws-eks-nodegroup" => {
            found.put_understood("ecrWrites", &["$.nodeRolePolicies"], policy::ecr_writes(root));
        }
        "aws-ecr" => {
            let (sources, frequency) = repository::scan_frequency(root);
            found.put("scanFrequency", sources, Some(frequency));
            let sources = ["$.policy", "$.registryPolicy", "$.repositoryArn"];
            found.put_understood("allowed", &sources, repository::allowed(root));
        }
        "aws-ecr-public" => {
            found.put_understood("allowed", &["$.policy", "$.repositoryArn"], repository::allowed(root));
        }
        _ => {}
    }
}
