//! A list of a cluster or a node group, and what is missing in it.

use serde_json::{Map, Value};

use crate::collect::bounds::MAX_REASONS;
use crate::resource::{Gap, Unread};

/// A list that was read.
#[derive(Debug, Default)]
pub(super) struct PartialList {
    entries: Vec<Value>,
    /// Below the list, such as `[2].document` → why it is unread.
    gaps: Vec<(String, Gap)>,
}

impl PartialList {
    /// A list of which nothing is missing.
    pub(super) fn whole(entries: Vec<Value>) -> Self {
        Self { entries, gaps: Vec::new() }
    }

    /// One more entry.
    pub(super) fn push(&mut self, entry: Value) {
        self.entries.push(entry);
    }

    /// A gap in the last entry: at `.document`, or at nothing for the whole entry.
    pub(super) fn misses(&mut self, below: &str, gap: impl Into<Gap>) {
        let last = self.entries.len().saturating_sub(1);
        self.gaps.push((format!("[{last}]{below}"), gap.into()));
    }
}

/// Puts the entries of a list under its key, and its gaps into `unread`.
pub(super) fn put(
    raw: &mut Map<String, Value>,
    unread: &mut Vec<Unread>,
    key: &str,
    list: Result<PartialList, Gap>,
) {
    let PartialList { entries, gaps } = match list {
        Ok(list) => list,
        Err(gap) => {
            unread.push(gap.at(format!("$.{key}")));
            return;
        }
    };
    raw.insert(key.to_owned(), Value::Array(entries));
    let count = gaps.len();
    match gaps.first() {
        // A long list usually has one reason for all its entries.
        Some((_, first)) if count > MAX_REASONS => {
            let what = format!("{}, and {} more like it", first.what, count - 1);
            unread.push(Unread::new(format!("$.{key}"), first.reason, what));
        }
        _ => unread.extend(gaps.iter().map(|(below, gap)| gap.clone().at(format!("$.{key}{below}")))),
    }
}
