//! A component's setting: where it may be written, its type and its default.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

use super::path::Path;
use crate::resource::minor_version;

/// Where a setting may be written. Which source wins depends on the component and is known to the code.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Command-line flag, without dashes.
    pub flag: Option<String>,
    /// Environment variable (etcd only).
    pub env: Option<String>,
    /// Path in the component's configuration file; `$` is the file.
    pub config: Option<Path>,
    /// One key of a flag that holds `name=value` pairs, such as `feature-gates`.
    pub key: Option<String>,
    /// `bool`, `int`, `duration`, `string`, `path`, `list` or `map` (with `key`).
    #[serde(rename = "type")]
    pub kind: SettingType,
    /// The value if it is written nowhere: a value, `unset`, `{with_file, without_file}`, or a map keyed by the
    /// Kubernetes minor version from which each value applies.
    #[serde(default)]
    pub default: SettingDefault,
    /// The value that a written 0 stands for, if the component does not take it as 0: a value, or a map keyed by the
    /// Kubernetes minor version, as in `default`.
    #[serde(default)]
    pub zero_means: SettingDefault,
}

/// The type of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SettingType {
    /// As Go's strconv.ParseBool reads it.
    Bool,
    /// As Go's strconv.ParseInt reads it with base 0.
    Int,
    /// As Go's time.ParseDuration reads it.
    Duration,
    /// Any text.
    String,
    /// The name of a file or directory.
    Path,
    /// Comma separated, and repeatable.
    List,
    /// `name=value` pairs; with `key`, one of them.
    Map,
}

/// The value of a setting that is written nowhere.
#[derive(Debug, Clone, PartialEq, std::default::Default)]
pub enum SettingDefault {
    /// No value.
    #[default]
    Unset,
    /// This value.
    Value(Value),
    /// The kubelet: one default with a configuration file, another without.
    ByFile {
        /// With a configuration file.
        with_file: Value,
        /// Without one.
        without_file: Value,
    },
    /// From which Kubernetes minor version on, in ascending order.
    ByVersion(Vec<((u32, u32), Value)>),
}

impl<'de> Deserialize<'de> for SettingDefault {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl SettingDefault {
    fn from_value(value: Value) -> Result<Self, String> {
        let fields: BTreeMap<String, Value> = match value {
            Value::String(text) if text == "unset" => return Ok(Self::Unset),
            Value::Object(fields) => fields.into_iter().collect(),
            value => return Ok(Self::Value(value)),
        };
        if fields.contains_key("with_file") || fields.contains_key("without_file") {
            let take = |key: &str| {
                fields.get(key).cloned().ok_or_else(|| {
                    format!("`default` needs both `with_file` and `without_file`: `{key}` is missing")
                })
            };
            return Ok(Self::ByFile { with_file: take("with_file")?, without_file: take("without_file")? });
        }
        let mut versions = fields
            .into_iter()
            .map(|(version, value)| {
                minor_version(&version).map(|version| (version, value)).ok_or_else(|| {
                    format!("`{version}` in `default`: expected `with_file`, `without_file` or a minor version such as \"1.36\"")
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        versions.sort_by_key(|(version, _)| *version);
        Ok(Self::ByVersion(versions))
    }
}

impl JsonSchema for SettingDefault {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Default".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A value, `unset`, {with_file, without_file}, or from which minor version on: {\"1.0\": 0, \"1.36\": 366}."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_forms_of_a_default() {
        assert_eq!(SettingDefault::from_value(json!("unset")).unwrap(), SettingDefault::Unset);
        assert_eq!(SettingDefault::from_value(json!(0)).unwrap(), SettingDefault::Value(json!(0)));
        let by_version = SettingDefault::from_value(json!({"1.36": 366, "1.0": 0, "1.4": 7})).unwrap();
        let SettingDefault::ByVersion(versions) = by_version else { panic!("{by_version:?}") };
        assert_eq!(versions.iter().map(|(version, _)| version.1).collect::<Vec<_>>(), [0, 4, 36]);
        assert!(SettingDefault::from_value(json!({"with_file": 1})).is_err());
        assert!(SettingDefault::from_value(json!({"soon": 1})).is_err());
    }
}
