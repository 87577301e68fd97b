//! Paged lists, bounded.

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use kube::client::Body;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::time::Duration;
use tokio::time::timeout;

use super::item::Item;
use crate::resource::Reason;

/// Objects in one page: of pods about four megabytes. A list must be read before the server forgets the changes since
/// it began.
const LIMIT: u32 = 500;
/// The most bytes of one page that are held: 500 objects of the largest size etcd takes would be fifty
/// times that, and such a page is asked for again at half the limit.
const MAX_PAGE: usize = 16 * 1024 * 1024;

/// How often a busy or unreachable server is asked again: about eight seconds in all.
const RETRIES: usize = 5;
/// The most that a busy server may ask us to wait before the next try.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// How long an answer may take to begin, our own waiting for a turn included.
pub(super) const BEGIN_TIMEOUT: Duration = Duration::from_mins(1);
/// How long it may keep us waiting between two parts: a page takes a busy server a second or two.
const PART_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// Its code.
    pub reason: Reason,
    /// The server's words, or ours.
    pub message: String,
    /// Whether there was somebody to ask.
    pub(super) reached: bool,
}

impl Problem {
    pub(super) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), reached: true }
    }
}

/// A list, page by page.
pub(super) struct Pages<'c> {
    client: &'c kube::Client,
    /// Path, with any selector as its query.
    path: String,
    limit: u32,
    next: Next,
    version: Option<String>,
}

enum Next {
    First,
    Token(String),
    Nothing,
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    metadata: ListMeta,
    /// As text: a parsed object takes many times its text, so they are parsed one at a time. An empty list may be
    /// null, but never left out: then the answer is something else, which must not look like one.
    #[serde(deserialize_with = "Option::deserialize")]
    items: Option<Vec<Box<RawValue>>>,
}

#[derive(Deserialize, Default)]
struct ListMeta {
    #[serde(default, rename = "continue")]
    token: Option<String>,
    #[serde(default, rename = "resourceVersion")]
    version: Option<String>,
}

impl<'c> Pages<'c> {
    pub fn new(client: &'c kube::Client, path: &str) -> Self {
        Self { client, path: path.to_owned(), limit: LIMIT, next: Next::First, version: None }
    }

    /// The version of the first page, after it: what a watch goes on from. Later pages may be newer; what a watch
    /// then says again does no harm.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The next page; `None` after the last. An error ends the list.
    pub async fn next(&mut self) -> Result<Option<Vec<Box<RawValue>>>, Problem> {
        let mut resumed = false;
        loop {
            let token = match &self.next {
                Next::First => None,
                Next::Token(token) => Some(token.clone()),
                Next::Nothing => return Ok(None),
            };
            match self.ask(token.as_deref()).await {
                Ok(list) => {
                    self.version.get_or_insert(list.metadata.version.unwrap_or_default());
                    self.next = match list.metadata.token {
                        Some(token) if !token.is_empty() => Next::Token(token),
                        _ => Next::Nothing,
                    };
                    return Ok(Some(list.items.unwrap_or_default()));
                }
                Err(Failure::TooLarge) if self.limit > 1 => self.limit /= 2,
                Err(Failure::TooLarge) => {
                    self.next = Next::Nothing;
                    return Err(Problem::new(
                        Reason::TooLarge,
                        format!("one object is over {MAX_PAGE} bytes"),
                    ));
                }
                // The list is older than etcd remembers; the server offers to go on with what is there now.
                Err(Failure::Expired(token)) if !resumed => {
                    resumed = true;
                    self.next = Next::Token(token);
                }
                Err(Failure::Expired(_)) => {
                    self.next = Next::Nothing;
                    return Err(Problem::new(Reason::Unavailable, "the list expired while it was read"));
                }
                Err(Failure::Other(problem)) => {
                    self.next = Next::Nothing;
                    return Err(problem);
                }
            }
        }
    }

