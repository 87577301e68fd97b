//! The catalogue of keys: each leaf of the forms with its default and its text.

use config::ValueKind;
use serde_json::Value;

use super::form::FormDescription;
use super::tree::dotted;
use super::yaml_node::YamlNode;
use crate::yaml::{self, Spanned};

/// The section that outputs are in.
pub(super) const OUTPUT: &str = "output";

/// Similarity (0 to 1) from which a key counts as a misspelling of another.
const SIMILAR: f64 = 0.7;

/// One key.
#[derive(Debug, PartialEq)]
pub(super) struct SettingKey {
    /// The dotted key.
    pub path: String,
    /// Its text, after those of the sections that begin with this key.
    pub text: Vec<String>,
    /// The default as JSON; without one, an example.
    pub value: String,
    /// Whether the value is only an example.
    pub example: bool,
}

/// An output, as far as the catalogue needs to know it.
#[derive(Clone, Copy)]
pub(super) struct CatalogueOutput {
    pub name: &'static str,
    pub in_policies: bool,
    pub description: FormDescription,
}

/// All keys that a configuration may have, and the names of those that only Beats have.
pub(super) struct KeyCatalogue {
    /// The file without its outputs.
    pub file: FormDescription,
    pub outputs: Vec<CatalogueOutput>,
    /// Dotted keys, each with what to do instead (or nothing).
    pub unsupported: Vec<(String, &'static str)>,
}

impl KeyCatalogue {
    /// All keys, in the order of the forms.
    pub(super) fn keys(&self) -> Vec<SettingKey> {
        let mut keys = Vec::new();
        for key in described(self.file, "", Vec::new()) {
            if key.path != OUTPUT {
                keys.push(key);
                continue;
            }
            let mut around = key.text;
            for output in &self.outputs {
                let section = dotted(OUTPUT, output.name);
                keys.extend(described(output.description, &section, std::mem::take(&mut around)));
            }
        }
        keys
    }

    /// The names of the outputs, quoted: `` `elasticsearch`, `file` ``.
    pub(super) fn output_names(&self) -> String {
        self.outputs.iter().map(|output| format!("`{}`", output.name)).collect::<Vec<_>>().join(", ")
    }

    /// What to say about a key that Beats have and posturebeat has not.
    pub(super) fn unsupported(&self, key: &str) -> Option<String> {
        let (_, instead) = self.unsupported.iter().find(|(known, _)| {
            key.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })?;
        let instead = if instead.is_empty() { "remove it" } else { instead };
        Some(format!("`{key}` is a setting of Beats that is not supported (yet): {instead}"))
    }

    /// The known key that `unknown` probably should be.
    pub(super) fn nearest(&self, unknown: &str) -> Option<String> {
        let last = unknown.rsplit('.').next().unwrap_or(unknown);
        let mut candidates: Vec<String> = Vec::new();
        for key in self.keys() {
            let parts: Vec<&str> = key.path.split('.').collect();
            for end in 1..=parts.len() {
                let candidate = parts[..end].join(".");
                if !candidates.contains(&candidate) {
                    candidates.push(candidate);
                }
            }
        }
        let similarity = |candidate: &String| {
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
            let similarity = similarity(&candidate);
            if similarity >= SIMILAR && best.as_ref().is_none_or(|(most, _)| similarity > *most) {
                best = Some((similarity, candidate));
            }
        }
        best.map(|(_, candidate)| candidate)
    }
}

/// The keys of one form below `section`. `around`: the texts of the sections around it that begin with it.
fn described(description: FormDescription, section: &str, around: Vec<String>) -> Vec<SettingKey> {
    let defaults: Spanned<YamlNode> = yaml::from_str(&(description.defaults)()).expect("JSON is YAML");
    let schema = (description.schema)();
    let mut walk = FormWalk { root: &schema, texts: around, keys: Vec::new() };
    if !section.is_empty() {
        walk.texts.push(text_of(&schema));
    }
    walk.section(&schema, section, defaults.value);
    walk.keys
}

/// Walks defaults and schema together.
struct FormWalk<'a> {
    root: &'a Value,
    /// The texts of sections that no key has been found in yet.
    texts: Vec<String>,
    keys: Vec<SettingKey>,
}

impl FormWalk<'_> {
    fn section(&mut self, schema: &Value, section: &str, defaults: YamlNode) {
        let YamlNode::Map(entries) = defaults else { return };
        for (name, default) in entries {
            let path = dotted(section, &name.value);
            let field = self.resolved(schema).get("properties").and_then(|fields| fields.get(&name.value));
            let Some(field) = field.cloned() else { continue };
            self.texts.push(text_of(&field));
            match default.value {
                YamlNode::Map(inner) if !inner.is_empty() => {
                    self.section(&field, &path, YamlNode::Map(inner));
                }
                default => self.leaf(&field, path, default),
            }
        }
    }

    fn leaf(&mut self, field: &Value, path: String, default: YamlNode) {
        let example = field.get("examples").and_then(|examples| examples.get(0));
        let example = example.filter(|_| is_blank(&default)).map(Value::to_string);
        self.keys.push(SettingKey {
            path,
            text: std::mem::take(&mut self.texts),
            example: example.is_some(),
            value: example.unwrap_or_else(|| json(default)),
        });
    }

    /// The schema itself, where a field only refers to one.
    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let alternatives = schema.get("anyOf").and_then(Value::as_array);
        let reference = std::iter::once(schema)
            .chain(alternatives.into_iter().flatten())
            .find_map(|schema| schema.get("$ref").and_then(Value::as_str));
        reference.and_then(|path| self.root.pointer(path.strip_prefix('#')?)).unwrap_or(schema)
    }
}

fn text_of(schema: &Value) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Whether a default is empty, so that an example shows more.
fn is_blank(default: &YamlNode) -> bool {
    match default {
        YamlNode::Scalar(ValueKind::Nil) => true,
        YamlNode::Scalar(ValueKind::String(text)) => text.is_empty(),
        YamlNode::Scalar(_) => false,
        YamlNode::List(items) => items.is_empty(),
        YamlNode::Map(entries) => entries.is_empty(),
    }
}

fn json(node: YamlNode) -> String {
    match node {
        YamlNode::Scalar(ValueKind::Nil) => "null".to_owned(),
        YamlNode::Scalar(ValueKind::String(text)) => Value::from(text).to_string(),
        YamlNode::Scalar(kind) => kind.to_string(),
        YamlNode::List(items) => {
            let items: Vec<String> = items.into_iter().map(|item| json(item.value)).collect();
            format!("[{}]", items.join(", "))
        }
        YamlNode::Map(_) => "{}".to_owned(),
    }
}
