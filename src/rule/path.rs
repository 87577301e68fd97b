//! A JSONPath of a rule: RFC 9535, cut down to what cannot surprise, parsed once.
//!
//! Besides selecting, a path can say whether it *could* select something at, under or over a given
//! place: that is how an unread place makes a check unknown instead of passed.

use jsonpath_rust::parser::model::{
    Comparable, Filter, FilterAtom, FnArg, JpQuery, Segment, Selector, SingularQuery, SingularQuerySegment,
    Test, TestFunction,
};
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::borrow::Cow;

/// A validated path.
#[derive(Debug, Clone)]
pub struct Path {
    text: String,
    /// The names it begins with: walked without the engine, which builds a text for each step.
    names: Vec<String>,
    /// What is left for the engine, from there on.
    rest: Option<JpQuery>,
    /// The place that the path itself looks at.
    main: Vec<Step>,
    /// The places that filters inside it look at.
    filters: Vec<Vec<Step>>,
    singular: bool,
}

/// One selected value and where it stands.
#[derive(Debug, Clone)]
pub struct Match<'a> {
    /// The value.
    pub value: &'a Value,
    /// Its place, in short form: `$.spec.containers[0].image`.
    pub place: Cow<'a, str>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Names(Vec<String>),
    Index(i64),
    Any,
}

impl Path {
    /// Parses and validates.
    pub fn parse(text: &str) -> Result<Self, String> {
        let query = parse_json_path(text)
            .map_err(|error| format!("`{text}` is no JSONPath: {}", first_line(&error.to_string())))?;
        let mut reader = Reader { text, looks_at: Vec::new(), absolute: false };
        let main = reader.segments(&query.segments, &[])?;
        let singular = query
            .segments
            .iter()
            .all(|segment| matches!(segment, Segment::Selector(Selector::Name(_) | Selector::Index(_))));
        let (names, rest) = split(query, reader.absolute);
        Ok(Self { text: text.to_owned(), main, filters: reader.looks_at, singular, names, rest })
    }

    /// The path with `prefix` (such as `$.config`) in the place of its `$`.
    pub fn under(&self, prefix: &str) -> Result<Self, String> {
        Self::parse(&format!("{prefix}{}", &self.text[1..]))
    }

    /// As the rule's author wrote it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it can select one value at most.
    pub fn is_singular(&self) -> bool {
        self.singular
    }

    /// What it selects in `document`, in document order.
    pub fn select<'a>(&'a self, document: &'a Value) -> Vec<Match<'a>> {
        let start = self.names.iter().try_fold(document, |value, name| value.get(name.as_str()));
        let Some(start) = start else { return Vec::new() };
        let Some(rest) = &self.rest else {
            return vec![Match { value: start, place: self.text.as_str().into() }];
        };
        // An error here would be a non-node result, which a path without functions at its top cannot give.
        let found = js_path_process(rest, start).unwrap_or_default();
        let place = |path: &str| {
            let names: String = self.names.iter().map(|name| short_name(name)).collect();
            format!("${names}{}", short(path.strip_prefix('$').unwrap_or(path)))
        };
        found.into_iter().map(|found| Match { value: found.val, place: place(&found.path).into() }).collect()
    }

    /// Whether it, or a filter inside it, could look at something at, under or over `place`.
    pub fn could_touch(&self, place: &str) -> bool {
        touches(&self.main, place) || self.filter_could_touch(place)
    }

    /// Whether a filter inside it could. Then even what it did select is in doubt: `!@.x` and `@.x != 1` hold
    /// where x is merely unread.
    pub fn filter_could_touch(&self, place: &str) -> bool {
        self.filters.iter().any(|steps| touches(steps, place))
    }
}

fn touches(steps: &[Step], place: &str) -> bool {
    steps.iter().zip(&place_steps(place)).all(|(step, name)| step.could_be(name))
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

/// `$.a.b[0]['c d']` → a, b, 0, `c d`.
pub(crate) fn place_steps(place: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let mut rest = place.strip_prefix('$').unwrap_or(place);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            steps.push(after[..end].to_owned());
            rest = &after[end..];
        } else if let Some(after) = rest.strip_prefix("['") {
            let end = after.find("']").unwrap_or(after.len());
            steps.push(after[..end].to_owned());
            rest = after.get(end + 2..).unwrap_or_default();
        } else if let Some(after) = rest.strip_prefix('[') {
            let end = after.find(']').unwrap_or(after.len());
            steps.push(after[..end].to_owned());
            rest = after.get(end + 1..).unwrap_or_default();
        } else {
            break;
        }
    }
    steps
}

