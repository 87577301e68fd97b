//! `test output`: whether the configured output can be reached and accepts our credentials.

use anyhow::{Context as _, anyhow};
use std::process::ExitCode;

use crate::output::{self, ConfiguredOutput};

/// Prints how the output takes events, and whether it can be used. An error if it cannot.
pub(super) async fn test(output: Option<ConfiguredOutput>) -> anyhow::Result<ExitCode> {
    let output = configured(output)?;
    println!("output.{}:", output.name());
    println!("  delivery... {}", output.delivery());
    let checked = match output.build() {
        Ok(mut built) => built.check().await,
        Err(error) => Err(error),
    };
    println!("  check... {}", if checked.is_ok() { "OK" } else { "ERROR" });
    checked.with_context(|| format!("output.{} cannot be used", output.name()))?;
    Ok(ExitCode::SUCCESS)
}

/// The output, or an error with the names of those that could be configured.
pub(super) fn configured(output: Option<ConfiguredOutput>) -> anyhow::Result<ConfiguredOutput> {
    output.ok_or_else(|| anyhow!("no output is configured: add one under `output.` ({})", output::names()))
}
