//! Walks a document along a path.
//!
//! jsonpath-rust parses our paths but does not evaluate them: it formats the place at every step and copies every literal
//! it compares, while rules look at each object many times and rarely show a place. A property test compares this walk
//! with the library.

use serde_json::{Number, Value};
use std::borrow::Cow;
use std::cell::RefCell;
use std::cmp::Ordering;

use super::query::{Filter, FilterOperand, Operator, PathSelector, Query, Segment};
use crate::redact::{Blanks, Comparand, any, equals, every};
use crate::resource::{DocumentPlace, PlaceStep};

/// Whether to go on.
type More = bool;

/// Passes every selected value and its place to `found`, in document order. A filter may depend on blanked values: what it
/// does not certainly select is left out, and the places of those values are returned.
pub(super) fn each<'a>(
    query: &'a Query,
    document: &'a Value,
    blanks: &Blanks,
    found: &mut dyn FnMut(&'a Value, &DocumentPlace<'_, 'a>),
) -> Vec<String> {
    let doubts = RefCell::new(Vec::new());
    let walk = SelectWalk { root: document, blanks, doubts: &doubts };
    walk.down(&query.segments, document, &DocumentPlace::Root, &mut |value, place, is_certain| {
        if is_certain {
            found(value, place);
        }
        true
    });
    doubts.into_inner()
}

/// Receives a selected value, its place, and whether it is certainly selected.
type Show<'s, 'a> = &'s mut dyn FnMut(&'a Value, &DocumentPlace<'_, 'a>, bool) -> More;

#[derive(Clone, Copy)]
struct SelectWalk<'a, 'b> {
    /// The value of `$` inside a filter.
    root: &'a Value,
    blanks: &'b Blanks,
    /// The places of blanked values on which the selection depends.
    doubts: &'b RefCell<Vec<String>>,
}

/// One side of a comparison in a filter.
enum Side<'a> {
    Value(Comparand<'a>),
    Nothing,
    /// It depends on blanked values.
    Unknown,
}

impl<'a> SelectWalk<'a, '_> {
    fn down(
        self,
        segments: &'a [Segment],
        value: &'a Value,
        place: &DocumentPlace<'_, 'a>,
        show: Show<'_, 'a>,
    ) -> More {
        match segments.split_first() {
            None => show(value, place, true),
            Some((Segment::One(selector), rest)) => self.step(selector, rest, value, place, show),
            Some((Segment::Many(selectors), rest)) => {
                selectors.iter().all(|selector| self.step(selector, rest, value, place, show))
            }
        }
    }

    fn step(
        self,
        selector: &'a PathSelector,
        rest: &'a [Segment],
        value: &'a Value,
        place: &DocumentPlace<'_, 'a>,
        show: Show<'_, 'a>,
    ) -> More {
        let mut enter = |value: &'a Value, key: PlaceStep<'a>| {
            let here = DocumentPlace::Under(place, key);
            match selector {
                PathSelector::Where(filter) => self.filtered(filter, rest, value, &here, &mut *show),
                _ => self.down(rest, value, &here, &mut *show),
            }
        };
        match (selector, value) {
            (PathSelector::Name(name), Value::Object(fields)) => {
                fields.get(name).is_none_or(|value| enter(value, PlaceStep::Name(name)))
            }
            (PathSelector::Index(index), Value::Array(elements)) => position(*index, elements.len())
                .is_none_or(|index| enter(&elements[index], PlaceStep::Index(index))),
            (PathSelector::Any | PathSelector::Where(_), Value::Object(fields)) => {
                fields.iter().all(|(name, value)| enter(value, PlaceStep::Name(name)))
            }
            (PathSelector::Any | PathSelector::Where(_), Value::Array(elements)) => {
                elements.iter().enumerate().all(|(index, value)| enter(value, PlaceStep::Index(index)))
            }
            (_, Value::String(text)) if self.blanks.hides_fields(text, || place.to_string()) => {
                self.doubts.borrow_mut().push(place.to_string());
                show(value, place, false)
            }
            _ => true,
        }
    }

    fn filtered(
        self,
        filter: &'a Filter,
        rest: &'a [Segment],
        value: &'a Value,
        place: &DocumentPlace<'_, 'a>,
        show: Show<'_, 'a>,
    ) -> More {
        let before = self.doubts.borrow().len();
        let holds = self.holds(filter, value, place);
        if holds.is_some() {
            self.doubts.borrow_mut().truncate(before);
        }
        let mut may_select = false;
        let more = match holds {
            Some(true) => self.down(rest, value, place, show),
            Some(false) => true,
            None => self.down(rest, value, place, &mut |value, place, _| {
                may_select = true;
                show(value, place, false)
            }),
        };
        if holds.is_none() && !may_select {
            self.doubts.borrow_mut().truncate(before);
        }
        more
    }

    /// `None`: it depends on blanked values.
    fn holds(self, filter: &'a Filter, element: &'a Value, place: &DocumentPlace<'_, 'a>) -> Option<bool> {
        match filter {
            Filter::Or(filters) => any(filters.iter().map(|filter| self.holds(filter, element, place))),
            Filter::And(filters) => every(filters.iter().map(|filter| self.holds(filter, element, place))),
            Filter::Not(filter) => self.holds(filter, element, place).map(|holds| !holds),
            Filter::Selects(query) => {
                let mut may_select = false;
                let all = self.inside(query, element, place, &mut |_, _, is_certain| {
                    may_select = true;
                    !is_certain
                });
                if all && may_select { None } else { Some(!all) }
            }
            Filter::Compare(left, operator, right) => {
                let before = self.doubts.borrow().len();
                let (left, right) = (self.side(left, element, place), self.side(right, element, place));
                let holds = compare(&left, *operator, &right);
                if holds.is_some() {
                    self.doubts.borrow_mut().truncate(before);
                }
                holds
            }
        }
    }

    /// Walks a filter's own query.
    fn inside(
        self,
        query: &'a Query,
        element: &'a Value,
        place: &DocumentPlace<'_, 'a>,
        show: Show<'_, 'a>,
    ) -> More {
        if query.from_root {
            self.down(&query.segments, self.root, &DocumentPlace::Root, show)
        } else {
            self.down(&query.segments, element, place, show)
        }
    }

    fn side(self, operand: &'a FilterOperand, element: &'a Value, place: &DocumentPlace<'_, 'a>) -> Side<'a> {
        match operand {
            FilterOperand::Literal(value) => Side::Value(Comparand::plain(Cow::Borrowed(value))),
            FilterOperand::One(query) => {
                let mut found = None;
                let mut is_certain = true;
                let only = self.inside(query, element, place, &mut |value, place, certain| {
                    is_certain &= certain;
                    let value = self.blanks.comparand(value, || place.to_string());
                    if value.has_holes {
                        self.doubts.borrow_mut().push(place.to_string());
                    }
                    found.replace(value).is_none()
                });
                match found.filter(|_| only) {
                    _ if !is_certain => Side::Unknown,
                    Some(value) => Side::Value(value),
                    None => Side::Nothing,
                }
            }
            FilterOperand::Length(operand) => {
                let value = match self.side(operand, element, place) {
                    Side::Value(value) => value,
                    other => return other,
                };
                let length = match value.value.as_ref() {
                    Value::String(_) if value.has_holes => return Side::Unknown,
                    Value::String(text) => text.chars().count(),
                    Value::Array(elements) => elements.len(),
                    Value::Object(fields) => fields.len(),
                    Value::Null | Value::Bool(_) | Value::Number(_) => return Side::Nothing,
                };
                Side::Value(Comparand::plain(Cow::Owned(Value::from(length))))
            }
            FilterOperand::Count(query) => {
                let mut count = 0_usize;
                let mut is_certain = true;
                self.inside(query, element, place, &mut |_, _, certain| {
                    is_certain &= certain;
                    count += 1;
                    true
                });
                if is_certain {
                    Side::Value(Comparand::plain(Cow::Owned(Value::from(count))))
                } else {
                    Side::Unknown
                }
            }
        }
    }
}

