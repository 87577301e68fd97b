//! Gaps in the index: kinds that could not be listed, and objects that could not be read.

use std::collections::BTreeMap;

use super::statements::ObjectKey;
use crate::resource::Gap;

#[derive(Debug, Default)]
pub(super) struct Gaps {
    lists: BTreeMap<String, Gap>,
    /// The unread part of one object may be what decides, so it is a gap of its kind.
    objects: BTreeMap<String, BTreeMap<ObjectKey, Gap>>,
}

impl Gaps {
    /// Why the index does not hold all of a kind.
    pub(super) fn get(&self, kind: &str) -> Option<&Gap> {
        self.lists.get(kind).or_else(|| self.objects.get(kind)?.values().next())
    }

    /// A kind could not be listed.
    pub(super) fn unlisted(&mut self, kind: &str, gap: &Gap) {
        self.lists.entry(kind.to_owned()).or_insert_with(|| gap.clone());
    }

    /// A kind was listed after all.
    pub(super) fn listed(&mut self, kind: &str) {
        self.lists.remove(kind);
    }

    /// Why an object could not be read, or that it could.
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
