//! AWS is asked with measure, and again where it is busy; what it gives in pages is put together.

use std::collections::BTreeMap;

use super::outcomes::{documents, scan};
use super::{Aws, objects};
use crate::bed::Bed;

/// The most calls that may be under way.
const AT_ONCE: usize = 8;
/// Calls of every protocol, of which several are made in a scan or only one.
const THROTTLED: [&str; 6] = [
    "eks:DescribeCluster",
    "eks:DescribeAddon",
    "iam:ListAttachedRolePolicies",
    "ecr:GetRepositoryPolicy",
    "elasticloadbalancing:DescribeListeners",
    "logs:DescribeLogGroups",
];

#[test]
fn who_is_turned_away_asks_again() {
    let bed = Bed::take();
    let aws = Aws::take();
    let _objects = objects::apply(&bed, &aws.seed);
    let before = scan(&bed, &aws);
    let once = aws.front.calls();
    for action in THROTTLED {
        aws.front.throttle(action, 2);
    }
    let after = scan(&bed, &aws);
    assert_eq!(before, after);
    let both = aws.front.calls();
    for action in THROTTLED {
        assert_eq!(both[action], 2 * once[action] + 2, "{action}");
    }
    let most = aws.front.most_at_once();
    assert!((2..=AT_ONCE).contains(&most), "{most}");
}

#[test]
fn lists_in_pages_are_read_to_their_end() {
    let bed = Bed::take();
    let aws = Aws::take();
    let _objects = objects::apply(&bed, &aws.seed);
    let raw = || {
        let found = documents(&bed, &aws, &[]).into_iter();
        found.map(|(key, line)| (key, line["resource"]["raw"].clone())).collect::<BTreeMap<_, _>>()
    };
    let (before, whole) = (scan(&bed, &aws), raw());
    let mut calls = aws.front.calls();
    for size in [1, 2] {
        aws.front.page(size);
        assert_eq!(before, scan(&bed, &aws), "pages of {size}");
        assert_eq!(whole, raw(), "pages of {size}");
        let now = aws.front.calls();
        // Of three principals, two add-ons and four balancers of the newer generation.
        for action in ["eks:ListAccessEntries", "elasticloadbalancing:DescribeLoadBalancers"] {
            assert!(now[action] > calls[action] + 2, "{action} with pages of {size}");
        }
        calls = now;
    }
    assert!(aws.front.most_at_once() <= AT_ONCE);
}
