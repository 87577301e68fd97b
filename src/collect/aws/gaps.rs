//! What stands for a whole kind that nobody could be asked about.

use std::collections::BTreeSet;

use super::request::Request;
use super::sightings::Sightings;
use crate::resource::{Kind, Owner, Reason, Resource, Selector};

/// Without credentials: one resource for each kind that is wanted of a cloud.
pub fn without_credentials(wanted: &BTreeSet<Selector>, owner: &Owner, what: &str) -> Vec<Resource> {
    let of_cloud = wanted.iter().filter(|selector| selector.kind.is_of_cloud());
    of_cloud.map(|selector| Resource::unlisted(selector, owner, Reason::NoCredentials, what)).collect()
}

/// One resource for each wanted sub type of `kind`, where some of the `objects` that would name them could not be
/// read: there may be more of them than are seen.
pub(super) fn unseen(
    request: &Request,
    sightings: &Sightings,
    kind: Kind,
    objects: &[&str],
) -> Vec<Resource> {
    let gaps: Vec<_> = objects.iter().filter_map(|object| sightings.gaps.get(*object)).collect();
    let Some(first) = gaps.first() else { return Vec::new() };
    let what = gaps.iter().map(|gap| gap.what.as_str()).collect::<Vec<_>>().join("; ");
    let wanted = request.wanted.iter().filter(|selector| selector.kind == kind);
    // A public repository is known by its account, not by who uses it.
    let named = wanted.filter(|selector| selector.name != "aws-ecr-public");
    named.map(|selector| Resource::unlisted(selector, &request.owner, first.reason, what.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_credentials_every_wanted_kind_of_the_cloud_is_told() {
        let wanted =
            ["caas/aws-eks", "k8s_object/Pod", "load-balancer/aws-nlb", "container-registry/aws-ecr"];
        let wanted = wanted.iter().map(|text| text.parse().unwrap()).collect();
        let owner = Owner { id: "cluster/1".into(), name: "prod".into() };
        let told = without_credentials(&wanted, &owner, "no role");
        let names: BTreeSet<_> = told.iter().map(|resource| resource.sub_type.as_str()).collect();
        assert_eq!(names, BTreeSet::from(["aws-eks", "aws-nlb", "aws-ecr"]));
        for resource in told {
            assert!(resource.is_unlisted());
            assert_eq!(resource.unread[0].reason, Reason::NoCredentials);
            assert_eq!(resource.unread[0].what, "no role");
        }
    }
}
