//! YAML text to a tree of values that know where they were written.
//!
//! In: the text of a file. Out: the config crate's values, with a [`Place`] in each. Dotted keys and
//! nested ones are the same thing (`output.console: {pretty: true}`, `output: {console.pretty: true}`)
//! and may be mixed; what one file sets twice is a mistake.

use config::{Format, Map, Value, ValueKind};
use std::error::Error;

use super::error::Mistake;
use super::fleet;
use super::node::Node;
use super::place::{Place, Position};
use crate::yaml::{self, Spanned};

/// Sections in sections; our own keys need six levels, a policy's somewhat more.
const MAX_DEPTH: usize = 64;

/// Our YAML, for the config crate.
pub(super) struct Yaml;

impl Format for Yaml {
    fn parse(
        &self,
        uri: Option<&String>,
        text: &str,
    ) -> Result<Map<String, Value>, Box<dyn Error + Send + Sync>> {
        Ok(parse(uri.map_or("", String::as_str), text)?)
    }
}

/// Reads a whole file of settings.
pub(super) fn parse(source: &str, text: &str) -> Result<Map<String, Value>, Mistake> {
    parse_like(source, text, "sections and keys such as `posturebeat.period: 4h`")
}

/// Reads a whole file of `expected`.
pub(super) fn parse_like(source: &str, text: &str, expected: &str) -> Result<Map<String, Value>, Mistake> {
    let document: Spanned<Node> = yaml::from_str(text).map_err(|error| {
        let at = Position { line: error.line, column: error.column };
        let place = Place { source: source.to_owned(), key: at, value: at, outside: false };
        Mistake::at_value(Some(&place), error.message)
    })?;
    let at = position(&document);
    match document.value {
        Node::Map(entries) => {
            // A policy's other sections are not ours to judge: there the last one wins.
            let strict = !entries.iter().any(|(key, _)| fleet::is_policy_key(&key.value));
            Builder { source, strict, inline: false }
                .table(entries, 0)
                .map(|table| table.into_iter().collect())
        }
        Node::Scalar(ValueKind::Nil) => Ok(Map::new()),
        Node::Scalar(_) | Node::List(_) => {
            let place = Place { source: source.to_owned(), key: at, value: at, outside: false };
            Err(Mistake::at_value(Some(&place), format!("expected {expected}")))
        }
    }
}

/// Reads one value of `-E`: a YAML flow list or map where it looks like one, else text.
pub(super) fn parse_flat(source: &str, text: &str) -> Result<Value, Mistake> {
    let place = Place { source: source.to_owned(), outside: true, ..Place::default() };
    if !text.trim_start().starts_with(['[', '{']) {
        return Ok(Value::new(Some(&place.origin()), text));
    }
    let node: Node = yaml::from_str(text).map_err(|error| {
        Mistake::at_value(Some(&place), format!("not a YAML list or map: {}", error.message))
    })?;
    Builder { source, strict: true, inline: true }.value(node, &Place { outside: false, ..place }, 0)
}

/// Text from outside of YAML, typed as YAML would type it; `None` where it is no YAML.
pub(super) fn typed(text: &str, place: Option<&Place>) -> Option<Value> {
    let place = place?;
    let node: Node = yaml::from_str(text).ok()?;
    Builder { source: &place.source, strict: true, inline: true }.value(node, place, 0).ok()
}

