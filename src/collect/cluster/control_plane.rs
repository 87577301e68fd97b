//! The API server as the leader sees it, on clusters whose control-plane nodes nobody observes.
//!
//! In: the way to the API. Out: one `process/kube-apiserver`, from what the API server says of itself (`/flagz`), else
//! from the command line of its mirror pod, else an error. Nothing where a node agent observes that server's node: the
//! agent sees more, and one API server is judged once. All of it is about the server that answers; behind one address
//! there may be several.

mod agents;
mod flagz;
mod mirror;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use serde_json::{Value, json};

use super::pages;
use crate::collect::arguments::{self, KnownArguments};
use crate::collect::config_files::kinds::API_SERVER_FILES;
use crate::kube_api::RequestError;
use crate::resource::{Gap, Kind, Owner, Reason, Resource, Selector, Unread};

pub(super) use flagz::PATH as FLAGZ;

/// The component, as controls name it.
pub const API_SERVER: &str = "kube-apiserver";

/// What is not seen from afar.
const ON_ITS_NODE: &str = "only seen on a control-plane node";

/// Facts of a process that neither `/flagz` nor a pod tells.
const UNTOLD: [&str; 5] = ["$.command", "$.pid", "$.program", "$.started", "$.stat"];

/// Whose control plane is looked at.
#[derive(Debug, Clone, Copy)]
pub struct ControlPlaneRequest<'a> {
    /// The cluster: `cluster/<uid>`.
    pub owner: &'a Owner,
    /// Its minor version, such as `1.37`, where it is known.
    pub version: Option<&'a str>,
    /// The namespace of the pod that we are: the node agents beside us judge the processes of their nodes.
    pub namespace: Option<&'a str>,
    /// The time by which agents are still starting or not.
    pub now: jiff::Timestamp,
    /// Whether somebody else runs the control plane, and may keep it closed.
    pub managed: bool,
}

/// What was seen of the API server.
#[derive(Debug)]
pub enum ApiServerView {
    /// It, or the error in its place.
    Seen(Box<Resource>),
    /// A node agent observes it.
    OfAgent,
    /// Whoever runs it shows nothing of it.
    Closed(Gap),
}

/// The API server could not be asked, for this reason.
pub fn unseen(owner: &Owner, gap: Gap) -> Resource {
    Resource::unlisted(&Selector::new(Kind::Process, API_SERVER), owner, gap)
}

/// Looks at the API server that answers.
pub async fn api_server(client: &kube::Client, request: &ControlPlaneRequest<'_>) -> ApiServerView {
    let agents = match request.namespace {
        Some(namespace) => agents::addresses(client, namespace, request.now).await,
        None => Vec::new(),
    };
    if !agents.is_empty() && address(client).await.is_some_and(|address| agents.contains(&address)) {
        return ApiServerView::OfAgent;
    }
    match flagz::flags(client).await {
        Ok(known) => {
            // A server that answers by a name of its own shows its address here.
            let own = arguments::last(&known.arguments, "advertise-address").and_then(|own| own.parse().ok());
            if own.is_some_and(|address| agents.contains(&address)) {
                return ApiServerView::OfAgent;
            }
            ApiServerView::Seen(Box::new(resource(request, flagz::PATH, known)))
        }
        Err(refused) => by_pod(client, request, refused).await,
    }
}

/// The API server whose flags are refused, as its pod shows it.
async fn by_pod(
    client: &kube::Client,
    request: &ControlPlaneRequest<'_>,
    refused: RequestError,
) -> ApiServerView {
    let is_closed = flagz::is_closed(&refused);
    let gap = Gap::from(refused).during(format_args!("get {}", flagz::PATH));
    let pod = match address(client).await {
        Some(address) => mirror::pod(client, address).await,
        None => Ok(None),
    };
    let why = match pod {
        Ok(Some(pod)) => return ApiServerView::Seen(Box::new(resource(request, &pod.source, pod.known))),
        Ok(None) if is_closed && request.managed => return ApiServerView::Closed(gap),
        Ok(None) => "no pod shows the API server's flags".to_owned(),
        Err(unlisted) => format!("list pods in kube-system: {}", Gap::from(unlisted)),
    };
    let what = format!("{}; {why}", gap.what);
    ApiServerView::Seen(Box::new(unseen(request.owner, Gap { what, ..gap })))
}

/// The address that the API server answers to clients in its network; `None` where it is a name, or unknown.
async fn address(client: &kube::Client) -> Option<IpAddr> {
    let answer = match pages::get(client, "/api").await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::warn!(%error, "cannot read the API server's address");
            return None;
        }
    };
    let servers = answer.get("serverAddressByClientCIDRs").and_then(Value::as_array)?;
    let is_whole = |server: &&Value| {
        let range = server.get("clientCIDR").and_then(Value::as_str);
        range.is_some_and(|range| ["0.0.0.0/0", "::/0"].contains(&range))
    };
    let server = servers.iter().find(is_whole)?.get("serverAddress")?.as_str()?;
    let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
    host.trim_matches(['[', ']']).parse().ok()
}

/// The API server with these flags. Its id is the same whatever shows them.
fn resource(request: &ControlPlaneRequest<'_>, source: &str, known: KnownArguments) -> Resource {
    let KnownArguments { arguments, mut unread } = known;
    for (flag, key, _) in API_SERVER_FILES {
        let at = format!("$.files.{key}");
        if let Some(path) = arguments::last(&arguments, flag) {
            unread.push(Unread::new(at, Reason::Missing, format!("read {path}: {ON_ITS_NODE}")));
        } else if let Some(why) = hidden(flag, &unread) {
            unread.push(why.at(at));
        }
    }
    let authority =
        arguments::last(&arguments, "client-ca-file").map(|path| format!("read {path}: {ON_ITS_NODE}"));
    unread.extend(authority.map(|what| Unread::new("$.authorities", Reason::Missing, what)));
    unread.extend(UNTOLD.map(|at| {
        let what = format!("read {} of the API server's process: {ON_ITS_NODE}", &at[2..]);
        Unread::new(at, Reason::Missing, what)
    }));
    let mut raw = json!({"component": API_SERVER, "source": source, "args": arguments, "files": {}});
    match request.version {
        Some(version) => raw["version"] = version.into(),
        None => unread.push(Unread::new("$.version", Reason::Missing, "read the API server's version")),
    }
    let id = format!("{}/process/{API_SERVER}", request.owner.id);
    Resource {
        unread,
        ..Resource::observed(Kind::Process, "process".to_owned(), id, API_SERVER.to_owned(), raw)
    }
}

/// Why it is unknown whether a flag is set.
fn hidden(flag: &str, unread: &[Unread]) -> Option<Gap> {
    let over = |unread: &&Unread| unread.at == "$.args" || unread.at.strip_prefix("$.args.") == Some(flag);
    unread.iter().find(over).map(|unread| unread.gap.clone())
}
