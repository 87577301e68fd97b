//! Checks: the closed set of forms that make up a control.

#[cfg(test)]
mod tests;

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::path::Path;
use super::setting::{Setting, SettingType};

/// A three-valued question about a resource.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "CheckForm")]
#[allow(clippy::large_enum_variant, reason = "there is one for each line of a rule, made once")]
pub enum Check {
    /// Every part is true.
    All(Vec<Check>),
    /// Some part is true.
    Any(Vec<Check>),
    /// The part is false.
    Not(Box<Check>),
    /// The path selects nothing.
    None(Path),
    /// The path selects something.
    Some(Path),
    /// Each selected value satisfies every comparison.
    Each {
        /// What is compared.
        path: Path,
        /// All of them must hold.
        compare: Vec<Comparison>,
        /// The result if the path selects nothing.
        absent: Absent,
    },
    /// The selected values, taken together as one list, satisfy every comparison.
    Values {
        /// What is gathered.
        path: Path,
        /// All of them must hold.
        compare: Vec<Comparison>,
    },
    /// The setting's effective value satisfies every comparison.
    Setting {
        /// Where it may be written.
        setting: Setting,
        /// All of them must hold.
        compare: Vec<Comparison>,
    },
    /// A file belongs to `user:group`.
    Owner(Operand),
    /// The parameter is set to something that is not empty.
    Given(String),
}

/// The result of `path:` if it selects nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Absent {
    /// True.
    Pass,
    /// False.
    Fail,
    /// Unknown: the outcome is an error.
    Error,
}

impl Absent {
    /// The word in YAML.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

/// One comparison.
#[derive(Debug, Clone)]
pub enum Comparison {
    /// The same value of the same type.
    Equals(Operand),
    /// One of a list.
    OneOf(Operand),
    /// None of a list.
    NoneOf(Operand),
    /// The whole text matches one of the expressions.
    Matches(Vec<Regex>),
    /// The whole text fits one of a list of patterns with `*` and `**`.
    Like(Operand),
    /// Not below a number or duration.
    AtLeast(Operand),
    /// Not above a number or duration.
    AtMost(Operand),
    /// Set, or not.
    Exists(bool),
    /// A list that has all of these.
    Contains(Operand),
    /// A list that has none of these.
    Excludes(Operand),
    /// A list that has nothing but these.
    SubsetOf(Operand),
    /// A file mode without any bit outside this one, set-id and sticky bits included.
    NoMoreThan(Operand),
    /// The comparison does not hold. Only `rules check --mutate` uses it, to invert a comparison.
    Not(Box<Comparison>),
}

/// A literal, or the value of one of the control's parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// As written.
    Literal(Value),
    /// `{param: name}`.
    Param(String),
}

impl<'de> Deserialize<'de> for Operand {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let Value::Object(fields) = &value else { return Ok(Self::Literal(value)) };
        match (fields.get("param").and_then(Value::as_str), fields.len()) {
            (Some(name), 1) => Ok(Self::Param(name.to_owned())),
            _ => Err(serde::de::Error::custom("expected a literal or {param: name}")),
        }
    }
}

impl JsonSchema for Operand {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Operand".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"description": "A literal, or {param: name}."})
    }
}

