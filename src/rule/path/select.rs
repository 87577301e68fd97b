//! Walks a document along a path.
//!
//! jsonpath-rust parses our paths but does not evaluate them: it formats the place at every step and copies every literal
//! it compares, while rules look at each object many times and rarely show a place. A property test compares this walk
//! with the library.

use serde_json::{Number, Value};
use std::borrow::Cow;
use std::cmp::Ordering;

use super::place::{DocumentPlace, PlaceStep};
use super::query::{Filter, FilterOperand, Operator, PathSelector, Query, Segment};

/// Whether to go on.
type More = bool;

/// Passes every selected value and its place to `found`, in document order.
pub(super) fn each<'a>(
    query: &'a Query,
    document: &'a Value,
    show: &mut dyn FnMut(&'a Value, &DocumentPlace<'_, 'a>),
) {
    let root = DocumentPlace::Root;
    SelectWalk { root: document }.down(&query.segments, document, &root, &mut |value, place| {
        show(value, place);
        true
    });
}

/// Receives a selected value.
type Show<'s, 'a> = &'s mut dyn FnMut(&'a Value, &DocumentPlace<'_, 'a>) -> More;

#[derive(Clone, Copy)]
struct SelectWalk<'a> {
    /// The value of `$` inside a filter.
    root: &'a Value,
}

impl<'a> SelectWalk<'a> {
    fn down(
        self,
        segments: &'a [Segment],
        value: &'a Value,
        place: &DocumentPlace<'_, 'a>,
        show: Show<'_, 'a>,
    ) -> More {
        match segments.split_first() {
            None => show(value, place),
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
            self.down(rest, value, &DocumentPlace::Under(place, key), show)
        };
        match (selector, value) {
            (PathSelector::Name(name), Value::Object(fields)) => {
                fields.get(name).is_none_or(|value| enter(value, PlaceStep::Name(name)))
            }
            (PathSelector::Index(index), Value::Array(elements)) => position(*index, elements.len())
                .is_none_or(|index| enter(&elements[index], PlaceStep::Index(index))),
            (PathSelector::Any | PathSelector::Where(_), Value::Object(fields)) => fields
                .iter()
                .all(|(name, value)| !self.admits(selector, value) || enter(value, PlaceStep::Name(name))),
            (PathSelector::Any | PathSelector::Where(_), Value::Array(elements)) => elements
                .iter()
                .enumerate()
                .all(|(index, value)| !self.admits(selector, value) || enter(value, PlaceStep::Index(index))),
            _ => true,
        }
    }

    fn admits(self, selector: &'a PathSelector, element: &'a Value) -> bool {
        match selector {
            PathSelector::Where(filter) => self.holds(filter, element),
            _ => true,
        }
    }

    fn holds(self, filter: &'a Filter, element: &'a Value) -> bool {
        match filter {
            Filter::Or(filters) => filters.iter().any(|filter| self.holds(filter, element)),
            Filter::And(filters) => filters.iter().all(|filter| self.holds(filter, element)),
            Filter::Not(filter) => !self.holds(filter, element),
            Filter::Selects(query) => !self.inside(query, element, &mut |_, _| false),
            Filter::Compare(left, operator, right) => {
                let (left, right) = (self.operand(left, element), self.operand(right, element));
                compare(left.as_deref(), *operator, right.as_deref())
            }
        }
    }

    /// Walks a filter's own query.
    fn inside(self, query: &'a Query, element: &'a Value, show: Show<'_, 'a>) -> More {
        let start = if query.from_root { self.root } else { element };
        self.down(&query.segments, start, &DocumentPlace::Root, show)
    }

    fn operand(self, operand: &'a FilterOperand, element: &'a Value) -> Option<Cow<'a, Value>> {
        match operand {
            FilterOperand::Literal(value) => Some(Cow::Borrowed(value)),
            FilterOperand::One(query) => {
                let mut found = None;
                let only = self.inside(query, element, &mut |value, _| found.replace(value).is_none());
                found.filter(|_| only).map(Cow::Borrowed)
            }
            FilterOperand::Length(operand) => {
                let length = match self.operand(operand, element)?.as_ref() {
                    Value::String(text) => text.chars().count(),
                    Value::Array(elements) => elements.len(),
                    Value::Object(fields) => fields.len(),
                    Value::Null | Value::Bool(_) | Value::Number(_) => return None,
                };
                Some(Cow::Owned(Value::from(length)))
            }
            FilterOperand::Count(query) => {
                let mut count = 0_usize;
                self.inside(query, element, &mut |_, _| {
                    count += 1;
                    true
                });
                Some(Cow::Owned(Value::from(count)))
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
fn compare(left: Option<&Value>, operator: Operator, right: Option<&Value>) -> bool {
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
    match operator {
        Operator::Equal => equal(),
        Operator::NotEqual => !equal(),
        Operator::Less => order() == Some(Ordering::Less),
        Operator::Greater => order() == Some(Ordering::Greater),
        Operator::LessOrEqual => order() == Some(Ordering::Less) || equal(),
        Operator::GreaterOrEqual => order() == Some(Ordering::Greater) || equal(),
    }
}

/// Whole numbers exactly, all others as floats.
fn order_of(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}