/// Takes the names that a query begins with off its front. One with `$` inside a filter stays whole: its
/// root must stay the document.
fn split(query: JpQuery, absolute: bool) -> (Vec<String>, Option<JpQuery>) {
    if absolute {
        return (Vec::new(), Some(query));
    }
    let mut segments = query.segments.into_iter().peekable();
    let mut names = Vec::new();
    while let Some(Segment::Selector(Selector::Name(_))) = segments.peek() {
        if let Some(Segment::Selector(Selector::Name(name))) = segments.next() {
            names.push(name);
        }
    }
    let rest: Vec<Segment> = segments.collect();
    (names, (!rest.is_empty()).then(|| JpQuery::new(rest)))
}

/// `.name`, or `['na-me']` where it must be quoted.
fn short_name(name: &str) -> String {
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        format!(".{name}")
    } else {
        format!("['{name}']")
    }
}

/// The library's normalised `$['spec']['containers'][0]` as `$.spec.containers[0]`.
fn short(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(start) = rest.find("['") {
        let Some(end) = rest[start..].find("']").map(|end| start + end) else { break };
        out.push_str(&rest[..start]);
        out.push_str(&short_name(&rest[start + 2..end]));
        rest = &rest[end + 2..];
    }
    out.push_str(rest);
    out
}

fn first_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // pest draws the position over several lines; its last one says what was expected.
    lines.last().map(|line| line.trim_start_matches("= ").to_owned()).unwrap_or_default()
}

// === Reader ===

/// Walks a parsed query: refuses what is not in our part of RFC 9535, and notes every place looked at.
struct Reader<'t> {
    text: &'t str,
    /// What filters look at.
    looks_at: Vec<Vec<Step>>,
    /// Whether a filter refers to the document's root.
    absolute: bool,
}

impl Reader<'_> {
    fn refuse<T>(&self, what: &str) -> Result<T, String> {
        Err(format!("`{}`: {what} is not allowed in a rule's path", self.text))
    }

    fn segments(&mut self, segments: &[Segment], base: &[Step]) -> Result<Vec<Step>, String> {
        let mut steps = base.to_vec();
        for segment in segments {
            let step = match segment {
                Segment::Descendant(_) => return self.refuse("`..` (slow, and it hides misspelt names)"),
                Segment::Selector(selector) => self.selector(selector, &steps)?,
                Segment::Selectors(selectors) => {
                    let mut names = Vec::new();
                    let mut other = false;
                    for selector in selectors {
                        match self.selector(selector, &steps)? {
                            Step::Names(mut more) => names.append(&mut more),
                            _ => other = true,
                        }
                    }
                    if other { Step::Any } else { Step::Names(names) }
                }
            };
            steps.push(step);
        }
        Ok(steps)
    }

    fn selector(&mut self, selector: &Selector, base: &[Step]) -> Result<Step, String> {
        match selector {
            Selector::Name(name) => {
                self.name(name)?;
                Ok(Step::Names(vec![name.clone()]))
            }
            Selector::Wildcard => Ok(Step::Any),
            Selector::Index(index) => Ok(Step::Index(*index)),
            Selector::Slice(..) => self.refuse("a slice"),
            Selector::Filter(filter) => {
                let mut element = base.to_vec();
                element.push(Step::Any);
                self.filter(filter, &element)?;
                Ok(Step::Any)
            }
        }
    }

    /// The library takes `$.a.b c` and `@.n in ['x']` for names with blanks; such a rule selects nothing, ever.
    fn name(&self, name: &str) -> Result<(), String> {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii());
        let quoted = || {
            let single = name.replace('\\', "\\\\").replace('\'', "\\'");
            self.text.contains(&format!("'{single}'")) || self.text.contains(&format!("\"{name}\""))
        };
        if name.is_empty() || !(plain || quoted()) {
            return self.refuse(&format!("the name `{name}` without brackets and quotes (['{name}'])"));
        }
        Ok(())
    }

    fn filter(&mut self, filter: &Filter, element: &[Step]) -> Result<(), String> {
        match filter {
            Filter::Or(filters) | Filter::And(filters) => {
                filters.iter().try_for_each(|filter| self.filter(filter, element))
            }
            Filter::Atom(FilterAtom::Filter { expr, .. }) => self.filter(expr, element),
            Filter::Atom(FilterAtom::Test { expr, .. }) => self.test(expr, element),
            Filter::Atom(FilterAtom::Comparison(comparison)) => {
                let (left, right) = comparison.vals();
                self.comparable(left, element)?;
                self.comparable(right, element)
            }
        }
    }

    fn test(&mut self, test: &Test, element: &[Step]) -> Result<(), String> {
        let steps = match test {
            Test::RelQuery(segments) => self.segments(segments, element)?,
            Test::AbsQuery(query) => {
                self.absolute = true;
                self.segments(&query.segments, &[])?
            }
            Test::Function(function) => return self.function(function, element),
        };
        self.looks_at.push(steps);
        Ok(())
    }

    fn function(&mut self, function: &TestFunction, element: &[Step]) -> Result<(), String> {
        let argument = match function {
            TestFunction::Length(argument) => argument.as_ref(),
            TestFunction::Value(argument) | TestFunction::Count(argument) => argument,
            TestFunction::Match(..) => return self.refuse("`match` (use the comparator `matches`)"),
            TestFunction::Search(..) => return self.refuse("`search` (use the comparator `matches`)"),
            TestFunction::Custom(name, _) => {
                return self.refuse(&format!("`{name}`, which is not in RFC 9535,"));
            }
        };
        match argument {
            FnArg::Literal(_) => Ok(()),
            FnArg::Test(test) => self.test(test, element),
            FnArg::Filter(filter) => self.filter(filter, element),
        }
    }

    fn comparable(&mut self, comparable: &Comparable, element: &[Step]) -> Result<(), String> {
        let (base, segments): (&[Step], _) = match comparable {
            Comparable::Literal(_) => return Ok(()),
            Comparable::Function(function) => return self.function(function, element),
            Comparable::SingularQuery(SingularQuery::Current(segments)) => (element, segments),
            Comparable::SingularQuery(SingularQuery::Root(segments)) => {
                self.absolute = true;
                (&[], segments)
            }
        };
        let mut steps = base.to_vec();
        for segment in segments {
            steps.push(match segment {
                SingularQuerySegment::Index(index) => Step::Index(*index),
                SingularQuerySegment::Name(name) => {
                    self.name(name)?;
                    Step::Names(vec![name.clone()])
                }
            });
        }
        self.looks_at.push(steps);
        Ok(())
    }
}

