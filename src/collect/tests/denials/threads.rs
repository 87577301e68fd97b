//! Silence that users of other tools met, by the thread that tells of it.

use rustix::io::Errno;
use std::collections::BTreeSet;

use super::host::{PIDS, Shape, plant};
use super::node::{READ, ended, look};
use super::verdicts::process;
use crate::collect::node::filesystem::hostfs::refusals::{Refusals, Refused};

/// `elastic/cloudbeat#2104`: a process ended during the scan, and 4 findings came instead of 15.
#[test]
fn cloudbeat_2104_a_process_that_ends_takes_no_other_findings_along() {
    let tree = plant(Shape::default());
    let truth = look(&tree, Refusals::default());
    for (pid, after) in PIDS.iter().flat_map(|pid| (1..READ.len()).map(|after| (*pid, after))) {
        let told = look(&tree, Refusals::new(ended(pid, after).collect()));
        assert_eq!(told.lies(&truth, &|_| false), "", "{pid} after {after}");
        for other in PIDS.into_iter().filter(|other| *other != pid) {
            let unknown = told.unknown(&truth, &process(other));
            // Whether etcd and the API server trust the same authority takes both of them.
            let of_both =
                if (pid, other) == (200, 203) { ["etcd-unique-ca"].into() } else { BTreeSet::new() };
            assert!(unknown.is_subset(&of_both), "{other}, where {pid} ended after {after}: {unknown:?}");
        }
    }
}

/// `elastic/cloudbeat#2008`: the kubelet of one node could not be read, and its 11 findings were missing.
#[test]
fn cloudbeat_2008_a_kubelet_that_cannot_be_read_is_an_error_for_each_rule() {
    let tree = plant(Shape::default());
    let truth = look(&tree, Refusals::default());
    for hidden in ["/proc/100", "/proc/100/cmdline", "/proc/100/status"] {
        for errno in [Errno::ACCESS, Errno::IO] {
            let told = look(&tree, Refusals::new(vec![(hidden.into(), Refused::All, errno)]));
            assert_eq!(told.lies(&truth, &|_| false), "", "{hidden}");
            let rules = told.unknown(&truth, &process(100));
            assert!(rules.len() >= 15, "no rule about it came to a verdict: {rules:?}");
            for other in PIDS.into_iter().filter(|other| *other != 100) {
                assert_eq!(
                    told.unknown(&truth, &process(other)),
                    BTreeSet::new(),
                    "{other}, where {hidden} is hidden"
                );
            }
        }
    }
}
