//! A resource as rules see it: its raw JSON with `related` and `derived`, and the list of what is unread.

use serde_json::{Map, Value};

use super::{derived, shape};
use crate::redact::Blanks;
use crate::resource::{Gap, Kind, Reason, Resource, Unread, place_steps};
use crate::rule::Path;

/// What stays of a resource of which nothing could be read: what it is, and what others say about it.
const IDENTITY: [&str; 5] = ["apiVersion", "kind", "metadata", "component", "related"];

/// The most blanked places that an error names.
const MOST_NAMED: usize = 5;

/// What is removed from every object before anything sees it.
const REMOVED: [&str; 2] = ["metadata", "managedFields"];

/// One resource, ready to be judged by any number of controls.
#[derive(Debug)]
pub struct Document {
    pub(super) kind: Kind,
    pub(super) root: Value,
    pub(super) unread: Vec<Unread>,
    pub(super) blanks: Blanks,
    /// Whether somebody wrote it down, and asks where.
    pub(super) written: bool,
}

impl Document {
    /// Adds joins and derived values to the resource's JSON.
    pub fn new(resource: Resource) -> Self {
        let Resource { kind, sub_type, raw: mut root, related, mut unread, revealed, origin, .. } = resource;
        if !root.is_object() {
            root = Value::Object(Map::new());
        }
        if let Value::Object(fields) = &mut root {
            // An object must not be able to fake a join with a key of its own.
            fields.insert("related".into(), Value::Object(related));
            fields.remove("derived");
        }
        if kind == Kind::K8sObject {
            shape::check(&sub_type, &root, &mut unread);
        }
        for place in &unread {
            remove(&mut root, &place_steps(&place.at));
        }
        if let (Value::Object(fields), true) = (&mut root, unread.iter().any(|unread| unread.at == "$")) {
            // A part of an argument list, for example, whose last value would count.
            fields.retain(|key, _| IDENTITY.contains(&key.as_str()));
        }
        let found = derived::of(kind, &sub_type, &root, &mut unread);
        if let (Value::Object(fields), false) = (&mut root, found.is_empty()) {
            fields.insert("derived".into(), Value::Object(found));
        }
        Self { kind, root, unread, blanks: Blanks::new(kind, revealed), written: origin.is_some() }
    }

    /// The gaps of a resource of which nothing could be read.
    pub(super) fn gaps_of_whole(&self) -> Vec<Gap> {
        self.unread.iter().filter(|unread| unread.at == "$").map(gap).collect()
    }

    /// The unread places that `path` could look at.
    pub(super) fn gaps(&self, path: &Path) -> Vec<Gap> {
        let unread = self.unread.iter().filter(|unread| path.could_touch(&unread.at)).map(gap);
        unread.chain(self.removed(path)).collect()
    }

    /// The gap of what is never collected, if a path names it.
    fn removed(&self, path: &Path) -> Option<Gap> {
        let is_asked = self.kind == Kind::K8sObject && path.names(&REMOVED);
        is_asked.then(|| Gap::new(Reason::Redacted, "read $.metadata.managedFields: it is never collected"))
    }

    /// The gaps of blanked values at these places.
    pub(super) fn gaps_of_blanked(&self, places: &[String]) -> Vec<Gap> {
        let shown = places.iter().take(MOST_NAMED);
        shown.map(|place| Blanks::gap(&self.root, place)).map(|blanked| gap(&blanked.at("$"))).collect()
    }

    /// The places of these gaps.
    pub(super) fn places_of(&self, gaps: &[Gap]) -> impl Iterator<Item = Vec<String>> {
        let named = self.unread.iter().filter(|unread| gaps.contains(&gap(unread)));
        named.map(|unread| place_steps(&unread.at))
    }

    /// The unread places that a filter of `path` could look at: they cast doubt on what it did select.
    pub(super) fn doubts(&self, path: &Path) -> Vec<Gap> {
        let casts_doubt = |unread: &&Unread| {
            path.filter_could_touch(&unread.at)
                && (!is_end(&self.root, &unread.at) || path.filter_could_touch_end(&unread.at))
        };
        self.unread.iter().filter(casts_doubt).map(gap).collect()
    }

    /// The unread places that hide the top-level key `key`.
    pub(super) fn gaps_at(&self, key: &str) -> Vec<Gap> {
        let over = |at: &str| {
            at == "$" || at.strip_prefix("$.").is_some_and(|rest| rest.split(['.', '[']).next() == Some(key))
        };
        self.unread.iter().filter(|unread| over(&unread.at)).map(gap).collect()
    }

    /// The unread places that hide the flag `flag`: all arguments, or this one.
    pub(super) fn gaps_at_flag(&self, flag: &str) -> Vec<Gap> {
        let hides = |unread: &&Unread| match &place_steps(&unread.at)[..] {
            [] => true,
            [args] => args == "args",
            [args, own, ..] => args == "args" && own == flag,
        };
        self.unread.iter().filter(hides).map(gap).collect()
    }

    /// Where the facts about a process come from, if not from its node.
    pub(super) fn source(&self) -> Option<&Value> {
        self.root.get("source").filter(|_| self.kind == Kind::Process)
    }

    /// The component of a process; empty for everything else.
    pub(super) fn component(&self) -> &str {
        match self.kind {
            Kind::Process => self.root.get("component").and_then(Value::as_str).unwrap_or_default(),
            _ => "",
        }
    }
}

/// Whether a place is after the last element of a list: there may be more elements than are known.
fn is_end(root: &Value, place: &str) -> bool {
    let steps = place_steps(place);
    let Some((last, above)) = steps.split_last() else { return false };
    let list = above.iter().try_fold(root, |value, step| match value {
        Value::Array(elements) => step.parse::<usize>().ok().and_then(|index| elements.get(index)),
        value => value.get(step),
    });
    let length = list.and_then(Value::as_array).map(Vec::len);
    length.zip(last.parse().ok()).is_some_and(|(length, index): (usize, usize)| index >= length)
}

/// Removes an unread place, in case a partly read resource has something there.
fn remove(value: &mut Value, steps: &[String]) {
    let Some((step, rest)) = steps.split_first() else { return };
    let next = match value {
        Value::Object(fields) if rest.is_empty() => {
            fields.remove(step);
            return;
        }
        Value::Object(fields) => fields.get_mut(step),
        Value::Array(elements) => {
            let element = step.parse().ok().and_then(|index: usize| elements.get_mut(index));
            match element {
                // Keep the element, or the indexes after it would shift.
                Some(element) if rest.is_empty() => {
                    *element = Value::Null;
                    return;
                }
                element => element,
            }
        }
        _ => None,
    };
    if let Some(next) = next {
        remove(next, rest);
    }
}

fn gap(unread: &Unread) -> Gap {
    Gap { reason: unread.gap.reason, what: format!("{} ({})", unread.gap.what, unread.gap.reason.as_str()) }
}
