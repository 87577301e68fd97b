//! Values derived from AWS's description of a cluster, its node groups and its image repositories.

mod cluster;
mod policy;
mod repository;

use serde_json::Value;

use super::Found;

/// Adds the derived values of a resource of this sub type.
pub(super) fn of(sub_type: &str, root: &Value, found: &mut Found<'_>) {
    match sub_type {
        "aws-eks" => {
            let cidrs = "$.resourcesVpcConfig.publicAccessCidrs";
            found.put("publicCidrs", &[cidrs], cluster::public_cidrs(root));
            found.put("clusterAdmins", &["$.accessEntries"], cluster::admins(root));
            // Rules ask about one add-on, so a gap in another does not matter.
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
