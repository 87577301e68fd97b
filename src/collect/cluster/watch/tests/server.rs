//! An API server whose objects change, with watches, in memory: on a paused clock nothing takes time.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Objects in a page, whatever more is asked for.
const PAGE: usize = 2;

type Answer = Result<Response<UnsyncBoxBody<Bytes, io::Error>>, io::Error>;

/// How a watch is turned away.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub code: u16,
    pub retry_after: Option<u64>,
    pub times: u32,
    /// As an event of an open stream.
    pub as_event: bool,
}

#[derive(Default)]
pub(super) struct Api(Mutex<State>);

#[derive(Default)]
struct State {
    version: u64,
    /// Plural → objects.
    objects: BTreeMap<String, Vec<Value>>,
    /// Version, plural, type and object.
    events: Vec<(u64, String, &'static str, Value)>,
    /// What happened up to here is forgotten.
    compacted: u64,
    /// Whether that is said in the stream.
    gone_as_event: bool,
    streams: Vec<(Asked, mpsc::UnboundedSender<io::Result<Bytes>>)>,
    refusals: BTreeMap<String, Refusal>,
    /// Plurals whose lists are refused with a status, so often.
    unlisted: BTreeMap<String, (u16, u32)>,
    /// What discovery says of groups.
    groups: Vec<Value>,
    /// Every request, with its query, and when it came.
    requests: Vec<(String, tokio::time::Instant)>,
}

/// A request, taken apart.
#[derive(Clone)]
struct Asked {
    plural: String,
    namespace: Option<String>,
    terms: Vec<(String, String)>,
    query: BTreeMap<String, String>,
}

impl Asked {
    fn of(uri: &http::Uri) -> Self {
        let words: Vec<&str> = uri.path().split('/').collect();
        let position = words.iter().position(|word| *word == "namespaces");
        let namespace = position.filter(|it| words.len() > it + 2).map(|it| words[it + 1].to_owned());
        let query = uri.query().unwrap_or_default().split('&').filter_map(|it| it.split_once('='));
        let plain = |text: &str| {
            [("%3D", "="), ("%2C", ","), ("%2F", "/"), ("%3A", ":")]
                .iter()
                .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
        };
        let query: BTreeMap<String, String> =
            query.map(|(key, value)| (key.to_owned(), plain(value))).collect();
        let terms = query.get("fieldSelector").map(String::as_str).unwrap_or_default().split(',');
        let terms = terms.filter_map(|it| it.split_once('=')).map(|(a, b)| (a.to_owned(), b.to_owned()));
        Self { plural: words[words.len() - 1].to_owned(), namespace, terms: terms.collect(), query }
    }

    fn admits(&self, plural: &str, object: &Value) -> bool {
        let field = |path: &str| object.pointer(&format!("/{}", path.replace('.', "/"))).cloned();
        self.plural == plural
            && self.namespace.as_ref().is_none_or(|it| object["metadata"]["namespace"] == *it)
            && self.terms.iter().all(|(path, value)| field(path) == Some(json!(value)))
    }
}

fn line(kind: &str, object: &Value) -> Bytes {
    format!("{}\n", json!({"type": kind, "object": object})).into()
}

fn gone() -> Value {
    json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"})
}

impl Api {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Creates or replaces an object, which is found by its UID.
    pub(super) fn put(&self, plural: &str, mut object: Value) {
        let mut state = self.state();
        state.version += 1;
        object["metadata"]["resourceVersion"] = state.version.to_string().into();
        let objects = state.objects.entry(plural.to_owned()).or_default();
        let same = objects.iter_mut().find(|it| it["metadata"]["uid"] == object["metadata"]["uid"]);
        let kind = if let Some(same) = same {
            *same = object.clone();
            "MODIFIED"
        } else {
            objects.push(object.clone());
            "ADDED"
        };
        state.tell(plural, kind, object);
    }

