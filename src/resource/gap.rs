//! Gaps: what could not be read, and why.
//!
//! A [`Gap`] is the one word for it in every room, from a refused system call to `error.code` of an outcome. A gap in a
//! resource's document has a place there ([`Unread`]).

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why something could not be read: `error.code` of the outcome it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Permission refused (EACCES, EPERM, HTTP 401 and 403).
    Denied,
    /// Named by something that runs, and not there.
    Missing,
    /// There, but not of the expected form.
    Malformed,
    /// No answer in time.
    Timeout,
    /// The other side cannot answer now (connection refused, HTTP 5xx or 429).
    Unavailable,
    /// Over a bound on size, depth or number.
    TooLarge,
    /// No credentials to ask with.
    NoCredentials,
    /// Not in the input, which shows only a part of the cluster or node: manifests, or an incomplete recording.
    Partial,
    /// Blanked, because it may be a secret.
    Redacted,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Denied,
        Self::Missing,
        Self::Malformed,
        Self::Timeout,
        Self::Unavailable,
        Self::TooLarge,
        Self::NoCredentials,
        Self::Partial,
        Self::Redacted,
    ];

    /// The word used in `error.code`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::TooLarge => "too_large",
            Self::NoCredentials => "no_credentials",
            Self::Partial => "partial",
            Self::Redacted => "redacted",
        }
    }
}

/// Something that could not be read: why, and what was tried.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gap {
    /// Why.
    pub reason: Reason,
    /// What was tried and what came back, for people: `list networkpolicies: HTTP 403`, `read /etc/kubernetes/pki/ca.crt`.
    pub what: String,
}

impl Gap {
    /// Why, and what was tried.
    pub fn new(reason: Reason, what: impl Into<String>) -> Self {
        Self { reason, what: what.into() }
    }

    /// At a place of a resource's document.
    pub fn at(self, at: impl Into<String>) -> Unread {
        Unread { at: at.into(), gap: self }
    }

    /// Within a larger attempt: its words stand before those of this one.
    #[must_use]
    pub fn during(self, attempt: impl fmt::Display) -> Self {
        Self { what: format!("{attempt}: {}", self.what), ..self }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Gap {}

/// A gap in a resource's document.
///
/// Written `{"at", "reason", "what"}` in snapshots and cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenUnread", into = "WrittenUnread")]
pub struct Unread {
    /// Where the value would be: a JSONPath of names and indexes only, such as `$.related.networkPolicies`.
    /// `$` means that nothing of the resource could be read.
    pub at: String,
    /// Why it is not there.
    pub gap: Gap,
}

impl Unread {
    /// A place that could not be read, why, and what was tried.
    pub fn new(at: impl Into<String>, reason: Reason, what: impl Into<String>) -> Self {
        Gap::new(reason, what).at(at)
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenUnread {
    at: String,
    reason: Reason,
    what: String,
}

impl From<WrittenUnread> for Unread {
    fn from(written: WrittenUnread) -> Self {
        Self::new(written.at, written.reason, written.what)
    }
}

impl From<Unread> for WrittenUnread {
    fn from(unread: Unread) -> Self {
        Self { at: unread.at, reason: unread.gap.reason, what: unread.gap.what }
    }
}
