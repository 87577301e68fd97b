//! The effective value of a setting. Which source wins is decided here, per component.
//!
//! kubelet: its own answer (`/configz`), then flag, configuration file with drop-ins, default. kube-scheduler and
//! kube-proxy: a configuration file replaces the flags. etcd: a configuration file makes it ignore flags and variables.
//! The others have flags only. Verified on Kubernetes 1.37.2 and etcd 3.6.16.

use serde_json::Value;

use super::document::Document;
use super::parse;
use crate::redact::BLANK;
use crate::resource::{Gap, Reason, minor_version};
use crate::rule::{Path, Setting, SettingDefault, SettingType};

/// The effective value, and where it comes from.
pub(super) enum EffectiveSetting {
    /// Written somewhere.
    Written { place: String, value: Value },
    /// Written nowhere; the default applies.
    Default { place: String, value: Value },
    /// Written nowhere, and there is no default.
    Unset { place: String },
    /// Could not be read or understood.
    Unknown(Vec<Gap>),
}

/// Finds the effective value.
pub(super) fn effective(setting: &Setting, document: &Document) -> EffectiveSetting {
    let lookup = SettingLookup { setting, document };
    let found = match document.component() {
        "kubelet" if setting.flag.as_deref() == Some("seccomp-default") => lookup.flag_or_file(),
        "kubelet" => lookup.configz().or(|| lookup.flag()).or(|| lookup.file()),
        "kube-scheduler" | "kube-proxy" if setting.config.is_some() => match lookup.names_file("config") {
            Ok(true) => lookup.file(),
            Ok(false) => lookup.flag(),
            Err(gaps) => SourceValue::Unknown(gaps),
        },
        "etcd" => match lookup.names_file("config-file") {
            Ok(true) => lookup.file(),
            Ok(false) => lookup.flag().or(|| lookup.env()),
            Err(gaps) => SourceValue::Unknown(gaps),
        },
        _ => lookup.flag(),
    };
    match found {
        SourceValue::Value { place, value } if value == 0 => lookup.zero(place),
        SourceValue::Value { place, value } => EffectiveSetting::Written { place, value },
        SourceValue::Unknown(gaps) => EffectiveSetting::Unknown(gaps),
        SourceValue::Empty | SourceValue::Nothing => lookup.default(),
    }
}

enum SourceValue {
    Value {
        place: String,
        value: Value,
    },
    /// Written but empty: sources of lower precedence are ignored, the default applies.
    Empty,
    Nothing,
    Unknown(Vec<Gap>),
}

impl SourceValue {
    fn or(self, next: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Nothing => next(),
            found => found,
        }
    }

    fn left_out(path: &Path, value: Value) -> Self {
        Self::Value { place: format!("{} left out", path.text()), value }
    }

    fn malformed(place: &str, expected: &str) -> Self {
        let message = format!("{place}: expected {expected}");
        Self::Unknown(vec![Gap { reason: Reason::Malformed, what: message }])
    }
}

/// The place on the way to these keys where something else than a map stands.
fn not_a_map(root: &Value, keys: &[String]) -> Option<String> {
    let mut value = root;
    let mut place = "$".to_owned();
    for key in keys {
        match value {
            Value::Object(map) => value = map.get(key)?,
            Value::Null => return None,
            _ => return Some(place),
        }
        place.push('.');
        place.push_str(key);
    }
    None
}

struct SettingLookup<'a> {
    setting: &'a Setting,
    document: &'a Document,
}