    /// Has a kind of this group, which discovery shows.
    pub(super) fn serve(&self, group: &str, kind: &str, plural: &str) {
        let resource = json!({"resource": plural, "responseKind": {"kind": kind}, "scope": "Namespaced", "verbs": ["list", "watch"]});
        let version = json!({"version": "v1", "freshness": "Current", "resources": [resource]});
        self.state().groups.push(json!({"metadata": {"name": group}, "versions": [version]}));
    }

    /// The kinds that discovery shows, as controls name them.
    pub(super) fn served(&self) -> Vec<String> {
        let kind = |group: &Value| {
            let kind = group["versions"][0]["resources"][0]["responseKind"]["kind"].as_str().unwrap();
            format!("{kind}.{}", group["metadata"]["name"].as_str().unwrap())
        };
        self.state().groups.iter().map(kind).collect()
    }

    /// Deletes the object with this UID.
    pub(super) fn delete(&self, plural: &str, uid: &str) {
        let mut state = self.state();
        state.version += 1;
        let version = state.version.to_string();
        let objects = state.objects.get_mut(plural).unwrap();
        let position = objects.iter().position(|it| it["metadata"]["uid"] == uid).unwrap();
        let mut object = objects.remove(position);
        object["metadata"]["resourceVersion"] = version.into();
        state.tell(plural, "DELETED", object);
    }

    /// An object as it is.
    pub(super) fn get(&self, plural: &str, uid: &str) -> Value {
        self.state().objects[plural].iter().find(|it| it["metadata"]["uid"] == uid).unwrap().clone()
    }

    /// Forgets what has happened, and says so in a status or in the stream.
    pub(super) fn compact(&self, as_event: bool) {
        let mut state = self.state();
        (state.compacted, state.gone_as_event) = (state.version, as_event);
    }

    /// Cuts every stream of a kind.
    pub(super) fn cut(&self, plural: &str) {
        self.state().streams.retain(|(asked, stream)| {
            if asked.plural == plural {
                let _ = stream.send(Err(io::ErrorKind::ConnectionReset.into()));
            }
            asked.plural != plural
        });
    }

    /// Ends every stream of a kind in good order.
    pub(super) fn close(&self, plural: &str) {
        self.state().streams.retain(|(asked, _)| asked.plural != plural);
    }

    /// Says to the watchers of a kind that nothing happened up to now.
    pub(super) fn bookmark(&self, plural: &str) {
        let state = self.state();
        let object = json!({"metadata": {"resourceVersion": state.version.to_string()}});
        for (_, stream) in state.streams.iter().filter(|(asked, _)| asked.plural == plural) {
            let _ = stream.send(Ok(line("BOOKMARK", &object)));
        }
    }

    /// Writes bytes to the watchers of a kind.
    pub(super) fn write(&self, plural: &str, bytes: impl Into<Bytes>) {
        let (state, bytes) = (self.state(), bytes.into());
        for (_, stream) in state.streams.iter().filter(|(asked, _)| asked.plural == plural) {
            let _ = stream.send(Ok(bytes.clone()));
        }
    }

    /// Turns watches of a kind away.
    pub(super) fn refuse(&self, plural: &str, refusal: Refusal) {
        self.state().refusals.insert(plural.to_owned(), refusal);
    }

    /// Turns lists of a kind away, so often.
    pub(super) fn unlist(&self, plural: &str, code: u16, times: u32) {
        self.state().unlisted.insert(plural.to_owned(), (code, times));
    }

    /// The requests since the last call, with their queries, and when they came.
    pub(super) fn requests(&self) -> Vec<(String, tokio::time::Instant)> {
        std::mem::take(&mut self.state().requests)
    }

    /// The kinds that are being watched.
    pub(super) fn watched(&self) -> BTreeSet<String> {
        let mut state = self.state();
        state.streams.retain(|(_, stream)| !stream.is_closed());
        state.streams.iter().map(|(asked, _)| asked.plural.clone()).collect()
    }

    pub(super) fn client(self: &Arc<Self>) -> kube::Client {
        kube::Client::new(Double(Arc::clone(self)), "default")
    }

