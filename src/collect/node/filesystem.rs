//! The files of a host: opened inside its root only, within bounds, and as a process in another mount namespace
//! sees them.

pub(super) mod globs;
pub mod hostfs;
pub(super) mod mounts;
pub(super) mod owners;
pub(super) mod process_view;
pub(super) mod unit;
