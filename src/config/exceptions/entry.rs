//! One exception: its section in, the entry and all its mistakes out.

use config::{Map, Value, ValueKind};
use std::collections::BTreeMap;

use super::expires;
use crate::config::location::SourceLocation;
use crate::config::mistake::Mistake;
use crate::config::read;
use crate::config::tree::{self, dotted};

const KEYS: [&str; 6] = ["rule", "resource", "cluster", "reason", "owner", "expires"];
const RESOURCE: &str = "resource";
const RESOURCE_KEYS: [&str; 4] = ["kind", "namespace", "name", "labels"];
/// The longest reason or name. Every finding that the exception marks carries them.
const MAX_TEXT: usize = 1000;
/// Similarity (0 to 1) from which a key counts as a misspelling of another.
const SIMILAR: f64 = 0.7;

/// An exception as written, in the configuration or in a file of exceptions. A `*` at the end of a name matches any
/// ending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExceptionEntry {
    /// Where it is written: `FILE:LINE:COLUMN`.
    pub at: String,
    /// Its key, such as `posturebeat.exceptions.0`.
    pub key: String,
    /// A control's id, a recommendation's number with or without its benchmark, or a rule's id.
    pub rule: String,
    /// Where the rule is written.
    pub rule_at: String,
    /// `resource.kind`.
    pub kind: Option<String>,
    /// `resource.namespace`.
    pub namespace: Option<String>,
    /// `resource.name`.
    pub name: Option<String>,
    /// `resource.labels`.
    pub labels: BTreeMap<String, String>,
    /// The cluster's id or name.
    pub cluster: Option<String>,
    /// Why the rule may fail.
    pub reason: String,
    /// Who is responsible for it.
    pub owner: String,
    /// When it expires. For a date, that is the end of the day in UTC.
    pub expires: Option<jiff::Timestamp>,
}

/// An exception being read.
pub(super) struct EntryReader<'a> {
    /// Its dotted key.
    pub key: &'a str,
    /// Where it is written.
    pub at: String,
    pub mistakes: &'a mut Vec<Mistake>,
}

impl EntryReader<'_> {
    /// Reads the exception. `None`: it names no rule.
    pub(super) fn read(mut self, table: &Map<String, Value>) -> Option<ExceptionEntry> {
        self.unknown_keys(table, "", &KEYS);
        let mut exception =
            ExceptionEntry { at: self.at.clone(), key: self.key.to_owned(), ..ExceptionEntry::default() };
        let rule = self.required(table, "rule", "a number such as `5.2.2`, or a control's id");
        self.resource(table, &mut exception);
        exception.cluster = self.name(table, "", "cluster");
        exception.reason = self.required(table, "reason", "why the rule may fail").unwrap_or_default();
        exception.owner = self.required(table, "owner", "who is responsible for it").unwrap_or_default();
        exception.expires = self.expires(table);
        exception.rule = rule?;
        let at = table.get("rule");
        exception.rule_at =
            at.and_then(SourceLocation::find).map(|location| location.of_value()).unwrap_or_default();
        if exception.rule.rsplit('/').next() == Some("*") {
            self.wrong(at, "rule", "`*` names every rule; name some, such as `5.2.*`");
        } else {
            self.check_star(at, "rule", &exception.rule);
        }
        Some(exception)
    }

    /// Kind, namespace, name and labels.
    fn resource(&mut self, table: &Map<String, Value>, exception: &mut ExceptionEntry) {
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

    /// Labels and their values. The tree has split keys with dots into sections.
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
            _ => match read::text(value, &dotted(&key, label)) {
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
        let text = read::text(value, "").ok();
        let expires = text.and_then(|text| expires::parse(&text));
        if expires.is_none() {
            self.mistakes.push(read::expected(value, &dotted(self.key, "expires"), expires::EXPECTED));
        }
        expires
    }

    /// A text that is required.
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
            self.wrong(value, key, "a `*` can only be the last character, where it matches any ending");
        }
    }

    fn text(&mut self, table: &Map<String, Value>, section: &str, name: &str) -> Option<String> {
        let value = table.get(name)?;
        let key = dotted(section, name);
        match read::text(value, &dotted(self.key, &key)) {
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
        self.mistakes.push(Mistake::at_value(value.and_then(SourceLocation::find).as_ref(), message));
    }

    /// Reports unknown keys of a section, each with the most similar known one.
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
            let hint = match nearest.filter(|nearest| alike(nearest) >= SIMILAR) {
                Some(nearest) => format!("did you mean `{}`?", dotted(self.key, &nearest)),
                None => format!("expected one of `{}`", known.join("`, `")),
            };
            let message = format!("unknown key `{}`; {hint}", dotted(self.key, &dotted(section, name)));
            self.mistakes.push(Mistake::at_key(SourceLocation::find(value).as_ref(), message));
        }
    }
}

/// Whether it is a section without a key.
fn is_empty(value: &Value) -> bool {
    matches!(&value.kind, ValueKind::Table(table) if table.is_empty())
}
