//! The composition root: settings become collectors, a judge, documents and a pipeline; the only room
//! that sees all others.

mod aws_test;
mod between;
mod cycle;
mod cycles;
mod daemon;
mod diff;
mod engine;
mod exceptions;
mod kubernetes_test;
mod leadership;
mod monitor;
mod outcomes;
mod record;
mod recorded;
mod scan;
mod stop;
mod tracks;

pub use aws_test::{AwsTest, test_aws};
pub use daemon::{Ended, run};
pub use diff::diff;
pub use engine::{Engine, load_catalogue, rule_files};
pub use exceptions::with_unknown_rules;
pub use kubernetes_test::{KubernetesTest, RightAnswer, RightCheck, rights_of_rules, test_kubernetes};
pub use record::record;
pub use scan::{Deliver, ScanOutcome, scan};
