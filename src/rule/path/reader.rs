//! Reads a path: jsonpath-rust parses it, and everything outside our subset of RFC 9535 is rejected here.

use jsonpath_rust::parser::model::{
    self, Comparable, Comparison, FilterAtom, FnArg, Literal, SingularQuery, SingularQuerySegment, Test,
    TestFunction,
};
use jsonpath_rust::parser::parse_json_path;
use serde_json::Value;

use super::query::{Filter, FilterOperand, Operator, PathSelector, Query, Segment};

/// Reads and validates.
pub(super) fn read(text: &str) -> Result<Query, String> {
    let query = parse_json_path(text)
        .map_err(|error| format!("`{text}` is not a valid JSONPath: {}", last_line(&error.to_string())))?;
    PathReader { text }.query(true, query.segments)
}

fn last_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // pest's message has several lines; the last says what was expected.
    lines.last().map(|line| line.trim_start_matches("= ").to_owned()).unwrap_or_default()
}

struct PathReader<'t> {
    text: &'t str,
}

impl PathReader<'_> {
    fn refuse<T>(&self, what: &str) -> Result<T, String> {
        Err(format!("`{}`: {what} is not allowed in a path", self.text))
    }

    fn query(&self, from_root: bool, segments: Vec<model::Segment>) -> Result<Query, String> {
        let segments = segments.into_iter().map(|segment| self.segment(segment)).collect::<Result<_, _>>()?;
        Ok(Query { from_root, segments })
    }

    fn segment(&self, segment: model::Segment) -> Result<Segment, String> {
        match segment {
            model::Segment::Descendant(_) => self.refuse("`..` (it is slow and hides misspelled names)"),
            model::Segment::Selector(selector) => self.selector(selector).map(Segment::One),
            model::Segment::Selectors(selectors) => {
                let selectors = selectors.into_iter().map(|selector| self.selector(selector));
                selectors.collect::<Result<_, _>>().map(Segment::Many)
            }
        }
    }

    fn selector(&self, selector: model::Selector) -> Result<PathSelector, String> {
        match selector {
            model::Selector::Name(name) => self.name(name).map(PathSelector::Name),
            model::Selector::Wildcard => Ok(PathSelector::Any),
            model::Selector::Index(index) => Ok(PathSelector::Index(index)),
            model::Selector::Slice(..) => self.refuse("a slice"),
            model::Selector::Filter(filter) => self.filter(filter).map(PathSelector::Where),
        }
    }

    /// The library reads `$.a.b c` and `@.n in ['x']` as names with blanks; such a path never selects anything.
    fn name(&self, name: String) -> Result<String, String> {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii());
        let quoted = || {
            let single = name.replace('\\', "\\\\").replace('\'', "\\'");
            self.text.contains(&format!("'{single}'")) || self.text.contains(&format!("\"{name}\""))
        };
        if name.is_empty() || !(plain || quoted()) {
            return self.refuse(&format!("the name `{name}` without brackets and quotes (['{name}'])"));
        }
        Ok(name)
    }

    fn filter(&self, filter: model::Filter) -> Result<Filter, String> {
        let all = |filters: Vec<model::Filter>| {
            filters.into_iter().map(|filter| self.filter(filter)).collect::<Result<Vec<_>, _>>()
        };
        let (filter, not) = match filter {
            model::Filter::Or(filters) => (Filter::Or(all(filters)?), false),
            model::Filter::And(filters) => (Filter::And(all(filters)?), false),
            model::Filter::Atom(FilterAtom::Filter { expr, not }) => (self.filter(*expr)?, not),
            model::Filter::Atom(FilterAtom::Test { expr, not }) => (self.test(*expr)?, not),
            model::Filter::Atom(FilterAtom::Comparison(comparison)) => (self.comparison(*comparison)?, false),
        };
        Ok(if not { Filter::Not(Box::new(filter)) } else { filter })
    }

    fn test(&self, test: Test) -> Result<Filter, String> {
        match test {
            Test::RelQuery(segments) => self.query(false, segments).map(Filter::Selects),
            Test::AbsQuery(query) => self.query(true, query.segments).map(Filter::Selects),
            Test::Function(function) => {
                self.function(*function)?;
                self.refuse("a function's value without a comparison")
            }
        }
    }

    fn comparison(&self, comparison: Comparison) -> Result<Filter, String> {
        let (left, operator, right) = match comparison {
            Comparison::Eq(left, right) => (left, Operator::Equal, right),
            Comparison::Ne(left, right) => (left, Operator::NotEqual, right),
            Comparison::Gt(left, right) => (left, Operator::Greater, right),
            Comparison::Gte(left, right) => (left, Operator::GreaterOrEqual, right),
            Comparison::Lt(left, right) => (left, Operator::Less, right),
            Comparison::Lte(left, right) => (left, Operator::LessOrEqual, right),
        };
        Ok(Filter::Compare(self.comparable(left)?, operator, self.comparable(right)?))
    }

    fn comparable(&self, comparable: Comparable) -> Result<FilterOperand, String> {
        let (from_root, segments) = match comparable {
            Comparable::Literal(literal) => return Ok(FilterOperand::Literal(value(literal))),
            Comparable::Function(function) => return self.function(function),
            Comparable::SingularQuery(SingularQuery::Current(segments)) => (false, segments),
            Comparable::SingularQuery(SingularQuery::Root(segments)) => (true, segments),
        };
        let selector = |segment| match segment {
            SingularQuerySegment::Index(index) => Ok(Segment::One(PathSelector::Index(index))),
            SingularQuerySegment::Name(name) => {
                self.name(name).map(|name| Segment::One(PathSelector::Name(name)))
            }
        };
        let segments = segments.into_iter().map(selector).collect::<Result<_, String>>()?;
        Ok(FilterOperand::One(Query { from_root, segments }))
    }

    fn function(&self, function: TestFunction) -> Result<FilterOperand, String> {
        match function {
            TestFunction::Length(argument) => match *argument {
                FnArg::Test(test) => match *test {
                    Test::Function(function) => {
                        Ok(FilterOperand::Length(Box::new(self.function(*function)?)))
                    }
                    test => {
                        let query = self.argument(test)?;
                        if !query.is_singular() {
                            return self.refuse("`length` of more than one value (use `count`)");
                        }
                        Ok(FilterOperand::Length(Box::new(FilterOperand::One(query))))
                    }
                },
                FnArg::Literal(_) | FnArg::Filter(_) => self.refuse("`length` of anything but a path"),
            },
            TestFunction::Count(FnArg::Test(test)) => self.argument(*test).map(FilterOperand::Count),
            TestFunction::Value(FnArg::Test(test)) => self.argument(*test).map(FilterOperand::One),
            TestFunction::Count(_) | TestFunction::Value(_) => {
                self.refuse("`count` or `value` of anything but a path")
            }
            TestFunction::Match(..) => self.refuse("`match` (use the comparator `matches`)"),
            TestFunction::Search(..) => self.refuse("`search` (use the comparator `matches`)"),
            TestFunction::Custom(name, _) => self.refuse(&format!("`{name}`, which is not in RFC 9535,")),
        }
    }

    fn argument(&self, test: Test) -> Result<Query, String> {
        match test {
            Test::RelQuery(segments) => self.query(false, segments),
            Test::AbsQuery(query) => self.query(true, query.segments),
            Test::Function(_) => self.refuse("a function of a function"),
        }
    }
}

fn value(literal: Literal) -> Value {
    match literal {
        Literal::Int(number) => Value::from(number),
        Literal::Float(number) => Value::from(number),
        Literal::String(text) => Value::from(text),
        Literal::Bool(truth) => Value::from(truth),
        Literal::Null => Value::Null,
    }
}
