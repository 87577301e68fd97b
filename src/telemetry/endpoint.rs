//! The monitoring endpoint: the HTTP pages that a Beat serves about itself, and the same metrics for Prometheus.
//!
//! In: the address, and the pages. Out: responses, to GET only. There is no authentication, so a connection gets one
//! request and little time, and few are open at once.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, lookup_host};
use tokio::task::JoinSet;

use super::metrics::Registry;
use crate::config::Http;

/// The time for a request and its response, as in a Beat.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Enough for a few scrapers and people; more would take file descriptors from the collectors.
const CONNECTIONS: usize = 16;
/// The longest request head, in bytes.
const MAX_HEAD: usize = 16 * 1024;

const JSON: &str = "application/json; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The endpoint cannot listen.
#[derive(Debug, thiserror::Error)]
#[error(
    "`http.host`, `http.port`: cannot listen on `{host}`, port {port}: {why}; set others, or `http.enabled: false`"
)]
pub struct ListenError {
    host: String,
    port: u16,
    why: std::io::Error,
}

/// The content of the pages.
pub struct MonitoringPages {
    /// `/`.
    pub info: Value,
    /// `/state`.
    pub state: Value,
    /// `/stats` and `/metrics`.
    pub metrics: Arc<Registry>,
}

/// A bound port.
#[derive(Debug)]
pub struct Endpoint {
    listener: TcpListener,
    address: SocketAddr,
    timeout: Duration,
}

impl Endpoint {
    /// Binds the port.
    pub async fn listen(http: &Http) -> Result<Self, ListenError> {
        let Http { host, port } = http;
        let failed = |why| ListenError { host: host.clone(), port: *port, why };
        let addresses: Vec<SocketAddr> = lookup_host((host.as_str(), *port)).await.map_err(failed)?.collect();
        // One address, never the next if it is in use: `localhost` would listen on an unexpected one.
        let address = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
        let address = address.ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, timeout: TIMEOUT })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the future is dropped, which also closes every connection.
    pub async fn serve(self, pages: MonitoringPages) {
        let service = TowerToHyperService::new(router(pages));
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            if connections.len() >= CONNECTIONS {
                connections.join_next().await;
            }
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let connection = http1::Builder::new()
                        .keep_alive(false)
                        .max_buf_size(MAX_HEAD)
                        .serve_connection(TokioIo::new(stream), service.clone());
                    // A failed connection concerns only the client.
                    let served = tokio::time::timeout(self.timeout, connection);
                    connections.spawn(async { drop(served.await) });
                }
                Err(error) => {
                    tracing::warn!(%error, "monitoring endpoint cannot accept a connection");
                    tokio::time::sleep(self.timeout).await;
                }
            }
        }
    }
}

fn router(pages: MonitoringPages) -> Router {
    let pages = Arc::new(pages);
    Router::new()
        .route("/", get(async |State(pages): PagesState, RawQuery(query)| json(&pages.info, query)))
        .route("/state", get(async |State(pages): PagesState, RawQuery(query)| json(&pages.state, query)))
        .route(
            "/stats",
            get(async |State(pages): PagesState, RawQuery(query)| json(&pages.metrics.read().tree(), query)),
        )
        .route("/metrics", get(async |State(pages): PagesState| openmetrics(&pages)))
        .fallback(async || (StatusCode::NOT_FOUND, "not found; try /, /stats, /state or /metrics\n"))
        .with_state(pages)
}

type PagesState = State<Arc<MonitoringPages>>;

/// Indented if the query has `pretty`.
fn json(value: &Value, query: Option<String>) -> Response {
    let is_pretty = |part: &str| part == "pretty" || part.starts_with("pretty=");
    let pretty = query.is_some_and(|query| query.split('&').any(is_pretty));
    let text = if pretty { format!("{value:#}\n") } else { value.to_string() };
    ([(CONTENT_TYPE, JSON)], text).into_response()
}

fn openmetrics(pages: &MonitoringPages) -> Response {
    ([(CONTENT_TYPE, OPENMETRICS)], pages.metrics.read().openmetrics()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tokio::task::JoinHandle;

    fn local(port: u16) -> Http {
        Http { host: "localhost".into(), port }
    }

    async fn serve(timeout: Duration) -> (String, JoinHandle<()>) {
        let metrics = Arc::new(Registry::default());
        metrics.register(|samples| samples.counter("pipe.sent", "Sent", 3));
        let mut endpoint = Endpoint::listen(&local(0)).await.unwrap();
        endpoint.timeout = timeout;
        let url = format!("http://{}", endpoint.address());
        let pages = MonitoringPages { info: json!({"beat": "x"}), state: json!({"queue": "mem"}), metrics };
        (url, tokio::spawn(endpoint.serve(pages)))
    }

    /// Status, content type and text.
    async fn get(url: &str) -> (u16, String, String) {
        let answer = reqwest::get(url).await.unwrap();
        let kind = answer.headers().get(CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap()).to_owned();
        (answer.status().as_u16(), kind, answer.text().await.unwrap())
    }

    #[tokio::test]
    async fn pages_are_json_or_openmetrics() {
        let (url, _server) = serve(TIMEOUT).await;
        for (page, kind, text) in [
            ("/", JSON, "{\"beat\":\"x\"}"),
            ("/?pretty", JSON, "{\n  \"beat\": \"x\"\n}\n"),
            ("/state", JSON, "{\"queue\":\"mem\"}"),
            ("/stats?pretty=1", JSON, "{\n  \"pipe\": {\n    \"sent\": 3\n  }\n}\n"),
            (
                "/metrics",
                OPENMETRICS,
                "# HELP pipe_sent Sent\n# TYPE pipe_sent counter\npipe_sent_total 3\n# EOF\n",
            ),
        ] {
            assert_eq!(get(&format!("{url}{page}")).await, (200, kind.to_owned(), text.to_owned()), "{page}");
        }
        let (status, _, text) = get(&format!("{url}/inputs/")).await;
        assert!(status == 404 && text.contains("/stats"), "{status} {text}");
        let posted = reqwest::Client::new().post(format!("{url}/stats")).send().await.unwrap();
        assert_eq!(posted.status(), 405);
    }

    #[tokio::test]
    async fn a_port_in_use_is_reported_with_its_key_and_free_after_shutdown() {
        let endpoint = Endpoint::listen(&local(0)).await.unwrap();
        let port = endpoint.address().port();
        let message = Endpoint::listen(&local(port)).await.unwrap_err().to_string();
        assert!(
            message.starts_with("`http.host`, `http.port`: cannot listen on `localhost`, port "),
            "{message}"
        );
        assert!(message.contains(&port.to_string()) && message.contains("in use"), "{message}");
        drop(endpoint);
        let (url, server) = serve(TIMEOUT).await;
        server.abort();
        assert!(server.await.unwrap_err().is_cancelled());
        assert!(reqwest::get(&url).await.unwrap_err().is_connect());
    }

    #[tokio::test]
    async fn idle_connections_do_not_block_others() {
        let (url, _server) = serve(Duration::from_secs(1)).await;
        let address = url.trim_start_matches("http://");
        let mut silent = Vec::new();
        for _ in 0..2 * CONNECTIONS {
            silent.push(tokio::net::TcpStream::connect(address).await.unwrap());
        }
        assert_eq!(get(&url).await.0, 200);
    }
}
