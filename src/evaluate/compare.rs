//! Comparators. Types are strict: values that cannot be compared are an error, never a pass or a failure.

use serde_json::Value;

use super::parse::{duration, octal, quantity};
use super::wildcard;
use super::{Params, resolve};
use crate::redact::{Comparand, any, equals, every};
use crate::rule::{Comparison, Operand, SettingType};

/// How to read strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextTyping {
    /// By their JSON type.
    Plain,
    /// As durations: `60s` equals `1m`.
    Duration,
}

impl TextTyping {
    pub(super) fn of(kind: SettingType) -> Self {
        match kind {
            SettingType::Duration => Self::Duration,
            _ => Self::Plain,
        }
    }
}

/// Whether every comparison holds, three-valued: `None` where that depends on what is blanked. An error says what could not
/// be compared, without the value if it must not be shown.
pub(super) fn each(
    comparisons: &[Comparison],
    value: &Comparand<'_>,
    params: &Params,
    typing: TextTyping,
) -> Result<Option<bool>, String> {
    if value.has_holes {
        return Ok(every(comparisons.iter().map(|comparison| blanked(comparison, &value.value, params))));
    }
    let holds = all(comparisons, &value.value, params, typing);
    let hidden = || "the revealed value has another type than the comparison expects".to_owned();
    holds.map(Some).map_err(|message| if value.is_revealed { hidden() } else { message })
}

fn values<'v>(operand: &'v Operand, params: &'v Params) -> Option<&'v Vec<Value>> {
    resolve(operand, params)?.as_array()
}

/// Whether a comparison holds for a value of which something is blanked.
fn blanked(comparison: &Comparison, value: &Value, params: &Params) -> Option<bool> {
    let is_in = |value: &Value, list: &[Value]| any(list.iter().map(|wanted| equals(value, wanted)));
    match comparison {
        Comparison::Exists(wanted) => Some(*wanted),
        Comparison::Not(comparison) => blanked(comparison, value, params).map(|holds| !holds),
        Comparison::Equals(operand) => equals(value, resolve(operand, params)?),
        Comparison::OneOf(operand) => is_in(value, values(operand, params)?),
        Comparison::NoneOf(operand) => is_in(value, values(operand, params)?).map(|found| !found),
        Comparison::Contains(operand) => {
            let elements = value.as_array()?;
            every(values(operand, params)?.iter().map(|wanted| is_in(wanted, elements)))
        }
        Comparison::Excludes(operand) => {
            let elements = value.as_array()?;
            any(values(operand, params)?.iter().map(|unwanted| is_in(unwanted, elements))).map(|found| !found)
        }
        Comparison::SubsetOf(operand) => {
            let allowed = values(operand, params)?;
            every(value.as_array()?.iter().map(|element| is_in(element, allowed)))
        }
        Comparison::Matches(_)
        | Comparison::Like(_)
        | Comparison::AtLeast(_)
        | Comparison::AtMost(_)
        | Comparison::NoMoreThan(_) => None,
    }
}

/// Whether every comparison holds; an error says what could not be compared.
fn all(
    comparisons: &[Comparison],
    value: &Value,
    params: &Params,
    typing: TextTyping,
) -> Result<bool, String> {
    let mut holds = true;
    for comparison in comparisons {
        holds &= one(comparison, value, params, typing)?;
    }
    Ok(holds)
}

/// Whether one comparison holds.
fn one(comparison: &Comparison, value: &Value, params: &Params, typing: TextTyping) -> Result<bool, String> {
    let bound = |operand: &Operand| {
        resolve(operand, params).cloned().ok_or_else(|| "parameter without a value".to_owned())
    };
    match comparison {
        Comparison::Exists(wanted) => Ok(*wanted),
        Comparison::Not(comparison) => one(comparison, value, params, typing).map(|holds| !holds),
        Comparison::Equals(operand) => same(value, &bound(operand)?, typing),
        Comparison::OneOf(operand) => any_same(value, &bound(operand)?, typing),
        Comparison::NoneOf(operand) => any_same(value, &bound(operand)?, typing).map(|found| !found),
        Comparison::Matches(patterns) => {
            let text = value.as_str().ok_or_else(|| unexpected(value, "text"))?;
            Ok(patterns.iter().any(|pattern| pattern.is_match(text)))
        }
        Comparison::Like(operand) => {
            let text = value.as_str().ok_or_else(|| unexpected(value, "text"))?;
            let patterns = bound(operand)?;
            let fits = |pattern: &Value| {
                let pattern = pattern.as_str().ok_or_else(|| unexpected(pattern, "a pattern"))?;
                Ok(wildcard::like(pattern, text))
            };
            let fits = self::list(&patterns)?.iter().map(fits).collect::<Result<Vec<bool>, String>>()?;
            Ok(fits.contains(&true))
        }
        Comparison::AtLeast(operand) => order(value, &bound(operand)?).map(std::cmp::Ordering::is_ge),
        Comparison::AtMost(operand) => order(value, &bound(operand)?).map(std::cmp::Ordering::is_le),
        Comparison::Contains(operand) => {
            let list = list(value)?;
            Ok(self::list(&bound(operand)?)?.iter().all(|wanted| list.contains(wanted)))
        }
        Comparison::Excludes(operand) => {
            let list = list(value)?;
            Ok(!self::list(&bound(operand)?)?.iter().any(|unwanted| list.contains(unwanted)))
        }
        Comparison::SubsetOf(operand) => {
            let allowed = bound(operand)?;
            let allowed = self::list(&allowed)?;
            Ok(list(value)?.iter().all(|element| allowed.contains(element)))
        }
        Comparison::NoMoreThan(operand) => {
            let bound = bound(operand)?;
            let mode = octal(value).ok_or_else(|| unexpected(value, "an octal mode such as \"600\""))?;
            let most = octal(&bound).ok_or_else(|| unexpected(&bound, "an octal mode such as \"600\""))?;
            Ok(mode & !most == 0)
        }
    }
}

