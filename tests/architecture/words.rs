//! Names and messages: a public type's name stands for one thing, and a log line can be alerted on.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::{Source, shown, sources};

/// Names that more than one room may have, because the language or a library wants exactly them.
const SHARED_NAMES: [&str; 0] = [];

/// A Beat's own lines, which dashboards look for.
const BEAT_MESSAGES: [&str; 3] =
    ["Starting metrics logging every {shown}", "Non-zero metrics in the last {shown}", "Total metrics"];

const LOG_MACROS: [&str; 5] = ["error!(", "warn!(", "info!(", "debug!(", "trace!("];

#[test]
fn no_public_type_name_stands_in_two_rooms() {
    let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        for name in public_types(&source.code) {
            rooms.entry(name).or_default().insert(room(&source));
        }
    }
    let wrong: Vec<String> = rooms
        .iter()
        .filter(|(name, rooms)| rooms.len() > 1 && !SHARED_NAMES.contains(&name.as_str()))
        .map(|(name, rooms)| format!("`{name}` is a type of {rooms:?}: give each two words of the field"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Who alerts on a message needs it to be the same each time: what varies is a field.
#[test]
fn log_messages_are_constant() {
    let mut wrong = Vec::new();
    for source in sources() {
        let messages = log_messages(&source.code);
        for (line, message) in
            messages.into_iter().filter(|(_, text)| !BEAT_MESSAGES.contains(&text.as_str()))
        {
            let place = format!("{}:{line}", source.path.display());
            if message.contains('{') {
                wrong.push(format!("{place}: `{message}` holds a value: make it a field"));
            }
            if message.ends_with('.') || starts_like_a_sentence(&message) {
                wrong
                    .push(format!("{place}: `{message}` is written as a sentence: lower case, no full stop"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The inner room of `collect`, which is as large as several; else the room.
fn room(source: &Source) -> String {
    let depth = if source.module[0] == "collect" { 2 } else { 1 };
    shown(&source.module[..depth.min(source.module.len())])
}

fn public_types(code: &str) -> Vec<String> {
    let declared = code.lines().filter_map(|line| {
        // What only its parent sees is no name that others meet.
        let rest = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) "))?;
        let kinds = ["struct ", "enum ", "trait ", "type ", "union "];
        let rest = kinds.into_iter().find_map(|kind| rest.strip_prefix(kind))?;
        Some(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
    });
    declared.collect()
}

/// An acronym (`API`, `AWS`) may begin a message; a capital before a small letter makes it a sentence.
fn starts_like_a_sentence(message: &str) -> bool {
    let mut letters = message.chars();
    let (first, second) = (letters.next(), letters.next());
    first.is_some_and(char::is_uppercase) && second.is_some_and(char::is_lowercase)
}

/// Each message of a log macro, with its line: the last text among the arguments that is no field's value.
fn log_messages(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for name in LOG_MACROS {
        for (at, _) in code.match_indices(name) {
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let line = code[..at].matches('\n').count() + 1;
            let arguments = split(&code[at + name.len()..]);
            let message = arguments.iter().find_map(|argument| {
                let text = argument.trim().strip_prefix('"')?;
                Some(text.rsplit_once('"')?.0.to_owned())
            });
            found.extend(message.map(|message| (line, message)));
        }
    }
    found
}

/// The arguments of a call, up to its closing bracket.
fn split(text: &str) -> Vec<String> {
    let (mut arguments, mut current) = (Vec::new(), String::new());
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                arguments.push(std::mem::take(&mut current));
                continue;
            }
            _ => {}
        }
        current.push(c);
    }
    arguments.push(current);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_found_behind_its_fields() {
        let code = "tracing::warn!(path = %path, why = \"a, b\", \"cannot read (it)\");\nwarn!(\"{x}\")";
        let expected = [(1, "cannot read (it)".to_owned()), (2, "{x}".to_owned())];
        assert_eq!(log_messages(code), expected);
    }
}
