//! Regions and their partitions.
//!
//! A region's name becomes part of the host that a signed request goes to, and anyone who may create a Pod writes images
//! and host names: so a name is checked for the form of a region's.

use crate::resource::{Gap, Reason};

/// The region of the API for public registries, wherever the cluster is.
pub(crate) const PUBLIC_REGION: &str = "us-east-1";
/// The only partition with public registries.
pub(crate) const PUBLIC_PARTITION: &str = "aws";

/// The longest name of a region.
const MAX: usize = 32;

/// Regions that share accounts, credentials and a domain.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    /// As ARNs write it.
    pub name: &'static str,
    /// The end of its host names.
    pub domain: &'static str,
    /// The same, of dual-stack hosts.
    pub dual_stack: &'static str,
}

const CHINA: Partition =
    Partition { name: "aws-cn", domain: "amazonaws.com.cn", dual_stack: "on.amazonwebservices.com.cn" };
const GOVERNMENT: Partition = Partition { name: "aws-us-gov", domain: "amazonaws.com", dual_stack: "on.aws" };
const EUROPE: Partition =
    Partition { name: "aws-eusc", domain: "amazonaws.eu", dual_stack: "on.amazonwebservices.eu" };
const COMMERCIAL: Partition = Partition { name: "aws", domain: "amazonaws.com", dual_stack: "on.aws" };

/// The partition of a region; `None` for anything else than a region's name.
pub(crate) fn partition(region: &str) -> Option<&'static Partition> {
    if !is_region(region) {
        return None;
    }
    Some(match region.split('-').collect::<Vec<_>>().as_slice() {
        ["cn", ..] => &CHINA,
        ["us", "gov", ..] => &GOVERNMENT,
        ["eusc", ..] => &EUROPE,
        _ => &COMMERCIAL,
    })
}

/// Why a region cannot be asked with credentials of the partition `own`, if so.
pub(crate) fn out_of_reach(region: &str, own: &str) -> Option<Gap> {
    let partition = partition(region)?;
    let what = || {
        format!(
            "the region {region} is in the partition {}, which does not accept credentials of {own}",
            partition.name
        )
    };
    (partition.name != own).then(|| Gap::new(Reason::Denied, what()))
}

/// `eu-west-1`, `us-gov-east-1`, `ap-southeast-12`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return false };
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    text.len() <= MAX
        && (2..=4).contains(&first.len())
        && letters(first)
        && (1..=2).contains(&middle.len())
        && middle.iter().all(letters)
        && (1..=2).contains(&last.len())
        && last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_a_partition() {
        for (region, expected) in [
            ("eu-west-1", Some("aws")),
            ("us-east-1", Some("aws")),
            ("us-gov-west-1", Some("aws-us-gov")),
            ("cn-northwest-1", Some("aws-cn")),
            ("eusc-de-east-1", Some("aws-eusc")),
            ("evil.com/", None),
            ("evil", None),
            ("a-b-1", None),
            ("eu-west-", None),
            ("eu-west-1.evil.com", None),
            ("eu--1", None),
            ("eu-west-123", None),
            ("eu-WEST-1", None),
            ("", None),
        ] {
            assert_eq!(partition(region).map(|found| found.name), expected, "{region}");
        }
    }

    #[test]
    fn another_partition_is_out_of_reach() {
        assert_eq!(out_of_reach("eu-west-1", "aws"), None);
        let gap = out_of_reach("cn-north-1", "aws").unwrap();
        assert_eq!(gap.reason, Reason::Denied);
        assert!(gap.what.contains("aws-cn"), "{gap}");
    }
}
