//! The Kubernetes API: who it is, and its objects as plain JSON, a page at a time.
//!
//! In: a kubeconfig or the pod's own service account. Out: [`Resource`]s as they are read, and for each
//! kind that could not be listed one that says so. A typed struct would drop the fields that a newer
//! Kubernetes adds, so objects stay JSON.

mod configz;
mod connect;
mod identity;
mod kinds;
mod list;
mod platform;

use serde_json::json;
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use tokio::sync::mpsc;

use super::aws::Sightings;
use super::join::Index;
use super::redact::{self, AWS_AUTH};
use crate::resource::{Kind, Owner, Reason, Resource, Selector, Unread};

pub use configz::configz;
pub use connect::{Connection, Target, connect};
pub use identity::{Identified, NodeHints, identify};
pub use kinds::{CLUSTER, KINDS, KindInfo, List, SECRET, known};
use kinds::{STORES, Store};
use list::{Item, Pages, Problem};

/// What is asked of a cluster.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The cluster: `cluster/<uid>`.
    pub owner: &'a Owner,
    /// Its version, where it is known.
    pub version: Option<&'a str>,
    /// The kinds that are judged.
    pub wanted: &'a BTreeSet<&'a str>,
    /// Whether Secrets may be listed.
    pub secrets: bool,
    /// What has expired is known by this.
    pub now: jiff::Timestamp,
}

/// Objects that name load balancers, of all namespaces: read for the cloud's sake only.
const BALANCED: [KindInfo; 2] = [
    KindInfo { name: "Service", api_version: "v1", plural: "services", lists: &[List::All] },
    KindInfo {
        name: "Ingress",
        api_version: "networking.k8s.io/v1",
        plural: "ingresses",
        lists: &[List::All],
    },
];

/// Its images are sighted.
const POD: &str = "Pod";
/// One of them lets IAM in.
const CONFIG_MAP: &str = "ConfigMap";

/// Nobody wants more.
struct Gone;

/// One cycle's look at the API.
struct Observer<'a> {
    client: &'a kube::Client,
    request: &'a Request<'a>,
    index: Index,
    found: &'a mpsc::Sender<Resource>,
    /// What the cloud is asked about.
    sightings: Option<&'a mut Sightings>,
    /// Kinds of which it was said that they could not be listed. Once is enough: it is one outcome for each rule, and
    /// a second one would have its id.
    lost: BTreeSet<String>,
}

/// Reads the wanted kinds and those that they are joined with, one page in memory at a time. What fails is emitted
/// as unlisted; the rest goes on.
///
/// On the way notes what the objects say of the cloud, where it is asked. Ends early when the receiver of `found` is
/// gone.
pub async fn observe(
    client: &kube::Client,
    request: &Request<'_>,
    sightings: Option<&mut Sightings>,
    found: &mpsc::Sender<Resource>,
) {
    let index = Index::new(request.now);
    let mut observer = Observer { client, request, index, found, sightings, lost: BTreeSet::new() };
    // Nothing is left to do for a receiver that is gone.
    let _ = observer.all().await;
}

