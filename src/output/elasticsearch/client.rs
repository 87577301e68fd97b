//! The official client as transport: hosts in turn, credentials, certificate authorities.
//!
//! In: method, path, query, payload. Out: a host's status and body, or why there is none. The crate has no retry and no
//! memory of dead hosts. Its `Debug` prints credentials, so ours hides it.

use super::config::ElasticsearchForm;
use super::settings::{Auth, ElasticsearchSettings};
use crate::causes;
use crate::config::OutputForm as _;
use crate::output::ssl::is_pem;
use crate::output::{OutputError, Tls, Verification};
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

/// The output's name, for errors.
const OUTPUT: &str = ElasticsearchForm::NAME;

/// The user agent. The transport sets its own on each request without one, so each request has one.
const AGENT: &str = concat!("posturebeat/", env!("CARGO_PKG_VERSION"));

/// The largest answer, in bytes: that to the largest bulk request, each of its items refused with a long reason, has
/// less than ten MiB. One whose length is not announced is bounded by the time of a request alone.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;

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

/// A host's answer.
#[derive(Debug, Clone)]
pub struct StoreAnswer {
    /// The host.
    pub host: String,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl StoreAnswer {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// No host answered.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{host}` cannot be reached: {why}")]
pub struct Unanswered {
    /// The host.
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
    pub fn new(settings: &ElasticsearchSettings) -> Result<Self, OutputError> {
        let hosts = Hosts::parse(&settings.hosts)?;
        let mut builder = TransportBuilder::new(hosts.clone()).timeout(settings.timeout);
        if let Some(credentials) = credentials(&settings.auth)? {
            builder = builder.auth(credentials);
        }
        if let Some(validation) = validation(&settings.tls)? {
            builder = builder.cert_validation(validation);
        }
        let transport = builder
            .build()
            .map_err(|error| OutputError::BuildClient { output: OUTPUT, why: error.to_string() })?;
        Ok(Self { transport, hosts })
    }

    /// Sends one request to the host whose turn it is. A host that does not answer, is overloaded or fails passes the
    /// turn on.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        payload: Option<Payload>,
    ) -> Result<StoreAnswer, Unanswered> {
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

    /// Like [`Client::send`], but tries every host before it gives up.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        payload: Option<Payload>,
    ) -> Result<StoreAnswer, Unanswered> {
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

/// A setting of this output that cannot be used.
fn wrong(setting: &str, why: impl Into<String>) -> OutputError {
    OutputError::Setting { output: OUTPUT, setting: setting.to_owned(), why: why.into() }
}

async fn read(host: &str, response: Response) -> Result<StoreAnswer, Unanswered> {
    let status = response.status_code().as_u16();
    let failed = |why: String| Err(Unanswered { host: host.to_owned(), why });
    // The client follows, up to ten times, and turns what it sent into a question on the way.
    if !response.url().as_str().starts_with(&format!("{host}/")) {
        let other = response.url().host_str().unwrap_or_default();
        return failed(format!("it redirects to `{other}`: set `hosts` to where the store is"));
    }
    if response.content_length().is_some_and(|length| length > MAX_ANSWER) {
        return failed(format!("its answer has more than {MAX_ANSWER} bytes"));
    }
    match response.bytes().await {
        Ok(body) => Ok(StoreAnswer { host: host.to_owned(), status, body: body.to_vec() }),
        Err(error) => Err(Unanswered { host: host.to_owned(), why: cause_of(&error) }),
    }
}

/// The causes of an error, without the outer layers that only repeat the address.
fn cause_of(error: &elasticsearch::Error) -> String {
    let inner = error.source().and_then(Error::source);
    let mut text = inner.map(causes::chain).unwrap_or_default();
    if text.contains("invalid peer certificate") {
        text.push_str(": check `ssl.certificate_authorities`");
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
            let (id, key) =
                key.expose_secret().split_once(':').ok_or_else(|| wrong("api_key", "expected `id:key`"))?;
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
        let setting = format!("ssl.certificate_authorities[{position}]");
        let (name, pem) = if is_pem(authority) {
            ("the text".to_owned(), authority.clone().into_bytes())
        } else {
            let pem = std::fs::read(authority)
                .map_err(|error| wrong(&setting, format!("cannot read `{authority}`: {error}")))?;
            (format!("`{authority}`"), pem)
        };
        let more = Certificate::from_pem(&pem).map_err(|error| {
            wrong(&setting, format!("{name} has no PEM certificate that can be used: {error}"))
        })?;
        match &mut trusted {
            Some(all) => all.append(more),
            None => trusted = Some(more),
        }
    }
    Ok(trusted.map(CertificateValidation::Full))
}

/// The hosts, and the one in use: a host keeps its turn while it answers.
#[derive(Debug, Clone)]
struct Hosts {
    connections: Arc<[Connection]>,
    turn: Arc<AtomicUsize>,
}

impl Hosts {
    fn parse(hosts: &[String]) -> Result<Self, OutputError> {
        let parse = |(position, host): (usize, &String)| {
            let wrong = |why: String| wrong(&format!("hosts[{position}]"), why);
            let expected = "expected a URL such as `https://es.example.com:9200`";
            let url = Url::parse(host).map_err(|error| wrong(format!("{expected} ({error})")))?;
            if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
                return Err(wrong(expected.to_owned()));
            }
            if !url.username().is_empty() || url.password().is_some() {
                return Err(wrong("set credentials in `username` and `password`, not in the URL".to_owned()));
            }
            Ok(Connection::new(url))
        };
        let connections = hosts.iter().enumerate().map(parse).collect::<Result<Vec<_>, _>>()?;
        if connections.is_empty() {
            return Err(wrong("hosts", "no host is set"));
        }
        Ok(Self { connections: connections.into(), turn: Arc::default() })
    }

    fn turn(&self) -> usize {
        self.turn.load(Ordering::Relaxed) % self.connections.len()
    }

    /// Ends the turn of `host`, unless another request has done so.
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