fn position(index: i64, length: usize) -> Option<usize> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    let position = if index < 0 { length.checked_sub(distance)? } else { distance };
    (position < length).then_some(position)
}

/// As RFC 9535, 2.3.5.2.2: nothing equals nothing, only numbers and texts have an order.
fn compare(left: &Side<'_>, operator: Operator, right: &Side<'_>) -> Option<bool> {
    let (left, right) = match (left, right) {
        (Side::Unknown, _) | (_, Side::Unknown) => return None,
        (Side::Value(left), Side::Value(right)) if left.has_holes || right.has_holes => {
            return compare_blanked(&left.value, operator, &right.value);
        }
        (left, right) => (left.known(), right.known()),
    };
    let equal = || match (left, right) {
        (Some(Value::Number(left)), Some(Value::Number(right))) => {
            order_of(left, right) == Some(Ordering::Equal)
        }
        (left, right) => left == right,
    };
    let order = || match (left?, right?) {
        (Value::Number(left), Value::Number(right)) => order_of(left, right),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    };
    Some(match operator {
        Operator::Equal => equal(),
        Operator::NotEqual => !equal(),
        Operator::Less => order() == Some(Ordering::Less),
        Operator::Greater => order() == Some(Ordering::Greater),
        Operator::LessOrEqual => order() == Some(Ordering::Less) || equal(),
        Operator::GreaterOrEqual => order() == Some(Ordering::Greater) || equal(),
    })
}

/// The same for values of which something is blanked: only that they differ can be certain.
fn compare_blanked(left: &Value, operator: Operator, right: &Value) -> Option<bool> {
    let has_order = |value: &Value| matches!(value, Value::Number(_) | Value::String(_));
    match operator {
        Operator::Equal => equals(left, right),
        Operator::NotEqual => equals(left, right).map(|equal| !equal),
        _ if has_order(left) && has_order(right) => None,
        Operator::Less | Operator::Greater => Some(false),
        Operator::LessOrEqual | Operator::GreaterOrEqual => equals(left, right),
    }
}

impl Side<'_> {
    fn known(&self) -> Option<&Value> {
        match self {
            Self::Value(value) => Some(&value.value),
            Self::Nothing | Self::Unknown => None,
        }
    }
}

/// Whole numbers exactly, all others as floats.
fn order_of(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}
