//! Resolves `${…}` in the merged tree, from other settings and the environment.
//!
//! Disabled outputs (`enabled: false`) are removed first, so that they need no variables. Values of the environment
//! are used as they are: a `${` in a password is part of the password.

use config::{Map, Value, ValueKind};

use super::catalogue::OUTPUT;
use super::location::SourceLocation;
use super::mistake::Mistake;
use super::template::{self, IfUnset, TemplatePiece};
use super::tree::{self, dotted};

/// Lookups in one configuration; references to references can multiply.
const MAX_LOOKUPS: usize = 10_000;
/// References to references; a bound for the stack.
const MAX_CHAIN: usize = 8;
/// Bytes of one value after expansion; an inline certificate bundle has a few hundred kilobytes.
const MAX_LENGTH: usize = 1 << 20;

/// The tree with every reference resolved.
pub(super) fn expand(root: &Value, env: &dyn Fn(&str) -> Option<String>) -> Result<Value, Mistake> {
    let mut expander = Expander { root, env, active: Vec::new(), lookups: 0 };
    let mut wanted = root.clone();
    expander.settle_outputs(&mut wanted)?;
    expander.value(&wanted, "")
}

/// One value, whose dotted key is `key`, with every reference to the settings in `root` resolved.
pub(super) fn expand_one(
    root: &Value,
    value: &Value,
    key: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Value, Mistake> {
    Expander { root, env, active: Vec::new(), lookups: 0 }.value(value, key)
}

struct Expander<'a> {
    root: &'a Value,
    env: &'a dyn Fn(&str) -> Option<String>,
    /// Settings whose references are being resolved, to detect circles.
    active: Vec<String>,
    lookups: usize,
}

/// What a name refers to.
enum ReferenceTarget {
    Setting(Value),
    Text(String),
    Nothing { circular: bool },
}

