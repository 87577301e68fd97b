//! A JSONPath in a rule: a safe subset of RFC 9535, parsed once.
//!
//! A path also knows whether it *could* select something at, under or over a given place. That is how an unread place
//! makes a check unknown instead of passed.

mod mutate;
mod query;
mod reader;
mod select;
#[cfg(test)]
mod tests;
mod touch;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::borrow::Cow;

use crate::redact::Blanks;
use crate::resource::place_steps;
use query::{PathSelector, Query, Segment};
use touch::{FilterSteps, PathStep};

/// A validated path.
#[derive(Debug, Clone)]
pub struct Path {
    text: String,
    query: Query,
    /// The places that the path itself selects from.
    main: Vec<PathStep>,
    /// The places that its filters look at.
    filters: Vec<FilterSteps>,
}

/// A selected value and its place.
#[derive(Debug, Clone)]
pub struct PathMatch<'a> {
    /// The value.
    pub value: &'a Value,
    /// Its place, in short form: `$.spec.containers[0].image`.
    pub place: Cow<'a, str>,
}

impl Path {
    /// Parses and validates.
    pub fn parse(text: &str) -> Result<Self, String> {
        let query = reader::read(text)?;
        let (main, filters) = touch::of(&query);
        Ok(Self { text: text.to_owned(), query, main, filters })
    }

    /// The path with `prefix` (such as `$.config`) in the place of its `$`.
    pub fn under(&self, prefix: &str) -> Result<Self, String> {
        Self::parse(&format!("{prefix}{}", &self.text[1..]))
    }

    /// As written in the rule.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it selects one value at most.
    pub fn is_singular(&self) -> bool {
        self.query.is_singular()
    }

    /// What it selects in `document`, in document order.
    pub fn select<'a>(&'a self, document: &'a Value) -> Vec<PathMatch<'a>> {
        self.select_among(document, &Blanks::default()).0
    }

    /// The same where values are blanked: what it certainly selects, and the places of blanked values that decide whether
    /// it selects more.
    pub(crate) fn select_among<'a>(
        &'a self,
        document: &'a Value,
        blanks: &Blanks,
    ) -> (Vec<PathMatch<'a>>, Vec<String>) {
        let named = |segment: &Segment| matches!(segment, Segment::One(PathSelector::Name(_)));
        let plain = self.query.segments.iter().all(named);
        let mut found = Vec::new();
        let doubts = select::each(&self.query, document, blanks, &mut |value, place| {
            // A path with names only is its own place.
            let place = if plain { Cow::Borrowed(self.text.as_str()) } else { place.to_string().into() };
            found.push(PathMatch { value, place });
        });
        (found, doubts)
    }

    /// The path broken in one place, for each place, with a description.
    pub(super) fn mutants(&self) -> Vec<(String, Self)> {
        let wrong = |query: Query| {
            let (main, filters) = touch::of(&query);
            Self { text: self.text.clone(), query, main, filters }
        };
        let mut out = vec![("blanked".to_owned(), Self::blank())];
        out.extend(mutate::of(&self.query).into_iter().map(|(what, query)| (what, wrong(query))));
        out
    }

    /// A path that never selects anything.
    pub(super) fn blank() -> Self {
        let name = "blanked".to_owned();
        let query = Query { from_root: true, segments: vec![Segment::One(PathSelector::Name(name))] };
        let (main, filters) = touch::of(&query);
        Self { text: "$.blanked".into(), query, main, filters }
    }

    /// The steps of the path itself, and those of its filters.
    fn steps(&self) -> impl Iterator<Item = &Vec<PathStep>> {
        std::iter::once(&self.main).chain(self.filters.iter().map(|filter| &filter.steps))
    }

    /// The places that it and its filters read, each as keys from the root, up to the first step that is no key.
    pub fn reads(&self) -> Vec<Vec<String>> {
        self.steps().flat_map(|steps| touch::keys(steps)).collect()
    }

    /// The places under `place`, which it may have selected, that its filters look at.
    pub(crate) fn filtered_places(&self, place: &[String]) -> Vec<Vec<String>> {
        self.filters.iter().filter_map(|filter| touch::under(&filter.steps, place)).collect()
    }

    /// Whether it, or a filter inside it, could look at something at, under or over `place`.
    pub fn could_touch(&self, place: &str) -> bool {
        touch::could(&self.main, place) || self.filter_could_touch(place)
    }

    /// Whether it, or a filter inside it, names these keys from the root.
    pub(crate) fn names(&self, keys: &[&str]) -> bool {
        self.steps().any(|steps| touch::names(steps, keys))
    }

    /// Whether a filter inside it could. Then even what it did select is in doubt: `!@.x` and `@.x != 1` hold if x is
    /// merely unread.
    pub fn filter_could_touch(&self, place: &str) -> bool {
        self.filters.iter().any(|filter| touch::could(&filter.steps, place))
    }

    /// The same for a place after the last element of a list. A filter that decides about elements of that list, or about
    /// something inside them, only looks at those that are there.
    pub fn filter_could_touch_end(&self, place: &str) -> bool {
        let depth = place_steps(place).len();
        let is_past = |filter: &FilterSteps| filter.element >= depth;
        self.filters.iter().any(|filter| !is_past(filter) && touch::could(&filter.steps, place))
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
