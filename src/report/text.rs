//! Text from a cluster, made safe for a terminal.

use std::fmt::Write as _;

/// Escapes control characters, invisible characters and marks that change the reading direction.
pub fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_hidden(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        } else {
            out.push(c);
        }
    }
    out
}

/// Marks that take no place or change the direction of the text around them, tags, and variation selectors.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// At most `most` characters, with an ellipsis for the rest.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most.saturating_sub(1)).collect();
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_command_a_terminal() {
        assert_eq!(safe("a\u{1b}[2Jb\u{202e}c\nd"), "a\\u{1b}[2Jb\\u{202e}c\\u{a}d");
        assert_eq!(safe("größe"), "größe");
        for hidden in ["\u{61c}", "\u{180e}", "\u{ad}", "\u{e0041}", "\u{200b}", "\u{fe0f}", "\u{3164}"] {
            assert_eq!(safe(hidden), hidden.escape_unicode().to_string());
        }
    }

    proptest::proptest! {
        #[test]
        fn no_control_character_is_left(text in "\\PC*|.*") {
            proptest::prop_assert!(!safe(&text).chars().any(char::is_control));
        }
    }
}
