//! Observing: what is there, as resources, once a cycle.
//!
//! In: a host's root directory ([`node`]), an API server ([`cluster`]), a recording ([`snapshot`]) or
//! manifests ([`manifests`]). Out: one [`Resource`] at a time, given to the caller as it is found, already
//! redacted and joined with others ([`join`]); a node or cluster is never held whole.
//! What could not be read is said beside the resource, or by a resource that stands for it.
//!
//! Nodes are hostile: any pod may call its process `kube-apiserver`, plant links and pipes, or write
//! YAML bombs. So files are opened inside the host's root only ([`hostfs`]), everything has a bound
//! ([`bounds`]), and only processes that root vouches for are judged ([`processes`]).
//!
//! [`Resource`]: crate::resource::Resource

mod arguments;
mod authorities;
pub mod aws;
pub mod bounds;
pub mod cluster;
mod combined;
pub mod component;
mod config_files;
mod config_kinds;
mod files;
mod globs;
pub mod host;
pub mod hostfs;
pub mod join;
mod kubelet;
pub mod manifests;
mod mounts;
mod named;
pub mod node;
mod object;
mod owners;
pub mod places;
mod proc_stat;
mod process;
pub mod processes;
mod program;
pub mod redact;
pub mod snapshot;
mod standing;
mod static_pods;
mod unit;
mod view;

#[cfg(test)]
mod tests;
