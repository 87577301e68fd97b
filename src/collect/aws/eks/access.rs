//! Who may enter the cluster by AWS's own lists, and what they may do there.

use serde_json::json;

use super::part::Part;
use super::{Eks, is_gone, texts};
use crate::collect::aws::access::Problem;
use crate::collect::aws::ask::{ask_pages, each};
use crate::collect::aws::call::{LIST_ACCESS_ENTRIES, LIST_ASSOCIATED_ACCESS_POLICIES};

/// The access entries of a cluster with this authentication mode.
pub(super) async fn entries(eks: &Eks, mode: Option<&str>) -> Result<Part, Problem> {
    let request = || eks.client.list_access_entries().cluster_name(&*eks.cluster);
    let principals = match ask_pages!(eks.access, LIST_ACCESS_ENTRIES, eks.region, "accessEntries", request) {
        Ok(principals) => texts(principals),
        // Such a cluster knows none, and EKS refuses to list them.
        Err(problem) if problem.code == "InvalidRequestException" && mode.is_none_or(is_by_map) => {
            return Ok(Part::default());
        }
        Err(problem) => return Err(problem),
    };
    let answers = each(principals, |principal| {
        let eks = eks.clone();
        async move {
            let request = || {
                let cluster = eks.client.list_associated_access_policies().cluster_name(&*eks.cluster);
                cluster.principal_arn(&principal)
            };
            let key = "associatedAccessPolicies";
            let policies = ask_pages!(eks.access, LIST_ASSOCIATED_ACCESS_POLICIES, eks.region, key, request);
            (principal, policies)
        }
    });
    let mut part = Part::default();
    for (principal, policies) in answers.await {
        match policies {
            Ok(policies) => {
                part.push(json!({"principalArn": principal, "associatedAccessPolicies": policies}));
            }
            Err(problem) if is_gone(&problem) => {}
            Err(problem) => {
                part.push(json!({"principalArn": principal}));
                part.misses(".associatedAccessPolicies", problem);
            }
        }
    }
    Ok(part)
}

/// Whether only the ConfigMap `aws-auth` says who may enter.
fn is_by_map(mode: &str) -> bool {
    mode == "CONFIG_MAP"
}
