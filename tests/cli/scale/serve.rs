//! A small HTTP server: answers in memory, as many at once as are asked for, and nothing is kept.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::net::TcpListener;

/// What is answered.
pub type Answer = Response<Full<Bytes>>;

/// Answers requests.
pub trait Double: Send + Sync + 'static {
    fn answer(&self, head: &Parts, body: Bytes) -> impl Future<Output = Answer> + Send;
}

/// Listens on the loopback until the runtime ends, and gives the address.
pub async fn serve(double: Arc<impl Double>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let double = Arc::clone(&double);
            let service = service_fn(move |request| respond(Arc::clone(&double), request));
            // How a connection ends is the other side's affair.
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    url
}

async fn respond(double: Arc<impl Double>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Ok(double.answer(&head, body).await)
}

pub fn json(value: &serde_json::Value) -> Answer {
    typed("application/json", value.to_string())
}

pub fn xml(text: String) -> Answer {
    typed("text/xml", text)
}

pub fn refused(status: StatusCode, value: &serde_json::Value) -> Answer {
    let mut answer = json(value);
    *answer.status_mut() = status;
    answer
}

fn typed(kind: &str, text: String) -> Answer {
    Response::builder().header(CONTENT_TYPE, kind).body(Full::from(text)).unwrap()
}

/// A field of a form or of a query.
pub fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
}
