//! How much of a node is read at most. A bound reached is an `error` outcome, never a silent cut.

/// The largest file that is read: the API server refuses a manifest or ConfigMap of this size too.
pub const MAX_FILE: usize = 1024 * 1024;

/// The most entries that one glob, or one directory of drop-ins, may lead to. A PKI directory has some
/// dozens, the state of a CNI plug-in one for each address.
pub const MAX_ENTRIES: usize = 10_000;

/// How deep a glob descends.
pub const MAX_DEPTH: usize = 16;

/// The largest mount table: one line, of up to 4 KiB for an image with many layers, for each container.
pub const MAX_MOUNT_TABLE: usize = 8 * 1024 * 1024;

/// The most processes of a node; 32,768 is the kernel's usual limit, busy nodes raise it.
pub const MAX_PROCESSES: usize = 1 << 18;

/// The most processes with a component's name that are looked at; a node has six. Each holds a file
/// descriptor until it is judged.
pub const MAX_CANDIDATES: usize = 256;

/// The most reasons given for one role or component that could not be listed.
pub const MAX_REASONS: usize = 10;