impl Expander<'_> {
    /// Removes disabled outputs. An output that is named and left empty is enabled.
    fn settle_outputs(&mut self, root: &mut Value) -> Result<(), Mistake> {
        let ValueKind::Table(sections) = &mut root.kind else { return Ok(()) };
        let Some(ValueKind::Table(outputs)) = sections.get_mut(OUTPUT).map(|output| &mut output.kind) else {
            return Ok(());
        };
        let mut off = Vec::new();
        for (name, output) in &mut *outputs {
            if output.kind == ValueKind::Nil {
                output.kind = ValueKind::Table(Map::new());
            }
            if let Some(enabled) = tree::find(output, "enabled") {
                let enabled = self.value(enabled, &format!("{OUTPUT}.{name}.enabled"))?;
                let says_no = matches!(&enabled.kind, ValueKind::String(text) if text == "false");
                if says_no || enabled.kind == ValueKind::Boolean(false) {
                    off.push(name.clone());
                }
            }
        }
        outputs.retain(|name, _| !off.contains(name));
        Ok(())
    }

    fn value(&mut self, value: &Value, key: &str) -> Result<Value, Mistake> {
        let kind = match &value.kind {
            ValueKind::String(text) if text.contains('$') => return self.text(text, value, key),
            ValueKind::Table(table) => {
                let inner = tree::in_order(table)
                    .into_iter()
                    .map(|(name, value)| Ok((name.to_owned(), self.value(value, &dotted(key, name))?)));
                ValueKind::Table(inner.collect::<Result<_, Mistake>>()?)
            }
            ValueKind::Array(items) => {
                let items = items.iter().enumerate();
                let items = items.map(|(index, item)| self.value(item, &dotted(key, &index.to_string())));
                ValueKind::Array(items.collect::<Result<_, _>>()?)
            }
            kind => kind.clone(),
        };
        Ok(Value::new(value.origin().map(str::to_owned).as_ref(), kind))
    }

    /// A text with references. A text that is one reference becomes what it refers to: a list stays a list, and text
    /// takes the type of its setting.
    fn text(&mut self, text: &str, value: &Value, key: &str) -> Result<Value, Mistake> {
        let location = SourceLocation::find(value);
        let wrong = |message| Mistake::at_value(location.as_ref(), format!("`{key}`: {message}"));
        let pieces = template::parse(text).map_err(wrong)?;
        let (kind, outside) = match pieces.as_slice() {
            [TemplatePiece::Reference { name, then }] => match self.reference(name, then).map_err(wrong)? {
                ReferenceTarget::Setting(setting) => {
                    let outside = SourceLocation::find(&setting).is_some_and(|location| location.outside);
                    (setting.kind, outside)
                }
                ReferenceTarget::Text(text) => (ValueKind::String(text), true),
                ReferenceTarget::Nothing { .. } => (ValueKind::String(String::new()), true),
            },
            pieces => {
                let outside = location.as_ref().is_some_and(|location| location.outside);
                (ValueKind::String(self.join(pieces).map_err(wrong)?), outside)
            }
        };
        let origin = location.map(|location| SourceLocation { outside, ..location }.origin());
        Ok(Value::new(origin.as_ref(), kind))
    }

    fn join(&mut self, pieces: &[TemplatePiece]) -> Result<String, String> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                TemplatePiece::Text(more) => text.push_str(more),
                TemplatePiece::Reference { name, then } => match self.reference(name, then)? {
                    ReferenceTarget::Text(more) => text.push_str(&more),
                    ReferenceTarget::Setting(setting) => text.push_str(&scalar(&setting, name)?),
                    ReferenceTarget::Nothing { .. } => {}
                },
            }
            if text.len() > MAX_LENGTH {
                return Err(format!("longer than {MAX_LENGTH} bytes after expansion"));
            }
        }
        Ok(text)
    }

    fn reference(&mut self, name: &[TemplatePiece], then: &IfUnset) -> Result<ReferenceTarget, String> {
        let name = self.join(name)?;
        let found = self.look_up(&name);
        match then {
            IfUnset::Fail => match found? {
                ReferenceTarget::Nothing { circular: true } => Err(format!("`${{{name}}}` refers to itself")),
                ReferenceTarget::Nothing { circular: false } => Err(format!(
                    "`{name}` is neither a setting nor an environment variable nor a key of the keystore with a value: set it, or write `${{{name}:default}}`"
                )),
                found => Ok(found),
            },
            IfUnset::Default(pieces) => match found {
                Ok(ReferenceTarget::Nothing { .. }) | Err(_) => Ok(ReferenceTarget::Text(self.join(pieces)?)),
                found => found,
            },
            IfUnset::Instead(pieces) => match found {
                Ok(ReferenceTarget::Nothing { .. }) | Err(_) => Ok(ReferenceTarget::Text(String::new())),
                Ok(_) => Ok(ReferenceTarget::Text(self.join(pieces)?)),
            },
            IfUnset::Message(pieces) => match found {
                Ok(ReferenceTarget::Nothing { .. }) | Err(_) => {
                    Err(format!("`{name}` is not set: {}", self.join(pieces)?))
                }
                found => found,
            },
        }
    }

    /// A setting by its dotted key, else a variable. Empty counts as not set.
    fn look_up(&mut self, name: &str) -> Result<ReferenceTarget, String> {
        self.lookups += 1;
        if self.lookups > MAX_LOOKUPS {
            return Err(format!("more than {MAX_LOOKUPS} references in one configuration"));
        }
        if self.active.len() > MAX_CHAIN {
            return Err(format!("references to references more than {MAX_CHAIN} deep"));
        }
        let circular = self.active.iter().any(|active| active == name);
        if !circular && let Some(setting) = tree::find(self.root, name) {
            self.active.push(name.to_owned());
            let setting = self.value(setting, name);
            self.active.pop();
            let setting = setting.map_err(|mistake| mistake.message)?;
            let empty = match &setting.kind {
                ValueKind::Nil => true,
                ValueKind::String(text) => text.is_empty(),
                _ => false,
            };
            if !empty {
                return Ok(ReferenceTarget::Setting(setting));
            }
        }
        match (self.env)(name) {
            Some(text) if !text.is_empty() => Ok(ReferenceTarget::Text(text)),
            _ => Ok(ReferenceTarget::Nothing { circular }),
        }
    }
}

/// A setting as a part of a text.
fn scalar(setting: &Value, name: &[TemplatePiece]) -> Result<String, String> {
    match &setting.kind {
        ValueKind::Table(_) | ValueKind::Array(_) => {
            let name = match name {
                [TemplatePiece::Text(name)] => name.as_str(),
                _ => "…",
            };
            Err(format!("`${{{name}}}` is a section or a list, which cannot be a part of a text"))
        }
        kind => Ok(kind.to_string()),
    }
}
