//! What there is in the emulator, good and bad, made through AWS's own clients.
//!
//! | region | what | good | bad |
//! |---|---|---|---|
//! | [`HOME`] | cluster | `good`: private, all logs, secrets encrypted, access entries only | `bad`: open to all, one log, nothing encrypted, `aws-auth` |
//! | | node group | `good-nodes`: role that reads images | `bad-nodes`: role that pushes them |
//! | | log group | of `good`, kept for a year | of `bad` there is none |
//! | | classic balancer | `classic-https` | `classic-tcp` |
//! | | ALB | `alb-https`: 80 redirects | `alb-http`: 80 forwards |
//! | | NLB | `nlb-tls` | `nlb-tcp` |
//! | | repository | `good`; `shared` with one account | `unscanned`; `open` to everyone |
//! | [`AWAY`] | cluster | | `away`: open to one network |
//! | | classic balancer | | `classic-away` |
//! | | repository | `away`: the registry's rule scans it | |
//! | `us-east-1` | public repository | | `own-public` with a policy, `own-bare` with none |
//!
//! Every private repository has one image with the tag `1`. `good` has what only newer clusters have: an add-on behind
//! its default and one at it, access entries, a pod identity, an identity provider, a Fargate profile.

mod balancers;
mod clusters;
mod registry;
mod roles;

use std::collections::BTreeMap;

use super::Planted;
use super::front::Extras;
use super::plain::Plain;

pub const ACCOUNT: &str = "123456789012";
/// Where the program is told to be.
pub const HOME: &str = "eu-central-1";
pub const AWAY: &str = "us-west-2";

#[derive(Clone)]
pub struct Seed {
    /// The host name of each balancer, by the balancer's name.
    pub hosts: BTreeMap<&'static str, String>,
    /// The ARN of each load balancer that is not classic, by its name.
    pub balancers: BTreeMap<&'static str, String>,
}

/// The name under which a container runs the image of a private repository.
pub fn image(region: &str, repository: &str) -> String {
    format!("{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/{repository}:1")
}

/// Who signs the tokens of a cluster's service accounts: what tells it from others.
pub fn issuer(region: &str, cluster: &str) -> String {
    format!("https://oidc.eks.{region}.amazonaws.com/id/{:0>32}", cluster.to_uppercase())
}

/// Empties the emulator and fills it; what it lacks goes to the front.
pub async fn plant(emulator: &str) -> Planted {
    let mut extras = Extras::default();
    let plain = Plain::at(emulator);
    plain.reset().await;
    roles::plant(emulator).await;
    clusters::plant(emulator, &mut extras).await;
    registry::plant(emulator, &mut extras).await;
    let seed = balancers::plant(emulator, &mut extras, &plain).await;
    Planted { seed, extras }
}
