//! Amazon Web Services: the EKS cluster, the load balancers before it, the repositories its images come from.
//!
//! In: credentials ([`Access`]), the cluster, and what its objects name ([`Sightings`]). Out: [`Resource`]s with the
//! answers under the API's own field names. Each failed call is said beside what it would have told, with the IAM
//! action that was missing; the rest goes on.
//!
//! [`Resource`]: crate::resource::Resource

mod access;
mod ask;
mod body;
mod call;
pub mod eks;
pub mod identity;
mod policy;
mod request;
mod sightings;

#[cfg(test)]
mod tests;

pub use access::{Access, Problem};
pub use call::{CALLS, Call, Feed};
pub use request::{Request, out_of_reach};
pub use sightings::Sightings;