    async fn ask(&self, token: Option<&str>) -> Result<List, Failure> {
        let joiner = if self.path.contains('?') { '&' } else { '?' };
        let mut uri = format!("{}{joiner}limit={}", self.path, self.limit);
        if let Some(token) = token {
            uri.push_str("&continue=");
            uri.extend(url_escaped(token));
        }
        let Answer { status, body, .. } = fetch(self.client, &uri).await?;
        if !status.is_success() {
            return Err(refused(status, &body));
        }
        serde_json::from_slice(&body).map_err(|error| {
            Failure::Other(Problem::new(Reason::Malformed, format!("the answer is no list: {error}")))
        })
    }
}

/// The first object of a list, if there is one.
pub(super) async fn first(client: &kube::Client, path: &str) -> Result<Option<Item>, Problem> {
    let mut pages = Pages { limit: 1, ..Pages::new(client, path) };
    while let Some(page) = pages.next().await? {
        if let Some(item) = page.first() {
            return Item::parse(item).map(Some);
        }
    }
    Ok(None)
}

/// One object, as plain JSON.
pub(super) async fn get(client: &kube::Client, path: &str) -> Result<Value, Problem> {
    object(fetch(client, path).await)
}

/// The same, without a second try.
pub(super) async fn get_once(client: &kube::Client, path: &str) -> Result<Value, Problem> {
    object(fetch_once(client, path).await)
}

fn object(answer: Result<Answer, Failure>) -> Result<Value, Problem> {
    let failed = |failure| match failure {
        Failure::Other(problem) => problem,
        Failure::TooLarge => Problem::new(Reason::TooLarge, format!("over {MAX_PAGE} bytes")),
        Failure::Expired(_) => Problem::new(Reason::Unavailable, "expired"),
    };
    let Answer { status, body, .. } = answer.map_err(failed)?;
    if !status.is_success() {
        return Err(failed(refused(status, &body)));
    }
    serde_json::from_slice(&body)
        .map_err(|error| Problem::new(Reason::Malformed, format!("the answer is no JSON: {error}")))
}

pub(super) enum Failure {
    TooLarge,
    Expired(String),
    Other(Problem),
}

/// One request, tried again while the server is merely busy.
async fn fetch(client: &kube::Client, uri: &str) -> Result<Answer, Failure> {
    let backoff = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(250))
        .with_max_delay(Duration::from_secs(4))
        .with_max_times(RETRIES)
        .with_jitter();
    let answer = (|| async {
        match fetch_once(client, uri).await {
            Ok(answer) if is_busy(answer.status) => Err(Try::Busy(answer.status, answer.after)),
            Ok(answer) => Ok(answer),
            Err(failure) => Err(Try::Failed(failure)),
        }
    })
    .retry(backoff)
    .when(|tried| match tried {
        Try::Busy(..) => true,
        Try::Failed(Failure::Other(problem)) => problem.reason == Reason::Unavailable,
        Try::Failed(_) => false,
    })
    .adjust(|tried, delay| match tried {
        Try::Busy(_, Some(after)) => delay.map(|delay| delay.max(MAX_WAIT.min(*after))),
        _ => delay,
    })
    .await;
    match answer {
        Ok(answer) => Ok(answer),
        Err(Try::Failed(failure)) => Err(failure),
        Err(Try::Busy(status, _)) => {
            let words = format!("HTTP {status}, {} times", RETRIES + 1);
            Err(Failure::Other(Problem::new(Reason::Unavailable, words)))
        }
    }
}

/// What one try came to.
enum Try {
    /// The status, and how long the server asks us to wait.
    Busy(http::StatusCode, Option<Duration>),
    Failed(Failure),
}

/// What came back.
struct Answer {
    status: http::StatusCode,
    after: Option<Duration>,
    body: Bytes,
}

pub(super) fn is_busy(status: http::StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
}

async fn fetch_once(client: &kube::Client, uri: &str) -> Result<Answer, Failure> {
    let response = send(client, uri).await.map_err(Failure::Other)?;
    let (status, after) = (response.status(), retry_after(response.headers()));
    let body = read(response.into_body(), MAX_PAGE).await?;
    Ok(Answer { status, after, body })
}