impl Observer<'_> {
    async fn all(&mut self) -> Result<(), Gone> {
        // The order of the table lets almost every kind be read once: noted for what comes after, and judged. What is
        // said of objects of its own kind comes too late for the first of them.
        let earlier = |about: &&str, position: usize| {
            KINDS[..=position].iter().any(|kind| kind.name == *about && self.judges(about))
        };
        let first: Vec<&KindInfo> = KINDS
            .iter()
            .enumerate()
            .filter(|(position, kind)| {
                Index::needed_by(kind.name).iter().any(|about| earlier(about, *position))
            })
            .map(|(_, kind)| kind)
            .collect();
        for kind in &first {
            self.walk(kind, true, false).await?;
        }
        for kind in &KINDS {
            let noted = Index::wants(kind.name, self.request.wanted) && !first.contains(&kind);
            let judged = self.judges(kind.name);
            let sighted = self.sightings.is_some() && kind.name == POD;
            if noted || judged || sighted {
                self.walk(kind, noted, judged).await?;
            }
        }
        self.stores().await?;
        self.balanced().await;
        self.aws_auth().await?;
        if self.judges(CLUSTER) {
            let cluster = cluster(self.request);
            self.judge(cluster).await?;
        }
        Ok(())
    }

    fn judges(&self, kind: &str) -> bool {
        self.request.wanted.contains(kind) && (kind != SECRET || self.request.secrets)
    }

    /// Reads a kind's lists, for the index, for the judge, or for both.
    async fn walk(&mut self, kind: &KindInfo, note: bool, judge: bool) -> Result<(), Gone> {
        for path in kind.paths() {
            let mut pages = Pages::new(self.client, &path);
            loop {
                let page = match pages.next().await {
                    Ok(Some(page)) => page,
                    Ok(None) => break,
                    Err(problem) => {
                        self.take(unlisted(kind, self.request.owner, &problem), note, judge).await?;
                        break;
                    }
                };
                for item in page {
                    self.take(resource(kind, self.request.owner, &item), note, judge).await?;
                }
            }
        }
        Ok(())
    }

    /// Which load balancers Services and Ingresses have.
    async fn balanced(&mut self) {
        let Some(sightings) = &mut self.sightings else { return };
        for kind in &BALANCED {
            for path in kind.paths() {
                let mut pages = Pages::new(self.client, &path);
                loop {
                    match pages.next().await {
                        Ok(Some(page)) => {
                            for item in page {
                                sightings.note(&resource(kind, self.request.owner, &item));
                            }
                        }
                        Ok(None) => break,
                        Err(problem) => {
                            sightings.note(&unlisted(kind, self.request.owner, &problem));
                            break;
                        }
                    }
                }
            }
        }
    }

    /// Whom a ConfigMap lets in by IAM, where the cloud is asked. One that cannot be read is unread by itself: that
    /// says nothing of the others.
    async fn aws_auth(&mut self) -> Result<(), Gone> {
        let (namespace, name, _) = AWS_AUTH;
        if self.sightings.is_none() || !self.judges(CONFIG_MAP) {
            return Ok(());
        }
        let path = format!("/api/v1/namespaces/{namespace}/configmaps/{name}");
        let (mut raw, unread) = match list::get(self.client, &path).await {
            Ok(object) => (object, None),
            // Access entries have replaced it.
            Err(problem) if problem.reason == Reason::Missing => return Ok(()),
            Err(problem) => {
                let what = format!("get the ConfigMap {namespace}/{name}: {}", problem.message);
                let who = json!({"metadata": {"name": name, "namespace": namespace}});
                (who, Some(Unread::new("$.related.mappings", problem.reason, what)))
            }
        };
        if let Some(object) = raw.as_object_mut() {
            object.insert("kind".into(), CONFIG_MAP.into());
            object.insert("apiVersion".into(), "v1".into());
        }
        redact::kubernetes_object(&mut raw);
        let mut resource = super::object::resource(raw, None);
        self.index.relate(&mut resource);
        if let Some(unread) = unread {
            resource.related.clear();
            resource.unread.push(unread);
        }
        self.found.send(resource).await.map_err(|_| Gone)
    }

    async fn take(&mut self, resource: Resource, note: bool, judge: bool) -> Result<(), Gone> {
        if let Some(sightings) = &mut self.sightings
            && resource.sub_type == POD
        {
            sightings.note(&resource);
        }
        if note {
            self.index.note(&resource);
        }
        if judge { self.judge(resource).await } else { Ok(()) }
    }

    async fn judge(&mut self, mut resource: Resource) -> Result<(), Gone> {
        if resource.is_unlisted() && !self.lost.insert(resource.sub_type.clone()) {
            let what = resource.unread.first().map(|unread| unread.what.as_str()).unwrap_or_default();
            tracing::warn!(kind = resource.sub_type, "also could not {what}");
            return Ok(());
        }
        self.index.relate(&mut resource);
        self.found.send(resource).await.map_err(|_| Gone)
    }

    /// Whether there are objects of operators that keep secrets elsewhere: one of each is enough.
    async fn stores(&mut self) -> Result<(), Gone> {
        for store in &STORES {
            let judge = self.judges(store.name);
            if !judge && !Index::wants(store.name, self.request.wanted) {
                continue;
            }
            match first_of(self.client, store).await {
                Ok(Some(object)) => self.take(object, true, judge).await?,
                Ok(None) => {}
                Err(problem) => {
                    let what = format!("list {}: {}", store.plural, problem.message);
                    let selector = Selector::new(Kind::K8sObject, store.name);
                    let gap = Resource::unlisted(&selector, self.request.owner, problem.reason, what);
                    self.take(gap, true, judge).await?;
                }
            }
        }
        Ok(())
    }
}

