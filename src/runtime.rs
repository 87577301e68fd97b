//! The composition root: settings become collectors, a judge, documents and a pipeline; the only room
//! that sees all others.

mod aws_test;
mod between;
mod catalogue;
mod cycle;
mod cycles;
mod daemon;
mod diff;
mod engine;
mod exceptions;
mod leadership;
mod monitor;
mod outcomes;
mod record;
mod recorded;
mod scan;
mod stop;
mod tracks;

pub use aws_test::{AwsTest, test_aws};
pub use catalogue::{
    benchmarks_for, fleet_inputs, is_among, load_catalogue, load_catalogue_without_cases, rule_files,
};
pub use daemon::{Ended, run};
pub use diff::diff;
pub use engine::Engine;
pub use exceptions::with_unknown_rules;
pub use record::record;
pub use scan::{Deliver, ScanOutcome, scan};
