//! `fields.yml`: every field of every document, with its type and meaning.
//!
//! In: the file, which is compiled in. Out: its sections, and index mappings.

use serde::Deserialize;
use serde_json::{Map, Value, json};

const TEXT: &str = include_str!("../../fields.yml");

/// Longer keywords are stored but not searchable. A store refuses a document with a keyword over 32 KiB.
const IGNORE_ABOVE: u32 = 1024;

/// A section of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldSection {
    /// The key that templates select it by.
    pub key: String,
    /// Its heading.
    pub title: String,
    /// What its fields describe.
    pub description: String,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// A field.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The whole name, with dots.
    pub name: String,
    /// The type in the full template.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its meaning.
    pub description: String,
    /// Whether it is searchable. It is stored either way.
    #[serde(default = "yes")]
    pub index: bool,
    /// Whether the fields of an object are parsed.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// The sections, in the order of the file.
pub fn sections() -> Vec<FieldSection> {
    crate::yaml::from_str(TEXT).expect("fields.yml is compiled in, and tests parse it")
}

/// The `properties` of a mapping that has the fields of the sections `keys`.
pub(super) fn properties(keys: &[&str]) -> Value {
    let mut root = Map::new();
    for section in sections().iter().filter(|section| keys.contains(&section.key.as_str())) {
        for field in &section.fields {
            let mut names: Vec<&str> = field.name.split('.').collect();
            let last = names.pop().expect("splitting gives at least one part");
            let mut level = &mut root;
            for name in names {
                let object = level.entry(name).or_insert_with(|| json!({"properties": {}}));
                level = object["properties"].as_object_mut().expect("no field lies under a field");
            }
            level.insert(last.to_owned(), field.mapping());
        }
    }
    Value::Object(root)
}

impl Field {
    fn mapping(&self) -> Value {
        let mut mapping = json!({"type": self.kind});
        match self.kind.as_str() {
            "keyword" | "wildcard" | "flattened" => mapping["ignore_above"] = IGNORE_ABOVE.into(),
            "text" => mapping["norms"] = false.into(),
            _ => {}
        }
        if self.kind == "wildcard" {
            // This type is for long text, such as command lines.
            mapping["ignore_above"] = (8 * IGNORE_ABOVE).into();
        }
        if !self.index {
            mapping["index"] = false.into();
        }
        if !self.enabled {
            mapping["enabled"] = false.into();
        }
        mapping
    }
}
