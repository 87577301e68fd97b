//! A path after parsing: names, indexes, wildcards and filters.

use serde_json::Value;

/// Segments, starting at the document's root or at the element that a filter tests.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub from_root: bool,
    pub segments: Vec<Segment>,
}

/// One step down.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Segment {
    One(PathSelector),
    /// `['a', 'b']`.
    Many(Vec<PathSelector>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum PathSelector {
    Name(String),
    /// From the end, where it is negative.
    Index(i64),
    Any,
    Where(Filter),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    Or(Vec<Filter>),
    And(Vec<Filter>),
    Not(Box<Filter>),
    /// The query selects something, even null.
    Selects(Query),
    Compare(FilterOperand, Operator, FilterOperand),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A side of a comparison: one value, or nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum FilterOperand {
    Literal(Value),
    /// What the query selects, if it is one value.
    One(Query),
    /// `length(…)`.
    Length(Box<FilterOperand>),
    /// `count(…)`.
    Count(Query),
}

impl Query {
    /// Whether it can select one value at most.
    pub(super) fn is_singular(&self) -> bool {
        let one = |segment: &Segment| {
            matches!(segment, Segment::One(PathSelector::Name(_) | PathSelector::Index(_)))
        };
        self.segments.iter().all(one)
    }
}
