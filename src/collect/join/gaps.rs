//! What is not known: kinds that could not be listed, and objects that could not be read.

use std::collections::BTreeMap;

use super::said::Key;
use crate::resource::Unread;

#[derive(Debug, Default)]
pub(super) struct Gaps {
    lists: BTreeMap<String, Unread>,
    /// Of one object it may be what decides, so its kind is not known as a whole.
    objects: BTreeMap<String, BTreeMap<Key, Unread>>,
}

impl Gaps {
    /// Why a kind is not known as a whole.
    pub fn get(&self, kind: &str) -> Option<&Unread> {
        self.lists.get(kind).or_else(|| self.objects.get(kind)?.values().next())
    }

    /// A kind could not be listed.
    pub fn unlisted(&mut self, kind: &str, unread: &Unread) {
        self.lists.entry(kind.to_owned()).or_insert_with(|| unread.clone());
    }

    /// A kind was listed after all.
    pub fn listed(&mut self, kind: &str) {
        self.lists.remove(kind);
    }

    /// Why an object could not be read, or that it could.
    pub fn put(&mut self, kind: &str, key: Key, unread: Option<&Unread>) {
        match unread {
            Some(unread) => {
                self.objects.entry(kind.to_owned()).or_default().insert(key, unread.clone());
            }
            None => {
                if let Some(objects) = self.objects.get_mut(kind) {
                    objects.remove(&key);
                    if objects.is_empty() {
                        self.objects.remove(kind);
                    }
                }
            }
        }
    }
}