/// One object of a kind, without anything but its metadata; none where its operator is not installed.
async fn first_of(client: &kube::Client, store: &Store) -> Result<Option<Resource>, Problem> {
    let group = match list::get(client, &format!("/apis/{}", store.group)).await {
        Ok(group) => group,
        Err(problem) if problem.reason == Reason::Missing => return Ok(None),
        Err(problem) => return Err(problem),
    };
    let version = group.pointer("/preferredVersion/groupVersion").and_then(serde_json::Value::as_str);
    let Some(version) = version else {
        return Err(Problem { reason: Reason::Malformed, message: "the answer names no version".into() });
    };
    let object = match list::first(client, &format!("/apis/{version}/{}", store.plural)).await {
        Ok(Some(Item::Object(object) | Item::TooLarge(object))) => object,
        Ok(None) => return Ok(None),
        // The operator is there, in a version without this kind.
        Err(problem) if problem.reason == Reason::Missing => return Ok(None),
        Err(problem) => return Err(problem),
    };
    let text = |key: &str| object["metadata"][key].as_str();
    let who = json!({"name": text("name"), "namespace": text("namespace"), "uid": text("uid")});
    let raw = json!({"kind": store.name, "apiVersion": version, "metadata": who});
    Ok(Some(super::object::resource(raw, None)))
}

/// The cluster as a whole.
fn cluster(request: &Request<'_>) -> Resource {
    let uid = request.owner.id.trim_start_matches("cluster/");
    let mut raw = json!({
        "kind": CLUSTER,
        "metadata": {"name": request.owner.name, "uid": uid},
        "secretsListed": request.secrets,
    });
    if let Some(version) = request.version {
        raw["version"] = version.into();
    }
    let mut resource = super::object::resource(raw, None);
    resource.id.clone_from(&request.owner.id);
    resource
}

/// Every wanted kind could not be listed, for one reason: there is no way to the API.
pub fn out_of_reach(request: &Request<'_>, reason: Reason, what: &str) -> Vec<Resource> {
    let judged = |kind: &&str| request.wanted.contains(kind) && (*kind != SECRET || request.secrets);
    known()
        .filter(judged)
        .map(|kind| Resource::unlisted(&Selector::new(Kind::K8sObject, kind), request.owner, reason, what))
        .collect()
}

fn unlisted(kind: &KindInfo, owner: &Owner, problem: &Problem) -> Resource {
    let what = format!("list {}: {}", kind.plural, problem.message);
    Resource::unlisted(&Selector::new(Kind::K8sObject, kind.name), owner, problem.reason, what)
}

/// One object of a list; a list leaves out what all its items share.
fn resource(kind: &KindInfo, owner: &Owner, item: &RawValue) -> Resource {
    let (mut raw, whole) = match Item::parse(item) {
        Ok(Item::Object(raw)) => (raw, true),
        Ok(Item::TooLarge(raw)) => (raw, false),
        Err(problem) => return unlisted(kind, owner, &problem),
    };
    if let Some(object) = raw.as_object_mut() {
        object.insert("kind".into(), kind.name.into());
        object.insert("apiVersion".into(), kind.api_version.into());
    }
    redact::kubernetes_object(&mut raw);
    let mut resource = super::object::resource(raw, None);
    if !whole {
        let what = format!("read {} {}: it has too many values", kind.name, resource.name);
        resource.unread.push(Unread::new("$", Reason::TooLarge, what));
    }
    resource
}
