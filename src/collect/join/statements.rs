//! Who said what: a second word of the same object replaces its first, and goes with it.

use std::collections::HashMap;
use uuid::Uuid;

use crate::resource::Resource;

/// Which object it was: its UID, or what stands in for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey([u8; 16]);

impl ObjectKey {
    /// The object's.
    pub fn of(resource: &Resource) -> Self {
        let named = || {
            let name = format!("{}/{}", resource.sub_type, resource.id);
            Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
        };
        Self(Uuid::try_parse(&resource.id).unwrap_or_else(|_| named()).into_bytes())
    }
}

/// What each object says, of those that say something.
#[derive(Debug)]
pub(super) struct Statements<T>(HashMap<ObjectKey, T>);

impl<T> Default for Statements<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: PartialEq> Statements<T> {
    /// What an object says now; whether that is something else than before.
    pub fn put(&mut self, key: ObjectKey, now: Option<T>) -> bool {
        if self.0.get(&key) == now.as_ref() {
            return false;
        }
        match now {
            Some(now) => self.0.insert(key, now),
            None => self.0.remove(&key),
        };
        true
    }

    /// Everything that is said, in the order of `by`: in whatever order it was said.
    pub fn sorted<K: Ord>(&self, by: impl Fn(&T) -> K) -> Vec<&T> {
        let mut all: Vec<(K, ObjectKey, &T)> =
            self.0.iter().map(|(key, said)| (by(said), *key, said)).collect();
        all.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        all.into_iter().map(|(_, _, said)| said).collect()
    }

    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.values()
    }
}
