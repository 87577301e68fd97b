//! `posturebeat.exceptions`: read entry by entry, so that one bad exception hides no mistake in another.
//!
//! In: the list as written, in the configuration or in files. Out: the exceptions in order, and every mistake. An
//! empty key is a mistake, because a key that is left out matches anything.

mod entry;
mod expires;
mod files;

use config::{Map, Value, ValueKind};

use super::location::SourceLocation;
use super::mistake::Mistake;
use super::read;
use super::tree::{self, dotted};
use entry::EntryReader;
pub use entry::ExceptionEntry;

/// The section and the key in it.
const SECTION: &str = "posturebeat";
const LIST: &str = "exceptions";

/// Exceptions and their mistakes.
#[derive(Debug, Default)]
pub(super) struct ExceptionList {
    /// In order. One with a mistake is here too, as far as it could be read.
    pub found: Vec<ExceptionEntry>,
    pub mistakes: Vec<Mistake>,
}

/// Removes the exceptions from the merged tree.
pub(super) fn take(merged: &mut Value) -> Option<Value> {
    let ValueKind::Table(root) = &mut merged.kind else { return None };
    match root.get_mut(SECTION).map(|section| &mut section.kind) {
        Some(ValueKind::Table(section)) => section.remove(LIST),
        _ => None,
    }
}

impl ExceptionList {
    /// Reads the list in the configuration. `expand` resolves the references of each item.
    pub(super) fn inline(
        &mut self,
        written: &Value,
        expand: &dyn Fn(&Value, &str) -> Result<Value, Mistake>,
    ) {
        self.list(written, &dotted(SECTION, LIST), expand);
    }

    fn list(&mut self, list: &Value, key: &str, expand: &dyn Fn(&Value, &str) -> Result<Value, Mistake>) {
        let items: Vec<&Value> = match &list.kind {
            ValueKind::Array(items) => items.iter().collect(),
            // A list with `-E posturebeat.exceptions.0.reason=…`.
            ValueKind::Table(table) if tree::is_indexed(table) => {
                let items: Vec<&Value> =
                    (0..table.len()).filter_map(|index| table.get(&index.to_string())).collect();
                if items.len() < table.len() {
                    let expected = format!("{} indexes from 0 without gaps", table.len());
                    self.mistakes.push(read::expected(list, key, &expected));
                }
                items
            }
            ValueKind::Nil => Vec::new(),
            _ => {
                self.mistakes.push(read::expected(list, key, "a list of exceptions, each after a `-`"));
                return;
            }
        };
        for (index, item) in items.into_iter().enumerate() {
            let key = dotted(key, &index.to_string());
            match expand(item, &key) {
                Ok(item) => self.item(&item, &key),
                Err(mistake) => self.mistakes.push(mistake),
            }
        }
    }

    fn item(&mut self, value: &Value, key: &str) {
        let ValueKind::Table(table) = &value.kind else {
            let expected = "an exception with the keys `rule`, `reason` and `owner`";
            self.mistakes.push(read::expected(value, key, expected));
            return;
        };
        let at = SourceLocation::find(value).map(|location| location.of_value()).unwrap_or_default();
        let item = EntryReader { key, at, mistakes: &mut self.mistakes };
        self.found.extend(item.read(table));
    }

    /// Reads the content of one file of exceptions.
    fn content(&mut self, name: &str, table: &Map<String, Value>) {
        for (key, value) in tree::in_order(table) {
            if key == LIST {
                self.list(value, LIST, &|value, _| Ok(value.clone()));
            } else {
                let message = format!("unknown key `{key}`; a file of exceptions has only `{LIST}`, a list");
                self.mistakes.push(Mistake::at_key(SourceLocation::find(value).as_ref(), message));
            }
        }
        if table.is_empty() {
            let message = format!("expected `{LIST}`, a list, found nothing");
            self.mistakes.push(Mistake { at: name.to_owned(), message });
        }
    }
}
