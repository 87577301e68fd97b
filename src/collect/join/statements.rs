//! What each object contributes to joins: a later version of the object replaces it, and deletion removes it.

use std::collections::HashMap;
use uuid::Uuid;

use crate::resource::Resource;

/// The identity of an object: its UID, or a hash of its kind and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey([u8; 16]);

impl ObjectKey {
    /// The key of an object.
    pub fn of(resource: &Resource) -> Self {
        let named = || {
            let name = format!("{}/{}", resource.sub_type, resource.id);
            Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
        };
        Self(Uuid::try_parse(&resource.id).unwrap_or_else(|_| named()).into_bytes())
    }
}

/// Object → its contribution, for the objects that make one.
#[derive(Debug)]
pub(super) struct Statements<T>(HashMap<ObjectKey, T>);

impl<T> Default for Statements<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: PartialEq> Statements<T> {
    /// Replaces what an object contributes; returns whether it changed.
    pub(super) fn put(&mut self, key: ObjectKey, now: Option<T>) -> bool {
        if self.0.get(&key) == now.as_ref() {
            return false;
        }
        match now {
            Some(now) => self.0.insert(key, now),
            None => self.0.remove(&key),
        };
        true
    }

    /// All contributions, sorted by `by` and then by key, so that the order is always the same.
    pub(super) fn sorted<K: Ord>(&self, by: impl Fn(&T) -> K) -> Vec<&T> {
        let mut all: Vec<(K, ObjectKey, &T)> =
            self.0.iter().map(|(key, item)| (by(item), *key, item)).collect();
        all.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        all.into_iter().map(|(_, _, item)| item).collect()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.0.values()
    }
}
