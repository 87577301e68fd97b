//! One mistake in a configuration: where it is written, and what was expected there.

use super::location::SourceLocation;

/// A mistake in what is written: where, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistake {
    /// `FILE:LINE:COLUMN` or `-E KEY`; empty when it has no place.
    pub at: String,
    /// What is wrong, and what was expected.
    pub message: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.at.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.at, self.message)
        }
    }
}

impl Mistake {
    /// A mistake in the value at `location`.
    pub(super) fn at_value(location: Option<&SourceLocation>, message: impl Into<String>) -> Self {
        Self { at: location.map(SourceLocation::of_value).unwrap_or_default(), message: message.into() }
    }

    /// A mistake in the key at `location`.
    pub(super) fn at_key(location: Option<&SourceLocation>, message: impl Into<String>) -> Self {
        Self { at: location.map(SourceLocation::of_key).unwrap_or_default(), message: message.into() }
    }
}
