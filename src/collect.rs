//! Observing nodes, clusters and clouds: each thing found becomes a [`Resource`].
//!
//! In: a host's root directory ([`node`]), an API server ([`cluster`]), a cloud ([`cloud`]), or what was written down
//! before ([`recorded`]). Out: one [`Resource`] at a time, handed to the caller as it is found, already redacted
//! ([`crate::redact`]) and joined with others ([`join`]); a node or cluster is never held whole. What could not be read lies
//! beside the resource, or is a resource that stands for a whole kind.
//!
//! Nodes are hostile: any pod may call its process `kube-apiserver`, plant links and pipes, or write
//! YAML bombs. So files are opened inside the host's root only, everything has a bound ([`bounds`]), and only
//! processes that root vouches for are judged.
//!
//! [`Resource`]: crate::resource::Resource

pub(crate) mod arguments;
#[cfg(feature = "aws")]
pub mod aws;
pub mod bounds;
pub mod cloud;
pub mod cluster;
pub mod component;
pub(crate) mod config_files;
pub mod join;
pub mod node;
mod object;
pub mod recorded;
pub mod sightings;
mod variables;

#[cfg(test)]
mod tests;
