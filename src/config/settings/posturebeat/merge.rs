//! How the section `posturebeat` merges: its other name, and the lists that add up.

/// The section's name.
pub(in crate::config) const SECTION: &str = "posturebeat";

/// Its name in Elastic's own shipper.
pub(in crate::config) const ALIAS: &str = "cloudbeat";

/// Lists that add up over the files: two exceptions merged key by key would make a third one that nobody wrote.
pub(in crate::config) const ADD_UP: [&str; 2] = ["exceptions", "exceptions_files"];