impl SettingLookup<'_> {
    /// The values of a flag, one for each time it was given.
    fn given(&self, flag: &str) -> Option<Vec<&str>> {
        let values = self.document.root.get("args")?.get(flag)?.as_array()?;
        Some(values.iter().filter_map(Value::as_str).collect())
    }

    /// Whether a configuration file is in use: a non-empty flag names one.
    fn names_file(&self, flag: &str) -> Result<bool, Vec<Gap>> {
        let given = self.given(flag).map(|values| values.last().is_some_and(|path| !path.is_empty()));
        match given {
            Some(true) => return Ok(true),
            // With an empty flag, etcd still reads the variable.
            Some(false) if self.document.component() != "etcd" => return Ok(false),
            _ => {}
        }
        let mut gaps = if given.is_none() { self.document.gaps_at_flag(flag) } else { Vec::new() };
        let variable = self.document.root.pointer("/env/ETCD_CONFIG_FILE").and_then(Value::as_str);
        if self.document.component() == "etcd" {
            if variable.is_some_and(|path| !path.is_empty()) {
                return Ok(true);
            }
            gaps.extend(self.document.gaps_at("env"));
        }
        if gaps.is_empty() { Ok(false) } else { Err(gaps) }
    }

    fn flag(&self) -> SourceValue {
        let Some(flag) = &self.setting.flag else { return SourceValue::Nothing };
        let Some(values) = self.given(flag) else {
            let gaps = self.document.gaps_at_flag(flag);
            return if gaps.is_empty() { SourceValue::Nothing } else { SourceValue::Unknown(gaps) };
        };
        self.texts(&values, format!("--{flag}"))
    }

    fn env(&self) -> SourceValue {
        let Some(name) = &self.setting.env else { return SourceValue::Nothing };
        let text = self.document.root.get("env").and_then(|env| env.get(name)).and_then(Value::as_str);
        let Some(text) = text else {
            let gaps = self.document.gaps_at("env");
            return if gaps.is_empty() { SourceValue::Nothing } else { SourceValue::Unknown(gaps) };
        };
        self.texts(&[text], name.clone())
    }

    /// Reads the value of a flag or variable.
    fn texts(&self, values: &[&str], place: String) -> SourceValue {
        let last = values.last().copied().unwrap_or_default();
        let is_text =
            matches!(self.setting.kind, SettingType::String | SettingType::Path | SettingType::List);
        if !is_text && last.contains(BLANK) {
            // It is written, which may be all that is asked.
            return SourceValue::Value { place, value: last.into() };
        }
        let value = match self.setting.kind {
            SettingType::List => {
                let elements: Vec<String> = values.iter().flat_map(|text| parse::csv_list(text)).collect();
                if elements.is_empty() {
                    return SourceValue::Empty;
                }
                Value::from(elements)
            }
            SettingType::Bool | SettingType::Map if self.setting.key.is_some() => {
                return self.keyed(values, &place);
            }
            SettingType::Map => return SourceValue::malformed(&place, "a `key` beside `type: map`"),
            _ if last.is_empty() => return SourceValue::Empty,
            SettingType::Bool => match parse::boolean(last) {
                Some(value) => Value::from(value),
                None => return SourceValue::malformed(&place, &format!("true or false, found `{last}`")),
            },
            SettingType::Int => match parse::integer(last) {
                Some(value) => Value::from(value),
                None => return SourceValue::malformed(&place, &format!("a whole number, found `{last}`")),
            },
            SettingType::Duration => match parse::duration(last) {
                Some(_) => Value::from(last),
                None => return SourceValue::malformed(&place, &format!("a duration, found `{last}`")),
            },
            SettingType::String | SettingType::Path => Value::from(last),
        };
        SourceValue::Value { place, value }
    }

    /// One key of `name=value` pairs; the last use wins. A `component:` prefix may precede a name. A component refuses the
    /// whole flag for one pair that it cannot read, whatever its name.
    fn keyed(&self, values: &[&str], place: &str) -> SourceValue {
        let key = self.setting.key.as_deref().unwrap_or_default();
        let mut found = SourceValue::Nothing;
        for pair in values.iter().flat_map(|text| parse::csv_list(text)).filter(|pair| !pair.is_empty()) {
            let (name, text) = pair.split_once('=').unwrap_or((&pair, ""));
            let name = name.trim().trim_start_matches("kube:");
            let Some(value) = parse::boolean(text.trim()) else {
                let expected = format!("name=true or name=false, found `{}`", pair.trim());
                return SourceValue::malformed(place, &expected);
            };
            if name == key {
                found = SourceValue::Value { place: format!("{place}={key}"), value: Value::from(value) };
            }
        }
        found
    }

    fn file(&self) -> SourceValue {
        let Some(path) = &self.setting.config else { return SourceValue::Nothing };
        let Ok(path) = path.under("$.config") else { return SourceValue::Nothing };
        self.file_at(&path)
    }

    fn file_at(&self, path: &Path) -> SourceValue {
        let (found, blanked) = path.select_among(&self.document.root, &self.document.blanks);
        if !blanked.is_empty() {
            return SourceValue::Unknown(self.document.gaps_of_blanked(&blanked));
        }
        if let (Some(_), [found, ..]) = (&self.setting.key, &found[..])
            && found.value.is_null()
        {
            // Go reads a key of a map of booleans that has no value as false.
            return SourceValue::Value { place: found.place.clone().into_owned(), value: false.into() };
        }
        let Some(found) = found.into_iter().find(|found| !found.value.is_null()) else {
            let gaps = self.document.gaps(path);
            if !gaps.is_empty() {
                return SourceValue::Unknown(gaps);
            }
            // A component refuses such a file, so it has not read it: what it runs with is unknown.
            let odd = path.reads().iter().find_map(|keys| not_a_map(&self.document.root, keys));
            return odd.map_or(SourceValue::Nothing, |place| SourceValue::malformed(&place, "a map"));
        };
        let place = found.place.into_owned();
        let value = found.value;
        match (self.setting.kind, value) {
            (_, Value::String(text)) if text.contains(BLANK) => {}
            (SettingType::List, Value::Array(elements)) if elements.is_empty() => {
                return SourceValue::Nothing;
            }
            (SettingType::Bool, Value::Bool(_)) | (SettingType::List, Value::Array(_)) => {}
            (SettingType::Int, Value::Number(number)) if number.is_i64() => {}
            (SettingType::String | SettingType::Path, Value::String(text)) if text.is_empty() => {
                return SourceValue::Nothing;
            }
            (SettingType::String | SettingType::Path, Value::String(_)) => {}
            (SettingType::Duration, Value::String(text)) => match parse::duration(text) {
                // The kubelet replaces a zero duration with the default when it loads the file.
                Some(0)
                    if self.document.component() == "kubelet" && !path.text().starts_with("$.configz") =>
                {
                    return SourceValue::Nothing;
                }
                Some(_) => {}
                None => return SourceValue::malformed(&place, "a duration such as \"4h0m0s\""),
            },
            (SettingType::Map, Value::Object(_)) => {}
            (kind, _) => return SourceValue::malformed(&place, expected(kind)),
        }
        SourceValue::Value { place, value: value.clone() }
    }

    /// The kubelet's own effective configuration: flags, drop-ins, file and defaults combined.
    fn configz(&self) -> SourceValue {
        /// The kubelet fills these in with its self-signed pair if they are not set.
        const FILLED: [&str; 2] = ["$.tlsCertFile", "$.tlsPrivateKeyFile"];
        let Some(path) = &self.setting.config else { return SourceValue::Nothing };
        if self.document.root.get("configz").is_none() || FILLED.contains(&path.text()) {
            return SourceValue::Nothing;
        }
        let Ok(path) = path.under("$.configz") else { return SourceValue::Nothing };
        match (self.file_at(&path), self.setting.kind) {
            // Feature gates that are not set are not in it.
            (SourceValue::Nothing, _) if self.setting.key.is_some() => SourceValue::Nothing,
            // Zero values are omitted.
            (SourceValue::Nothing, SettingType::Bool) => SourceValue::left_out(&path, false.into()),
            (SourceValue::Nothing, SettingType::Int) => SourceValue::left_out(&path, 0.into()),
            (SourceValue::Nothing, _) => SourceValue::Empty,
            (found, _) => found,
        }
    }

    /// The kubelet's `--seccomp-default` does not end up in its configuration: either one turns it on.
    fn flag_or_file(&self) -> SourceValue {
        let flag = self.flag();
        match &flag {
            SourceValue::Value { value: Value::Bool(true), .. } => flag,
            _ => match (self.configz().or(|| self.file()), &flag) {
                (file @ SourceValue::Value { value: Value::Bool(true), .. }, _) => file,
                (SourceValue::Nothing, _) | (_, SourceValue::Unknown(_)) => flag,
                (file, _) => file,
            },
        }
    }

    fn default(&self) -> EffectiveSetting {
        let name = self.setting.flag.as_deref().or(self.setting.env.as_deref());
        let name = name.map_or_else(
            || self.setting.config.as_ref().map_or_else(String::new, |path| path.text().to_owned()),
            |name| if self.setting.flag.is_some() { format!("--{name}") } else { name.to_owned() },
        );
        let place = format!("default of {name}");
        match &self.setting.default {
            SettingDefault::Unset => EffectiveSetting::Unset { place: name },
            SettingDefault::Value(value) => EffectiveSetting::Default { place, value: value.clone() },
            SettingDefault::ByFile { with_file, without_file } => match self.names_file("config") {
                Ok(true) => EffectiveSetting::Default {
                    place: format!("{place} with a file"),
                    value: with_file.clone(),
                },
                Ok(false) => EffectiveSetting::Default {
                    place: format!("{place} without a file"),
                    value: without_file.clone(),
                },
                Err(gaps) => EffectiveSetting::Unknown(gaps),
            },
            SettingDefault::ByVersion(versions) => match self.by_version(&place, versions) {
                Err(gaps) => EffectiveSetting::Unknown(gaps),
                Ok((place, Some(Value::String(text)))) if text == "unset" => {
                    EffectiveSetting::Unset { place }
                }
                Ok((place, Some(value))) => EffectiveSetting::Default { place, value: value.clone() },
                Ok((place, None)) => EffectiveSetting::Unset { place },
            },
        }
    }

    /// A written 0, which may stand for another value.
    fn zero(&self, place: String) -> EffectiveSetting {
        match &self.setting.zero_means {
            SettingDefault::ByVersion(versions) => {
                match self.by_version(&format!("0 of {place}"), versions) {
                    Err(gaps) => EffectiveSetting::Unknown(gaps),
                    Ok((place, Some(value))) => EffectiveSetting::Written { place, value: value.clone() },
                    Ok((_, None)) => EffectiveSetting::Written { place, value: 0.into() },
                }
            }
            SettingDefault::Value(value) => {
                EffectiveSetting::Written { place: format!("0 of {place}"), value: value.clone() }
            }
            SettingDefault::Unset | SettingDefault::ByFile { .. } => {
                EffectiveSetting::Written { place, value: 0.into() }
            }
        }
    }

    /// The value for the component's version, and its place with the version that counts.
    fn by_version<'v>(
        &self,
        place: &str,
        versions: &'v [((u32, u32), Value)],
    ) -> Result<(String, Option<&'v Value>), Vec<Gap>> {
        let gaps = self.document.gaps_at("version");
        if !gaps.is_empty() {
            return Err(gaps);
        }
        let version = self.document.root.get("version").and_then(Value::as_str);
        let minor = version.and_then(minor_version);
        let chosen = versions.iter().rev().find(|(from, _)| minor.is_none_or(|minor| *from <= minor));
        let place = match version {
            Some(version) => format!("{place} in {version}"),
            None => format!("{place} in the newest known version (running version unknown)"),
        };
        Ok((place, chosen.map(|(_, value)| value)))
    }
}

fn expected(kind: SettingType) -> &'static str {
    match kind {
        SettingType::Bool => "true or false",
        SettingType::Int => "a whole number",
        SettingType::Duration => "a duration in quotes",
        SettingType::String | SettingType::Path => "text",
        SettingType::List => "a list",
        SettingType::Map => "a map",
    }
}
