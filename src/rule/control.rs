//! A control: one check, written once and used by any number of benchmarks.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

use super::RuleError;
use super::check::{Check, Operand};
use super::path::Path;
use crate::resource::Selector;

/// A validated control.
#[derive(Debug, Clone)]
pub struct Control {
    /// Its name: the file's name without `.yml`.
    pub id: String,
    /// What holds when it passes.
    pub title: String,
    /// What it judges.
    pub resources: Vec<Selector>,
    /// How bad a failure is.
    pub severity: Severity,
    /// Parameters and their defaults.
    pub params: BTreeMap<String, Value>,
    /// Whether it applies to a resource.
    pub applies: Option<Check>,
    /// How it decides between passed and failed.
    pub decision: Decision,
    /// What `result.expected` holds.
    pub expected: BTreeMap<String, Operand>,
    /// What `result.evidence` holds; empty: the places and values that decided.
    pub evidence: BTreeMap<String, Path>,
    /// What a failure lets an attacker do.
    pub why: String,
    /// How to fix it.
    pub remediation: String,
    /// What Kubernetes does by default.
    pub default_value: Option<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// Where other tools or the benchmark's text decide differently.
    pub differs: BTreeMap<String, String>,
}

impl Control {
    /// Every path that decides; paths of the evidence are only shown.
    pub fn paths(&self) -> Vec<&Path> {
        let decision = match &self.decision {
            Decision::Check(check) => paths(check),
            Decision::Sides { pass, fail } => pass.iter().chain(fail).flat_map(paths).collect(),
        };
        self.applies.iter().flat_map(paths).chain(decision).collect()
    }
}

/// Every path of a check; those of settings are not included.
fn paths(check: &Check) -> Vec<&Path> {
    match check {
        Check::All(parts) | Check::Any(parts) => parts.iter().flat_map(paths).collect(),
        Check::Not(part) => paths(part),
        Check::None(path) | Check::Some(path) | Check::Each { path, .. } | Check::Values { path, .. } => {
            vec![path]
        }
        Check::Setting { .. } | Check::Owner(_) | Check::Given(_) => Vec::new(),
    }
}

/// How a control decides.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "one per control")]
pub enum Decision {
    /// True passes, false fails.
    Check(Check),
    /// Two checks; if neither is true, a person must decide.
    Sides {
        /// True: passed.
        pass: Option<Check>,
        /// True: failed.
        fail: Option<Check>,
    },
}

/// How bad a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Little harm, or hard to exploit.
    Low,
    /// Helps an attacker who is already in.
    Medium,
    /// Opens a way in, or to more privileges.
    High,
    /// Gives control of the node or the cluster.
    Critical,
}

impl Severity {
    /// The word in `posturebeat.severity`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// `event.severity`: the values Elastic's detection engine gives these words.
    pub fn number(self) -> u8 {
        match self {
            Self::Low => 21,
            Self::Medium => 47,
            Self::High => 73,
            Self::Critical => 99,
        }
    }
}

/// A control as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Control")]
pub(super) struct ControlText {
    /// Same as the file name without `.yml`.
    id: String,
    /// What holds when the control passes; names the flag, field or file.
    title: String,
    /// What it judges, such as `k8s_object/Pod`; one, or a list of several. A kind that is neither built in nor in the
    /// core group needs its group: `k8s_object/Certificate.cert-manager.io`.
    resource: OneOrMany,
    /// `low`, `medium`, `high` or `critical`.
    severity: Severity,
    /// Parameters and their defaults. A benchmark's row overrides them with `with`, a user with
    /// `posturebeat.rules.params.<control>.<name>`.
    #[serde(default)]
    params: BTreeMap<String, Value>,
    /// A check. False: not applicable; unknown: error.
    applies: Option<Check>,
    /// A check. True: passed; false: failed; unknown: error.
    check: Option<Check>,
    /// Instead of `check`, if a person must decide the rest. True: passed.
    pass: Option<Check>,
    /// Instead of `check`, if a person must decide the rest. True (and `pass` not): failed. If neither is true, the
    /// outcome is `needs_review`.
    fail: Option<Check>,
    /// Key → value or parameter, shown as `result.expected`.
    #[serde(default)]
    expected: BTreeMap<String, Operand>,
    /// Key → path, shown as `result.evidence`; left out, the places and values that decided.
    #[serde(default)]
    evidence: BTreeMap<String, Path>,
    /// What a failure lets an attacker do.
    why: String,
    /// How to fix it.
    remediation: String,
    /// What Kubernetes does by default.
    default_value: Option<String>,
    /// Web pages to read.
    #[serde(default)]
    references: Vec<String>,
    /// Where others decide differently, one line under each of `cloudbeat`, `kube-bench` and `effect` (the
    /// recommendation asks for something else, or for more, than the control checks).
    #[serde(default)]
    differs: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Control {
    /// Reads and validates one control. Errors name `file`, whose stem must be the id.
    pub fn parse(file: &str, text: &str) -> Result<Self, RuleError> {
        let written: ControlText = crate::yaml::from_str(text).map_err(|error| RuleError::at(file, error))?;
        let whole = |message: String| RuleError::whole(file, message);
        let stem = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".yml");
        if written.id != stem {
            return Err(whole(format!("`id: {}` must be the same as the file name, `{stem}`", written.id)));
        }
        let names = match written.resource {
            OneOrMany::One(name) => vec![name],
            OneOrMany::Many(names) => names,
        };
        let resources = names
            .iter()
            .map(|name| name.parse::<Selector>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|message| whole(format!("`resource`: {message}")))?;
        if resources.is_empty() {
            return Err(whole("`resource` is empty".into()));
        }
        let decision = match (written.check, written.pass, written.fail) {
            (Some(check), None, None) => Decision::Check(check),
            (None, None, None) => return Err(whole("expected `check`, or `pass` or `fail` or both".into())),
            (None, pass, fail) => Decision::Sides { pass, fail },
            (Some(_), _, _) => return Err(whole("`check` is not allowed beside `pass` or `fail`".into())),
        };
        let control = Self {
            id: written.id,
            title: written.title,
            resources,
            severity: written.severity,
            params: written.params,
            applies: written.applies,
            decision,
            expected: written.expected,
            evidence: written.evidence,
            why: written.why.trim().to_owned(),
            remediation: written.remediation.trim().to_owned(),
            default_value: written.default_value,
            references: written.references,
            differs: written.differs,
        };
        control.known_params(file)?;
        Ok(control)
    }

