//! An API server that refuses: no real one can be made to, request by request.
//!
//! In: a cluster's objects, and what to do to which request. Out: a client whose requests are answered from memory,
//! so that waiting between tries takes no time on a paused clock. It honours `limit` and `continue`, in small pages.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use kube::client::Body;
use serde_json::{Value, json};

/// Objects in a page, whatever more is asked for.
const PAGE: usize = 2;

/// A page over any bound.
static HUGE: LazyLock<Bytes> = LazyLock::new(|| vec![b' '; 17 * 1024 * 1024].into());

/// A request: a path with its selector, and from which object on.
pub(super) type Slot = (String, usize);

/// How it was made.
struct Asked {
    slot: Slot,
    limit: usize,
    /// After the server offered to go on with what is there now.
    anew: bool,
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// This status, each time.
    Status(u16),
    /// This status as often, and then the answer.
    Busy(u16, u32),
    /// Half of the answer, as often.
    Cut(u32),
    /// No connection, as often.
    Unreachable(u32),
    /// Another text in the answer's place.
    Text(&'static str),
    /// The list is too old, as often; whether the server offers to go on with what is there now.
    Gone(u32, bool),
    /// The first object of the page is this.
    Item(&'static str),
    /// The first object of the page has more values than can be.
    HugeItem,
    /// The page is larger than can be.
    HugePage,
}

/// More often than anybody asks.
pub(super) const ALWAYS: u32 = u32::MAX;

/// Everything that may happen to a request.
pub(super) const FAULTS: [Fault; 32] = [
    Fault::Status(403),
    Fault::Status(401),
    Fault::Status(404),
    Fault::Status(400),
    Fault::Status(302),
    Fault::Busy(429, ALWAYS),
    Fault::Busy(503, ALWAYS),
    Fault::Busy(500, ALWAYS),
    Fault::Busy(429, 1),
    Fault::Busy(503, 5),
    Fault::Cut(ALWAYS),
    Fault::Cut(2),
    Fault::Unreachable(ALWAYS),
    Fault::Unreachable(3),
    Fault::Text(""),
    Fault::Text("<html>a proxy's login page</html>"),
    Fault::Text(r#"{"metadata": {}, "items": ["#),
    Fault::Text("{}"),
    Fault::Text("[]"),
    Fault::Text("null"),
    Fault::Text(r#"{"kind": "Status", "metadata": {}, "status": "Failure", "code": 403}"#),
    Fault::Text(r#"{"metadata": {}, "items": {}}"#),
    Fault::Gone(ALWAYS, false),
    Fault::Gone(ALWAYS, true),
    Fault::Gone(1, true),
    Fault::Item("42"),
    Fault::Item("null"),
    Fault::Item("[]"),
    Fault::Item("{}"),
    Fault::Item(r#"{"metadata": {"namespace": "shop", "uid": "u"}}"#),
    Fault::HugeItem,
    Fault::HugePage,
];

/// A cluster behind an API server.
pub(super) struct Server {
    lists: BTreeMap<String, Vec<Value>>,
    documents: BTreeMap<String, Value>,
    faults: Vec<(Slot, Fault)>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    asked: Vec<Slot>,
    times: BTreeMap<Slot, u32>,
    refused: BTreeSet<String>,
}

#[derive(Clone)]
struct Double(Arc<Server>);

type Answer = Result<Response<UnsyncBoxBody<Bytes, io::Error>>, io::Error>;

impl Server {
    /// `lists` by path with its selector, `documents` by path.
    pub(super) fn new(
        lists: BTreeMap<String, Vec<Value>>,
        documents: BTreeMap<String, Value>,
        faults: Vec<(Slot, Fault)>,
    ) -> Arc<Self> {
        Arc::new(Self { lists, documents, faults, log: Mutex::default() })
    }

    /// A client of it; only inside a runtime.
    pub(super) fn client(self: &Arc<Self>) -> kube::Client {
        kube::Client::new(Double(Arc::clone(self)), "default")
    }

    /// The requests that were made, each once.
    pub(super) fn asked(&self) -> Vec<Slot> {
        self.log.lock().unwrap().asked.clone()
    }

    /// The paths of which something was refused for good.
    pub(super) fn refused(&self) -> BTreeSet<String> {
        self.log.lock().unwrap().refused.clone()
    }

    fn answer(&self, uri: &http::Uri) -> Answer {
        let asked = Asked::of(uri);
        let mut log = self.log.lock().unwrap();
        if !log.asked.contains(&asked.slot) {
            log.asked.push(asked.slot.clone());
        }
        let times = log.times.entry(asked.slot.clone()).or_default();
        *times += 1;
        let time = *times;
        let page = self.page(&asked);
        let fault = self.faults.iter().find(|(of, _)| *of == asked.slot).map(|(_, fault)| *fault);
        let holds = |fault: &Fault| match fault {
            Fault::Busy(_, times) | Fault::Cut(times) | Fault::Unreachable(times) => time <= *times,
            Fault::Gone(times, _) => *times == ALWAYS || !asked.anew,
            Fault::Item(_) | Fault::HugeItem => page.as_ref().is_some_and(|page| !page.is_empty()),
            _ => true,
        };
        let Some(fault) = fault.filter(holds) else {
            return Ok(self
                .text(&asked, page)
                .map_or_else(|| respond(404, "{}".into()), |text| respond(200, text)));
        };
        if !fault.passes() {
            log.refused.insert(asked.slot.0.clone());
        }
        self.faulty(&asked, page, fault)
    }

    fn faulty(&self, asked: &Asked, page: Option<Vec<Value>>, fault: Fault) -> Answer {
        let status = |code: u16| json!({"kind": "Status", "code": code, "message": "no"}).to_string();
        let with_first = |first: &dyn Fn(&Value) -> Value| {
            let mut page = page.clone().unwrap_or_default();
            page[0] = first(&page[0]);
            respond(200, self.list(asked, page))
        };
        Ok(match fault {
            Fault::Status(code) | Fault::Busy(code, _) => respond(code, status(code)),
            Fault::Unreachable(_) => return Err(io::ErrorKind::ConnectionRefused.into()),
            Fault::Text(text) => respond(200, text.to_owned()),
            Fault::Gone(_, true) => {
                let token = format!("{}-anew", asked.slot.1);
                respond(410, json!({"kind": "Status", "metadata": {"continue": token}}).to_string())
            }
            Fault::Gone(_, false) => respond(410, status(410)),
            Fault::Cut(_) => {
                let mut text = self.text(asked, page).unwrap_or_default();
                text.truncate(text.len() / 2);
                let broken = async { Some(Err(io::ErrorKind::ConnectionReset.into())) };
                let body = Full::new(Bytes::from(text)).map_err(io_error).with_trailers(broken);
                Response::new(body.boxed_unsync())
            }
            Fault::HugePage => Response::new(Full::new(HUGE.clone()).map_err(io_error).boxed_unsync()),
            Fault::Item(text) => with_first(&|_| serde_json::from_str(text).unwrap()),
            Fault::HugeItem => with_first(&|object| {
                let mut object = object.clone();
                object["status"] = json!({"values": vec![0; 50_001]});
                object
            }),
        })
    }

    fn text(&self, asked: &Asked, page: Option<Vec<Value>>) -> Option<String> {
        page.map(|page| self.list(asked, page))
            .or_else(|| self.documents.get(&asked.slot.0).map(Value::to_string))
    }

    fn page(&self, asked: &Asked) -> Option<Vec<Value>> {
        let objects = self.lists.get(&asked.slot.0)?.iter().skip(asked.slot.1);
        Some(objects.take(PAGE.min(asked.limit)).cloned().collect())
    }

    fn list(&self, asked: &Asked, page: Vec<Value>) -> String {
        let next = asked.slot.1 + page.len();
        let token = if next < self.lists[&asked.slot.0].len() { next.to_string() } else { String::new() };
        json!({"kind": "List", "metadata": {"continue": token}, "items": page}).to_string()
    }
}

impl Asked {
    fn of(uri: &http::Uri) -> Self {
        let (mut key, mut from, mut limit, mut anew) = (uri.path().to_owned(), 0, PAGE, false);
        for parameter in uri.query().into_iter().flat_map(|query| query.split('&')) {
            match parameter.split_once('=').unwrap() {
                ("limit", number) => limit = number.parse().unwrap(),
                ("continue", token) => {
                    anew = token.ends_with("-anew");
                    from = token.trim_end_matches("-anew").parse().unwrap();
                }
                _ => key = format!("{key}?{parameter}"),
            }
        }
        Self { slot: (key, from), limit, anew }
    }
}

impl Fault {
    /// Whether it leaves the list whole, for who asks again, and whose objects can be read.
    fn passes(self) -> bool {
        match self {
            Self::Busy(_, times) | Self::Cut(times) | Self::Unreachable(times) => times != ALWAYS,
            Self::Gone(times, resumes) => times != ALWAYS && resumes,
            Self::HugeItem => true,
            _ => false,
        }
    }
}

fn io_error(never: Infallible) -> io::Error {
    match never {}
}

fn respond(code: u16, text: String) -> Response<UnsyncBoxBody<Bytes, io::Error>> {
    let mut response = Response::new(Full::new(Bytes::from(text)).map_err(io_error).boxed_unsync());
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}

impl tower_service::Service<Request<Body>> for Double {
    type Response = Response<UnsyncBoxBody<Bytes, io::Error>>;
    type Error = io::Error;
    type Future = Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        ready(self.0.answer(request.uri()))
    }
}
