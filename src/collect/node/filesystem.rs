//! The host's file system: access confined to its root, within bounds, and the view of processes in other mount
//! namespaces.

pub(super) mod globs;
pub mod hostfs;
pub(super) mod mounts;
pub(super) mod owners;
pub(super) mod process_view;
pub(super) mod unit;
