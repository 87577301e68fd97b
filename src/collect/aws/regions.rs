//! Names of regions and of the partitions that they are of.
//!
//! A region's name is part of the host that a signed request goes to, and images and host names are written by
//! whoever may create a Pod: so only what has the form of a region's name is ever one.

use super::access::Problem;
use crate::resource::Reason;

/// The longest name that is taken for a region's.
const MAX: usize = 32;

/// Regions that share accounts, credentials and a domain.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Partition {
    /// As ARNs have it.
    pub name: &'static str,
    /// What the names of its hosts end with.
    pub domain: &'static str,
    /// The same, of hosts with addresses of both IP versions.
    pub dual_stack: &'static str,
}

const CHINA: Partition =
    Partition { name: "aws-cn", domain: "amazonaws.com.cn", dual_stack: "on.amazonwebservices.com.cn" };
const GOVERNMENT: Partition = Partition { name: "aws-us-gov", domain: "amazonaws.com", dual_stack: "on.aws" };
const EUROPE: Partition =
    Partition { name: "aws-eusc", domain: "amazonaws.eu", dual_stack: "on.amazonwebservices.eu" };
const COMMERCIAL: Partition = Partition { name: "aws", domain: "amazonaws.com", dual_stack: "on.aws" };

/// The partition of a region; `None` where this is no region's name.
pub(super) fn partition(region: &str) -> Option<&'static Partition> {
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

/// Why nobody with credentials of the partition `own` can ask a region, if so.
pub(super) fn out_of_reach(region: &str, own: &str) -> Option<Problem> {
    let partition = partition(region)?;
    (partition.name != own).then(|| Problem {
        reason: Reason::Denied,
        code: String::new(),
        what: format!(
            "the region {region} is of the partition {}, where credentials of {own} are not known",
            partition.name
        ),
    })
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
    fn a_region_tells_its_partition() {
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
        let problem = out_of_reach("cn-north-1", "aws").unwrap();
        assert_eq!(problem.reason, Reason::Denied);
        assert!(problem.what.contains("aws-cn"), "{problem}");
    }
}
