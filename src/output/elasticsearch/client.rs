//! The official client as transport: hosts in turn, credentials, certificate authorities.
//!
//! In: method, path, query, payload. Out: the status and body of whoever answered, or why nobody did.
//! The crate brings no retry and no dead-host memory; its `Debug` prints credentials, so ours hides it.

use crate::causes;
use crate::config::settings::{self, Auth, Tls, Verification};
use crate::output::OutputError;
use elasticsearch::auth::Credentials;
use elasticsearch::cert::{Certificate, CertificateValidation};
pub use elasticsearch::http::Method;
use elasticsearch::http::headers::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use elasticsearch::http::transport::{Connection, ConnectionPool, Transport, TransportBuilder};
use elasticsearch::http::{Url, response::Response};
use secrecy::ExposeSecret;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Who asks. The transport sets its own on each request that brings none, so each brings it.
const AGENT: &str = concat!("posturebeat/", env!("CARGO_PKG_VERSION"));

/// What a request carries.
#[derive(Debug, Clone)]
pub struct Payload {
    /// The bytes, as they go out.
    pub bytes: Vec<u8>,
    /// `application/json` or `application/x-ndjson`.
    pub content_type: &'static str,
    /// Whether `bytes` are compressed.
    pub gzip: bool,
}

impl Payload {
    /// A JSON body.
    pub fn json(value: &serde_json::Value) -> Self {
        Self { bytes: value.to_string().into_bytes(), content_type: "application/json", gzip: false }
    }
}

