//! YAML and JSON text to values, with bounds and positions.
//!
//! The only module that names the YAML library: it is young and moves quickly.

mod bounds;
mod positions;
#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;

pub use positions::{PositionTree, TextPosition};

/// A value with the place it was read from.
pub use serde_saphyr::Spanned;

/// The stack of a thread that reads files that the user named, in bytes.
pub const STACK: usize = bounds::STACK;

/// A text that could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// Line, from 1; 0 when the whole document is meant.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// What was wrong, without the position.
    pub message: String,
}

impl std::fmt::Display for YamlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line == 0 {
            f.write_str(&self.message)
        } else {
            write!(f, "{}:{}: {}", self.line, self.column, self.message)
        }
    }
}

impl std::error::Error for YamlError {}

/// Reads one document. Depth, nodes and aliases are bounded, so a file found on a node may be given.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    serde_saphyr::from_str_with_options(text, bounds::of_a_node()).map_err(error)
}

/// Reads every document of a stream, within the same bounds.
pub fn all_from_str<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, YamlError> {
    serde_saphyr::from_multiple_with_options(text, bounds::of_a_node()).map_err(error)
}

/// Reads every document of a file that the user named, such as one of manifests: it may be far larger
/// than what is read on a node, and is still no bomb.
pub fn all_of_own_str<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, YamlError> {
    serde_saphyr::from_multiple_with_options(text, bounds::of_own_files()).map_err(error)
}

/// Where every value of such a file stands, document by document.
pub fn positions(text: &str) -> Result<Vec<PositionTree>, YamlError> {
    all_of_own_str(text).map(|documents| documents.into_iter().map(positions::tree).collect())
}

fn error(error: serde_saphyr::Error) -> YamlError {
    let (line, column) = error.location().map_or((0, 0), |at| (at.line(), at.column()));
    YamlError { line, column, message: message(&error.without_snippet().to_string()) }
}

/// The library's message without the position it adds: the caller puts file, line and column in front.
fn message(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    if first.contains("multiple YAML documents") {
        return "expected one YAML document, found several (`---`)".to_owned();
    }
    let cut = first.rfind(" at line ").unwrap_or(first.len());
    // Advice to us, not to the author of the text.
    let cut = first[..cut].find(", set DuplicateKeyPolicy").unwrap_or(cut);
    first[..cut].trim_start_matches("error: ").to_owned()
}
