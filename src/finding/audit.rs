//! `rule.audit`: a control's check in words, generated so that it always matches the check.

use serde_json::Value;

use crate::rule::{Absent, Check, Comparison, Control, Decision, Operand, Setting};

/// The whole control.
pub(super) fn text(control: &Control) -> String {
    let judged: Vec<String> = control.resources.iter().map(ToString::to_string).collect();
    let mut lines = vec![format!("For each {}:", judged.join(", "))];
    if let Some(applies) = &control.applies {
        lines.push(format!("- applies when {}", check(applies)));
    }
    match &control.decision {
        Decision::Check(decides) => lines.push(format!("- passes when {}", check(decides))),
        Decision::Sides { pass, fail } => {
            lines.extend(pass.iter().map(|side| format!("- passes when {}", check(side))));
            lines.extend(fail.iter().map(|side| format!("- fails when {}", check(side))));
            lines.push("- otherwise needs review".into());
        }
    }
    if !control.params.is_empty() {
        let params: Vec<String> =
            control.params.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        lines.push(format!("- parameters, unless set otherwise: {}", params.join("; ")));
    }
    lines.join("\n")
}

/// When a control applies, unless always.
pub(super) fn applies(control: &Control) -> Option<String> {
    control.applies.as_ref().map(check)
}

fn check(part: &Check) -> String {
    match part {
        Check::All(parts) => group(parts, " and "),
        Check::Any(parts) => group(parts, " or "),
        Check::Not(part) => format!("not ({})", check(part)),
        Check::None(path) => format!("nothing is selected by `{}`", path.text()),
        Check::Some(path) => format!("something is selected by `{}`", path.text()),
        Check::Each { path, compare, absent } => {
            let absent = match absent {
                Absent::Pass => "true when absent",
                Absent::Fail => "false when absent",
                Absent::Error => "an error when absent",
            };
            format!("each `{}` {} ({absent})", path.text(), comparisons(compare))
        }
        Check::Values { path, compare } => format!("the list `{}` {}", path.text(), comparisons(compare)),
        Check::Setting { setting, compare } => format!("{} {}", source(setting), comparisons(compare)),
        Check::Owner(owner) => format!("the owner is {}", operand(owner)),
        Check::Given(name) => format!("the parameter {name} is set"),
    }
}

fn group(parts: &[Check], between: &str) -> String {
    let parts: Vec<String> = parts.iter().map(check).collect();
    if parts.len() == 1 { parts.concat() } else { format!("({})", parts.join(between)) }
}

fn source(setting: &Setting) -> String {
    let flag = setting.flag.as_ref().map(|flag| match &setting.key {
        Some(key) => format!("`--{flag}` {key}"),
        None => format!("`--{flag}`"),
    });
    let env = setting.env.as_ref().map(|name| format!("`{name}`"));
    let config = setting.config.as_ref().map(|path| format!("`{}` of the configuration file", path.text()));
    let sources: Vec<String> = flag.into_iter().chain(env).chain(config).collect();
    format!("the effective value of {}", sources.join(" / "))
}

fn comparisons(compare: &[Comparison]) -> String {
    let parts: Vec<String> = compare.iter().map(comparison).collect();
    parts.join(" and ")
}

fn comparison(comparison: &Comparison) -> String {
    match comparison {
        Comparison::Equals(value) => format!("equals {}", operand(value)),
        Comparison::OneOf(value) => format!("is one of {}", operand(value)),
        Comparison::NoneOf(value) => format!("is none of {}", operand(value)),
        Comparison::Matches(patterns) => {
            let patterns: Vec<&str> = patterns.iter().map(regex::Regex::as_str).collect();
            format!("matches {}", patterns.join(" or "))
        }
        Comparison::Like(value) => format!("fits one of {}", operand(value)),
        Comparison::AtLeast(value) => format!("is at least {}", operand(value)),
        Comparison::AtMost(value) => format!("is at most {}", operand(value)),
        Comparison::Exists(true) => "is set".into(),
        Comparison::Exists(false) => "is not set".into(),
        Comparison::Contains(value) => format!("contains all of {}", operand(value)),
        Comparison::Excludes(value) => format!("contains none of {}", operand(value)),
        Comparison::SubsetOf(value) => format!("contains nothing but {}", operand(value)),
        Comparison::NoMoreThan(value) => format!("has no permission beyond {}", operand(value)),
        Comparison::Not(comparison) => format!("not: {}", self::comparison(comparison)),
    }
}

fn operand(operand: &Operand) -> String {
    match operand {
        Operand::Literal(Value::String(text)) => text.clone(),
        Operand::Literal(value) => value.to_string(),
        Operand::Param(name) => format!("the parameter {name}"),
    }
}