    fn answer(&self, uri: &http::Uri) -> Response<UnsyncBoxBody<Bytes, io::Error>> {
        let asked = Asked::of(uri);
        let mut state = self.state();
        state.requests.push((uri.to_string(), tokio::time::Instant::now()));
        if uri.path() == "/apis" {
            return respond(200, None, &json!({"kind": "APIGroupDiscoveryList", "items": state.groups}));
        }
        if asked.query.contains_key("watch") { state.stream(asked) } else { state.list(&asked) }
    }
}

impl State {
    fn tell(&mut self, plural: &str, kind: &'static str, object: Value) {
        for (asked, stream) in &self.streams {
            if asked.admits(plural, &object) {
                let _ = stream.send(Ok(line(kind, &object)));
            }
        }
        self.events.push((self.version, plural.to_owned(), kind, object));
    }

    fn list(&mut self, asked: &Asked) -> Response<UnsyncBoxBody<Bytes, io::Error>> {
        if let Some((code, times)) = self.unlisted.get_mut(&asked.plural).filter(|(_, times)| *times > 0) {
            *times -= 1;
            return respond(*code, None, &json!({"kind": "Status", "code": *code, "message": "busy"}));
        }
        let from: usize = asked.query.get("continue").map_or(0, |token| token.parse().unwrap());
        let objects = self.objects.get(&asked.plural).into_iter().flatten();
        let all: Vec<&Value> = objects.filter(|it| asked.admits(&asked.plural, it)).collect();
        let page: Vec<&&Value> = all.iter().skip(from).take(PAGE).collect();
        let next = from + page.len();
        let token = if next < all.len() { next.to_string() } else { String::new() };
        let metadata = json!({"continue": token, "resourceVersion": self.version.to_string()});
        respond(200, None, &json!({"kind": "List", "metadata": metadata, "items": page}))
    }

    fn stream(&mut self, asked: Asked) -> Response<UnsyncBoxBody<Bytes, io::Error>> {
        let refusal = self.refusals.get_mut(&asked.plural).filter(|refusal| refusal.times > 0);
        if let Some(refusal) = refusal {
            refusal.times -= 1;
            let mut status = json!({"kind": "Status", "code": refusal.code, "message": "no"});
            if !refusal.as_event {
                return respond(refusal.code, refusal.retry_after, &status);
            }
            status["details"] = json!({"retryAfterSeconds": refusal.retry_after});
            return Response::new(Full::new(line("ERROR", &status)).map_err(|it| match it {}).boxed_unsync());
        }
        let from: u64 = asked.query.get("resourceVersion").map_or(0, |version| version.parse().unwrap());
        if from < self.compacted {
            if !self.gone_as_event {
                return respond(410, None, &gone());
            }
            return Response::new(Full::new(line("ERROR", &gone())).map_err(|it| match it {}).boxed_unsync());
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        for (_, _, kind, object) in self
            .events
            .iter()
            .filter(|(version, plural, _, object)| *version > from && asked.admits(plural, object))
        {
            sender.send(Ok(line(kind, object))).unwrap();
        }
        self.streams.push((asked, sender));
        Response::new(Streamed(receiver).boxed_unsync())
    }
}

fn respond(code: u16, retry_after: Option<u64>, body: &Value) -> Response<UnsyncBoxBody<Bytes, io::Error>> {
    let mut response = Response::builder().status(code);
    if let Some(seconds) = retry_after {
        response = response.header("retry-after", seconds);
    }
    response.body(Full::new(Bytes::from(body.to_string())).map_err(|it| match it {}).boxed_unsync()).unwrap()
}

struct Streamed(mpsc::UnboundedReceiver<io::Result<Bytes>>);

impl hyper::body::Body for Streamed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.0.poll_recv(context).map(|it| it.map(|it| it.map(Frame::data)))
    }
}

#[derive(Clone)]
struct Double(Arc<Api>);

impl tower_service::Service<Request<Body>> for Double {
    type Response = Response<UnsyncBoxBody<Bytes, io::Error>>;
    type Error = io::Error;
    type Future = Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        ready(Ok(self.0.answer(request.uri())))
    }
}
