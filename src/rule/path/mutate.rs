//! Paths broken in one place each, for `rules check --mutate`.

use super::query::{Filter, FilterOperand, PathSelector, Query, Segment};

/// Every query that differs from this one in one choice: a selector or a filter's branch less, a comparison or
/// a test inverted. With what was done.
pub(super) fn of(query: &Query) -> Vec<(String, Query)> {
    of_segments(&query.segments)
        .into_iter()
        .map(|(what, segments)| (what, Query { from_root: query.from_root, segments }))
        .collect()
}

fn of_segments(segments: &[Segment]) -> Vec<(String, Vec<Segment>)> {
    each(segments, |segment| match segment {
        Segment::One(selector) => wrap(of_selector(selector), Segment::One),
        Segment::Many(selectors) => {
            let mut out = wrap(each(selectors, of_selector), Segment::Many);
            out.extend(wrap(less(selectors, "selector"), Segment::Many));
            out
        }
    })
}

fn of_selector(selector: &PathSelector) -> Vec<(String, PathSelector)> {
    match selector {
        PathSelector::Where(filter) => wrap(of_filter(filter), PathSelector::Where),
        PathSelector::Name(_) | PathSelector::Index(_) | PathSelector::Any => Vec::new(),
    }
}

fn of_filter(filter: &Filter) -> Vec<(String, Filter)> {
    match filter {
        Filter::Or(parts) => {
            let mut out = wrap(less(parts, "branch of ||"), Filter::Or);
            out.extend(wrap(each(parts, of_filter), Filter::Or));
            out
        }
        Filter::And(parts) => {
            let mut out = wrap(less(parts, "branch of &&"), Filter::And);
            out.extend(wrap(each(parts, of_filter), Filter::And));
            out
        }
        Filter::Not(part) => {
            let mut out = vec![("a filter's `!` dropped".to_owned(), part.as_ref().clone())];
            out.extend(wrap(of_filter(part), |part| Filter::Not(Box::new(part))));
            out
        }
        Filter::Selects(query) => {
            let mut out = vec![("a filter's test inverted".to_owned(), turned(filter))];
            out.extend(wrap(of(query), Filter::Selects));
            out
        }
        Filter::Compare(left, operator, right) => {
            let mut out = vec![("a filter's comparison inverted".to_owned(), turned(filter))];
            out.extend(wrap(of_operand(left), |left| Filter::Compare(left, *operator, right.clone())));
            out.extend(wrap(of_operand(right), |right| Filter::Compare(left.clone(), *operator, right)));
            out
        }
    }
}

fn turned(filter: &Filter) -> Filter {
    Filter::Not(Box::new(filter.clone()))
}

fn of_operand(operand: &FilterOperand) -> Vec<(String, FilterOperand)> {
    match operand {
        FilterOperand::Literal(_) => Vec::new(),
        FilterOperand::One(query) => wrap(of(query), FilterOperand::One),
        FilterOperand::Count(query) => wrap(of(query), FilterOperand::Count),
        FilterOperand::Length(operand) => {
            wrap(of_operand(operand), |operand| FilterOperand::Length(Box::new(operand)))
        }
    }
}

/// The list with one element changed, for each change of each element.
fn each<T: Clone>(list: &[T], change: impl Fn(&T) -> Vec<(String, T)>) -> Vec<(String, Vec<T>)> {
    let mut out = Vec::new();
    for (position, element) in list.iter().enumerate() {
        for (what, changed) in change(element) {
            let mut list = list.to_vec();
            list[position] = changed;
            out.push((what, list));
        }
    }
    out
}

/// The list less one element, for each, as long as one is left.
fn less<T: Clone>(list: &[T], kind: &str) -> Vec<(String, Vec<T>)> {
    if list.len() < 2 {
        return Vec::new();
    }
    (0..list.len())
        .map(|position| {
            let mut list = list.to_vec();
            list.remove(position);
            (format!("{kind} {} dropped", position + 1), list)
        })
        .collect()
}

fn wrap<T, U>(changes: Vec<(String, T)>, whole: impl Fn(T) -> U) -> Vec<(String, U)> {
    changes.into_iter().map(|(what, part)| (what, whole(part))).collect()
}
