//! The rules that are part of the binary.

use rust_embed::RustEmbed;

use super::RuleFile;

/// The folder `rules/` of the project.
#[derive(RustEmbed)]
#[folder = "rules/"]
#[include = "*.yml"]
pub struct BuiltIn;

/// Every built-in file, cases included.
pub fn built_in() -> Vec<RuleFile> {
    BuiltIn::iter()
        .filter_map(|name| {
            let file = BuiltIn::get(&name)?;
            let text = String::from_utf8_lossy(&file.data).into_owned();
            Some(RuleFile { name: name.into_owned(), text })
        })
        .collect()
}
