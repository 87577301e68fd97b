//! Reads the merged tree into forms, strictly: unknown keys and wrong types are mistakes with file, line and
//! column. Text from outside YAML takes the type of its setting.

use config::{Value, ValueKind};
use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{self, Deserialize as _, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::catalogue::KeyCatalogue;
use super::location::SourceLocation;
use super::mistake::Mistake;
use super::tree::{self, dotted};
use crate::yaml;

/// The longest text of a value that an error repeats.
const SHOWN: usize = 60;

/// Reads the whole tree.
pub(super) fn read<T: DeserializeOwned>(root: &Value, catalogue: &KeyCatalogue) -> Result<T, Mistake> {
    read_at(root, "", catalogue)
}

/// Reads one value, whose dotted key is `key`.
pub(super) fn read_at<T: DeserializeOwned>(
    value: &Value,
    key: &str,
    catalogue: &KeyCatalogue,
) -> Result<T, Mistake> {
    Ok(T::deserialize(ValueReader { value, key: key.to_owned(), catalogue: Some(catalogue) })?)
}

/// Reads one text, whose dotted key is `key`.
pub(super) fn text(value: &Value, key: &str) -> Result<String, Mistake> {
    Ok(String::deserialize(ValueReader { value, key: key.to_owned(), catalogue: None })?)
}

/// A mistake in the value of `key`: what was expected, and what is there.
pub(super) fn expected(value: &Value, key: &str, expected: &str) -> Mistake {
    let reader = ValueReader { value, key: key.to_owned(), catalogue: None };
    reader.wrong(format!("expected {expected}, found {}", reader.found())).into()
}

/// A mistake whose location may not be known yet.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct ReadError {
    at: Option<String>,
    message: String,
}

impl From<ReadError> for Mistake {
    fn from(error: ReadError) -> Self {
        Self { at: error.at.unwrap_or_default(), message: error.message }
    }
}

impl de::Error for ReadError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self { at: None, message: message.to_string() }
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format!("expected {expected}"))
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format!("expected {expected}"))
    }
}

#[derive(Clone)]
struct ValueReader<'a> {
    value: &'a Value,
    /// The dotted key of the value.
    key: String,
    /// For advice on unknown keys.
    catalogue: Option<&'a KeyCatalogue>,
}

impl<'a> ValueReader<'a> {
    fn child(&self, name: &str, value: &'a Value) -> Self {
        Self { value, key: dotted(&self.key, name), catalogue: self.catalogue }
    }

    fn location(&self) -> Option<SourceLocation> {
        SourceLocation::find(self.value)
    }

    fn wrong(&self, message: impl std::fmt::Display) -> ReadError {
        let mistake = Mistake::at_value(self.location().as_ref(), format!("`{}`: {message}", self.key));
        ReadError { at: Some(mistake.at), message: mistake.message }
    }

    /// Adds the location to a mistake that has none, and what was found.
    fn settle<T>(&self, result: Result<T, ReadError>) -> Result<T, ReadError> {
        result.map_err(|error| match error.at {
            Some(_) => error,
            None => self.wrong(format!("{}, found {}", error.message, self.found())),
        })
    }

    /// What is written, for an error message. Text from a variable or `-E` may be a secret, and is not shown.
    fn found(&self) -> String {
        match &self.value.kind {
            ValueKind::Nil => "nothing".to_owned(),
            ValueKind::Table(_) => "a section".to_owned(),
            ValueKind::Array(_) => "a list".to_owned(),
            _ if self.is_outside() => "other text".to_owned(),
            kind => {
                let text: String = kind.to_string().chars().take(SHOWN).collect();
                format!("`{}`", text.escape_debug())
            }
        }
    }

    fn is_outside(&self) -> bool {
        self.location().is_some_and(|location| location.outside)
    }

    /// The entries of a section that have a value, as they were written.
    fn entries(&self) -> Result<Vec<(&'a str, &'a Value)>, ReadError> {
        let table = match &self.value.kind {
            ValueKind::Table(table) => table,
            ValueKind::Nil => return Ok(Vec::new()),
            _ => return Err(self.wrong(format!("expected a section with keys, found {}", self.found()))),
        };
        Ok(tree::in_order(table))
    }

    fn unknown(&self, name: &str, value: &'a Value, known: &'static [&'static str]) -> ReadError {
        let child = self.child(name, value);
        let key = &child.key;
        let advice = self.catalogue.and_then(|catalogue| {
            let nearest =
                || catalogue.nearest(key).map(|it| format!("unknown key `{key}`; did you mean `{it}`?"));
            catalogue.unsupported(key).or_else(nearest)
        });
        let message = advice
            .unwrap_or_else(|| format!("unknown key `{key}`; expected one of `{}`", known.join("`, `")));
        let mistake = Mistake::at_key(child.location().as_ref(), message);
        ReadError { at: Some(mistake.at), message: mistake.message }
    }

    /// A whole number; text may hold one.
    fn number(&self) -> Result<i128, ReadError> {
        let number = match &self.value.kind {
            ValueKind::I64(number) => Some(i128::from(*number)),
            ValueKind::U64(number) => Some(i128::from(*number)),
            ValueKind::I128(number) => Some(*number),
            ValueKind::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| self.wrong(format!("expected a whole number, found {}", self.found())))
    }

    /// Hands the value to the visitor.
    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let result = match &self.value.kind {
            ValueKind::Nil => visitor.visit_unit(),
            ValueKind::Boolean(value) => visitor.visit_bool(*value),
            ValueKind::I64(value) => visitor.visit_i64(*value),
            ValueKind::I128(value) => visitor.visit_i128(*value),
            ValueKind::U64(value) => visitor.visit_u64(*value),
            ValueKind::U128(value) => visitor.visit_u128(*value),
            ValueKind::Float(value) => visitor.visit_f64(*value),
            ValueKind::String(value) => visitor.visit_str(value),
            ValueKind::Array(items) => {
                visitor.visit_seq(SeqDeserializer::new(self.items(items.iter().collect()).into_iter()))
            }
            ValueKind::Table(_) => return self.deserialize_map(visitor),
        };
        self.settle(result)
    }

