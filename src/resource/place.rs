//! Places in a document, as evidence and `unread` name them: `$.spec.containers[0]['a-b']`.

use std::fmt;

/// One step of a place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PlaceStep<'a> {
    Name(&'a str),
    Index(usize),
}

/// The current place of a walk: a chain on the stack, formatted only on demand.
#[derive(Debug)]
pub(crate) enum DocumentPlace<'p, 'a> {
    Root,
    Under(&'p DocumentPlace<'p, 'a>, PlaceStep<'a>),
}

impl fmt::Display for DocumentPlace<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("$"),
            Self::Under(owner, PlaceStep::Index(index)) => write!(f, "{owner}[{index}]"),
            Self::Under(owner, PlaceStep::Name(name)) if is_plain(name) => write!(f, "{owner}.{name}"),
            Self::Under(owner, PlaceStep::Name(name)) => write!(f, "{owner}['{name}']"),
        }
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// `$.a.b[0]['c d']` → a, b, 0, `c d`.
pub(crate) fn place_steps(place: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let mut rest = place.strip_prefix('$').unwrap_or(place);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            steps.push(after[..end].to_owned());
            rest = &after[end..];
        } else if let Some(after) = rest.strip_prefix("['") {
            let end = after.find("']").unwrap_or(after.len());
            steps.push(after[..end].to_owned());
            rest = after.get(end + 2..).unwrap_or_default();
        } else if let Some(after) = rest.strip_prefix('[') {
            let end = after.find(']').unwrap_or(after.len());
            steps.push(after[..end].to_owned());
            rest = after.get(end + 1..).unwrap_or_default();
        } else {
            break;
        }
    }
    steps
}