/// A check as written: one form, with comparators where the form takes them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Check")]
pub(super) struct CheckForm {
    /// Every part is true; an unknown part never hides a failure.
    all: Option<Vec<Check>>,
    /// At least one part is true; an unknown part never hides a pass.
    any: Option<Vec<Check>>,
    /// The part is false.
    not: Option<Box<Check>>,
    /// The path selects nothing.
    none: Option<Path>,
    /// The path selects something.
    some: Option<Path>,
    /// **Each** selected value satisfies all comparators; needs `absent`.
    path: Option<Path>,
    /// The selected values, **together as one list**, satisfy all list comparators.
    values: Option<Path>,
    /// The effective value of a component's setting satisfies all comparators.
    setting: Option<Setting>,
    /// The file belongs to `user:group`. `root:root` means uid and gid 0; other names are looked up in the host's passwd
    /// and group files.
    owner: Option<Operand>,
    /// The parameter of this name has a non-empty value.
    given: Option<String>,
    /// Beside `path`: the result if it selects nothing, `pass`, `fail` or `error`.
    absent: Option<Absent>,
    /// Equal, and of the same type.
    equals: Option<Operand>,
    /// In the list.
    one_of: Option<Operand>,
    /// Not in the list.
    none_of: Option<Operand>,
    /// Matches one or any of several regular expressions; they are anchored.
    matches: Option<Patterns>,
    /// Matches any of a list of whole names with wildcards: `*` matches anything except `/`, `**` matches `/` too.
    like: Option<Operand>,
    /// Not less than a number, duration or quantity.
    at_least: Option<Operand>,
    /// Not more than a number, duration or quantity.
    at_most: Option<Operand>,
    /// `true`: the value is set; `false`: it is not.
    exists: Option<bool>,
    /// Lists: has all of these.
    contains: Option<Operand>,
    /// Lists: has none of these.
    excludes: Option<Operand>,
    /// Lists: has nothing but these.
    subset_of: Option<Operand>,
    /// File modes: has no permission bit beyond this mode, set-id and sticky bits included.
    no_more_than: Option<Operand>,
}

/// One pattern or several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Patterns {
    One(String),
    Many(Vec<String>),
}

impl JsonSchema for Check {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        CheckForm::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        CheckForm::json_schema(generator)
    }
}

const FORMS: &str = "all, any, not, none, some, path, values, setting, owner, given";

impl TryFrom<CheckForm> for Check {
    type Error = String;

    fn try_from(mut form: CheckForm) -> Result<Self, String> {
        let compare = form.comparisons()?;
        let absent = form.absent.take();
        let mut found = Vec::new();
        if let Some(parts) = form.all.take() {
            found.push(Self::All(parts));
        }
        if let Some(parts) = form.any.take() {
            found.push(Self::Any(parts));
        }
        if let Some(part) = form.not.take() {
            found.push(Self::Not(part));
        }
        if let Some(path) = form.none.take() {
            found.push(Self::None(path));
        }
        if let Some(path) = form.some.take() {
            found.push(Self::Some(path));
        }
        if let Some(owner) = form.owner.take() {
            found.push(Self::Owner(owner));
        }
        if let Some(name) = form.given.take() {
            found.push(Self::Given(name));
        }
        let takes_comparators = form.path.is_some() || form.values.is_some() || form.setting.is_some();
        if takes_comparators && compare.is_empty() {
            return Err("`path`, `values` and `setting` need a comparator (one of equals, one_of, none_of, matches, like, at_least, at_most, exists, contains, excludes, subset_of, no_more_than)".into());
        }
        if !takes_comparators && !compare.is_empty() {
            return Err("a comparator needs `path`, `values` or `setting` beside it".into());
        }
        if form.path.is_none() && absent.is_some() {
            return Err("`absent` is allowed only with `path`".into());
        }
        if let Some(path) = form.path.take() {
            let absent =
                absent.ok_or("`path` needs `absent: pass|fail|error`, the result if it selects nothing")?;
            found.push(Self::Each { path, compare: compare.clone(), absent });
        }
        if let Some(path) = form.values.take() {
            if compare.iter().any(|comparison| matches!(comparison, Comparison::Exists(_))) {
                return Err(
                    "`exists` is allowed only with `path` or `setting`; for a list use `some` or `none`"
                        .into(),
                );
            }
            found.push(Self::Values { path, compare: compare.clone() });
        }
        if let Some(setting) = form.setting.take() {
            visible_types(&setting, &compare)?;
            found.push(Self::Setting { setting, compare });
        }
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(format!("a check needs one of: {FORMS}")),
            _ => Err(format!("a check takes only one of: {FORMS}")),
        }
    }
}

