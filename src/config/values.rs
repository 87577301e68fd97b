//! Types of single values in the configuration file.

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use std::time::Duration;

/// A duration: `4h`, `90s`, `1m30s`, `1.5h`; a bare number is seconds, as in a Beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
pub struct Span(
    /// The duration.
    #[schemars(with = "String")]
    pub Duration,
);

impl Span {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&humantime::format_duration(self.0).to_string().replace(' ', ""))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SpanVisitor)
    }
}

struct SpanVisitor;

impl Visitor<'_> for SpanVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a duration such as `4h`, `90s` or `1m30s`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
        let text = text.trim();
        let span = match text.parse() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => humantime::parse_duration(text).ok(),
        };
        span.map(Span).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    fn visit_u64<E>(self, seconds: u64) -> Result<Span, E> {
        Ok(Span::seconds(seconds))
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Span, E> {
        u64::try_from(seconds)
            .map(Span::seconds)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(seconds), &self))
    }
}

/// Text that is never shown.
#[derive(Debug, Clone, JsonSchema)]
pub struct Secret(
    /// The text.
    #[schemars(with = "String")]
    pub SecretString,
);

/// Only defaults are ever serialised, and no secret has one.
impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("xxxxx")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}
