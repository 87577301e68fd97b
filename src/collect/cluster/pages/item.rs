//! One object of a list or a watch, bounded.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::resource::{Gap, Reason};

/// An object of a list.
pub(crate) enum ListItem {
    /// Its JSON.
    Object(Value),
    /// It has more values than a real object; only its identity was read.
    TooLarge(Value),
}

/// An object's identity.
#[derive(Deserialize, Serialize)]
struct Shell {
    metadata: ShellMeta,
}

#[derive(Deserialize, Serialize)]
struct ShellMeta {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(default)]
    uid: String,
    #[serde(rename = "resourceVersion", skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

/// The most values in one object: a pod with a hundred containers has a tenth of that, and each takes about a hundred
/// bytes. Without a bound, anyone who may create a pod could fill this process's memory.
const MAX_VALUES: usize = 50_000;

impl ListItem {
    /// Its JSON, as far as it was read.
    pub(crate) fn json(&self) -> &Value {
        match self {
            Self::Object(json) | Self::TooLarge(json) => json,
        }
    }

    /// Parses one item.
    pub(crate) fn parse(raw: &RawValue) -> Result<Self, Gap> {
        let text = raw.get();
        let malformed = |why: &dyn std::fmt::Display| {
            Gap::new(Reason::Malformed, format!("an item of the list is not an object: {why}"))
        };
        // Every value but the last of its list or object is followed by a comma.
        if text.bytes().filter(|byte| matches!(byte, b',' | b'{' | b'[')).count() > MAX_VALUES {
            let shell: Shell = serde_json::from_str(text).map_err(|error| malformed(&error))?;
            return Ok(Self::TooLarge(serde_json::to_value(shell).map_err(|error| malformed(&error))?));
        }
        let object: Value = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        match object.pointer("/metadata/name") {
            Some(Value::String(_)) => Ok(Self::Object(object)),
            _ => Err(malformed(&"it has no name")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_without_a_name_is_no_object() {
        let parse = |text: &str| ListItem::parse(&RawValue::from_string(text.to_owned()).unwrap());
        assert!(matches!(parse(r#"{"metadata": {"name": "a"}}"#), Ok(ListItem::Object(_))));
        for text in ["42", "null", "[]", "{}", r#"{"metadata": {"name": null}}"#] {
            assert!(parse(text).is_err_and(|gap| gap.reason == Reason::Malformed), "{text}");
        }
    }
}
