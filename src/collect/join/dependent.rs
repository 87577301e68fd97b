//! Objects that may have to be judged again when another object changes.

/// Resources whose joins changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependent {
    /// The cluster as a whole.
    Cluster,
    /// Every object of a kind.
    All(&'static str),
    /// One object: kind, namespace (empty if it has none) and name.
    Object(&'static str, String, String),
    /// The pods that run as an account: namespace and name.
    PodsOf(String, String),
    /// The token Secrets of an account: namespace and name.
    TokensOf(String, String),
    /// The bindings that refer to a role: kind, namespace (empty if it has none) and name.
    BindingsTo(&'static str, String, String),
}

impl Dependent {
    /// Every object of a kind.
    pub(super) fn every(kind: &'static str) -> Self {
        if kind == "Cluster" { Self::Cluster } else { Self::All(kind) }
    }
}