    fn items<'b>(&'b self, items: Vec<&'b Value>) -> Vec<ValueReader<'b>> {
        let keys = (0..).map(|index: usize| dotted(&self.key, &index.to_string()));
        items
            .into_iter()
            .zip(keys)
            .map(|(value, key)| ValueReader { value, key, catalogue: self.catalogue })
            .collect()
    }
}

impl<'de> Deserializer<'de> for ValueReader<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.value.kind {
            ValueKind::String(text) if self.is_outside() => match tree::typed(text, self.location().as_ref())
            {
                Some(value) => {
                    ValueReader { value: &value, key: self.key, catalogue: self.catalogue }.visit(visitor)
                }
                None => self.visit(visitor),
            },
            _ => self.visit(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.value.kind {
            ValueKind::Boolean(value) => visitor.visit_bool(*value),
            ValueKind::String(text) if text == "true" => visitor.visit_bool(true),
            ValueKind::String(text) if text == "false" => visitor.visit_bool(false),
            _ => Err(self.wrong(format!("expected `true` or `false`, found {}", self.found()))),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match u64::try_from(self.number()?) {
            Ok(number) => visitor.visit_u64(number),
            Err(_) => Err(self.wrong(format!("expected a number from 0 up, found {}", self.found()))),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.value.kind {
            ValueKind::String(text) => visitor.visit_str(text),
            // The value is not shown: an unquoted password may be a number.
            ValueKind::Nil | ValueKind::Array(_) | ValueKind::Table(_) => {
                Err(self.wrong(format!("expected text, found {}", self.found())))
            }
            ValueKind::Boolean(_) => Err(self.wrong("expected text, found a boolean: put it in quotes")),
            _ => Err(self.wrong("expected text, found a number: put it in quotes")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if self.value.kind == ValueKind::Nil { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    /// A list; also a section of indexes (`hosts.0`), a single value, and text such as `a, b`.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let flat;
        let items: Vec<&Value> = match &self.value.kind {
            ValueKind::Array(items) => items.iter().collect(),
            ValueKind::Table(table) if tree::is_indexed(table) => {
                let items = (0..table.len()).map(|index| table.get(&index.to_string()));
                items.collect::<Option<_>>().ok_or_else(|| {
                    self.wrong(format!(
                        "a list of {} items has no gaps: expected indexes from 0",
                        table.len()
                    ))
                })?
            }
            ValueKind::Nil => Vec::new(),
            ValueKind::Table(_) => {
                return Err(self.wrong(format!("expected a list, found {}", self.found())));
            }
            ValueKind::String(text) if self.is_outside() => {
                flat = flat_list(text, self.value).map_err(|message| self.wrong(message))?;
                flat.iter().collect()
            }
            _ => vec![self.value],
        };
        visitor.visit_seq(SeqDeserializer::new(self.items(items).into_iter()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let entries = self.entries()?;
        let entries = entries.into_iter().map(|(key, value)| (key, self.child(key, value)));
        visitor.visit_map(MapDeserializer::new(entries))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let entries = self.entries()?;
        if let Some((name, value)) = entries.iter().find(|(name, _)| !fields.contains(name)) {
            return Err(self.unknown(name, value, fields));
        }
        let set = entries.into_iter().filter(|(_, value)| value.kind != ValueKind::Nil);
        visitor.visit_map(MapDeserializer::new(set.map(|(key, value)| (key, self.child(key, value)))))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match &self.value.kind {
            ValueKind::String(text) if variants.contains(&text.as_str()) => {
                visitor.visit_enum(StrDeserializer::new(text))
            }
            _ => {
                let known = variants.join("`, `");
                Err(self.wrong(format!("expected one of `{known}`, found {}", self.found())))
            }
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 f64 char bytes byte_buf
        unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

impl IntoDeserializer<'_, ReadError> for ValueReader<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// `[a, b]`, `a, b` or `a`, as the flat values of Beats.
fn flat_list(text: &str, value: &Value) -> Result<Vec<Value>, String> {
    let item = |text: &str| Value::new(value.origin().map(str::to_owned).as_ref(), text);
    if text.trim_start().starts_with('[') {
        let items: Vec<String> =
            yaml::from_str(text).map_err(|error| format!("not a YAML list: {}", error.message))?;
        return Ok(items.iter().map(|text| item(text)).collect());
    }
    Ok(text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(item).collect())
}
