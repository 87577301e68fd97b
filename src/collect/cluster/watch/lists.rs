//! The lists that a sweep read: up to which version, and a fingerprint of every object.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::fingerprint::Fingerprints;
use super::referrers::Referrers;
use crate::collect::cluster::kinds::ListedKind;
use crate::collect::join::ObjectKey;
use crate::resource::Resource;

/// Every list of a sweep.
#[derive(Debug, Default)]
pub(in crate::collect::cluster) struct WatchedLists {
    pub(super) all: Vec<WatchedList>,
    pub(super) prints: Fingerprints,
    pub(super) referrers: Referrers,
}

/// One list.
#[derive(Debug)]
pub(super) struct WatchedList {
    pub kind: Arc<ListedKind>,
    pub path: String,
    /// From where to go on; none where it was not read as a whole.
    pub version: Option<String>,
    /// Whether others are joined with its objects.
    pub noted: bool,
    /// Whether its objects are judged.
    pub judged: bool,
    /// Its objects, and a fingerprint of each.
    pub seen: HashMap<ObjectKey, u64>,
    /// While it is listed again: those that are still there.
    pub still: Option<HashSet<ObjectKey>>,
    /// Whether its first reading was whole, where there is a second.
    begun: bool,
}

impl WatchedLists {
    /// A list begins to be read, for the first or second time.
    pub(crate) fn begin(&mut self, kind: &Arc<ListedKind>, path: &str, note: bool, judge: bool) -> usize {
        let position = self.all.iter().position(|list| list.path == path).unwrap_or_else(|| {
            self.all.push(WatchedList {
                kind: Arc::clone(kind),
                path: path.to_owned(),
                version: None,
                noted: false,
                judged: false,
                seen: HashMap::new(),
                still: None,
                begun: false,
            });
            self.all.len() - 1
        });
        let list = &mut self.all[position];
        list.noted |= note;
        list.judged |= judge;
        position
    }

    /// An object of it.
    pub(crate) fn saw(&mut self, list: usize, resource: &Resource) {
        // It is not an object.
        if resource.is_unlisted() {
            return;
        }
        let (list, key) = (&mut self.all[list], ObjectKey::of(resource));
        list.seen.insert(key, self.prints.of(&list.kind.name, resource));
        self.referrers.note(resource, key);
    }

    /// It was read up to this version. Of two readings the older counts, and both must be whole.
    pub(crate) fn end(&mut self, list: usize, version: Option<&str>) {
        let list = &mut self.all[list];
        list.version = match (list.begun, list.version.take(), version) {
            (false, _, version) => version.map(str::to_owned),
            (true, first, Some(_)) => first,
            (true, _, None) => None,
        };
        list.begun = true;
    }

    /// A kind that is listed.
    pub(super) fn kind(&self, name: &str) -> Option<Arc<ListedKind>> {
        self.all.iter().find(|list| list.kind.name == name).map(|list| Arc::clone(&list.kind))
    }

    /// How many objects there are of a kind.
    pub(super) fn count(&self, kind: &str) -> usize {
        self.all.iter().filter(|list| list.kind.name == kind).map(|list| list.seen.len()).sum()
    }

    /// Whether every list of a kind is whole.
    pub(super) fn are_whole(&self, kind: &str) -> bool {
        self.all.iter().filter(|list| list.kind.name == kind).all(|list| list.version.is_some())
    }

    /// Whether an object is there.
    pub(super) fn has(&self, kind: &str, key: ObjectKey) -> bool {
        self.all.iter().any(|list| list.kind.name == kind && list.seen.contains_key(&key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::cluster::KINDS;

    #[test]
    fn of_two_readings_the_older_version_counts_and_both_must_be_whole() {
        let kind = Arc::new(ListedKind::built_in(&KINDS[0], None));
        let after = |readings: [Option<&str>; 2]| {
            let mut lists = WatchedLists::default();
            for version in readings {
                let list = lists.begin(&kind, "/a", true, true);
                lists.end(list, version);
            }
            lists.all[0].version.clone()
        };
        assert_eq!(after([Some("1"), Some("2")]).as_deref(), Some("1"));
        assert_eq!(after([None, Some("2")]), None);
        assert_eq!(after([Some("1"), None]), None);
    }
}
