//! Which places a path could look at, whatever the document contains.

use super::query::{Filter, FilterOperand, PathSelector, Query, Segment};
use crate::resource::place_steps;

/// One step of a place that a path could look at.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PathStep {
    Names(Vec<String>),
    Index(i64),
    Any,
}

/// The places that a query in a filter looks at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FilterSteps {
    /// From the root of the document.
    pub steps: Vec<PathStep>,
    /// How many of them lead to the element that the filter decides about; none, if the query begins at the root.
    pub element: usize,
}

/// The places that a query itself looks at, and those that its filters look at.
pub(super) fn of(query: &Query) -> (Vec<PathStep>, Vec<FilterSteps>) {
    let mut filters = Vec::new();
    let main = along(&query.segments, &[], &mut filters);
    (main, filters)
}

/// Whether `steps` could lead to something at, under or over `place`.
pub(super) fn could(steps: &[PathStep], place: &str) -> bool {
    steps.iter().zip(&place_steps(place)).all(|(step, name)| step.could_be(name))
}

/// Whether steps begin with these keys, by name.
pub(super) fn names(steps: &[PathStep], keys: &[&str]) -> bool {
    let is = |(step, key): (&PathStep, &&str)| matches!(step, PathStep::Names(names) if names.iter().any(|name| name == key));
    steps.len() >= keys.len() && steps.iter().zip(keys).all(is)
}

/// The place that `steps` lead to under `place`. `None`: they do not lead there, or to more than one.
pub(super) fn under(steps: &[PathStep], place: &[String]) -> Option<Vec<String>> {
    let (over, rest) = steps.split_at_checked(place.len())?;
    if rest.is_empty() || !over.iter().zip(place).all(|(step, name)| step.could_be(name)) {
        return None;
    }
    let single = rest.iter().map(|step| match step {
        PathStep::Names(names) if names.len() == 1 => names.first().cloned(),
        PathStep::Index(index) if *index >= 0 => Some(index.to_string()),
        _ => None,
    });
    Some([place, &single.collect::<Option<Vec<_>>>()?].concat())
}

/// The keys that steps lead along, up to the first step that is none.
pub(super) fn keys(steps: &[PathStep]) -> Vec<Vec<String>> {
    let mut places = vec![Vec::new()];
    for step in steps {
        let PathStep::Names(names) = step else { break };
        let under = |place: Vec<String>| {
            names.iter().map(move |name| place.iter().chain([name]).cloned().collect::<Vec<_>>())
        };
        places = places.into_iter().flat_map(under).collect();
    }
    places
}

impl PathStep {
    fn could_be(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Names(names) => names.iter().any(|own| own == name),
            // An index from the end can be any index.
            Self::Index(index) => *index < 0 || name.parse() == Ok(*index),
        }
    }
}

fn along(segments: &[Segment], base: &[PathStep], filters: &mut Vec<FilterSteps>) -> Vec<PathStep> {
    let mut steps = base.to_vec();
    for segment in segments {
        let step = match segment {
            Segment::One(selector) => of_selector(selector, &steps, filters),
            Segment::Many(selectors) => {
                let mut names = Vec::new();
                let mut other = false;
                for selector in selectors {
                    match of_selector(selector, &steps, filters) {
                        PathStep::Names(mut more) => names.append(&mut more),
                        _ => other = true,
                    }
                }
                if other { PathStep::Any } else { PathStep::Names(names) }
            }
        };
        steps.push(step);
    }
    steps
}

fn of_selector(selector: &PathSelector, base: &[PathStep], filters: &mut Vec<FilterSteps>) -> PathStep {
    match selector {
        PathSelector::Name(name) => PathStep::Names(vec![name.clone()]),
        PathSelector::Index(index) => PathStep::Index(*index),
        PathSelector::Any => PathStep::Any,
        PathSelector::Where(filter) => {
            let mut element = base.to_vec();
            element.push(PathStep::Any);
            of_filter(filter, &element, filters);
            PathStep::Any
        }
    }
}

fn of_filter(filter: &Filter, element: &[PathStep], filters: &mut Vec<FilterSteps>) {
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

fn of_operand(operand: &FilterOperand, element: &[PathStep], filters: &mut Vec<FilterSteps>) {
    match operand {
        FilterOperand::Literal(_) => {}
        FilterOperand::One(query) | FilterOperand::Count(query) => of_query(query, element, filters),
        FilterOperand::Length(operand) => of_operand(operand, element, filters),
    }
}

fn of_query(query: &Query, element: &[PathStep], filters: &mut Vec<FilterSteps>) {
    let base: &[PathStep] = if query.from_root { &[] } else { element };
    let steps = along(&query.segments, base, filters);
    filters.push(FilterSteps { steps, element: base.len() });
}