/// Asks, and waits until the answer begins.
pub(super) async fn send(client: &kube::Client, uri: &str) -> Result<http::Response<Body>, Problem> {
    let request = http::Request::get(uri)
        .header(http::header::ACCEPT, "application/json")
        .body(Body::empty())
        .map_err(|error| Problem::new(Reason::Malformed, error.to_string()))?;
    match timeout(BEGIN_TIMEOUT, client.send(request)).await {
        Ok(answer) => answer.map_err(|error| transport(&error)),
        Err(_) => Err(Problem::new(Reason::Timeout, format!("no answer in {} s", BEGIN_TIMEOUT.as_secs()))),
    }
}

/// Reads all of an answer, up to a bound.
pub(super) async fn read(body: Body, bound: usize) -> Result<Bytes, Failure> {
    let mut body = Limited::new(body, bound);
    let mut all = Vec::new();
    loop {
        let Ok(part) = timeout(PART_TIMEOUT, body.frame()).await else {
            let words = format!("the answer stopped for {} s", PART_TIMEOUT.as_secs());
            return Err(Failure::Other(Problem::new(Reason::Timeout, words)));
        };
        match part {
            None => return Ok(all.into()),
            Some(Ok(part)) => all.extend_from_slice(&part.into_data().unwrap_or_default()),
            Some(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
                return Err(Failure::TooLarge);
            }
            Some(Err(error)) => {
                let words = format!("the answer broke off: {error}");
                return Err(Failure::Other(Problem::new(Reason::Unavailable, words)));
            }
        }
    }
}

/// How long a busy server asks us to wait.
pub(super) fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    let seconds = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// What the server refused, by status; its message names user, verb and resource.
fn refused(status: http::StatusCode, body: &[u8]) -> Failure {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    if status == http::StatusCode::GONE
        && let Some(token) = answer.pointer("/metadata/continue").and_then(Value::as_str)
    {
        return Failure::Expired(token.to_owned());
    }
    Failure::Other(refusal(status, &answer))
}

/// The same, of an answer's JSON.
pub(super) fn refusal(status: http::StatusCode, answer: &Value) -> Problem {
    let reason = match status.as_u16() {
        401 | 403 => Reason::Denied,
        404 => Reason::Missing,
        408 => Reason::Timeout,
        _ => Reason::Unavailable,
    };
    let words = answer.get("message").and_then(Value::as_str).unwrap_or_default();
    let words: String = words.chars().filter(|c| !c.is_control()).take(300).collect();
    Problem::new(reason, format!("HTTP {status}{}{words}", if words.is_empty() { "" } else { ": " }))
}

/// What stands between us and the server.
fn transport(error: &kube::Error) -> Problem {
    // A credential plug-in's own words may hold the credential.
    if matches!(error, kube::Error::Auth(_)) {
        return Problem::new(Reason::NoCredentials, "the kubeconfig's credentials could not be had");
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    let lower = text.to_lowercase();
    let reason = if lower.contains("timed out") || lower.contains("timeout") || lower.contains("elapsed") {
        Reason::Timeout
    } else {
        Reason::Unavailable
    };
    Problem { reached: false, ..Problem::new(reason, text) }
}

/// A continue token in a query: everything but unreserved characters is escaped.
pub(super) fn url_escaped(text: &str) -> impl Iterator<Item = char> + '_ {
    text.bytes().flat_map(|byte| {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
        let escaped = if plain { (byte as char).to_string() } else { format!("%{byte:02X}") };
        escaped.chars().collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_does_not_look_like_an_empty_one() {
        let items =
            |text: &str| serde_json::from_str::<List>(text).map(|list| list.items.unwrap_or_default().len());
        assert_eq!(items(r#"{"metadata": {}, "items": []}"#).unwrap(), 0);
        assert_eq!(items(r#"{"items": null}"#).unwrap(), 0, "as Go writes a list of nothing");
        for text in ["{}", "[]", "null", r#"{"kind": "Status", "metadata": {}, "status": "Failure"}"#] {
            assert!(items(text).is_err(), "{text}");
        }
    }
}
