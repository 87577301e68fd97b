//! Bounds on what is read from a node. Reaching one leads to the outcome `error`, never to a silent cut.

/// The largest file that is read, in bytes. The API server rejects a manifest or ConfigMap of this size too.
pub const MAX_FILE: usize = 1024 * 1024;

/// The most entries of a glob or a directory of drop-ins. A PKI directory has dozens, the state of a CNI plug-in one
/// for each address.
pub const MAX_ENTRIES: usize = 10_000;

/// The depth to which a glob descends.
pub const MAX_DEPTH: usize = 16;

/// The largest mount table, in bytes: one line for each container, of up to 4 KiB if its image has many layers.
pub const MAX_MOUNT_TABLE: usize = 8 * 1024 * 1024;

/// The most processes of a node. The kernel's usual limit is 32,768; busy nodes raise it.
pub const MAX_PROCESSES: usize = 1 << 18;

/// The most processes with a component's name that are judged; a node has six. Those that nobody vouches for do not count.
pub const MAX_CANDIDATES: usize = 256;

/// The most bytes of all static pods' manifests together; a control plane has some 30 KiB.
pub const MAX_MANIFESTS: usize = 4 * 1024 * 1024;

/// The most words of an argument list; an API server has some 60. Each takes more memory than its letters.
pub const MAX_WORDS: usize = 10_000;

/// The most reasons given for one role or component that could not be listed.
pub const MAX_REASONS: usize = 10;
