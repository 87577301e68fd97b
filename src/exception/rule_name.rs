//! The name of a rule, in any of its four forms.

use uuid::Uuid;

use super::Pattern;
use crate::rule::{BenchmarkName, Rule};

/// A control's id (`pod-privileged`), a recommendation's number in every benchmark (`5.2.2`) or in one
/// (`cis_k8s@2.0.1/5.2.2`), or a rule's id (a UUID). All but the last may end in a star: `5.2.*`.
#[derive(Debug, Clone)]
pub struct RuleName {
    written: String,
    pub(super) form: RuleNameForm,
}

#[derive(Debug, Clone)]
pub(super) enum RuleNameForm {
    Control(Pattern),
    Number { benchmark: Option<String>, number: Pattern },
    Id(String),
}

impl RuleName {
    /// As written.
    pub fn new(written: &str) -> Self {
        let form = if let Ok(id) = Uuid::try_parse(written) {
            RuleNameForm::Id(id.to_string())
        } else if let Some((benchmark, number)) = written.rsplit_once('/') {
            RuleNameForm::Number { benchmark: Some(benchmark.to_owned()), number: Pattern::new(number) }
        } else if written.starts_with(|first: char| first.is_ascii_digit()) {
            RuleNameForm::Number { benchmark: None, number: Pattern::new(written) }
        } else {
            RuleNameForm::Control(Pattern::new(written))
        };
        Self { written: written.to_owned(), form }
    }

    /// Whether it names this rule.
    pub fn names(&self, rule: &Rule) -> bool {
        match &self.form {
            RuleNameForm::Control(control) => control.matches(&rule.control.id),
            RuleNameForm::Number { .. } => self.numbers(&rule.benchmark.full_name(), &rule.row.number),
            RuleNameForm::Id(id) => *id == rule.id,
        }
    }

    /// Whether it names a recommendation by number.
    pub(super) fn numbers(&self, table: &BenchmarkName, number: &str) -> bool {
        match &self.form {
            RuleNameForm::Number { benchmark, number: wanted } => {
                wanted.matches(number) && benchmark.as_ref().is_none_or(|name| *name == table.to_string())
            }
            RuleNameForm::Control(_) | RuleNameForm::Id(_) => false,
        }
    }
}

impl std::fmt::Display for RuleName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.written)
    }
}
