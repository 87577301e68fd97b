//! The rules in the binary.

use rust_embed::RustEmbed;

use super::RuleFile;

/// The project's folder `rules/`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_of_a_checkout_is_in_the_binary() {
        for name in BuiltIn::iter() {
            let about =
                BuiltIn::get(&name).map(|file| (file.metadata.last_modified(), file.metadata.created()));
            assert_eq!(about, Some((Some(0), Some(0))), "{name}: equal sources must give equal binaries");
        }
    }
}
