//! Consent: which blanked values rules may compare, entry by entry (`collect.reveal`).
//!
//! In: an object before it is redacted. Out: the values that an entry names, for the judge alone. Only values are kept
//! that an entry names, so an object without any costs nothing.

use serde_json::Value;
use std::collections::BTreeSet;
use std::str::FromStr;

use super::BLANK;
use crate::resource::Revealed;

/// Stands for every namespace.
const ANY: &str = "*";
/// The namespace of an object that names none.
const DEFAULT_NAMESPACE: &str = "default";
/// The maps of a ConfigMap.
const CONFIG_MAP_DATA: [&str; 2] = ["data", "binaryData"];

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevealEntry {
    /// `configmap:NAMESPACE/NAME#KEY`: one key of a ConfigMap.
    ConfigMap {
        /// `*`: any namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The key in `data` or `binaryData`.
        key: String,
    },
    /// `env:NAME`: a variable of containers.
    Variable(String),
}

impl FromStr for RevealEntry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected `configmap:NAMESPACE/NAME#KEY` or `env:NAME`";
        let unreadable = || format!("{EXPECTED}, found `{text}`");
        let (sort, what) = text.split_once(':').ok_or_else(unreadable)?;
        match sort {
            "configmap" => {
                let (namespace, rest) = what.split_once('/').ok_or_else(unreadable)?;
                let (name, key) = rest.split_once('#').ok_or_else(unreadable)?;
                if [namespace, name, key].iter().any(|part| !is_name(part) && *part != ANY) {
                    return Err(unreadable());
                }
                if name == ANY || key == ANY {
                    return Err(format!(
                        "name every ConfigMap and key: only the namespace may be `*`, found `{text}`"
                    ));
                }
                let [namespace, name, key] = [namespace, name, key].map(str::to_owned);
                Ok(Self::ConfigMap { namespace, name, key })
            }
            "env" if what == ANY => Err(format!("name every variable, found `{text}`")),
            "env" if is_name(what) => Ok(Self::Variable(what.to_owned())),
            "secret" => Err(format!("rules never see the values of Secrets: remove `{text}`")),
            _ => Err(unreadable()),
        }
    }
}

/// A name without anything that could be meant as a pattern.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "*?/#,=".contains(c))
}

/// All entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reveal {
    /// Namespace, name, key.
    config_maps: Vec<[String; 3]>,
    variables: BTreeSet<String>,
}

impl FromIterator<RevealEntry> for Reveal {
    fn from_iter<I: IntoIterator<Item = RevealEntry>>(entries: I) -> Self {
        let mut all = Self::default();
        for entry in entries {
            match entry {
                RevealEntry::ConfigMap { namespace, name, key } => {
                    all.config_maps.push([namespace, name, key]);
                }
                RevealEntry::Variable(name) => {
                    all.variables.insert(name);
                }
            }
        }
        all
    }
}

impl Reveal {
    /// The values of an object that an entry names.
    pub(super) fn of(&self, object: &Value) -> Revealed {
        let mut revealed = Revealed::default();
        match object.get("kind").and_then(Value::as_str) {
            Some("Secret") => {}
            Some("ConfigMap") => self.of_config_map(object, &mut revealed),
            _ if self.variables.is_empty() => {}
            _ => self.of_variables(object, &mut Vec::new(), &mut revealed),
        }
        revealed
    }

    fn of_config_map(&self, object: &Value, revealed: &mut Revealed) {
        let who = identity(object);
        for [namespace, name, key] in &self.config_maps {
            if (namespace == ANY || namespace == who.0) && name == who.1 {
                for field in CONFIG_MAP_DATA {
                    let value =
                        object.get(field).and_then(|data| data.get(key)).filter(|value| is_shown(value));
                    if let Some(value) = value {
                        revealed.add(vec![field.to_owned(), key.clone()], value.clone());
                    }
                }
            }
        }
    }

    fn of_variables(&self, value: &Value, place: &mut Vec<String>, revealed: &mut Revealed) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    if !matches!(field, Value::Object(_) | Value::Array(_)) {
                        continue;
                    }
                    place.push(name.clone());
                    if let ("env", Value::Array(pairs)) = (name.as_str(), field) {
                        self.of_pairs(pairs, place, revealed);
                    }
                    self.of_variables(field, place, revealed);
                    place.pop();
                }
            }
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    place.push(index.to_string());
                    self.of_variables(element, place, revealed);
                    place.pop();
                }
            }
            _ => {}
        }
    }

    fn of_pairs(&self, pairs: &[Value], list: &[String], revealed: &mut Revealed) {
        for (index, pair) in pairs.iter().enumerate() {
            let is_named =
                pair.get("name").and_then(Value::as_str).is_some_and(|name| self.variables.contains(name));
            if let Some(value) = pair.get("value").filter(|value| is_named && is_shown(value)) {
                let place = list.iter().cloned().chain([index.to_string(), "value".to_owned()]).collect();
                revealed.add(place, value.clone());
            }
        }
    }
}

