//! The composition root: settings become collectors, a judge, documents and a pipeline; the only room
//! that sees all others.

mod account;
mod between;
mod catalogue;
mod cloud_test;
mod cycle;
mod cycles;
mod daemon;
mod diff;
mod engine;
mod exceptions;
mod kubernetes_test;
mod leadership;
mod monitor;
mod record;
mod recorded;
mod scan;
mod sinks;
mod stop;
mod stream;
mod tracks;

pub use catalogue::{
    benchmarks_for, fleet_inputs, is_among, load_catalogue, load_catalogue_without_cases, rule_files,
};
pub use cloud_test::{CloudTest, test_cloud};
pub use daemon::{Ended, run};
pub use diff::diff;
pub use engine::Engine;
pub use exceptions::with_unknown_rules;
pub use kubernetes_test::{KubernetesTest, RightAnswer, RightCheck, rights_of_rules, test_kubernetes};
pub use record::record;
pub use scan::{Deliver, ScanOutcome, scan};