impl CheckForm {
    fn comparisons(&mut self) -> Result<Vec<Comparison>, String> {
        let mut out = Vec::new();
        let mut add =
            |operand: Option<Operand>, make: fn(Operand) -> Comparison| out.extend(operand.map(make));
        add(self.equals.take(), Comparison::Equals);
        add(self.one_of.take(), Comparison::OneOf);
        add(self.none_of.take(), Comparison::NoneOf);
        add(self.like.take(), Comparison::Like);
        add(self.at_least.take(), Comparison::AtLeast);
        add(self.at_most.take(), Comparison::AtMost);
        add(self.contains.take(), Comparison::Contains);
        add(self.excludes.take(), Comparison::Excludes);
        add(self.subset_of.take(), Comparison::SubsetOf);
        add(self.no_more_than.take(), Comparison::NoMoreThan);
        for comparison in &out {
            comparison.wants_list()?;
        }
        out.extend(self.exists.take().map(Comparison::Exists));
        if let Some(patterns) = self.matches.take() {
            let patterns = match patterns {
                Patterns::One(pattern) => vec![pattern],
                Patterns::Many(patterns) => patterns,
            };
            let compiled = patterns
                .iter()
                .map(|pattern| Regex::new(&format!("^(?:{pattern})$")))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| format!("`matches`: {error}"))?;
            out.push(Comparison::Matches(compiled));
        }
        Ok(out)
    }
}

impl Comparison {
    fn wants_list(&self) -> Result<(), String> {
        let (name, operand) = match self {
            Self::OneOf(operand) => ("one_of", operand),
            Self::NoneOf(operand) => ("none_of", operand),
            Self::Like(operand) => ("like", operand),
            Self::Contains(operand) => ("contains", operand),
            Self::Excludes(operand) => ("excludes", operand),
            Self::SubsetOf(operand) => ("subset_of", operand),
            _ => return Ok(()),
        };
        match operand {
            Operand::Literal(Value::Array(_)) | Operand::Param(_) => Ok(()),
            Operand::Literal(_) => Err(format!("`{name}` expects a list")),
        }
    }

    /// Its operand, if it has one.
    pub(crate) fn operand(&self) -> Option<&Operand> {
        match self {
            Self::Equals(operand)
            | Self::OneOf(operand)
            | Self::NoneOf(operand)
            | Self::Like(operand)
            | Self::AtLeast(operand)
            | Self::AtMost(operand)
            | Self::Contains(operand)
            | Self::Excludes(operand)
            | Self::SubsetOf(operand)
            | Self::NoMoreThan(operand) => Some(operand),
            Self::Not(comparison) => comparison.operand(),
            Self::Matches(_) | Self::Exists(_) => None,
        }
    }

    /// The word in YAML.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Equals(_) => "equals",
            Self::OneOf(_) => "one_of",
            Self::NoneOf(_) => "none_of",
            Self::Matches(_) => "matches",
            Self::Like(_) => "like",
            Self::AtLeast(_) => "at_least",
            Self::AtMost(_) => "at_most",
            Self::Exists(_) => "exists",
            Self::Contains(_) => "contains",
            Self::Excludes(_) => "excludes",
            Self::SubsetOf(_) => "subset_of",
            Self::NoMoreThan(_) => "no_more_than",
            Self::Not(_) => "not",
        }
    }
}

/// Types are strict: a literal that can never equal a value of the setting's type is a mistake.
fn visible_types(setting: &Setting, compare: &[Comparison]) -> Result<(), String> {
    for comparison in compare {
        let literals: Vec<&Value> = match comparison {
            Comparison::Equals(Operand::Literal(value)) => vec![value],
            Comparison::OneOf(Operand::Literal(Value::Array(values)))
            | Comparison::NoneOf(Operand::Literal(Value::Array(values))) => values.iter().collect(),
            _ => continue,
        };
        for value in literals {
            let fits = match setting.kind {
                SettingType::Bool => value.is_boolean(),
                SettingType::Int => value.is_number(),
                SettingType::Duration | SettingType::String | SettingType::Path => value.is_string(),
                SettingType::List => value.is_array(),
                SettingType::Map => true,
            };
            if !fits {
                return Err(
                    format!("`{value}` can never equal a setting of type {:?}", setting.kind).to_lowercase()
                );
            }
        }
    }
    Ok(())
}
