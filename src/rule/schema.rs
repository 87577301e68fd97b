//! JSON Schemas for rule authors' editors, generated from the types that read their files.

use serde_json::Value;

use super::Benchmark;
use super::case::CasesText;
use super::control::ControlText;

/// The schema of a control.
pub fn control_schema() -> Value {
    schemars::schema_for!(ControlText).to_value()
}

/// The schema of a benchmark.
pub fn benchmark_schema() -> Value {
    schemars::schema_for!(Benchmark).to_value()
}

/// The schema of a file of cases.
pub fn cases_schema() -> Value {
    schemars::schema_for!(CasesText).to_value()
}
