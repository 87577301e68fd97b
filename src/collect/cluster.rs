//! The Kubernetes API: who it is, and its objects as plain JSON, a page at a time.
//!
//! In: a kubeconfig or the pod's own service account. Out: [`Resource`]s as they are read, and for each
//! kind that could not be listed one that says so. A typed struct would drop the fields that a newer
//! Kubernetes adds, so objects stay JSON.

mod configz;
mod connect;
mod identity;
mod item;
mod kinds;
mod list;
mod platform;
mod resources;
mod watch;

use serde_json::json;
use std::collections::BTreeSet;
use tokio::sync::mpsc;

use super::join::Index;
use super::redact::{self, AWS_AUTH};
use super::sightings::Sightings;
use crate::resource::{Gap, Kind, Owner, Reason, Resource, Selector, Unread};

pub use configz::configz;
pub use connect::{Connection, Target, connect};
pub use identity::{Identified, NodeHints, identify};
use item::Item;
use kinds::STORES;
pub use kinds::{CLUSTER, KINDS, KindInfo, List, SECRET, known};
use list::{Pages, Problem};
use resources::{cluster, first_of, resource, unlisted};
use watch::Lists;
pub use watch::{Kept, watch};

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
    /// Whether [`watch`] goes on from there.
    pub watch: bool,
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
    /// What a watch goes on from, where there is to be one.
    lists: Option<Lists>,
    /// Why nobody could be asked the last time.
    away: Option<Problem>,
    /// Whether that is so for the rest of the cycle.
    given_up: bool,
}

/// Reads the wanted kinds and those that they are joined with, one page in memory at a time. What fails is emitted
/// as unlisted; the rest goes on.
///
/// On the way notes what the objects say of the cloud, where it is asked. Ends early when the receiver of `found` is
/// gone. Gives what a watch goes on from, where there is to be one.
pub async fn observe(
    client: &kube::Client,
    request: &Request<'_>,
    sightings: Option<&mut Sightings>,
    found: &mpsc::Sender<Resource>,
) -> Option<Kept> {
    let index = Index::new(request.now);
    let lists = request.watch.then(Lists::default);
    let mut observer = Observer {
        client,
        request,
        index,
        found,
        sightings,
        lost: BTreeSet::new(),
        lists,
        away: None,
        given_up: false,
    };
    // Nothing is left to do for a receiver that is gone.
    observer.all().await.ok()?;
    Some(Kept { index: observer.index, lists: observer.lists? })
}

impl Request<'_> {
    fn judges(&self, kind: &str) -> bool {
        self.wanted.contains(kind) && (kind != SECRET || self.secrets)
    }
}

impl Observer<'_> {
    async fn all(&mut self) -> Result<(), Gone> {
        // The order of the table lets almost every kind be read once: noted for what comes after, and judged. What is
        // said of objects of its own kind comes too late for the first of them.
        let earlier = |about: &&str, position: usize| {
            KINDS[..=position].iter().any(|kind| kind.name == *about && self.judges(about))
        };
        let first: Vec<&'static KindInfo> = KINDS
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
        self.request.judges(kind)
    }

    /// Why there is nobody to ask. A server that went away in mid-cycle is looked for once more; every kind would wait
    /// for it anew.
    async fn out_of_reach(&mut self) -> Option<Problem> {
        if self.away.is_some() && !self.given_up {
            match list::get_once(self.client, "/version").await {
                Err(problem) if !problem.reached => self.given_up = true,
                _ => self.away = None,
            }
        }
        self.away.clone()
    }

    /// Reads a kind's lists, for the index, for the judge, or for both.
    async fn walk(&mut self, kind: &'static KindInfo, note: bool, judge: bool) -> Result<(), Gone> {
        // An object is as it was when it was judged, if it is.
        let keep = judge || (note && !self.judges(kind.name));
        for path in kind.paths() {
            let mut away = self.out_of_reach().await;
            let list = self.lists.as_mut().filter(|_| note || judge);
            let list = list.map(|lists| lists.begin(kind, &path, note, judge));
            let mut pages = Pages::new(self.client, &path);
            let whole = loop {
                let page = match away.take() {
                    Some(problem) => Err(problem),
                    None => pages.next().await,
                };
                let page = match page {
                    Ok(Some(page)) => page,
                    Ok(None) => break true,
                    Err(problem) => {
                        self.take(unlisted(kind, self.request.owner, &problem), note, judge).await?;
                        self.away = (!problem.reached).then_some(problem);
                        break false;
                    }
                };
                for item in page {
                    let resource = resource(kind, self.request.owner, Item::parse(&item));
                    if let (Some(lists), Some(list), true) = (&mut self.lists, list, keep) {
                        lists.saw(list, &resource);
                    }
                    self.take(resource, note, judge).await?;
                }
            };
            if let (Some(lists), Some(list)) = (&mut self.lists, list) {
                lists.end(list, pages.version().filter(|_| whole));
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
                                sightings.note(&resource(kind, self.request.owner, Item::parse(&item)));
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
            let what = resource.unread.first().map(|unread| unread.gap.what.as_str()).unwrap_or_default();
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
            let found = match self.out_of_reach().await {
                Some(problem) => Err(problem),
                None => first_of(self.client, store).await,
            };
            match found {
                Ok(Some(object)) => self.take(object, true, judge).await?,
                Ok(None) => {}
                Err(problem) => {
                    let what = format!("list {}: {}", store.plural, problem.message);
                    let selector = Selector::new(Kind::K8sObject, store.name);
                    let gap =
                        Resource::unlisted(&selector, self.request.owner, Gap::new(problem.reason, what));
                    self.away = (!problem.reached).then_some(problem);
                    self.take(gap, true, judge).await?;
                }
            }
        }
        Ok(())
    }
}

/// Every wanted kind could not be listed, for one reason: there is no way to the API.
pub fn out_of_reach(request: &Request<'_>, reason: Reason, what: &str) -> Vec<Resource> {
    known()
        .filter(|kind| request.judges(kind))
        .map(|kind| {
            Resource::unlisted(&Selector::new(Kind::K8sObject, kind), request.owner, Gap::new(reason, what))
        })
        .collect()
}
