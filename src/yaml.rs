//! YAML and JSON text to values, with bounds and positions.
//!
//! The only module that names the YAML library: it is young and moves quickly.

use serde::de::DeserializeOwned;
use serde_saphyr::Options;

/// A value with the place it was read from.
pub use serde_saphyr::Spanned;

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

/// Deeper documents than any Kubernetes configuration; a bound for hostile ones.
const MAX_DEPTH: usize = 64;
/// A kubeadm configuration has fewer than a thousand nodes.
const MAX_NODES: usize = 50_000;
/// Real configurations use a handful of aliases; bombs need many.
const MAX_ALIASES: usize = 100;
/// All events, those replayed from aliases included.
const MAX_EVENTS: usize = 200_000;

/// For a user's own files: bundles of custom resource definitions have a node or two in each line and may
/// have some hundred thousand lines. So many nodes still fit into memory.
const MAX_OWN_NODES: usize = 2_000_000;
/// A list or map is two events, a scalar one: the bound on nodes is met first, whatever they are.
const MAX_OWN_EVENTS: usize = 5_000_000;
/// A rendered chart, or a whole cluster written down, has one document for each object.
const MAX_OWN_DOCUMENTS: usize = 100_000;

/// Reads one document. Depth, nodes and aliases are bounded, so a file found on a node may be given.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    serde_saphyr::from_str_with_options(text, options()).map_err(error)
}

/// Reads every document of a stream, within the same bounds.
pub fn all_from_str<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, YamlError> {
    serde_saphyr::from_multiple_with_options(text, options()).map_err(error)
}

/// Reads every document of a file that the user named, such as one of manifests: it may be far larger
/// than what is read on a node, and is still no bomb.
pub fn all_of_own_str<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, YamlError> {
    let budget = serde_saphyr::budget! {
        max_depth: MAX_DEPTH,
        max_nodes: MAX_OWN_NODES,
        max_aliases: MAX_ALIASES,
        max_events: MAX_OWN_EVENTS,
        max_documents: MAX_OWN_DOCUMENTS,
    };
    // What aliases repeat is bounded as ever: only what is written out may be large.
    let aliases = serde_saphyr::alias_limits! { max_total_replayed_events: MAX_EVENTS };
    let options = serde_saphyr::options! { budget: budget, alias_limits: aliases, with_snippet: false };
    serde_saphyr::from_multiple_with_options(text, options).map_err(error)
}

fn options() -> Options {
    let budget = serde_saphyr::budget! {
        max_depth: MAX_DEPTH,
        max_nodes: MAX_NODES,
        max_aliases: MAX_ALIASES,
        max_events: MAX_EVENTS,
    };
    serde_saphyr::options! { budget: budget, with_snippet: false }
}

fn error(error: serde_saphyr::Error) -> YamlError {
    let (line, column) = error.location().map_or((0, 0), |at| (at.line(), at.column()));
    YamlError { line, column, message: message(&error.without_snippet().to_string()) }
}

/// The library's message without the position it adds: the caller puts file, line and column in front.
fn message(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let cut = first.rfind(" at line ").unwrap_or(first.len());
    // Advice to us, not to the author of the text.
    let cut = first[..cut].find(", set DuplicateKeyPolicy").unwrap_or(cut);
    first[..cut].trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn an_error_has_line_and_column() {
        let error = from_str::<std::collections::BTreeMap<String, u8>>("a: 1\nb: two\n").unwrap_err();
        assert_eq!((error.line, error.column), (2, 4), "{error}");
        assert!(!error.message.contains("line"), "{error}");
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let below = format!("*a{}", level - 1);
            let items = [below.as_str(); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        assert!(from_str::<Value>(&text).is_err());
        assert!(all_of_own_str::<Value>(&text).is_err());
    }

    #[test]
    fn a_user_s_own_file_may_be_large_and_one_of_a_node_may_not() {
        let list = format!("a: [{}]\n", vec!["x"; MAX_NODES + 1].join(", "));
        assert!(all_from_str::<Value>(&list).is_err());
        assert_eq!(all_of_own_str::<Value>(&list).unwrap().len(), 1);

        let documents = "a: 1\n---\n".repeat(2_000);
        assert_eq!(all_of_own_str::<Value>(&documents).unwrap().len(), 2_000);
    }

    #[test]
    fn several_documents() {
        let documents: Vec<Value> = all_from_str("a: 1\n---\nb: 2\n").unwrap();
        assert_eq!(documents.len(), 2);
    }
}