    /// Every check of the control, for walks over it.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        let (first, second) = match &self.decision {
            Decision::Check(check) => (Some(check), None),
            Decision::Sides { pass, fail } => (pass.as_ref(), fail.as_ref()),
        };
        self.applies.iter().chain(first).chain(second)
    }

    fn known_params(&self, file: &str) -> Result<(), RuleError> {
        let mut used = Vec::new();
        self.checks().for_each(|check| check.params(&mut used));
        used.extend(self.expected.values().filter_map(Operand::param));
        for name in &used {
            if !self.params.contains_key(*name) {
                return Err(RuleError::whole(file, format!("`{{param: {name}}}`: `params` has no `{name}`")));
            }
        }
        match self.params.keys().find(|name| !used.contains(&name.as_str())) {
            Some(name) => Err(RuleError::whole(file, format!("the parameter `{name}` is never used"))),
            None => Ok(()),
        }
    }
}

impl Operand {
    fn param(&self) -> Option<&str> {
        match self {
            Self::Param(name) => Some(name),
            Self::Literal(_) => None,
        }
    }
}

impl Check {
    /// Adds the names of the parameters it uses.
    fn params<'c>(&'c self, out: &mut Vec<&'c str>) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.params(out)),
            Self::Not(part) => part.params(out),
            Self::None(_) | Self::Some(_) => {}
            Self::Owner(operand) => out.extend(operand.param()),
            Self::Given(name) => out.push(name),
            Self::Each { compare, .. } | Self::Values { compare, .. } | Self::Setting { compare, .. } => {
                let operands = compare.iter().filter_map(super::check::Comparison::operand);
                out.extend(operands.filter_map(Operand::param));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
id: a-control
title: A thing is so
resource: file/pki-key
severity: high
params: {max_mode: \"600\"}
check: {path: $.mode, no_more_than: {param: max_mode}, absent: error}
why: Because.
remediation: Do it.
";

    fn error(text: &str) -> String {
        Control::parse("x/a-control.yml", text).unwrap_err().to_string()
    }

    #[test]
    fn a_control_is_read() {
        let control = Control::parse("x/a-control.yml", GOOD).unwrap();
        assert_eq!(control.resources[0].to_string(), "file/pki-key");
    }

    #[test]
    fn mistakes_name_file_line_and_column() {
        assert_eq!(
            error(&GOOD.replace("$.mode", "$..mode")).split(": ").next(),
            Some("x/a-control.yml:7:15"),
            "{}",
            error(&GOOD.replace("$.mode", "$..mode"))
        );
        assert!(error(&GOOD.replace("id: a-control", "id: other")).contains("file name"));
        assert!(error(&GOOD.replace("severity: high\n", "")).contains("severity"));
        assert!(error(&GOOD.replace("param: max_mode", "param: min_mode")).contains("min_mode"));
        let given = GOOD.replace("check: {path", "applies: {given: min_mode}\ncheck: {path");
        assert!(error(&given).contains("min_mode"));
        assert!(error(&GOOD.replace("\"600\"}", "\"600\", other: 1}")).contains("never used"));
        assert!(error(&GOOD.replace("why:", "wy:")).contains("wy"));
    }
}
