//! Values in a shell script: what follows `NAME=` or `--flag`, up to where the shell ends the word.
//!
//! In: a script. Out: the same with [`BLANK`] in place of each value whose name holds a secret. A value may be quoted in
//! parts (`a'b c'd`), and a name may stand inside of another value (`OPTS="--token=x"`).

use std::sync::LazyLock;

use regex::Regex;

use super::{BLANK, regex};

static NAME: LazyLock<Regex> = LazyLock::new(|| regex(r"([\w.-]+)=|(--?[\w.-]+)\s+"));

/// Blanks the value of each name for which `is_secret` holds.
pub(super) fn blank_values(text: &str, is_secret: fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut at, mut open) = (0, None);
    while let Some(found) = NAME.captures_at(text, at) {
        let (Some(whole), Some(name)) = (found.get(0), found.get(1).or(found.get(2))) else { break };
        let is_flag = found.get(1).is_none();
        open = quote_at_end(open, &text[at..whole.end()]);
        let rest = &text[whole.end()..];
        let is_shown =
            !is_secret(name.as_str()) || is_switch(rest, open) || (is_flag && rest.starts_with('-'));
        let length = if is_shown { 0 } else { value_length(rest, open) };
        if length == 0 {
            // The next name may begin in this value.
            out.push_str(&text[at..whole.end()]);
            at = whole.end();
            continue;
        }
        out.push_str(&text[at..name.end()]);
        out.push_str(if is_flag { " " } else { "=" });
        out.push_str(BLANK);
        at = whole.end() + length;
    }
    out.push_str(&text[at..]);
    out
}

/// The quote that is open after `text`, given the one before it.
fn quote_at_end(mut open: Option<char>, text: &str) -> Option<char> {
    for c in text.chars() {
        match open {
            Some(quote) if c == quote => open = None,
            None if matches!(c, '"' | '\'') => open = Some(c),
            _ => {}
        }
    }
    open
}

/// Whether the value that `text` begins with is `true` or `false`, alone or before a comma:
/// `ServiceAccountTokenJTI=true,…` is a feature gate.
fn is_switch(text: &str, outer: Option<char>) -> bool {
    let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '&' | '|') || Some(c) == outer;
    let after = text.strip_prefix("true").or_else(|| text.strip_prefix("false"));
    after.is_some_and(|after| after.chars().next().is_none_or(ends))
}

/// The length of the value that `text` begins with. `outer` is the quote around the whole, which ends it.
fn value_length(text: &str, outer: Option<char>) -> usize {
    let (mut inner, mut is_escaped) = (None, false);
    for (at, c) in text.char_indices() {
        if Some(c) == outer && !is_escaped {
            return at;
        }
        match inner {
            _ if is_escaped => is_escaped = false,
            None if c.is_whitespace() || matches!(c, ';' | '&' | '|') => return at,
            None if matches!(c, '"' | '\'') => inner = Some(c),
            Some(quote) if c == quote => inner = None,
            _ => is_escaped = c == '\\' && inner != Some('\''),
        }
    }
    text.len()
}
