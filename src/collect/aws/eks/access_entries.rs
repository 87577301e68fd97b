//! The access entries of a cluster: principals of AWS with access to its API, and their access policies.

use serde_json::json;

use super::partial_list::PartialList;
use super::{EksCluster, is_gone, texts};
use crate::collect::aws::calls::eks::{LIST_ACCESS_ENTRIES, LIST_ASSOCIATED_ACCESS_POLICIES};
use crate::collect::aws::client::{ask_pages, each};
use crate::resource::Gap;

/// The access entries of a cluster with this authentication mode.
pub(super) async fn entries(eks: &EksCluster, mode: Option<&str>) -> Result<PartialList, Gap> {
    let request = || eks.client.list_access_entries().cluster_name(&*eks.cluster);
    let principals = match ask_pages!(eks.aws, LIST_ACCESS_ENTRIES, eks.region, "accessEntries", request) {
        Ok(principals) => texts(principals),
        // Such a cluster has none, and EKS refuses to list them.
        Err(refusal) if refusal.code == "InvalidRequestException" && mode.is_none_or(is_by_map) => {
            return Ok(PartialList::default());
        }
        Err(refusal) => return Err(refusal.into()),
    };
    let answers = each(principals, |principal| {
        let eks = eks.clone();
        async move {
            let request = || {
                let cluster = eks.client.list_associated_access_policies().cluster_name(&*eks.cluster);
                cluster.principal_arn(&principal)
            };
            let key = "associatedAccessPolicies";
            let policies = ask_pages!(eks.aws, LIST_ASSOCIATED_ACCESS_POLICIES, eks.region, key, request);
            (principal, policies)
        }
    });
    let mut part = PartialList::default();
    for (principal, policies) in answers.await {
        match policies {
            Ok(policies) => {
                part.push(json!({"principalArn": principal, "associatedAccessPolicies": policies}));
            }
            Err(refusal) if is_gone(&refusal) => {}
            Err(refusal) => {
                part.push(json!({"principalArn": principal}));
                part.misses(".associatedAccessPolicies", refusal);
            }
        }
    }
    Ok(part)
}

/// Whether only the ConfigMap `aws-auth` grants access.
fn is_by_map(mode: &str) -> bool {
    mode == "CONFIG_MAP"
}