/// What a host answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Who.
    pub host: String,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Nobody answered.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{host}` cannot be reached: {why}")]
pub struct Unanswered {
    /// Who was asked.
    pub host: String,
    /// What went wrong.
    pub why: String,
}

impl From<Unanswered> for OutputError {
    fn from(error: Unanswered) -> Self {
        Self::Unreachable { host: error.host, why: error.why }
    }
}

/// A connection to a cluster of one or more hosts.
pub struct Client {
    transport: Transport,
    hosts: Hosts,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

impl Client {
    /// Builds the client; nothing is sent yet.
    pub fn new(settings: &settings::Elasticsearch) -> Result<Self, OutputError> {
        let hosts = Hosts::parse(&settings.hosts)?;
        let mut builder = TransportBuilder::new(hosts.clone()).timeout(settings.timeout);
        if let Some(credentials) = credentials(&settings.auth)? {
            builder = builder.auth(credentials);
        }
        if let Some(validation) = validation(&settings.tls)? {
            builder = builder.cert_validation(validation);
        }
        let transport =
            builder.build().map_err(|error| OutputError::BuildClient { why: error.to_string() })?;
        Ok(Self { transport, hosts })
    }

    /// One request to the host whose turn it is. One that does not answer, or that is overloaded or
    /// broken, passes the turn on.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        payload: Option<Payload>,
    ) -> Result<Answer, Unanswered> {
        let turn = self.hosts.turn();
        let host = self.hosts.name(turn);
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if let Some(payload) = &payload {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(payload.content_type));
            if payload.gzip {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
        }
        let bytes = payload.map(|payload| payload.bytes);
        let answer = match self.transport.send(method, path, headers, Some(query), bytes, None).await {
            Ok(response) => read(&host, response).await,
            Err(error) => Err(Unanswered { why: cause_of(&error), host }),
        };
        if answer.as_ref().map_or(true, |answer| answer.status == 429 || answer.status >= 500) {
            self.hosts.pass_on(turn);
        }
        answer
    }

    /// Like [`Client::send`], but asks every host before it gives up.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        payload: Option<Payload>,
    ) -> Result<Answer, Unanswered> {
        let mut answer = self.send(method, path, query, payload.clone()).await;
        for _ in 1..self.hosts.connections.len() {
            if answer.is_ok() {
                break;
            }
            answer = self.send(method, path, query, payload.clone()).await;
        }
        answer
    }
}

async fn read(host: &str, response: Response) -> Result<Answer, Unanswered> {
    let status = response.status_code().as_u16();
    match response.bytes().await {
        Ok(body) => Ok(Answer { host: host.to_owned(), status, body: body.to_vec() }),
        Err(error) => Err(Unanswered { host: host.to_owned(), why: cause_of(&error) }),
    }
}

/// What went wrong, without the first layers that only repeat the address.
fn cause_of(error: &elasticsearch::Error) -> String {
    let inner = error.source().and_then(Error::source);
    let mut text = inner.map(causes::chain).unwrap_or_default();
    if text.contains("invalid peer certificate") {
        text.push_str(": see `ssl.certificate_authorities`");
    }
    if error.is_timeout() {
        let colon = if text.is_empty() { "" } else { ": " };
        text = format!("no answer in time{colon}{text}");
    }
    if text.is_empty() { error.to_string() } else { text }
}

fn credentials(auth: &Auth) -> Result<Option<Credentials>, OutputError> {
    Ok(match auth {
        Auth::Anonymous => None,
        Auth::Basic { username, password } => {
            Some(Credentials::Basic(username.clone(), password.expose_secret().to_owned()))
        }
        Auth::ApiKey(key) => {
            let (id, key) = key.expose_secret().split_once(':').ok_or(OutputError::ParseApiKey)?;
            Some(Credentials::ApiKey(id.to_owned(), key.to_owned()))
        }
    })
}

fn validation(tls: &Tls) -> Result<Option<CertificateValidation>, OutputError> {
    if tls.verification == Verification::None {
        return Ok(Some(CertificateValidation::None));
    }
    let mut trusted: Option<Certificate> = None;
    for (position, authority) in tls.certificate_authorities.iter().enumerate() {
        let (name, pem) = if authority.contains("-----BEGIN") {
            (format!("number {} of the list", position + 1), authority.clone().into_bytes())
        } else {
            let read = std::fs::read(authority);
            let pem = read.map_err(|source| OutputError::ReadAuthority { path: authority.into(), source })?;
            (format!("`{authority}`"), pem)
        };
        let more = Certificate::from_pem(&pem)
            .map_err(|error| OutputError::ParseAuthority { name, why: error.to_string() })?;
        match &mut trusted {
            Some(all) => all.append(more),
            None => trusted = Some(more),
        }
    }
    Ok(trusted.map(CertificateValidation::Full))
}

/// The hosts, and whose turn it is: a host keeps the turn while it answers.
#[derive(Debug, Clone)]
struct Hosts {
    connections: Arc<[Connection]>,
    turn: Arc<AtomicUsize>,
}

impl Hosts {
    fn parse(hosts: &[String]) -> Result<Self, OutputError> {
        let parse = |(position, host): (usize, &String)| {
            let wrong = |why: String| OutputError::ParseHost { position, why };
            let url = Url::parse(host).map_err(|error| wrong(format!("is no URL ({error})")))?;
            if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
                return Err(wrong("is no http or https URL".to_owned()));
            }
            if !url.username().is_empty() || url.password().is_some() {
                return Err(wrong(
                    "holds credentials, which belong into `username` and `password`".to_owned(),
                ));
            }
            Ok(Connection::new(url))
        };
        let connections = hosts.iter().enumerate().map(parse).collect::<Result<Vec<_>, _>>()?;
        if connections.is_empty() {
            return Err(OutputError::ParseHost { position: 0, why: "no host is given".to_owned() });
        }
        Ok(Self { connections: connections.into(), turn: Arc::default() })
    }

    fn turn(&self) -> usize {
        self.turn.load(Ordering::Relaxed) % self.connections.len()
    }

    /// Takes the turn from `host`, unless another request has done so already.
    fn pass_on(&self, host: usize) {
        let next = (host + 1) % self.connections.len();
        let _ = self.turn.compare_exchange(host, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn name(&self, host: usize) -> String {
        self.connections[host].url().as_str().trim_end_matches('/').to_owned()
    }
}

impl ConnectionPool for Hosts {
    fn next(&self) -> Connection {
        self.connections[self.turn()].clone()
    }
}
