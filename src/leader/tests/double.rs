//! An API server with one Lease, in this process: on a paused clock waiting takes no time.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request as HttpRequest, Response};
use http_body_util::{BodyExt as _, Full};
use kube::client::Body;
use serde_json::{Value, json};

use super::store::{Refusal, Store};
use crate::leader::lease::LeaseRequest;

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/posturebeat/leases";

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing is done.
    Status(u16),
    /// Nothing is done, and no connection comes about.
    Unreachable,
    /// It is done, and the answer comes this much later.
    Slow(Duration),
    /// Another text in the answer's place.
    Text(&'static str),
}

/// The server.
#[derive(Default)]
pub(super) struct Double {
    pub store: Store,
    /// For the next requests, one each.
    pub next: VecDeque<Fault>,
    /// For all requests of this method; of any where there is none.
    pub always: Option<(Option<Method>, Fault)>,
    /// The methods of all requests.
    pub asked: Vec<Method>,
}

#[derive(Clone, Default)]
pub(super) struct Server(Arc<Mutex<Double>>);

impl Server {
    pub(super) fn with(store: Store) -> Self {
        let server = Self::default();
        server.lock().store = store;
        server
    }

    pub(super) fn client(&self) -> kube::Client {
        kube::Client::new(self.clone(), "default")
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Double> {
        self.0.lock().unwrap()
    }

    /// The Lease now.
    pub(super) fn lease(&self) -> Value {
        self.lock().store.lease.clone().unwrap()
    }

    async fn answer(self, request: HttpRequest<Body>) -> io::Result<Response<Full<Bytes>>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let lease = || serde_json::from_slice::<Value>(&body).unwrap();
        let one = format!("{LEASES}/posturebeat-cluster-leader");
        let request = match (parts.method.clone(), parts.uri.path()) {
            (Method::GET, path) if path == one => LeaseRequest::Get,
            (Method::PUT, path) if path == one => LeaseRequest::Update(lease()),
            (Method::POST, LEASES) => LeaseRequest::Create(lease()),
            (method, path) => panic!("{method} {path} is no request about our Lease"),
        };
        let fault = {
            let mut double = self.lock();
            double.asked.push(parts.method.clone());
            let always =
                double.always.clone().filter(|(of, _)| of.as_ref().is_none_or(|of| *of == parts.method));
            double.next.pop_front().or(always.map(|(_, fault)| fault))
        };
        match fault {
            Some(Fault::Status(code)) => {
                return Ok(respond(
                    code,
                    &json!({"kind": "Status", "code": code, "message": "who are you?"}),
                ));
            }
            Some(Fault::Unreachable) => return Err(io::ErrorKind::ConnectionRefused.into()),
            Some(Fault::Text(text)) => return Ok(Response::new(Full::new(text.into()))),
            Some(Fault::Slow(_)) | None => {}
        }
        let done = self.lock().store.apply(&request);
        if let Some(Fault::Slow(wait)) = fault {
            tokio::time::sleep(wait).await;
        }
        let status = |code: u16| respond(code, &json!({"kind": "Status", "code": code, "message": "no"}));
        Ok(match done {
            Ok(lease) => respond(if parts.method == Method::POST { 201 } else { 200 }, &lease),
            Err(Refusal::Missing) => status(404),
            Err(Refusal::Conflict) => status(409),
        })
    }
}

fn respond(code: u16, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.to_string().into()));
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap();
    response
}

impl tower_service::Service<HttpRequest<Body>> for Server {
    type Response = Response<Full<Bytes>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        Box::pin(self.clone().answer(request))
    }
}
