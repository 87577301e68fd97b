//! The three requests about a Lease, as HTTP.

use http::{Method, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use kube::client::Body;
use serde_json::Value;
use std::fmt;

use super::Settings;
use super::machine::{Answer, Request};
use super::record::Record;

/// No object in etcd is larger.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// What a role must allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    Get,
    Create,
    Update,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "get",
            Self::Create => "create",
            Self::Update => "update",
        })
    }
}

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct Problem {
    /// What distinguishes it from others: the words may hold times and ports.
    pub kind: Kind,
    message: String,
}

/// What a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Refused(StatusCode),
    Unreachable,
    TimedOut,
    Unreadable,
}

impl Problem {
    /// Whether asking the same again would not help.
    pub fn is_final(&self) -> bool {
        match self.kind {
            Kind::Refused(StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) => false,
            Kind::Refused(status) => status.is_client_error(),
            _ => false,
        }
    }
}

/// Where a Lease is.
pub(super) struct Api {
    client: kube::Client,
    name: String,
    namespace: String,
}

impl Api {
    pub fn new(client: kube::Client, settings: &Settings) -> Self {
        Self { client, name: settings.lease_name.clone(), namespace: settings.namespace.clone() }
    }

    /// One request. It is not tried again here: whether that still makes sense is a matter of the time.
    pub async fn ask(&self, request: &Request) -> Answer {
        let verb = request.verb();
        match self.send(request).await {
            Ok((status, body)) if status.is_success() => {
                let object = serde_json::from_slice(&body).map_err(|_| "the answer is no JSON");
                match object.and_then(Record::parse) {
                    Ok(record) => Answer::Lease(record),
                    Err(why) => Answer::Failed(self.problem(verb, Kind::Unreadable, why)),
                }
            }
            Ok((StatusCode::CONFLICT, _)) => Answer::Conflict,
            Ok((StatusCode::NOT_FOUND, _)) if verb != Verb::Create => Answer::Missing,
            Ok((status, body)) => Answer::Failed(self.refused(verb, status, &body)),
            Err((kind, why)) => Answer::Failed(self.problem(verb, kind, &why)),
        }
    }

    /// There was no answer in time.
    pub fn timed_out(&self, verb: Verb) -> Answer {
        Answer::Failed(self.problem(verb, Kind::TimedOut, "no answer in time"))
    }

    async fn send(&self, request: &Request) -> Result<(StatusCode, Vec<u8>), (Kind, String)> {
        let Self { name, namespace, .. } = self;
        let leases = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
        let (method, path, body) = match request {
            Request::Get => (Method::GET, format!("{leases}/{name}"), None),
            Request::Create(lease) => (Method::POST, leases, Some(lease)),
            Request::Update(lease) => (Method::PUT, format!("{leases}/{name}"), Some(lease)),
        };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.map_or_else(Body::empty, |lease| Body::from(lease.to_string().into_bytes())))
            .map_err(|error| (Kind::Unreadable, error.to_string()))?;
        let response = self.client.send(request).await.map_err(|error| (Kind::Unreachable, chain(&error)))?;
        let status = response.status();
        match Limited::new(response.into_body(), MAX_BYTES).collect().await {
            Ok(body) => Ok((status, body.to_bytes().into())),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                Err((Kind::Unreadable, format!("the answer is over {MAX_BYTES} bytes")))
            }
            Err(error) => Err((Kind::Unreachable, format!("the answer broke off: {error}"))),
        }
    }

    fn refused(&self, verb: Verb, status: StatusCode, body: &[u8]) -> Problem {
        let answer: Value = serde_json::from_slice(body).unwrap_or_default();
        let words = answer.get("message").and_then(Value::as_str).unwrap_or_default();
        let words: String = words.chars().filter(|c| !c.is_control()).take(300).collect();
        let advice = match status.as_u16() {
            401 => "; the API server does not know this service account's token",
            403 => "; a Role must allow get, create and update of leases to this service account there",
            404 => "; does the namespace exist?",
            _ => "",
        };
        let colon = if words.is_empty() { "" } else { ": " };
        self.problem(verb, Kind::Refused(status), &format!("HTTP {status}{colon}{words}{advice}"))
    }

    fn problem(&self, verb: Verb, kind: Kind, why: &str) -> Problem {
        let Self { name, namespace, .. } = self;
        let message = format!("{verb} leases.coordination.k8s.io {name} in {namespace}: {why}");
        Problem { kind, message }
    }
}

/// An error with its causes.
fn chain(error: &kube::Error) -> String {
    // A credential plug-in's own words may hold the credential.
    if matches!(error, kube::Error::Auth(_)) {
        return "the kubeconfig's credentials could not be had".into();
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let words = inner.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = inner.source();
    }
    text
}