fn list(value: &Value) -> Result<&Vec<Value>, String> {
    value.as_array().ok_or_else(|| unexpected(value, "a list"))
}

fn any_same(value: &Value, list: &Value, typing: TextTyping) -> Result<bool, String> {
    for element in self::list(list)? {
        if same(value, element, typing)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn same(value: &Value, wanted: &Value, typing: TextTyping) -> Result<bool, String> {
    if typing == TextTyping::Duration {
        return Ok(time(value)? == time(wanted)?);
    }
    match (value, wanted) {
        (Value::Bool(_), Value::Bool(_))
        | (Value::String(_), Value::String(_))
        | (Value::Array(_), Value::Array(_))
        | (Value::Object(_), Value::Object(_)) => Ok(value == wanted),
        (Value::Number(left), Value::Number(right)) => Ok(left.as_f64() == right.as_f64()),
        _ => Err(unexpected(value, kind(wanted))),
    }
}

fn order(value: &Value, bound: &Value) -> Result<std::cmp::Ordering, String> {
    let (left, right) = match (value, bound) {
        (Value::Number(left), Value::Number(right)) => (left.as_f64(), right.as_f64()),
        (Value::String(left), Value::String(right)) => {
            if let (Some(left), Some(right)) = (duration(left), duration(right)) {
                return Ok(left.cmp(&right));
            }
            (quantity(left), quantity(right))
        }
        _ => (None, None),
    };
    match (left, right) {
        (Some(left), Some(right)) => Ok(left.total_cmp(&right)),
        _ => Err(unexpected(value, &format!("something to compare with {bound}"))),
    }
}

fn time(value: &Value) -> Result<i128, String> {
    value.as_str().and_then(duration).ok_or_else(|| unexpected(value, "a duration such as \"4h0m0s\""))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Lists and objects stay out of the message: they come from a cluster and may be large.
fn unexpected(value: &Value, expected: &str) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => format!("expected {expected}, found {}", kind(value)),
        _ => format!("expected {expected}, found {value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(text: &str, value: Value) -> Result<bool, String> {
        let check: crate::rule::Check = crate::yaml::from_str(text).unwrap();
        let crate::rule::Check::Each { compare, .. } = check else { panic!() };
        all(&compare, &value, &Params::new(), TextTyping::Plain)
    }

    #[test]
    fn types_are_strict() {
        assert_eq!(holds("{path: $.a, equals: false, absent: pass}", json!(false)), Ok(true));
        assert!(holds("{path: $.a, equals: false, absent: pass}", json!("false")).is_err());
        assert!(holds("{path: $.a, at_most: 5, absent: pass}", json!("5")).is_err());
        assert!(holds("{path: $.a, contains: [x], absent: pass}", json!("x")).is_err());
    }

    #[test]
    fn one_star_stops_at_a_slash() {
        let fits = |text: &str| {
            holds("{path: $.a, like: ['docker.io/library/*', 'r.example/**'], absent: pass}", json!(text))
        };
        assert_eq!(fits("docker.io/library/nginx"), Ok(true));
        assert_eq!(fits("docker.io/library/nginx/x"), Ok(false));
        assert_eq!(fits("r.example/a/b"), Ok(true));
        assert_eq!(fits("evil/r.example/a"), Ok(false));
        assert!(holds("{path: $.a, like: ['x'], absent: pass}", json!(7)).is_err());
        assert!(holds("{path: $.a, like: [7], absent: pass}", json!("x")).is_err());
    }

    #[test]
    fn modes_count_every_bit() {
        let within = |mode: &str| holds("{path: $.a, no_more_than: '644', absent: pass}", json!(mode));
        assert_eq!(within("600"), Ok(true));
        assert_eq!(within("644"), Ok(true));
        assert_eq!(within("0"), Ok(true));
        assert_eq!(within("4644"), Ok(false));
        assert_eq!(within("1600"), Ok(false));
        assert_eq!(within("611"), Ok(false));
        assert!(within("rw-").is_err());
    }

    #[test]
    fn numbers_durations_and_quantities_are_ordered() {
        assert_eq!(holds("{path: $.a, at_least: 60s, absent: pass}", json!("1m")), Ok(true));
        assert_eq!(holds("{path: $.a, at_most: 5m, absent: pass}", json!("95m")), Ok(false));
        assert_eq!(holds("{path: $.a, at_most: 1Gi, absent: pass}", json!("900Mi")), Ok(true));
        assert_eq!(holds("{path: $.a, at_least: 0, absent: pass}", json!(-1)), Ok(false));
    }
}
