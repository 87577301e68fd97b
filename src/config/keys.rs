//! The catalogue of our keys: each leaf of the raw structs with its default and its text.

use config::ValueKind;
use serde_json::Value;

use super::node::Node;
use super::raw::{Raw, RawConsole, RawElasticsearch, RawFile, RawOutput};
use super::tree::dotted;
use crate::yaml::{self, Spanned};

/// How alike two keys must be (0 to 1) for one to be taken as the other, mistyped.
const ALIKE: f64 = 0.7;

/// One key.
#[derive(Debug, PartialEq)]
pub(super) struct Key {
    /// The dotted key.
    pub path: String,
    /// What it means, and what the sections around it mean where this is the first key in them.
    pub text: Vec<String>,
    /// The default as JSON; where there is none, an example.
    pub value: String,
    /// Whether the value is only an example.
    pub example: bool,
}

/// All keys, in the order of the structs.
pub(super) fn all() -> Vec<Key> {
    let every_section = Raw {
        output: RawOutput {
            elasticsearch: Some(RawElasticsearch::default()),
            file: Some(RawFile::default()),
            console: Some(RawConsole::default()),
        },
        ..Raw::default()
    };
    // Through text, because JSON objects in memory do not keep the order of the fields.
    let defaults = serde_json::to_string(&every_section).expect("plain data has a JSON form");
    let defaults: Spanned<Node> = yaml::from_str(&defaults).expect("JSON is YAML");
    let schema = schemars::schema_for!(Raw).to_value();
    let mut keys = Vec::new();
    collect(&schema, &schema, "", defaults.value, &mut Vec::new(), &mut keys);
    keys
}

/// The known key that `unknown` probably should be.
pub(super) fn nearest(unknown: &str) -> Option<String> {
    let last = unknown.rsplit('.').next().unwrap_or(unknown);
    let mut candidates: Vec<String> = Vec::new();
    for key in all() {
        let parts: Vec<&str> = key.path.split('.').collect();
        for end in 1..=parts.len() {
            let candidate = parts[..end].join(".");
            if !candidates.contains(&candidate) {
                candidates.push(candidate);
            }
        }
    }
    let likeness = |candidate: &String| {
        let depth = |key: &str| key.matches('.').count();
        let whole = strsim::normalized_damerau_levenshtein(unknown, candidate);
        let (section, name) = candidate.rsplit_once('.').unwrap_or(("", candidate));
        // Nearly the same, the right name in a wrong place, or a slip in the last part of an otherwise right key.
        if whole > 0.9 || name == last && depth(unknown) <= depth(candidate) {
            return whole.max(0.9);
        }
        let siblings = unknown.rsplit_once('.').map_or("", |(section, _)| section) == section;
        if siblings { strsim::normalized_damerau_levenshtein(last, name) } else { whole.min(0.8) }
    };
    let mut best: Option<(f64, String)> = None;
    for candidate in candidates {
        let likeness = likeness(&candidate);
        if likeness >= ALIKE && best.as_ref().is_none_or(|(most, _)| likeness > *most) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Walks the defaults and the schema together.
fn collect(
    root: &Value,
    schema: &Value,
    section: &str,
    defaults: Node,
    texts: &mut Vec<String>,
    keys: &mut Vec<Key>,
) {
    let Node::Map(entries) = defaults else { return };
    for (name, default) in entries {
        let path = dotted(section, &name.value);
        let field = resolved(root, schema).get("properties").and_then(|fields| fields.get(&name.value));
        let Some(field) = field else { continue };
        let text = field.get("description").and_then(Value::as_str).unwrap_or_default();
        texts.push(text.to_owned());
        match default.value {
            Node::Map(inner) if !inner.is_empty() => {
                collect(root, field, &path, Node::Map(inner), texts, keys);
            }
            default => {
                let example = field.get("examples").and_then(|examples| examples.get(0));
                let example = example.filter(|_| says_nothing(&default)).map(Value::to_string);
                keys.push(Key {
                    path,
                    text: std::mem::take(texts),
                    example: example.is_some(),
                    value: example.unwrap_or_else(|| json(default)),
                });
            }
        }
    }
}

/// The schema itself, where a field only refers to one.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let alternatives = schema.get("anyOf").and_then(Value::as_array);
    let reference = std::iter::once(schema)
        .chain(alternatives.into_iter().flatten())
        .find_map(|schema| schema.get("$ref").and_then(Value::as_str));
    reference.and_then(|path| root.pointer(path.strip_prefix('#')?)).unwrap_or(schema)
}

fn says_nothing(default: &Node) -> bool {
    match default {
        Node::Scalar(ValueKind::Nil) => true,
        Node::Scalar(ValueKind::String(text)) => text.is_empty(),
        Node::Scalar(_) => false,
        Node::List(items) => items.is_empty(),
        Node::Map(entries) => entries.is_empty(),
    }
}

fn json(node: Node) -> String {
    match node {
        Node::Scalar(ValueKind::Nil) => "null".to_owned(),
        Node::Scalar(ValueKind::String(text)) => Value::from(text).to_string(),
        Node::Scalar(kind) => kind.to_string(),
        Node::List(items) => {
            let items: Vec<String> = items.into_iter().map(|item| json(item.value)).collect();
            format!("[{}]", items.join(", "))
        }
        Node::Map(_) => "{}".to_owned(),
    }
}
