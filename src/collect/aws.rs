//! Amazon Web Services: the EKS cluster, the load balancers before it, the repositories its images come from.
//!
//! In: credentials ([`Access`]), the cluster, and what its objects name ([`Sightings`](crate::collect::sightings::Sightings)). Out: [`Resource`]s with the
//! answers under the API's own field names. Each failed call is said beside what it would have told, with the IAM
//! action that was missing; the rest goes on.
//!
//! [`Resource`]: crate::resource::Resource

mod access;
mod ask;
mod balancers;
mod batches;
mod body;
mod call;
mod connect;
mod draft;
pub mod eks;
mod gaps;
pub mod grant;
pub mod identity;
mod policy;
mod probe;
mod regions;
mod registry;
mod request;
mod window;

#[cfg(test)]
mod tests;

/// Where public repositories are asked about, wherever they are.
pub const PUBLIC_REGION: &str = "us-east-1";

pub use access::{Access, Problem};
pub use balancers::balancers;
pub use call::{CALLS, Call, Feed};
pub use connect::connect;
pub use probe::{Answer, Probe, probe};
pub use registry::repositories;
pub use request::Request;
