//! A list that hangs on a cluster or a node group, and what is missing in it.

use serde_json::{Map, Value};

use crate::collect::aws::access::Problem;
use crate::collect::bounds::MAX_REASONS;
use crate::resource::Unread;

/// A list that was read.
#[derive(Debug, Default)]
pub(super) struct Part {
    entries: Vec<Value>,
    /// Below the list, such as `[2].document` → why it is unread.
    gaps: Vec<(String, Problem)>,
}

impl Part {
    /// A list of which nothing is missing.
    pub fn whole(entries: Vec<Value>) -> Self {
        Self { entries, gaps: Vec::new() }
    }

    /// One more entry.
    pub fn push(&mut self, entry: Value) {
        self.entries.push(entry);
    }

    /// What is unread of the last entry: `.document`, or nothing for all of it.
    pub fn misses(&mut self, below: &str, problem: Problem) {
        let last = self.entries.len().saturating_sub(1);
        self.gaps.push((format!("[{last}]{below}"), problem));
    }
}

/// Puts what was read of a list under its key, and what was not into `unread`.
pub(super) fn put(
    raw: &mut Map<String, Value>,
    unread: &mut Vec<Unread>,
    key: &str,
    part: Result<Part, Problem>,
) {
    let Part { entries, gaps } = match part {
        Ok(part) => part,
        Err(problem) => {
            unread.push(problem.unread(&format!("$.{key}")));
            return;
        }
    };
    raw.insert(key.to_owned(), Value::Array(entries));
    let count = gaps.len();
    match gaps.first() {
        // One refusal for each entry of a long list says no more than the first.
        Some((_, first)) if count > MAX_REASONS => {
            let what = format!("{}, and {} more like it", first.what, count - 1);
            unread.push(Unread::new(format!("$.{key}"), first.reason, what));
        }
        _ => unread.extend(gaps.iter().map(|(below, problem)| problem.unread(&format!("$.{key}{below}")))),
    }
}
