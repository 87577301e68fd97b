//! One exception: its section in, all its mistakes out.

use config::{Map, Value, ValueKind};
use std::collections::BTreeMap;

use super::expires;
use crate::config::error::Mistake;
use crate::config::place::Place;
use crate::config::read;
use crate::config::settings::Exception;
use crate::config::tree::{self, dotted};

const KEYS: [&str; 6] = ["rule", "resource", "cluster", "reason", "owner", "expires"];
const RESOURCE: &str = "resource";
const RESOURCE_KEYS: [&str; 4] = ["kind", "namespace", "name", "labels"];
/// The longest reason or name. They are part of every finding that they mark.
const MAX_TEXT: usize = 1000;
/// How alike two keys must be (0 to 1) for one to be taken as the other, mistyped.
const ALIKE: f64 = 0.7;

/// An exception being read.
pub(super) struct Item<'a> {
    /// Its dotted key.
    pub key: &'a str,
    /// Where it is written.
    pub at: String,
    pub mistakes: &'a mut Vec<Mistake>,
}

impl Item<'_> {
    /// Everything that it says. `None`: not even which rule.
    pub fn read(mut self, table: &Map<String, Value>) -> Option<Exception> {
        self.unknown_keys(table, "", &KEYS);
        let mut exception =
            Exception { at: self.at.clone(), key: self.key.to_owned(), ..Exception::default() };
        let rule = self.required(table, "rule", "a number such as `5.2.2`, or a control's id");
        self.resource(table, &mut exception);
        exception.cluster = self.name(table, "", "cluster");
        exception.reason = self.required(table, "reason", "why the rule may fail").unwrap_or_default();
        exception.owner = self.required(table, "owner", "who answers for it").unwrap_or_default();
        exception.expires = self.expires(table);
        exception.rule = rule?;
        let at = table.get("rule");
        exception.rule_at = at.and_then(Place::find).map(|place| place.of_value()).unwrap_or_default();
        if exception.rule.rsplit('/').next() == Some("*") {
            self.wrong(at, "rule", "`*` names every rule; name some, such as `5.2.*`");
        } else {
            self.check_star(at, "rule", &exception.rule);
        }
        Some(exception)
    }

    /// Kind, namespace, name and labels.
    fn resource(&mut self, table: &Map<String, Value>, exception: &mut Exception) {
        let Some(value) = table.get(RESOURCE) else { return };
        let (ValueKind::Table(table), false) = (&value.kind, is_empty(value)) else {
            let keys =
                format!("a section with `{}`; leave it out to mean any resource", RESOURCE_KEYS.join("`, `"));
            self.mistakes.push(read::expected(value, &dotted(self.key, RESOURCE), &keys));
            return;
        };
        self.unknown_keys(table, RESOURCE, &RESOURCE_KEYS);
        exception.kind = self.name(table, RESOURCE, "kind");
        exception.namespace = self.name(table, RESOURCE, "namespace");
        exception.name = self.name(table, RESOURCE, "name");
        if let Some(value) = table.get("labels") {
            self.labels(value, "", &mut exception.labels);
        }
    }

    /// Labels and their values. A key with dots was taken for sections on the way here.
    fn labels(&mut self, value: &Value, label: &str, labels: &mut BTreeMap<String, String>) {
        let key = dotted(self.key, "resource.labels");
        match &value.kind {
            ValueKind::Table(table) if !is_empty(value) => {
                for (part, value) in tree::in_order(table) {
                    self.labels(value, &dotted(label, part), labels);
                }
            }
            _ if label.is_empty() || is_empty(value) => {
                let expected = "a section of labels and their values, such as `app: web`";
                self.mistakes.push(read::expected(value, &key, expected));
            }
            _ => match read::read_at::<String>(value, &dotted(&key, label)) {
                Ok(text) if text.contains('*') => {
                    self.wrong(
                        Some(value),
                        &format!("resource.labels.{label}"),
                        "labels are exact, without `*`",
                    );
                }
                Ok(text) => drop(labels.insert(label.to_owned(), text)),
                Err(mistake) => self.mistakes.push(mistake),
            },
        }
    }

    fn expires(&mut self, table: &Map<String, Value>) -> Option<jiff::Timestamp> {
        let value = table.get("expires")?;
        let text = read::read_at::<String>(value, "").ok();
        let expires = text.and_then(|text| expires::parse(&text));
        if expires.is_none() {
            self.mistakes.push(read::expected(value, &dotted(self.key, "expires"), expires::EXPECTED));
        }
        expires
    }

    /// A text that must be there.
    fn required(&mut self, table: &Map<String, Value>, name: &str, what: &str) -> Option<String> {
        if !table.contains_key(name) {
            let message = format!("`{}` has no `{name}`: write {what}", self.key);
            self.mistakes.push(Mistake { at: self.at.clone(), message });
        }
        self.text(table, "", name)
    }

    /// A name that may end in a star.
    fn name(&mut self, table: &Map<String, Value>, section: &str, name: &str) -> Option<String> {
        let text = self.text(table, section, name)?;
        self.check_star(table.get(name), &dotted(section, name), &text);
        Some(text)
    }

    fn check_star(&mut self, value: Option<&Value>, key: &str, text: &str) {
        if text.strip_suffix('*').unwrap_or(text).contains('*') {
            self.wrong(value, key, "a `*` can only be the last character, and means any ending");
        }
    }

    fn text(&mut self, table: &Map<String, Value>, section: &str, name: &str) -> Option<String> {
        let value = table.get(name)?;
        let key = dotted(section, name);
        match read::read_at::<String>(value, &dotted(self.key, &key)) {
            Ok(text) if text.trim().is_empty() => self.wrong(Some(value), &key, "expected text, found none"),
            Ok(text) if text.chars().count() > MAX_TEXT => {
                self.wrong(Some(value), &key, &format!("expected at most {MAX_TEXT} characters"));
            }
            Ok(text) => return Some(text.trim().to_owned()),
            Err(mistake) => self.mistakes.push(mistake),
        }
        None
    }

    fn wrong(&mut self, value: Option<&Value>, key: &str, message: &str) {
        let message = format!("`{}`: {message}", dotted(self.key, key));
        self.mistakes.push(Mistake::at_value(value.and_then(Place::find).as_ref(), message));
    }

    /// Names the keys of a section that there are none of, with the likeliest of an exception's own.
    fn unknown_keys(&mut self, table: &Map<String, Value>, section: &str, known: &[&str]) {
        let all = || {
            let of_resource = RESOURCE_KEYS.iter().map(|name| dotted(RESOURCE, name));
            KEYS.iter().map(|name| (*name).to_owned()).chain(of_resource)
        };
        for (name, value) in tree::in_order(table).into_iter().filter(|(name, _)| !known.contains(name)) {
            let alike = |key: &String| {
                strsim::normalized_damerau_levenshtein(name, key.rsplit('.').next().unwrap_or_default())
            };
            let nearest = all().max_by(|left, right| alike(left).total_cmp(&alike(right)));
            let hint = match nearest.filter(|nearest| alike(nearest) >= ALIKE) {
                Some(nearest) => format!("did you mean `{}`?", dotted(self.key, &nearest)),
                None => format!("expected one of `{}`", known.join("`, `")),
            };
            let message = format!("unknown key `{}`; {hint}", dotted(self.key, &dotted(section, name)));
            self.mistakes.push(Mistake::at_key(Place::find(value).as_ref(), message));
        }
    }
}

/// Whether it is a section without a key.
fn is_empty(value: &Value) -> bool {
    matches!(&value.kind, ValueKind::Table(table) if table.is_empty())
}
