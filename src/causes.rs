//! Causes: an error with everything that led to it, as one line of text or searched by type.

use std::error::Error;
use std::io;

/// An error and its causes, outermost first. The error inside an [`io::Error`] counts as its cause, which
/// [`Error::source`] would skip.
fn all<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'e (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

/// The messages of an error and its causes, joined by colons. A message that an outer one already contains is left out.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for message in all(error).map(ToString::to_string) {
        if text.is_empty() {
            text = message;
        } else if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
    }
    text
}

/// The first error of type `T` among an error and its causes.
pub fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    all(error).find_map(<dyn Error>::downcast_ref)
}

/// Whether a timeout of the operating system, or of a timer that reports as one, is among them.
pub fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    let timed_out = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
    all(error).filter_map(<dyn Error>::downcast_ref).any(timed_out)
        || find::<tokio::time::error::Elapsed>(error).is_some()
        || all(error).filter_map(<dyn Error>::downcast_ref).any(hyper::Error::is_timeout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("connect to {0}: {1}")]
    struct Outer(&'static str, #[source] io::Error);

    #[test]
    fn messages_are_joined_and_never_repeated() {
        let inner = io::Error::other(io::Error::other("no route"));
        let error = Outer("a:1", inner);
        assert_eq!(chain(&error), "connect to a:1: no route");
        let cut = Outer("a:1", io::ErrorKind::ConnectionReset.into());
        assert_eq!(chain(&cut), "connect to a:1: connection reset");
    }

    #[test]
    fn a_timeout_is_known_by_its_type_and_not_by_its_words() {
        let elapsed = Outer("a:1", io::Error::other(io::Error::from(io::ErrorKind::TimedOut)));
        assert!(is_timeout(&elapsed) && find::<io::Error>(&elapsed).is_some());
        let words = Outer("a:1", io::Error::other("operation timed out, timeout, elapsed"));
        assert!(!is_timeout(&words));
        assert!(find::<Outer>(&words).is_some() && find::<hyper::Error>(&words).is_none());
    }

    #[tokio::test]
    async fn a_timer_of_the_runtime_is_one_too() {
        let never = std::future::pending::<()>();
        let elapsed = tokio::time::timeout(std::time::Duration::ZERO, never).await.unwrap_err();
        assert!(is_timeout(&elapsed) && is_timeout(&Outer("a", io::Error::other(elapsed))));
    }
}
