//! Features that a store may lack, how its refusals show that, and their replacements.
//!
//! In: the text of a refusal. Out: the template without the refused feature.
//!
//! | refused | replacement | missing in |
//! |---|---|---|
//! | `data_stream` | a plain index of the same name | Elasticsearch before 7.9 |
//! | `flattened` | `flat_object`; if that is missing too, stored but not searchable | OpenSearch |
//! | `match_only_text` | `text` | Elasticsearch before 7.14 |
//! | `constant_keyword` | `keyword` | OpenSearch, which requires a value in the template |
//! | `wildcard` | `keyword` | Elasticsearch before 7.9, OpenSearch before 2.15 |

use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A feature that a store may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lack {
    DataStreams,
    Flattened,
    FlatObject,
    MatchOnlyText,
    ConstantKeyword,
    Wildcard,
}

const ALL: [Lack; 6] = [
    Lack::DataStreams,
    Lack::Flattened,
    Lack::FlatObject,
    Lack::MatchOnlyText,
    Lack::ConstantKeyword,
    Lack::Wildcard,
];

impl Lack {
    /// The missing field type. `None`: the feature is not a field type.
    fn kind(self) -> Option<&'static str> {
        match self {
            Self::DataStreams => None,
            Self::Flattened => Some("flattened"),
            Self::FlatObject => Some("flat_object"),
            Self::MatchOnlyText => Some("match_only_text"),
            Self::ConstantKeyword => Some("constant_keyword"),
            Self::Wildcard => Some("wildcard"),
        }
    }

    /// Whether a refusal shows that this feature is missing. Elasticsearch says `The mapper type [x] declared on field
    /// …`, OpenSearch `No handler for type [x] declared on field …`.
    fn shows_in(self, refusal: &str) -> bool {
        let named =
            self.kind().is_some_and(|kind| refusal.contains(&format!("type [{kind}] declared on field")));
        named
            || match self {
                Self::DataStreams => refusal.contains("unknown field [data_stream]"),
                Self::ConstantKeyword => refusal.contains("is missing required parameter [value]"),
                _ => false,
            }
    }

    /// The feature and its replacement, as text.
    fn text(self) -> &'static str {
        match self {
            Self::DataStreams => "data streams (plain indices instead)",
            Self::Flattened => "`flattened` (`flat_object` instead)",
            Self::FlatObject => "`flat_object` (stored, not searchable)",
            Self::MatchOnlyText => "`match_only_text` (`text` instead)",
            Self::ConstantKeyword => "`constant_keyword` without a value (`keyword` instead)",
            Self::Wildcard => "`wildcard` (`keyword` instead)",
        }
    }
}

/// The features that the store's refusals have shown to be missing.
#[derive(Debug, Default)]
pub(super) struct Lacks(BTreeSet<Lack>);

impl Lacks {
    /// Adds the missing features that a refusal shows. `false`: it shows no new one.
    pub(super) fn learn(&mut self, refusal: &str) -> bool {
        let before = self.0.len();
        self.0.extend(ALL.into_iter().filter(|lack| lack.shows_in(refusal)));
        self.0.len() > before
    }

    /// `template` as this store accepts it.
    pub(super) fn apply(&self, template: &Value) -> Value {
        let mut adapted = template.clone();
        for lack in &self.0 {
            match lack.kind() {
                None => {
                    if let Some(body) = adapted.as_object_mut() {
                        body.remove("data_stream");
                    }
                }
                Some(kind) => replace(&mut adapted["template"]["mappings"], kind, *lack),
            }
        }
        adapted
    }

    /// All missing features in one line. `None`: none is missing.
    pub(super) fn line(&self) -> Option<String> {
        let texts: Vec<&str> = self.0.iter().map(|lack| lack.text()).collect();
        (!texts.is_empty()).then(|| format!("the store lacks {}", texts.join(", ")))
    }
}

/// Replaces the mapping of every field of the type `kind`.
fn replace(mapping: &mut Value, kind: &str, lack: Lack) {
    if mapping["type"] == kind {
        *mapping = match lack {
            Lack::Flattened => json!({"type": "flat_object"}),
            Lack::FlatObject => json!({"type": "object", "enabled": false}),
            Lack::MatchOnlyText => json!({"type": "text", "norms": false}),
            Lack::ConstantKeyword | Lack::Wildcard => json!({"type": "keyword", "ignore_above": 1024}),
            Lack::DataStreams => return,
        };
    }
    if let Some(properties) = mapping.get_mut("properties").and_then(Value::as_object_mut) {
        for field in properties.values_mut() {
            replace(field, kind, lack);
        }
    }
}
