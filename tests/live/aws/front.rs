//! Stands between AWS's clients and the emulator: refuses, throttles, pages and counts as a test wants it, and answers
//! what the emulator lacks.
//!
//! Only operations of [`operation`]'s tables pass: any other is answered with 501, so that a new one is noticed.

mod extras;
mod forward;
mod operation;
mod pages;
mod refusal;
mod scanning;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use posturebeat::collect::aws::calls;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;

pub use extras::Extras;
use forward::Emulator;
use operation::Operation;

type Answer = Response<Bytes>;

/// A running front; it ends with the runtime that it was started on.
pub struct Front {
    url: String,
    shared: Shared,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    denied: BTreeSet<String>,
    /// How many more calls of each action are turned away.
    throttled: BTreeMap<String, usize>,
    page: Option<usize>,
    extras: Extras,
    calls: BTreeMap<String, usize>,
    /// Whose keys signed calls of each action.
    keys: BTreeMap<String, BTreeSet<String>>,
    under_way: usize,
    most_at_once: usize,
}

impl Front {
    /// Listens on a loopback port, before the emulator at this address, and adds these answers.
    pub async fn start(emulator: &str, extras: Extras) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Shared::default();
        shared.lock().extras = extras;
        tokio::spawn(serve(listener, Emulator::at(emulator), shared.clone()));
        Self { url, shared }
    }

    /// Where it listens: what `AWS_ENDPOINT_URL` is to be.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Refuses these IAM actions as their services do, from now on and no others.
    pub fn deny<'a>(&self, actions: impl IntoIterator<Item = &'a str>) {
        self.shared.lock().denied = actions.into_iter().map(known).collect();
    }

    /// Turns the next calls of this IAM action away, so many of them, for there being too many.
    pub fn throttle(&self, action: &str, calls: usize) {
        self.shared.lock().throttled.insert(known(action), calls);
    }

    /// Gives lists in pages of this size, whatever size is asked for.
    pub fn page(&self, size: usize) {
        self.shared.lock().page = Some(size);
    }

    /// Changes what the front itself answers.
    pub fn extras(&self, change: impl FnOnce(&mut Extras)) {
        change(&mut self.shared.lock().extras);
    }

    /// How many calls there were by IAM action, with those that were turned away.
    pub fn calls(&self) -> BTreeMap<String, usize> {
        self.shared.lock().calls.clone()
    }

    /// Ids of the access keys that signed calls of this IAM action.
    pub fn keys(&self, action: &str) -> BTreeSet<String> {
        self.shared.lock().keys.get(action).cloned().unwrap_or_default()
    }

    /// The most calls that were under way at the same time.
    pub fn most_at_once(&self) -> usize {
        self.shared.lock().most_at_once
    }
}

/// A test that misspells an action must not pass.
fn known(action: &str) -> String {
    let is_known = action == "sts:AssumeRole" || calls().any(|call| call.permission == action);
    assert!(is_known, "{action} is none of the calls");
    action.to_owned()
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A call under way, which ends also where its client goes away.
struct UnderWay(Shared);

impl UnderWay {
    fn count(shared: &Shared, action: &str) -> Self {
        let mut state = shared.lock();
        *state.calls.entry(action.to_owned()).or_default() += 1;
        state.under_way += 1;
        state.most_at_once = state.most_at_once.max(state.under_way);
        Self(shared.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.lock().under_way -= 1;
    }
}

async fn serve(listener: TcpListener, emulator: Emulator, shared: Shared) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (emulator, shared) = (emulator.clone(), shared.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (emulator, shared) = (emulator.clone(), shared.clone());
            async move {
                let (parts, body) = request.into_parts();
                let answer = match body.collect().await {
                    Ok(body) => {
                        answer(&emulator, &shared, &Request::from_parts(parts, body.to_bytes())).await
                    }
                    Err(error) => refusal::unknown(&error.to_string()),
                };
                Ok::<_, Infallible>(answer.map(Full::new))
            }
        });
        // How a connection ended is the client's affair.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(emulator: &Emulator, shared: &Shared, request: &Request<Bytes>) -> Answer {
    let Some(operation) = Operation::of(request) else {
        return refusal::unknown(&format!("{} {}", request.method(), request.uri()));
    };
    let action = operation.action();
    let _under_way = UnderWay::count(shared, &action);
    let page = {
        let mut state = shared.lock();
        if let Some(key) = operation::key(request) {
            state.keys.entry(action.clone()).or_default().insert(key);
        }
        if state.denied.contains(&action) {
            return refusal::denied(&operation);
        }
        if let Some(left) = state.throttled.get_mut(&action).filter(|left| **left > 0) {
            *left -= 1;
            return refusal::throttled(&operation);
        }
        if let Some(answer) = state.extras.answer(&operation) {
            return pages::cut(&operation, state.page, answer);
        }
        state.page
    };
    let mut answer = emulator.ask(&pages::whole(&operation, page, request)).await;
    if action == scanning::ACTION {
        answer = scanning::complete(emulator, request, answer).await;
    }
    let answer = shared.lock().extras.complete(&operation, answer);
    pages::cut(&operation, page, answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_is_under_way_until_it_is_answered() {
        let front = Front::start("http://127.0.0.1:1", Extras::default()).await;
        let first = UnderWay::count(&front.shared, "eks:ListClusters");
        let second = UnderWay::count(&front.shared, "eks:ListClusters");
        drop((first, second));
        drop(UnderWay::count(&front.shared, "ecr:DescribeImages"));
        assert_eq!((front.most_at_once(), front.shared.lock().under_way), (2, 0));
        assert_eq!(front.calls(), [("eks:ListClusters".into(), 2), ("ecr:DescribeImages".into(), 1)].into());
    }
}
