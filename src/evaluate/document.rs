//! A resource as rules see it: its raw JSON with `related` and `derived`, and the list of what is unread.

use serde_json::{Map, Value};

use super::{derived, shape};
use crate::resource::{Gap, Kind, Resource, Unread};
use crate::rule::{Path, place_steps};

/// What stays of a resource of which nothing could be read: what it is, and what others say about it.
const IDENTITY: [&str; 5] = ["apiVersion", "kind", "metadata", "component", "related"];

/// One resource, ready to be judged by any number of controls.
#[derive(Debug)]
pub struct Document {
    pub(super) kind: Kind,
    pub(super) root: Value,
    pub(super) unread: Vec<Unread>,
    /// Whether somebody wrote it down, and asks where.
    pub(super) written: bool,
}

impl Document {
    /// Adds joins and derived values to the resource's JSON.
    pub fn new(resource: Resource) -> Self {
        let Resource { kind, sub_type, raw: mut root, related, mut unread, origin, .. } = resource;
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
        Self { kind, root, unread, written: origin.is_some() }
    }

    /// The gaps of a resource of which nothing could be read.
    pub(super) fn gaps_of_whole(&self) -> Vec<Gap> {
        self.unread.iter().filter(|unread| unread.at == "$").map(gap).collect()
    }

    /// The unread places that `path` could look at.
    pub(super) fn gaps(&self, path: &Path) -> Vec<Gap> {
        self.unread.iter().filter(|unread| path.could_touch(&unread.at)).map(gap).collect()
    }

    /// The places of these gaps.
    pub(super) fn places_of(&self, gaps: &[Gap]) -> impl Iterator<Item = Vec<String>> {
        let named = self.unread.iter().filter(|unread| gaps.contains(&gap(unread)));
        named.map(|unread| place_steps(&unread.at))
    }

    /// The unread places that a filter of `path` could look at: they cast doubt on what it did select.
    pub(super) fn doubts(&self, path: &Path) -> Vec<Gap> {
        self.unread.iter().filter(|unread| path.filter_could_touch(&unread.at)).map(gap).collect()
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

    /// The component of a process; empty for everything else.
    pub(super) fn component(&self) -> &str {
        match self.kind {
            Kind::Process => self.root.get("component").and_then(Value::as_str).unwrap_or_default(),
            _ => "",
        }
    }
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
