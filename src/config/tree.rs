//! YAML text to a tree of values that know where they were written.
//!
//! In: the text of a file. Out: the config crate's values, each with a [`SourceLocation`]. Dotted and nested keys
//! mean the same (`queue.mem: {events: 10}`, `queue: {mem.events: 10}`) and may be mixed. A key that one file
//! sets twice is a mistake.

use config::{Map, Value, ValueKind};

use super::location::{Position, SourceLocation};
use super::mistake::Mistake;
use super::yaml_node::YamlNode;
use crate::yaml::{self, Spanned};

/// Nested sections: our keys need six levels, a policy's a few more.
const MAX_DEPTH: usize = 64;

/// Reads a whole file of `expected`. A key set twice is a mistake, unless `lenient` knows one of the file's keys.
pub(super) fn parse(
    source: &str,
    text: &str,
    expected: &str,
    lenient: fn(&str) -> bool,
) -> Result<Map<String, Value>, Mistake> {
    let document: Spanned<YamlNode> = yaml::from_str(text).map_err(|error| {
        let at = Position { line: error.line, column: error.column };
        let location = SourceLocation { source: source.to_owned(), key: at, value: at, outside: false };
        Mistake::at_value(Some(&location), error.message)
    })?;
    let at = position(&document);
    match document.value {
        YamlNode::Map(entries) => {
            let strict = !entries.iter().any(|(key, _)| lenient(&key.value));
            Builder { source, strict, inline: false }
                .table(entries, 0)
                .map(|table| table.into_iter().collect())
        }
        YamlNode::Scalar(ValueKind::Nil) => Ok(Map::new()),
        YamlNode::Scalar(_) | YamlNode::List(_) => {
            let location = SourceLocation { source: source.to_owned(), key: at, value: at, outside: false };
            Err(Mistake::at_value(Some(&location), format!("expected {expected}")))
        }
    }
}

/// Reads one value of `-E`: a YAML flow list or map where it looks like one, else text.
pub(super) fn parse_flat(source: &str, text: &str) -> Result<Value, Mistake> {
    let location = SourceLocation { source: source.to_owned(), outside: true, ..SourceLocation::default() };
    if !text.trim_start().starts_with(['[', '{']) {
        return Ok(Value::new(Some(&location.origin()), text));
    }
    let node: YamlNode = yaml::from_str(text).map_err(|error| {
        Mistake::at_value(Some(&location), format!("not a YAML list or map: {}", error.message))
    })?;
    Builder { source, strict: true, inline: true }.value(
        node,
        &SourceLocation { outside: false, ..location },
        0,
    )
}

/// Text from outside YAML, typed as YAML would type it. `None`: it is not YAML.
pub(super) fn typed(text: &str, location: Option<&SourceLocation>) -> Option<Value> {
    let location = location?;
    let node: YamlNode = yaml::from_str(text).ok()?;
    Builder { source: &location.source, strict: true, inline: true }.value(node, location, 0).ok()
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
    location: &SourceLocation,
) -> Result<(), Mistake> {
    Builder { source: &location.source, strict: true, inline: false }.set(table, segments, value, location)
}

/// The parts of a dotted key. A key with an empty part is one segment.
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
    /// Whether the text comes from the command line, where lines and columns mean nothing.
    inline: bool,
}

impl Builder<'_> {
    fn position<T>(&self, spanned: &Spanned<T>) -> Position {
        if self.inline { Position::default() } else { position(spanned) }
    }

    fn table(
        &self,
        entries: Vec<(Spanned<String>, Spanned<YamlNode>)>,
        depth: usize,
    ) -> Result<Map<String, Value>, Mistake> {
        let mut table = Map::new();
        for (key, node) in entries {
            let location = SourceLocation {
                source: self.source.to_owned(),
                key: self.position(&key),
                value: self.position(&node),
                outside: false,
            };
            let segments = if is_label(&key.value) { vec![key.value.as_str()] } else { segments(&key.value) };
            let depth = depth + segments.len();
            if depth > MAX_DEPTH {
                return Err(Mistake::at_key(Some(&location), format!("nested more than {MAX_DEPTH} deep")));
            }
            let value = self.value(node.value, &location, depth)?;
            self.set(&mut table, &segments, value, &location)?;
        }
        Ok(table)
    }

    fn value(&self, node: YamlNode, location: &SourceLocation, depth: usize) -> Result<Value, Mistake> {
        let kind = match node {
            YamlNode::Scalar(kind) => kind,
            YamlNode::Map(entries) => ValueKind::Table(self.table(entries, depth)?),
            YamlNode::List(items) => {
                let items = items.into_iter().map(|item| {
                    let at = self.position(&item);
                    let location = SourceLocation { key: at, value: at, ..location.clone() };
                    self.value(item.value, &location, depth + 1)
                });
                ValueKind::Array(items.collect::<Result<_, _>>()?)
            }
        };
        Ok(Value::new(Some(&location.origin()), kind))
    }

    fn set(
        &self,
        table: &mut Map<String, Value>,
        segments: &[&str],
        value: Value,
        location: &SourceLocation,
    ) -> Result<(), Mistake> {
        let Some((first, rest)) = segments.split_first() else { return Ok(()) };
        let value = rest.iter().rev().fold(value, |value, part| {
            let inner = Map::from_iter([((*part).to_owned(), value)]);
            Value::new(Some(&location.origin()), ValueKind::Table(inner))
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
                let first = SourceLocation::find(old).map(|location| location.of_key()).unwrap_or_default();
                let second = SourceLocation::find(&Value::new(origin.as_ref(), ValueKind::Nil));
                Err(Mistake::at_key(second.as_ref(), format!("`{key}` is set twice, first at {first}")))
            }
        }
    }
}

/// A table's entries as they were written, so that the first mistake is the first one reported.
pub(super) fn in_order(table: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut entries: Vec<_> = table.iter().map(|(key, value)| (key.as_str(), value)).collect();
    entries.sort_by_cached_key(|(key, value)| {
        (SourceLocation::find(value).map(|location| location.key).unwrap_or_default(), (*key).to_owned())
    });
    entries
}

fn position<T>(spanned: &Spanned<T>) -> Position {
    Position { line: spanned.referenced.line(), column: spanned.referenced.column() }
}
