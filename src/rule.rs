//! Controls, benchmarks and cases: what is checked, as data.
//!
//! In: YAML text, built in or a rule author's. Out: a [`Catalogue`] of validated controls, and the benchmarks that number
//! them. Pure: no clock, file system or environment. `evaluate` does the judging.

mod benchmark;
mod builtin;
mod case;
mod catalogue;
mod check;
mod control;
mod coverage;
mod differences;
mod mutate;
mod path;
mod schema;
mod setting;

pub use benchmark::{Assessment, Benchmark, BenchmarkLinks, BenchmarkName, Recommendation};
pub use builtin::{BuiltIn, built_in};
pub use case::{Case, Cases};
pub use catalogue::{Catalogue, Rule, RuleFile, benchmarks, rule_id};
pub use check::{Absent, Check, Comparison, Operand};
pub use control::{Control, Decision, Severity};
pub use mutate::{Mutant, mutants};
pub use path::{Path, PathMatch};
pub use schema::{benchmark_schema, cases_schema, control_schema};
pub use setting::{Setting, SettingDefault, SettingType};

/// A mistake in a rule file: where it is and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct RuleError {
    /// The file's name.
    pub file: String,
    /// Line from 1; 0 for the whole file.
    pub line: u64,
    /// Column from 1.
    pub column: u64,
    /// What is wrong and what was expected.
    pub message: String,
}

impl RuleError {
    pub(crate) fn whole(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: 0, column: 0, message: message.into() }
    }

    pub(crate) fn at(file: &str, error: crate::yaml::YamlError) -> Self {
        Self { file: file.to_owned(), line: error.line, column: error.column, message: error.message }
    }
}

impl std::fmt::Display for RuleError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.message)
        } else {
            write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
        }
    }
}
