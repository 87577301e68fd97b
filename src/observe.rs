//! What a cycle observes: who the cluster and the node are, which of them are in scope, and the collectors that read
//! them, live or from what was recorded.

pub(crate) mod cloud;
mod going;
mod live;
pub(crate) mod remarks;
mod scope;
mod source;
pub(crate) mod state;

pub(crate) use going::Going;
pub use scope::Scope;
pub use source::Source;
pub(crate) use source::{Observation, Wanted, observe};
