//! What may not be asked is an error for the recommendations that need it, and `test aws` names the same.

use posturebeat::collect::aws::CALLS;
use std::collections::{BTreeMap, BTreeSet};

use super::Aws;
use super::objects;
use super::outcomes::{GOOD, Outcomes, program, said, scan, scanning};
use crate::bed::Bed;

/// What `test aws` judges by: both versions, as scans do.
const BOTH: [&str; 2] = ["-E", "posturebeat.benchmarks=[\"cis_eks@1.8.0\", \"cis_eks@1.0.1\"]"];
/// Only asked where nobody says what the cluster is called.
const LIST: &str = "eks:ListClusters";

/// Which actions are missing, with the rules that need them.
pub type Missing = BTreeMap<String, BTreeSet<String>>;

/// `test aws` with the cluster's name: what it says is missing. It must say so by its exit code too.
pub fn missing(bed: &Bed, aws: &Aws) -> Missing {
    let output = program(bed, aws, &[&["test", "aws"], BOTH.as_slice(), &GOOD].concat()).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let listed = text.split("the recommendations that need them:\n").nth(1).unwrap_or_default();
    let lines = listed.lines().map_while(|line| line.strip_prefix("  ")?.split_once(": "));
    let rules = |rules: &str| rules.split(", ").filter(|rule| rule.contains('/')).map(str::to_owned).collect();
    let missing: Missing = lines.map(|(action, needed_by)| (action.to_owned(), rules(needed_by))).collect();
    for call in CALLS.iter().filter(|call| call.service != "sts") {
        let action = call.action();
        let told = if missing.contains_key(&action) { "DENIED" } else { "OK" };
        assert!(text.contains(&format!("    {action}... {told}\n")), "{text}");
    }
    assert_eq!(output.status.code(), Some(i32::from(!missing.is_empty())), "{text}{}", said(&output));
    missing
}

#[test]
fn each_denial_is_an_error_where_it_matters_and_nowhere_else() {
    let bed = Bed::take();
    let aws = Aws::take();
    let _objects = objects::apply(&bed, &aws.seed);
    let before = scan(&bed, &aws);
    assert_eq!(missing(&bed, &aws), Missing::new());
    for call in CALLS.iter().filter(|call| call.service != "sts") {
        let action = call.action();
        aws.front.deny([action.as_str()]);
        let mut lacking = missing(&bed, &aws);
        let needed_by = lacking.remove(&action).unwrap_or_default();
        let after = scan(&bed, &aws);
        let broken: BTreeSet<String> = after.broken().into_iter().map(str::to_owned).collect();
        if broken != needed_by || !lacking.is_empty() { println!("{action}: broken {broken:?}\n   needed {needed_by:?} {lacking:?}"); }
        for change in before.changes(&after) {
            if !needed_by.contains(change.rule) { println!("{action}: {change}"); }
        }
        for e in after.errors() { if e.1 != "denied" || !e.2.contains(&action) { println!("{action}: {e:?}"); } }
    }
    panic!();
}
