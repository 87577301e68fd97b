//! Blanked values as rules compare them: unknown, unless somebody allowed rules to see them.
//!
//! In: a value of a redacted document and its place. Out: the value to compare. Where a secret was blanked it has a
//! [`HOLE`], or the secret itself if it is revealed. [`BLANK`] counts only where redaction puts it: nobody can make a
//! rule blind by writing it into an object.

use serde_json::Value;
use std::borrow::Cow;

use super::places::{is_blanked, is_field_of_file};
use super::{BLANK, reveal};
use crate::resource::{Gap, Kind, Reason, Revealed, place_steps};

/// Stands for text that is not known. Kubernetes and JSON files hardly ever contain it.
const HOLE: char = '\0';

/// The blanked values of one document.
#[derive(Debug, Default)]
pub(crate) struct Blanks {
    /// `None`: nothing is blanked in it.
    kind: Option<Kind>,
    revealed: Revealed,
}

/// A value to compare. It has no debug output: it may be a secret.
#[derive(Clone)]
pub(crate) struct Comparand<'v> {
    /// With secrets: for comparisons only.
    pub value: Cow<'v, Value>,
    /// Whether something of it is not known.
    pub has_holes: bool,
    /// Whether something of it must not be shown.
    pub is_revealed: bool,
}

impl<'v> Comparand<'v> {
    /// A value of which everything is known and may be shown.
    pub(crate) fn plain(value: Cow<'v, Value>) -> Self {
        Self { value, has_holes: false, is_revealed: false }
    }

    /// A setting's value, put together from texts of which one may be blanked.
    pub(crate) fn of_setting(value: &'v Value) -> Self {
        if !mentions_blank(value) {
            return Self::plain(Cow::Borrowed(value));
        }
        let mut value = value.clone();
        puncture(&mut value);
        Self { value: Cow::Owned(value), has_holes: true, is_revealed: false }
    }
}

impl Blanks {
    /// Of a resource of this type.
    pub(crate) fn new(kind: Kind, revealed: Revealed) -> Self {
        Self { kind: Some(kind), revealed }
    }

    /// What stands at a place. `place` is asked only if it matters.
    pub(crate) fn comparand<'v>(&self, value: &'v Value, place: impl FnOnce() -> String) -> Comparand<'v> {
        let Some(kind) = self.kind.filter(|_| mentions_blank(value)) else {
            return Comparand::plain(Cow::Borrowed(value));
        };
        let mut found = Comparand::plain(Cow::Borrowed(&Value::Null));
        let mut value = Cow::Borrowed(value);
        self.fill(kind, value.to_mut(), &mut place_steps(&place()), &mut found);
        Comparand { value, ..found }
    }

    /// Whether a text stands for something that may have had fields.
    pub(crate) fn hides_fields(&self, text: &str, place: impl FnOnce() -> String) -> bool {
        let Some(kind) = self.kind.filter(|_| text == BLANK) else { return false };
        is_field_of_file(kind, &place_steps(&place()))
    }

    fn fill(&self, kind: Kind, value: &mut Value, place: &mut Vec<String>, found: &mut Comparand<'_>) {
        match value {
            Value::String(text) if is_blanked(kind, place, text) => {
                if let Some(revealed) = self.revealed_at(place) {
                    *value = revealed.clone();
                    found.is_revealed = true;
                } else {
                    puncture(value);
                    found.has_holes = true;
                }
            }
            Value::Array(elements) => {
                for (index, element) in elements.iter_mut().enumerate() {
                    place.push(index.to_string());
                    self.fill(kind, element, place, found);
                    place.pop();
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    place.push(name.clone());
                    self.fill(kind, field, place, found);
                    place.pop();
                }
            }
            _ => {}
        }
    }

    fn revealed_at(&self, place: &[String]) -> Option<&Value> {
        if self.revealed.is_empty() { None } else { self.revealed.at(place) }
    }

    /// Why a verdict that depends on what was blanked at `place` is unknown, and what to do about it.
    pub(crate) fn gap(root: &Value, place: &str) -> Gap {
        let what = match reveal::consent(root, &place_steps(place)) {
            Some(entry) => format!(
                "compare {place}: its value is blanked. To let rules compare it, add `{entry}` to posturebeat.collect.reveal; recordings never hold it"
            ),
            None => format!("compare {place}: its value is blanked, because it may be a secret"),
        };
        Gap::new(Reason::Redacted, what)
    }
}

/// Whether [`BLANK`] is anywhere in a value.
fn mentions_blank(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() >= BLANK.len() && text.contains(BLANK),
        Value::Array(elements) => elements.iter().any(mentions_blank),
        Value::Object(fields) => fields.values().any(mentions_blank),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn puncture(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.replace(BLANK, &HOLE.to_string()),
        Value::Array(elements) => elements.iter_mut().for_each(puncture),
        Value::Object(fields) => fields.values_mut().for_each(puncture),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a value with holes equals another; `None` if that depends on what is blanked.
pub(crate) fn equals(value: &Value, other: &Value) -> Option<bool> {
    match (value, other) {
        (Value::String(text), other) if text.contains(HOLE) => unless(could_be(text, other)),
        (value, Value::String(text)) if text.contains(HOLE) => unless(could_be(text, value)),
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            every(left.iter().zip(right).map(|(left, right)| equals(left, right)))
        }
        (Value::Object(left), Value::Object(right)) if left.len() == right.len() => every(
            left.iter().map(|(name, left)| right.get(name).map_or(Some(false), |right| equals(left, right))),
        ),
        (Value::Number(left), Value::Number(right)) => Some(left.as_f64() == right.as_f64()),
        _ => Some(value == other),
    }
}

/// Certainly different, unless they could be equal.
fn unless(could_be_equal: bool) -> Option<bool> {
    if could_be_equal { None } else { Some(false) }
}

/// Whether text with holes could have been another value. What is blanked as a whole may have been a number.
fn could_be(text: &str, other: &Value) -> bool {
    let is_whole = text.len() == HOLE.len_utf8();
    match other {
        Value::String(other) => other.contains(HOLE) || fits(text, other),
        Value::Bool(_) | Value::Number(_) => is_whole,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Whether filling the holes of `text` can make `whole`.
fn fits(text: &str, whole: &str) -> bool {
    let mut parts = text.split(HOLE);
    let Some(mut rest) = parts.next().and_then(|first| whole.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Three-valued `all`.
pub(crate) fn every(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    any(parts.map(|part| part.map(|holds| !holds))).map(|holds| !holds)
}

/// Three-valued `any`.
pub(crate) fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut found = Some(false);
    for part in parts {
        match part {
            Some(true) => return Some(true),
            Some(false) => {}
            None => found = None,
        }
    }
    found
}
