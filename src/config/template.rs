//! The syntax of `${…}`: text in, pieces out. Nothing is looked up here.
//!
//! `${NAME}`, `${NAME:default}`, `${NAME:+instead}`, `${NAME:?message}`, each part of which may hold
//! further `${…}`; `$$` is a dollar and `$}` a brace, as in a Beat.

use std::iter::Peekable;
use std::str::Chars;

/// The deepest nesting; a bound for the stack.
const MAX_NESTING: usize = 16;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TemplatePiece {
    Text(String),
    Reference { name: Vec<TemplatePiece>, then: IfUnset },
}

/// What a reference does if its name is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IfUnset {
    /// `${NAME}`: fails.
    Fail,
    /// `${NAME:default}`: takes this.
    Default(Vec<TemplatePiece>),
    /// `${NAME:+instead}`: is empty; this when the name is set.
    Instead(Vec<TemplatePiece>),
    /// `${NAME:?message}`: fails and says so.
    Message(Vec<TemplatePiece>),
}

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<Vec<TemplatePiece>, String> {
    pieces(&mut text.chars().peekable(), 0, "")
}

/// Reads up to one of `stops`, which is not consumed.
fn pieces(rest: &mut Peekable<Chars<'_>>, nesting: usize, stops: &str) -> Result<Vec<TemplatePiece>, String> {
    if nesting > MAX_NESTING {
        return Err(format!("`${{` nested more than {MAX_NESTING} deep"));
    }
    let mut found = Vec::new();
    let mut text = String::new();
    while let Some(&next) = rest.peek() {
        if stops.contains(next) {
            break;
        }
        rest.next();
        match (next, rest.peek()) {
            ('$', Some('{')) => {
                rest.next();
                if !text.is_empty() {
                    found.push(TemplatePiece::Text(std::mem::take(&mut text)));
                }
                found.push(reference(rest, nesting + 1)?);
            }
            ('$', Some('$' | '}')) => text.extend(rest.next()),
            _ => text.push(next),
        }
    }
    if !text.is_empty() {
        found.push(TemplatePiece::Text(text));
    }
    Ok(found)
}

/// Reads what follows `${`, and the closing brace.
fn reference(rest: &mut Peekable<Chars<'_>>, nesting: usize) -> Result<TemplatePiece, String> {
    let name = pieces(rest, nesting, ":}")?;
    if name.is_empty() {
        return Err("`${` names no variable: expected `${NAME}`, and `$${` for the characters".to_owned());
    }
    let then = if rest.next_if_eq(&':').is_none() {
        IfUnset::Fail
    } else if rest.next_if_eq(&'+').is_some() {
        IfUnset::Instead(pieces(rest, nesting, "}")?)
    } else if rest.next_if_eq(&'?').is_some() {
        IfUnset::Message(pieces(rest, nesting, "}")?)
    } else {
        IfUnset::Default(pieces(rest, nesting, "}")?)
    };
    match rest.next() {
        Some(_) => Ok(TemplatePiece::Reference { name, then }),
        None => Err("`${` without its `}`: write `$${` for the characters".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> TemplatePiece {
        TemplatePiece::Text(text.to_owned())
    }

    #[test]
    fn every_form() {
        let name = || vec![text("A")];
        for (written, then) in [
            ("${A}", IfUnset::Fail),
            ("${A:}", IfUnset::Default(vec![])),
            ("${A:http://h:9200}", IfUnset::Default(vec![text("http://h:9200")])),
            ("${A:+b}", IfUnset::Instead(vec![text("b")])),
            ("${A:?set A}", IfUnset::Message(vec![text("set A")])),
            ("${A:b$}c}", IfUnset::Default(vec![text("b}c")])),
        ] {
            assert_eq!(
                parse(written).unwrap(),
                [TemplatePiece::Reference { name: name(), then }],
                "{written}"
            );
        }
    }

    #[test]
    fn dollars_and_braces_that_are_none() {
        for (written, meant) in
            [("a$b", "a$b"), ("end$", "end$"), ("$${A}", "${A}"), ("$$$$", "$$"), ("a}b", "a}b"), ("{", "{")]
        {
            assert_eq!(parse(written).unwrap(), [text(meant)], "{written}");
        }
        assert!(parse("${}").is_err());
        assert!(parse("${:a}").is_err());
        assert!(parse("${A").is_err());
        assert!(parse(&"${".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn text_without_dollars_is_itself(written in "[^$]+") {
            prop_assert_eq!(parse(&written).unwrap(), vec![text(&written)]);
        }

        #[test]
        fn any_text_can_be_escaped(written in ".+") {
            prop_assert_eq!(parse(&written.replace('$', "$$")).unwrap(), vec![text(&written)]);
        }
    }
}
