//! Why a request brought nothing usable: refused by the server, or no answer at all.

use http::{HeaderMap, StatusCode};
use serde_json::Value;
use std::fmt;
use std::time::Duration;

use crate::causes;
use crate::resource::{Gap, Reason};

/// Characters of the server's message that are repeated.
const MAX_WORDS: usize = 300;

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There was no connection to a server, or no credentials for one.
    #[error("{0}")]
    Unreachable(Gap),
    /// The server answered too late, broke off, or answered something else than was asked.
    #[error("{0}")]
    Unusable(Gap),
    /// The answer is over this many bytes.
    #[error("the answer is over {0} bytes")]
    TooLarge(usize),
    /// The server refused.
    #[error("{0}")]
    Refused(Refusal),
}

/// A refusal by the server: its status and its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The server's message, which names user, verb and resource; cut to a length, without control characters.
    pub words: String,
    /// How long the server asks to wait before the next try.
    pub retry_after: Option<Duration>,
    /// Of an expired list: the token that continues it with what is there now.
    pub resume: Option<String>,
}

impl Refusal {
    /// From an answer's status, headers and body.
    pub(super) fn new(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let seconds =
            headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let answer = serde_json::from_slice(body).unwrap_or_default();
        Self { retry_after: seconds.map(Duration::from_secs), ..Self::of(status, &answer) }
    }

    /// From the `Status` object that an event of a watch carries.
    pub fn of_status(object: &Value) -> Self {
        let code = object.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
        let status = code
            .and_then(|code| StatusCode::from_u16(code).ok())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let seconds = object.pointer("/details/retryAfterSeconds").and_then(Value::as_u64);
        Self { retry_after: seconds.map(Duration::from_secs), ..Self::of(status, object) }
    }

    fn of(status: StatusCode, answer: &Value) -> Self {
        let words = answer.get("message").and_then(Value::as_str).unwrap_or_default();
        let words = words.chars().filter(|c| !c.is_control()).take(MAX_WORDS).collect();
        let resume = answer.pointer("/metadata/continue").and_then(Value::as_str);
        let resume = resume.filter(|token| status == StatusCode::GONE && !token.is_empty());
        Self { status, words, retry_after: None, resume: resume.map(str::to_owned) }
    }

    /// Whether the same request may succeed in a moment.
    pub fn is_busy(&self) -> bool {
        matches!(self.status.as_u16(), 429 | 500 | 502 | 503 | 504)
    }

    /// Whether the same request would be refused again.
    pub fn is_final(&self) -> bool {
        let passes = matches!(self.status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
        self.status.is_client_error() && !passes
    }

    /// The code for it.
    pub fn reason(&self) -> Reason {
        match self.status.as_u16() {
            401 | 403 => Reason::Denied,
            404 => Reason::Missing,
            408 => Reason::Timeout,
            _ => Reason::Unavailable,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}{}{}", self.status, if self.words.is_empty() { "" } else { ": " }, self.words)
    }
}

impl RequestError {
    /// The answer is not what was asked for.
    pub fn malformed(what: impl Into<String>) -> Self {
        Self::Unusable(Gap::new(Reason::Malformed, what))
    }

    /// The connection failed before an answer began.
    pub(super) fn transport(error: &kube::Error) -> Self {
        Self::Unreachable(if is_credentials(error) {
            Gap::new(Reason::NoCredentials, "the kubeconfig's credential plug-in failed")
        } else if causes::is_timeout(error) {
            Gap::new(Reason::Timeout, causes::chain(error))
        } else {
            Gap::new(Reason::Unavailable, causes::chain(error))
        })
    }

    /// The connection failed while the answer was read.
    pub(super) fn cut(error: &(dyn std::error::Error + 'static)) -> Self {
        let reason = if causes::is_timeout(error) { Reason::Timeout } else { Reason::Unavailable };
        Self::Unusable(Gap::new(reason, format!("the answer broke off: {}", causes::chain(error))))
    }

    /// The code for it.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Unreachable(gap) | Self::Unusable(gap) => gap.reason,
            Self::TooLarge(_) => Reason::TooLarge,
            Self::Refused(refusal) => refusal.reason(),
        }
    }

    /// Whether a server answered, or at least took the request.
    pub fn reached_server(&self) -> bool {
        !matches!(self, Self::Unreachable(_))
    }
}

impl From<RequestError> for Gap {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Unreachable(gap) | RequestError::Unusable(gap) => gap,
            other => Self::new(other.reason(), other.to_string()),
        }
    }
}

/// Whether an error is about credentials. What a plug-in printed is part of such an error's text.
pub(super) fn is_credentials(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Auth(_)) || causes::find::<kube::client::AuthError>(error).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refusal_has_the_server_s_words_and_its_wait() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "7".parse().unwrap());
        let body = json!({"message": "pods is forbidden:\u{7} User \"a\" cannot list"}).to_string();
        let refusal = Refusal::new(StatusCode::FORBIDDEN, &headers, body.as_bytes());
        assert_eq!(refusal.to_string(), "HTTP 403 Forbidden: pods is forbidden: User \"a\" cannot list");
        assert_eq!((refusal.reason(), refusal.retry_after), (Reason::Denied, Some(Duration::from_secs(7))));
        let event = json!({"code": 429, "details": {"retryAfterSeconds": 3}});
        let event = Refusal::of_status(&event);
        assert!(event.is_busy() && event.retry_after == Some(Duration::from_secs(3)));
        assert_eq!(Refusal::of_status(&json!({})).status.as_u16(), 500);
    }

    #[test]
    fn only_an_expired_list_can_be_resumed() {
        let body = json!({"metadata": {"continue": "token"}}).to_string();
        let resume = |status| Refusal::new(status, &HeaderMap::new(), body.as_bytes()).resume;
        assert_eq!(resume(StatusCode::GONE).as_deref(), Some("token"));
        assert_eq!(resume(StatusCode::CONFLICT), None);
    }

    #[test]
    fn what_a_credential_plug_in_printed_is_never_repeated() {
        let output = "token: s3cret".to_owned();
        let auth = kube::client::AuthError::AuthExec(output);
        for error in [
            kube::Error::Auth(kube::client::AuthError::AuthExec("token: s3cret".to_owned())),
            kube::Error::Service(Box::new(std::io::Error::other(auth))),
        ] {
            let error = RequestError::transport(&error);
            assert_eq!(error.reason(), Reason::NoCredentials);
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
