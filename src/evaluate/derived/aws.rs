//! What follows from AWS's description of a cluster, its node groups and its image repositories.

mod cluster;
mod policy;
mod repository;

use super::DerivedValue;
use crate::resource::Kind;

/// The derived values of AWS resources.
pub(super) const DERIVED: &[DerivedValue] = &[
    DerivedValue {
        key: "publicCidrs",
        kind: Kind::Caas,
        names: &["aws-eks"],
        meaning: "`[{cidr, family, prefix}]` of the blocks that can reach the public endpoint",
        derive: |root, field| {
            field.put(&["$.resourcesVpcConfig.publicAccessCidrs"], cluster::public_cidrs(root));
        },
    },
    DerivedValue {
        key: "clusterAdmins",
        kind: Kind::Caas,
        names: &["aws-eks"],
        meaning: "principals whose access entry includes AmazonEKSClusterAdminPolicy",
        derive: |root, field| field.put_understood(&["$.accessEntries"], cluster::admins(root)),
    },
    DerivedValue {
        key: "vpcCni",
        kind: Kind::Caas,
        names: &["aws-eks"],
        meaning: "`{addonVersion, defaultVersion, current}` of the VPC CNI add-on; absent if it is not installed as an add-on",
        derive: |root, field| {
            // Only this add-on matters: another that could not be read hides nothing.
            let addon = cluster::vpc_cni(root);
            let source = addon.as_ref().map_or("$.addons".to_owned(), |(at, _)| format!("$.addons[{at}]"));
            field.put(&[&source], addon.map(|(_, addon)| addon));
        },
    },
    DerivedValue {
        key: "vpcCniNetworkPolicy",
        kind: Kind::Caas,
        names: &["aws-eks"],
        meaning: "whether the VPC CNI add-on enforces network policies (`enableNetworkPolicy` in its `configurationValues`); absent if it is not installed as an add-on",
        derive: |root, field| {
            let found = cluster::vpc_cni_network_policy(root);
            let source = found.as_ref().map_or("$.addons".to_owned(), |(at, _)| format!("$.addons[{at}]"));
            match found {
                Some((_, Err(gap))) => field.unread(gap),
                Some((_, Ok(enabled))) => field.put(&[&source], Some(enabled.into())),
                None => field.put(&[&source], None),
            }
        },
    },
    DerivedValue {
        key: "ecrWrites",
        kind: Kind::Caas,
        names: &["aws-eks-nodegroup"],
        meaning: "ECR actions other than reads that its role's policies allow, wildcards expanded: `ecr:PutImage`",
        derive: |root, field| {
            field.put_understood(&["$.nodeRolePolicies"], policy::ecr_writes(root).map(Some));
        },
    },
    DerivedValue {
        key: "scanFrequency",
        kind: Kind::ContainerRegistry,
        names: &["aws-ecr"],
        meaning: "`SCAN_ON_PUSH`, `CONTINUOUS_SCAN` or `MANUAL`",
        derive: |root, field| {
            let (sources, frequency) = repository::scan_frequency(root);
            field.put(sources, Some(frequency));
        },
    },
    DerivedValue {
        key: "allowed",
        kind: Kind::ContainerRegistry,
        names: &["aws-ecr", "aws-ecr-public"],
        meaning: "every Allow statement, `[{policy, sid?, principals, accounts, public, unclear, writes}]`; `accounts` excludes the owner's",
        derive: |root, field| {
            let sources = ["$.policy", "$.registryPolicy", "$.repositoryArn"];
            field.put_understood(&sources, repository::allowed(root).map(Some));
        },
    },
];
