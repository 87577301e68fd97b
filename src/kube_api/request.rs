//! One request: sent, answered and read within bounds; repeated while the server is busy.

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use kube::client::Body;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::fmt::Display;
use std::time::Duration;
use tokio::time::timeout;

use super::error::{Refusal, RequestError};
use crate::resource::{Gap, Reason};

/// The media type of ordinary answers.
pub const JSON: &str = "application/json";

/// How often a busy or unreachable server is asked again: about eight seconds in all.
const RETRIES: usize = 5;
/// The most that a busy server may ask us to wait before the next try.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// How long an answer may take to begin, our own waiting for a turn included.
const BEGIN_TIMEOUT: Duration = Duration::from_mins(1);
/// How long it may pause between two parts: a page takes a busy server a second or two.
const PART_TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes that are read of a refusal.
const MAX_REFUSAL: usize = 64 * 1024;

/// Everything but unreserved characters is encoded in a query.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// An answer, read to its end.
#[derive(Debug)]
pub struct ApiAnswer {
    /// The body.
    pub body: Bytes,
    /// The `Content-Type`, where the server names one.
    pub content_type: Option<String>,
}

impl ApiAnswer {
    /// The body as JSON.
    pub fn json(&self) -> Result<Value, RequestError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| RequestError::malformed(format!("the answer is not JSON: {error}")))
    }
}

/// One object as JSON; the answer may have `bound` bytes.
pub async fn get(client: &kube::Client, path: &str, bound: usize) -> Result<Value, RequestError> {
    fetch(client, path, JSON, bound).await?.json()
}

/// The same, without a second try.
pub async fn get_once(client: &kube::Client, path: &str, bound: usize) -> Result<Value, RequestError> {
    fetch_once(client, path, JSON, bound).await?.json()
}

/// GETs a path, again while the server is busy or out of reach.
pub async fn fetch(
    client: &kube::Client,
    path: &str,
    accept: &str,
    bound: usize,
) -> Result<ApiAnswer, RequestError> {
    let backoff = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(250))
        .with_max_delay(Duration::from_secs(4))
        .with_max_times(RETRIES)
        .with_jitter();
    let answer = (|| fetch_once(client, path, accept, bound))
        .retry(backoff)
        .when(|error| match error {
            RequestError::Refused(refusal) => refusal.is_busy(),
            other => other.reason() == Reason::Unavailable,
        })
        .adjust(|error, delay| match error {
            RequestError::Refused(Refusal { retry_after: Some(asked), .. }) => {
                delay.map(|delay| delay.max(MAX_WAIT.min(*asked)))
            }
            _ => delay,
        })
        .await;
    match answer {
        Err(RequestError::Refused(refusal)) if refusal.is_busy() => {
            let words = format!("HTTP {}, {} times", refusal.status, RETRIES + 1);
            Err(RequestError::Unusable(Gap::new(Reason::Unavailable, words)))
        }
        answer => answer,
    }
}

/// GETs a path once.
pub async fn fetch_once(
    client: &kube::Client,
    path: &str,
    accept: &str,
    bound: usize,
) -> Result<ApiAnswer, RequestError> {
    let request = http::Request::get(path).header(http::header::ACCEPT, accept).body(Body::empty());
    send(client, request, bound).await
}

/// Sends any request, and reads the answer up to `bound` bytes.
pub async fn send(
    client: &kube::Client,
    request: Result<http::Request<Body>, http::Error>,
    bound: usize,
) -> Result<ApiAnswer, RequestError> {
    let response = begin(client, request).await?;
    let (parts, body) = response.into_parts();
    let body = read(body, bound).await?;
    if !parts.status.is_success() {
        return Err(RequestError::Refused(Refusal::new(parts.status, &parts.headers, &body)));
    }
    let content_type = parts.headers.get(http::header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
    Ok(ApiAnswer { body, content_type })
}

/// GETs a path whose answer does not end, once it has begun.
pub async fn open(client: &kube::Client, path: &str) -> Result<Body, RequestError> {
    let request = http::Request::get(path).header(http::header::ACCEPT, JSON).body(Body::empty());
    let (parts, body) = begin(client, request).await?.into_parts();
    if parts.status.is_success() {
        return Ok(body);
    }
    let body = read(body, MAX_REFUSAL).await.unwrap_or_default();
    Err(RequestError::Refused(Refusal::new(parts.status, &parts.headers, &body)))
}

async fn begin(
    client: &kube::Client,
    request: Result<http::Request<Body>, http::Error>,
) -> Result<http::Response<Body>, RequestError> {
    let request = request.map_err(|error| RequestError::malformed(error.to_string()))?;
    match timeout(BEGIN_TIMEOUT, client.send(request)).await {
        Ok(answer) => answer.map_err(|error| RequestError::transport(&error)),
        Err(_) => Err(late(format_args!("no answer in {} s", BEGIN_TIMEOUT.as_secs()))),
    }
}

/// Reads all of a body, up to `bound` bytes.
async fn read(body: Body, bound: usize) -> Result<Bytes, RequestError> {
    let mut body = Limited::new(body, bound);
    let mut all = Vec::new();
    loop {
        let Ok(part) = timeout(PART_TIMEOUT, body.frame()).await else {
            return Err(late(format_args!("the answer stopped for {} s", PART_TIMEOUT.as_secs())));
        };
        match part {
            None => return Ok(all.into()),
            Some(Ok(part)) => all.extend_from_slice(&part.into_data().unwrap_or_default()),
            Some(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
                return Err(RequestError::TooLarge(bound));
            }
            Some(Err(error)) => return Err(RequestError::cut(error.as_ref())),
        }
    }
}

fn late(what: impl Display) -> RequestError {
    RequestError::Unusable(Gap::new(Reason::Timeout, what.to_string()))
}

/// A value as part of a query.
pub fn url_escaped(text: &str) -> impl Display + '_ {
    utf8_percent_encode(text, RESERVED)
}
