//! Gaps in the index: kinds that could not be listed, and objects that could not be read.

use std::collections::BTreeMap;

use super::statements::ObjectKey;
use crate::resource::Gap;

#[derive(Debug, Default)]
pub(super) struct Gaps {
    lists: BTreeMap<String, Gap>,
    /// An object that could not be read is a gap of its kind, because it may be the one that decides.
    objects: BTreeMap<String, BTreeMap<ObjectKey, Gap>>,
}

impl Gaps {
    /// Why the index lacks objects of a kind. `None`: it has them all.
    pub(super) fn get(&self, kind: &str) -> Option<&Gap> {
        self.lists.get(kind).or_else(|| self.objects.get(kind)?.values().next())
    }

    /// Records that a kind could not be listed.
    pub(super) fn unlisted(&mut self, kind: &str, gap: &Gap) {
        self.lists.entry(kind.to_owned()).or_insert_with(|| gap.clone());
    }

    /// Records that a kind was listed after all.
    pub(super) fn listed(&mut self, kind: &str) {
        self.lists.remove(kind);
    }

    /// Records why an object could not be read. `None`: it was read.
    pub(super) fn put(&mut self, kind: &str, key: ObjectKey, gap: Option<&Gap>) {
        match gap {
            Some(gap) => {
                self.objects.entry(kind.to_owned()).or_default().insert(key, gap.clone());
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
