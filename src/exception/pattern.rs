//! An exact text, or a prefix.

/// `web` matches only `web`; `web-*` matches everything that starts with `web-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Without the star.
    text: String,
    is_prefix: bool,
}

impl Pattern {
    /// As written: a star is a wildcard only at the end.
    pub fn new(written: &str) -> Self {
        match written.strip_suffix('*') {
            Some(text) => Self { text: text.to_owned(), is_prefix: true },
            None => Self { text: written.to_owned(), is_prefix: false },
        }
    }

    /// Whether it matches `name`.
    pub fn matches(&self, name: &str) -> bool {
        if self.is_prefix { name.starts_with(&self.text) } else { name == self.text }
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.text, if self.is_prefix { "*" } else { "" })
    }
}
