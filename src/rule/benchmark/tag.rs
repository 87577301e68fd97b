//! A tag of a benchmark's rules, with placeholders for what differs between them.

use serde::{Deserialize, Deserializer};

/// Stands for the recommendation's number.
const NUMBER: &str = "{number}";
/// Stands for the name of its section.
const SECTION: &str = "{section}";

/// A tag as a benchmark writes it: `CIS {number}`.
#[derive(Debug, Clone)]
pub(super) struct TagTemplate(String);

impl TagTemplate {
    /// The tag of one recommendation.
    pub(super) fn fill(&self, number: &str, section: &str) -> String {
        self.0.replace(NUMBER, number).replace(SECTION, section)
    }
}

impl<'de> Deserialize<'de> for TagTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let rest = text.replace(NUMBER, "").replace(SECTION, "");
        if rest.contains(['{', '}']) {
            let message = format!("`{text}`: a tag has no placeholders but {NUMBER} and {SECTION}");
            return Err(serde::de::Error::custom(message));
        }
        Ok(Self(text))
    }
}