// === impl Path: reading, schema ===

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Path {
    fn schema_name() -> Cow<'static, str> {
        "Path".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^\\$",
            "description": "A JSONPath (RFC 9535) of names, indexes, wildcards and filters."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_library_takes_beyond_the_rfc_is_refused() {
        for path in [
            "$..name",
            "$.a.b c",
            "$.a[?@.n in ['x']]",
            "$.a[?@.n size 1]",
            "$.a[?none_of(@.n,$.x)]",
            "$.a[?match(@.n, 'x')]",
            "$.a[?search(@.n, 'x')]",
            "$.a[0:2]",
            "a.b",
            "$.a[",
            "",
        ] {
            assert!(Path::parse(path).is_err(), "{path} was taken");
        }
    }

    #[test]
    fn what_rules_use_is_taken() {
        for path in [
            "$.mode",
            "$.metadata.labels['pod-security.kubernetes.io/enforce']",
            "$.rules[*]['apiGroups','resources','verbs'][?@ == '*']",
            "$.derived.containers[?!@.securityContext.capabilities.drop[?@ == 'ALL']]",
            "$.a[?count(@.b) > 1 && length(@.c) == 2]",
        ] {
            Path::parse(path).unwrap();
        }
    }

    #[test]
    fn places_are_short() {
        let document = json!({"spec": {"containers": [{"a-b": 1}]}});
        let path = Path::parse("$.spec.containers[*]['a-b']").unwrap();
        let found = path.select(&document);
        assert_eq!(found[0].place, "$.spec.containers[0]['a-b']");
        assert_eq!(found[0].value, &json!(1));
    }

    #[test]
    fn touching_is_at_under_or_over() {
        let touches = |path: &str, place: &str| Path::parse(path).unwrap().could_touch(place);
        assert!(touches("$.related.networkPolicies[*]", "$.related.networkPolicies"));
        assert!(touches("$.related", "$.related.networkPolicies"));
        assert!(touches("$.a[*].b", "$.a[3]"));
        assert!(touches("$.a['b','c']", "$.a.c"));
        assert!(touches("$.a", "$"));
        assert!(!touches("$.a.b", "$.a.c"));
        assert!(!touches("$.a['b','c']", "$.a.d"));
        assert!(!touches("$.a[0]", "$.a[1]"));
    }

    #[test]
    fn a_filter_may_refer_to_the_root() {
        let document = json!({"limit": 2, "list": [{"x": 1}, {"x": 3}]});
        let path = Path::parse("$.list[?@.x > $.limit].x").unwrap();
        let found = path.select(&document);
        assert_eq!((found.len(), found[0].place.as_ref(), found[0].value), (1, "$.list[1].x", &json!(3)));
    }

    #[test]
    fn a_filter_looks_too() {
        let path = Path::parse("$.list[?@.x == $.other.y]").unwrap();
        assert!(path.could_touch("$.other.y"));
        assert!(path.could_touch("$.list[2].x") && path.filter_could_touch("$.list[2].x"));
        assert!(!path.could_touch("$.third"));
    }
}