/// A section's key and a key in it as one dotted key.
pub(super) fn dotted(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

/// Sets `segments` under `table` as one more line of the same source would.
pub(super) fn set(
    table: &mut Map<String, Value>,
    segments: &[&str],
    value: Value,
    place: &Place,
) -> Result<(), Mistake> {
    Builder { source: &place.source, strict: true, inline: false }.set(table, segments, value, place)
}

/// The parts of a dotted key; a key with an empty part is no dotted key.
pub(super) fn segments(key: &str) -> Vec<&str> {
    let parts: Vec<&str> = key.split('.').collect();
    if parts.len() > MAX_DEPTH || parts.iter().any(|part| part.is_empty()) { vec![key] } else { parts }
}

/// Whether a key in a file is a label such as `app.kubernetes.io/name`: no section of ours has a slash.
fn is_label(key: &str) -> bool {
    key.split_once('/').is_some_and(|(prefix, _)| prefix.contains('.'))
}

/// The value at a dotted key; numbers choose items of lists.
pub(super) fn find<'a>(root: &'a Value, key: &str) -> Option<&'a Value> {
    key.split('.').try_fold(root, |value, part| match &value.kind {
        ValueKind::Table(table) => table.get(part),
        ValueKind::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// A list as a table of its indexes, to be merged with keys such as `hosts.0`.
pub(super) fn indexed(items: Vec<Value>) -> Map<String, Value> {
    items.into_iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
}

/// Whether every key of a table is the index of a list's item.
pub(super) fn is_indexed(table: &Map<String, Value>) -> bool {
    !table.is_empty() && table.keys().all(|key| key.bytes().all(|byte| byte.is_ascii_digit()))
}

struct Builder<'a> {
    source: &'a str,
    /// Whether setting a key twice is a mistake.
    strict: bool,
    /// Whether the text is no file, so that lines and columns say nothing.
    inline: bool,
}

impl Builder<'_> {
    fn position<T>(&self, spanned: &Spanned<T>) -> Position {
        if self.inline { Position::default() } else { position(spanned) }
    }

    fn table(
        &self,
        entries: Vec<(Spanned<String>, Spanned<Node>)>,
        depth: usize,
    ) -> Result<Map<String, Value>, Mistake> {
        let mut table = Map::new();
        for (key, node) in entries {
            let place = Place {
                source: self.source.to_owned(),
                key: self.position(&key),
                value: self.position(&node),
                outside: false,
            };
            let segments = if is_label(&key.value) { vec![key.value.as_str()] } else { segments(&key.value) };
            let depth = depth + segments.len();
            if depth > MAX_DEPTH {
                return Err(Mistake::at_key(Some(&place), format!("nested more than {MAX_DEPTH} deep")));
            }
            let value = self.value(node.value, &place, depth)?;
            self.set(&mut table, &segments, value, &place)?;
        }
        Ok(table)
    }

    fn value(&self, node: Node, place: &Place, depth: usize) -> Result<Value, Mistake> {
        let kind = match node {
            Node::Scalar(kind) => kind,
            Node::Map(entries) => ValueKind::Table(self.table(entries, depth)?),
            Node::List(items) => {
                let items = items.into_iter().map(|item| {
                    let at = self.position(&item);
                    let place = Place { key: at, value: at, ..place.clone() };
                    self.value(item.value, &place, depth + 1)
                });
                ValueKind::Array(items.collect::<Result<_, _>>()?)
            }
        };
        Ok(Value::new(Some(&place.origin()), kind))
    }

    fn set(
        &self,
        table: &mut Map<String, Value>,
        segments: &[&str],
        value: Value,
        place: &Place,
    ) -> Result<(), Mistake> {
        let Some((first, rest)) = segments.split_first() else { return Ok(()) };
        let value = rest.iter().rev().fold(value, |value, part| {
            let inner = Map::from_iter([((*part).to_owned(), value)]);
            Value::new(Some(&place.origin()), ValueKind::Table(inner))
        });
        match table.get_mut(*first) {
            None => {
                table.insert((*first).to_owned(), value);
                Ok(())
            }
            Some(old) => self.combine(old, value, first),
        }
    }

    fn combine(&self, old: &mut Value, new: Value, key: &str) -> Result<(), Mistake> {
        if let (ValueKind::Array(items), ValueKind::Table(table)) = (&mut old.kind, &new.kind)
            && is_indexed(table)
        {
            old.kind = ValueKind::Table(indexed(std::mem::take(items)));
        }
        let origin = new.origin().map(str::to_owned);
        match (&mut old.kind, new.kind) {
            (_, ValueKind::Nil) => Ok(()),
            (ValueKind::Table(table), ValueKind::Table(more)) => {
                for (inner, value) in in_order(&more) {
                    let key = dotted(key, inner);
                    match table.get_mut(inner) {
                        Some(old) => self.combine(old, value.clone(), &key)?,
                        None => drop(table.insert(inner.to_owned(), value.clone())),
                    }
                }
                Ok(())
            }
            (old_kind, kind) if *old_kind == ValueKind::Nil || !self.strict => {
                *old = Value::new(origin.as_ref(), kind);
                Ok(())
            }
            _ => {
                let first = Place::find(old).map(|place| place.of_key()).unwrap_or_default();
                let second = Place::find(&Value::new(origin.as_ref(), ValueKind::Nil));
                Err(Mistake::at_key(second.as_ref(), format!("`{key}` is set twice, first at {first}")))
            }
        }
    }
}

/// A table's entries as they were written, so that the first mistake is the first one reported.
pub(super) fn in_order(table: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut entries: Vec<_> = table.iter().map(|(key, value)| (key.as_str(), value)).collect();
    entries.sort_by_cached_key(|(key, value)| {
        (Place::find(value).map(|place| place.key).unwrap_or_default(), (*key).to_owned())
    });
    entries
}

fn position<T>(spanned: &Spanned<T>) -> Position {
    Position { line: spanned.referenced.line(), column: spanned.referenced.column() }
}
