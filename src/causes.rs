//! The causes of an error: its text with theirs, and the first of a type.

use std::error::Error;

/// The error's message and those of its causes, the deepest last; messages that are already contained are left out.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in causes(error).skip(1) {
        let message = cause.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
    }
    text
}

/// The first of this type among the error and its causes.
pub fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Outer {
        text: &'static str,
        #[source]
        cause: io::Error,
    }

    #[test]
    fn a_chain_tells_each_cause_once() {
        let cause = || io::Error::other("connection refused");
        let outer = Outer { text: "send", cause: cause() };
        assert_eq!(chain(&outer), "send: connection refused");
        let outer = Outer { text: "send: connection refused", cause: cause() };
        assert_eq!(chain(&outer), "send: connection refused");
    }

    #[test]
    fn a_cause_is_found_by_its_type() {
        let outer = Outer { text: "send", cause: io::Error::other("x") };
        assert!(find::<io::Error>(&outer).is_some() && find::<Outer>(&outer).is_some());
        assert!(find::<std::fmt::Error>(&outer).is_none());
    }
}
