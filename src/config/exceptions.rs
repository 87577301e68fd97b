//! `posturebeat.exceptions`: read by hand, so that one bad exception hides no mistake in another.
//!
//! In: the list as it is written, in the configuration or in files. Out: the exceptions in order, and every
//! mistake. Nothing is taken for less than it says: an empty key is a mistake, for left out it means anything.

mod expires;
mod files;
mod item;

use config::{Map, Value, ValueKind};

use super::error::Mistake;
use super::place::Place;
use super::read;
use super::settings::Exception;
use super::tree::{self, dotted};
use item::Item;

/// The section and the key in it.
const SECTION: &str = "posturebeat";
const LIST: &str = "exceptions";

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Exceptions {
    /// In order. One with a mistake is here too, as far as it could be read.
    pub found: Vec<Exception>,
    pub mistakes: Vec<Mistake>,
}

/// Takes what is written of exceptions out of the merged tree.
pub(super) fn take(merged: &mut Value) -> Option<Value> {
    let ValueKind::Table(root) = &mut merged.kind else { return None };
    match root.get_mut(SECTION).map(|section| &mut section.kind) {
        Some(ValueKind::Table(section)) => section.remove(LIST),
        _ => None,
    }
}

impl Exceptions {
    /// Reads what the configuration itself says, each item after `expand` has resolved its references.
    pub fn inline(&mut self, written: &Value, expand: &dyn Fn(&Value, &str) -> Result<Value, Mistake>) {
        self.list(written, &dotted(SECTION, LIST), expand);
    }

    fn list(&mut self, list: &Value, key: &str, expand: &dyn Fn(&Value, &str) -> Result<Value, Mistake>) {
        let items: Vec<&Value> = match &list.kind {
            ValueKind::Array(items) => items.iter().collect(),
            // What `-E posturebeat.exceptions.0.reason=…` makes of it.
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
                self.mistakes.push(read::expected(list, key, "a list of exceptions, each behind a `-`"));
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
        let at = Place::find(value).map(|place| place.of_value()).unwrap_or_default();
        let item = Item { key, at, mistakes: &mut self.mistakes };
        self.found.extend(item.read(table));
    }

    /// Reads the content of one file of exceptions.
    fn content(&mut self, name: &str, table: &Map<String, Value>) {
        for (key, value) in tree::in_order(table) {
            if key == LIST {
                self.list(value, LIST, &|value, _| Ok(value.clone()));
            } else {
                let message = format!("unknown key `{key}`; a file of exceptions has only `{LIST}`, a list");
                self.mistakes.push(Mistake::at_key(Place::find(value).as_ref(), message));
            }
        }
        if table.is_empty() {
            let message = format!("expected `{LIST}`, a list, found nothing");
            self.mistakes.push(Mistake { at: name.to_owned(), message });
        }
    }
}