/// Whether there is a value to compare: a recording holds [`BLANK`] in its place.
fn is_shown(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_)) && value != BLANK
}

/// Namespace and name.
fn identity(object: &Value) -> (&str, &str) {
    let metadata = |key: &str| object.get("metadata").and_then(|it| it.get(key)?.as_str());
    (metadata("namespace").unwrap_or(DEFAULT_NAMESPACE), metadata("name").unwrap_or_default())
}

/// The entry that would let rules compare the value at a place; `None` where no entry can.
pub(super) fn consent(root: &Value, place: &[String]) -> Option<String> {
    match place {
        [field, key] if root.get("kind")? == "ConfigMap" && CONFIG_MAP_DATA.contains(&field.as_str()) => {
            let (namespace, name) = identity(root);
            let entry = format!("configmap:{namespace}/{name}#{key}");
            entry.parse::<RevealEntry>().ok().map(|_| entry)
        }
        [owner @ .., list, _, own] if list == "env" && own == "value" => {
            let pair = descend(root, owner)?.get(list)?.get(place[place.len() - 2].parse::<usize>().ok()?)?;
            let entry = format!("env:{}", pair.get("name")?.as_str()?);
            entry.parse::<RevealEntry>().ok().map(|_| entry)
        }
        _ => None,
    }
}

fn descend<'v>(value: &'v Value, steps: &[String]) -> Option<&'v Value> {
    steps.iter().try_fold(value, |value, step| match value {
        Value::Array(elements) => elements.get(step.parse::<usize>().ok()?),
        value => value.get(step),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::revealing;
    use serde_json::json;

    fn reveal(entries: &[&str]) -> Reveal {
        entries.iter().map(|entry| entry.parse::<RevealEntry>().unwrap()).collect()
    }

    fn place(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn an_entry_that_names_too_much_is_refused_with_what_to_write() {
        for (entry, part) in [
            ("secret:shop/db#password", "rules never see the values of Secrets"),
            ("configmap:shop/app", "expected `configmap:NAMESPACE/NAME#KEY` or `env:NAME`"),
            ("configmap:app#KEY", "expected"),
            ("configmap:shop/*#KEY", "only the namespace may be `*`"),
            ("configmap:shop/app#*", "only the namespace may be `*`"),
            ("configmap:shop/app-*#KEY", "expected"),
            ("configmap:shop/app#", "expected"),
            ("env:*", "name every variable"),
            ("env:DB_*", "expected"),
            ("env:", "expected"),
            ("DEBUG", "expected"),
        ] {
            let message = entry.parse::<RevealEntry>().unwrap_err();
            assert!(message.contains(part), "{entry}: {message}");
        }
    }

    #[test]
    fn a_config_map_reveals_the_named_key_alone() {
        let object = |namespace: &str, name: &str| {
            json!({"kind": "ConfigMap", "metadata": {"namespace": namespace, "name": name},
                "data": {"A": "1", "B": "2"}, "binaryData": {"C": "Mw=="}})
        };
        let reveal = reveal(&["configmap:shop/app#A", "configmap:*/any#C"]);
        let mut app = object("shop", "app");
        let revealed = revealing(&mut app, &reveal);
        assert_eq!(revealed.at(&place("data A")), Some(&json!("1")));
        assert_eq!(revealed.at(&place("data B")), None);
        assert_eq!(app["data"], json!({"A": BLANK, "B": BLANK}), "the document is blanked all the same");
        assert!(revealing(&mut object("other", "app"), &reveal).is_empty());
        assert!(!revealing(&mut object("other", "any"), &reveal).is_empty());
        let mut without = json!({"kind": "ConfigMap", "metadata": {"name": "app"}, "data": {"A": "1"}});
        assert!(!revealing(&mut without, &self::reveal(&["configmap:default/app#A"])).is_empty());
    }

    #[test]
    fn a_variable_is_revealed_wherever_containers_are() {
        let containers = json!([{"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"},
            {"name": "A", "valueFrom": {}}, {"name": "A", "value": ""}]}]);
        let mut object =
            json!({"kind": "Rollout", "spec": {"template": {"spec": {"initContainers": containers}}}});
        let revealed = revealing(&mut object, &reveal(&["env:A"]));
        let at = |index: &str| {
            revealed.at(&place(&format!("spec template spec initContainers 0 env {index} value")))
        };
        assert_eq!((at("0"), at("1"), at("2")), (Some(&json!("1")), None, None));
        let mut secret = json!({"kind": "Secret", "data": {"A": "1"}, "env": [{"name": "A", "value": "1"}]});
        assert!(revealing(&mut secret, &reveal(&["env:A"])).is_empty());
        let mut recorded = json!({"kind": "Pod", "env": [{"name": "A", "value": BLANK}]});
        assert!(revealing(&mut recorded, &reveal(&["env:A"])).is_empty());
    }
}
