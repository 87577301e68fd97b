//! The election, held to its promises.

mod double;
mod edge;
mod sequence;
mod simulation;
mod store;
mod takeover;
mod units;
mod world;

use super::ElectionSettings;
use std::time::Duration;

/// As they are by default.
fn settings(identity: &str) -> ElectionSettings {
    ElectionSettings {
        lease_name: "posturebeat-cluster-leader".into(),
        namespace: "posturebeat".into(),
        identity: identity.into(),
        lease_duration: Duration::from_secs(15),
        renew_deadline: Duration::from_secs(10),
        retry_period: Duration::from_secs(2),
    }
}
