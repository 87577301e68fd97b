//! The bounds of the YAML parser, each chosen here: the library's own defaults are for nobody in particular, and a text
//! that exceeds one of them is refused however ordinary it is.
//!
//! Memory is what they guard. Comments take none, so there is no bound on them: the parser reads past them instead of
//! keeping them, which it does by default and then only for 32 lines.

use serde_saphyr::Options;

/// Kubernetes nests a configuration some fifteen levels. Each level takes stack.
pub(super) const MAX_DEPTH: usize = 64;
/// A schema of a custom resource nests two levels for each field: the deepest known have about fifty.
pub(super) const MAX_OWN_DEPTH: usize = 128;
/// The stack that this depth takes, in a debug build with its large frames.
pub(super) const STACK: usize = 8 * 1024 * 1024;
/// The longest key: YAML's own limit for one that stands on a line with its value.
pub(super) const MAX_KEY: usize = 1024;

/// A kubeadm configuration has fewer than a thousand nodes, an `aws-auth` of a large company some ten thousand.
pub(super) const MAX_NODES: usize = 50_000;
/// Real configurations use a handful of aliases.
pub(super) const MAX_ALIASES: usize = 1_000;
/// All events, those replayed from aliases included: a bomb is small and replays without end.
pub(super) const MAX_EVENTS: usize = 200_000;
/// The bytes of all scalars: no file of a node is read beyond 1 MiB, and aliases repeat them.
pub(super) const MAX_SCALARS: usize = 16 * 1024 * 1024;
/// A configuration has one document, or a few.
pub(super) const MAX_DOCUMENTS: usize = 1_000;

/// For a user's own files: bundles of custom resource definitions have a node or two in each line and may
/// have some hundred thousand lines. So many nodes still fit into memory.
pub(super) const MAX_OWN_NODES: usize = 2_000_000;
/// A list or map is two events, a scalar one: the bound on nodes is met first, whatever they are.
pub(super) const MAX_OWN_EVENTS: usize = 5_000_000;
/// A bundle may repeat its labels by an alias in each of its objects.
pub(super) const MAX_OWN_ALIASES: usize = 50_000;
/// What aliases repeat: only what is written out may be large.
pub(super) const MAX_OWN_REPLAYED: usize = 1_000_000;
/// The bytes of all scalars: as many as the largest file of manifests has.
pub(super) const MAX_OWN_SCALARS: usize = 256 * 1024 * 1024;
/// A rendered chart, or a whole cluster written down, has one document for each object.
pub(super) const MAX_OWN_DOCUMENTS: usize = 100_000;

/// An alias within an anchor within an alias, and so on.
const MAX_REPLAY_DEPTH: usize = 64;

/// For what is found on a node or in a cluster, and for our own configuration and rules.
pub(super) fn of_a_node() -> Options {
    let budget = serde_saphyr::budget! {
        max_depth: MAX_DEPTH,
        flow_nesting_limit: MAX_DEPTH,
        simple_key_max_lookahead: MAX_KEY,
        max_nodes: MAX_NODES,
        max_events: MAX_EVENTS,
        max_documents: MAX_DOCUMENTS,
        max_total_scalar_bytes: MAX_SCALARS,
        max_aliases: MAX_ALIASES,
        max_anchors: MAX_ALIASES,
        max_merge_keys: MAX_ALIASES,
        max_recorded_anchor_events: MAX_EVENTS,
        max_recorded_anchor_bytes: MAX_SCALARS,
        // One anchor may serve a hundred aliases: what they replay is bounded.
        enforce_alias_anchor_ratio: false,
    };
    let aliases = serde_saphyr::alias_limits! {
        max_total_replayed_events: MAX_EVENTS,
        max_replay_stack_depth: MAX_REPLAY_DEPTH,
        max_alias_expansions_per_anchor: MAX_ALIASES,
    };
    serde_saphyr::options! { budget: budget, alias_limits: aliases, emit_comments: false, with_snippet: false }
}

/// For files that the user named.
pub(super) fn of_own_files() -> Options {
    let budget = serde_saphyr::budget! {
        max_depth: MAX_OWN_DEPTH,
        flow_nesting_limit: MAX_OWN_DEPTH,
        simple_key_max_lookahead: MAX_KEY,
        max_nodes: MAX_OWN_NODES,
        max_events: MAX_OWN_EVENTS,
        max_documents: MAX_OWN_DOCUMENTS,
        max_total_scalar_bytes: MAX_OWN_SCALARS,
        max_aliases: MAX_OWN_ALIASES,
        max_anchors: MAX_OWN_ALIASES,
        max_merge_keys: MAX_OWN_ALIASES,
        max_recorded_anchor_events: MAX_OWN_REPLAYED,
        max_recorded_anchor_bytes: MAX_OWN_SCALARS,
        enforce_alias_anchor_ratio: false,
    };
    let aliases = serde_saphyr::alias_limits! {
        max_total_replayed_events: MAX_OWN_REPLAYED,
        max_replay_stack_depth: MAX_REPLAY_DEPTH,
        max_alias_expansions_per_anchor: MAX_OWN_ALIASES,
    };
    serde_saphyr::options! { budget: budget, alias_limits: aliases, emit_comments: false, with_snippet: false }
}
