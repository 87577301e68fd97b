//! Notes about values of a process that could not be read.

use serde_json::Value;

use crate::resource::{Gap, Unread};

/// The value, or nothing and a note of why it could not be read.
pub(super) fn keep(read: Option<Result<Value, Gap>>, at: &str, unread: &mut Vec<Unread>) -> Option<Value> {
    match read? {
        Ok(value) => Some(value),
        Err(gap) => {
            unread.push(gap.at(at));
            None
        }
    }
}

/// If a flag is unread, or all are, marks `at` as unread for the same reason, and returns true.
pub(super) fn follow_flag(flag: &str, at: &str, unread: &mut Vec<Unread>) -> bool {
    follow("$.args", at, unread) || follow(&format!("$.args.{flag}"), at, unread)
}

/// If `from` is unread, marks `at` as unread for the same reason, and returns true.
pub(super) fn follow(from: &str, at: &str, unread: &mut Vec<Unread>) -> bool {
    let why = unread.iter().find(|unread| unread.at == from).cloned();
    let follows = why.is_some();
    unread.extend(why.map(|why| why.gap.at(at)));
    follows
}
