//! Which places a path could look at, whatever stands there.

use super::place::place_steps;
use super::query::{Filter, Operand, Query, Segment, Selector};

/// One step of a place that a path could look at.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Names(Vec<String>),
    Index(i64),
    Any,
}

/// The place that a query itself looks at, and those that filters inside it look at.
pub(super) fn of(query: &Query) -> (Vec<Step>, Vec<Vec<Step>>) {
    let mut filters = Vec::new();
    let main = along(&query.segments, &[], &mut filters);
    (main, filters)
}

/// Whether a look along `steps` could meet something at, under or over `place`.
pub(super) fn could(steps: &[Step], place: &str) -> bool {
    steps.iter().zip(&place_steps(place)).all(|(step, name)| step.could_be(name))
}

/// The keys that steps lead along, up to the first step that is none.
pub(super) fn keys(steps: &[Step]) -> Vec<Vec<String>> {
    let mut places = vec![Vec::new()];
    for step in steps {
        let Step::Names(names) = step else { break };
        let under = |place: Vec<String>| {
            names.iter().map(move |name| place.iter().chain([name]).cloned().collect::<Vec<_>>())
        };
        places = places.into_iter().flat_map(under).collect();
    }
    places
}

impl Step {
    fn could_be(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Names(names) => names.iter().any(|own| own == name),
            // From the end an index can be any.
            Self::Index(index) => *index < 0 || name.parse() == Ok(*index),
        }
    }
}

fn along(segments: &[Segment], base: &[Step], filters: &mut Vec<Vec<Step>>) -> Vec<Step> {
    let mut steps = base.to_vec();
    for segment in segments {
        let step = match segment {
            Segment::One(selector) => of_selector(selector, &steps, filters),
            Segment::Many(selectors) => {
                let mut names = Vec::new();
                let mut other = false;
                for selector in selectors {
                    match of_selector(selector, &steps, filters) {
                        Step::Names(mut more) => names.append(&mut more),
                        _ => other = true,
                    }
                }
                if other { Step::Any } else { Step::Names(names) }
            }
        };
        steps.push(step);
    }
    steps
}

fn of_selector(selector: &Selector, base: &[Step], filters: &mut Vec<Vec<Step>>) -> Step {
    match selector {
        Selector::Name(name) => Step::Names(vec![name.clone()]),
        Selector::Index(index) => Step::Index(*index),
        Selector::Any => Step::Any,
        Selector::Where(filter) => {
            let mut element = base.to_vec();
            element.push(Step::Any);
            of_filter(filter, &element, filters);
            Step::Any
        }
    }
}

fn of_filter(filter: &Filter, element: &[Step], filters: &mut Vec<Vec<Step>>) {
    match filter {
        Filter::Or(parts) | Filter::And(parts) => {
            for part in parts {
                of_filter(part, element, filters);
            }
        }
        Filter::Not(part) => of_filter(part, element, filters),
        Filter::Selects(query) => of_query(query, element, filters),
        Filter::Compare(left, _, right) => {
            of_operand(left, element, filters);
            of_operand(right, element, filters);
        }
    }
}

fn of_operand(operand: &Operand, element: &[Step], filters: &mut Vec<Vec<Step>>) {
    match operand {
        Operand::Literal(_) => {}
        Operand::One(query) | Operand::Count(query) => of_query(query, element, filters),
        Operand::Length(operand) => of_operand(operand, element, filters),
    }
}

fn of_query(query: &Query, element: &[Step], filters: &mut Vec<Vec<Step>>) {
    let base = if query.from_root { &[] } else { element };
    let steps = along(&query.segments, base, filters);
    filters.push(steps);
}
