//! The words between the election and the API: what is requested of the Lease, and what comes back.

use http::StatusCode;
use serde_json::Value;
use std::fmt;

use super::record::Record;
use crate::resource::Gap;

/// What a role must allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    Get,
    Create,
    Update,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "get",
            Self::Create => "create",
            Self::Update => "update",
        })
    }
}

/// One request about the Lease.
#[derive(Debug, Clone)]
pub(super) enum LeaseRequest {
    Get,
    Create(Value),
    Update(Value),
}

impl LeaseRequest {
    pub(super) fn verb(&self) -> Verb {
        match self {
            Self::Get => Verb::Get,
            Self::Create(_) => Verb::Create,
            Self::Update(_) => Verb::Update,
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub(super) enum LeaseReply {
    /// The Lease as it is now.
    Lease(Record),
    /// There is no Lease.
    Missing,
    /// Another process wrote before us.
    Conflict,
    /// It failed; whether a write was done is unknown.
    Failed(Failure),
}

/// A failed request about the Lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub gap: Gap,
    /// The status, where the API server refused.
    pub refused: Option<StatusCode>,
    /// Whether the same request would be refused again.
    pub is_final: bool,
}
