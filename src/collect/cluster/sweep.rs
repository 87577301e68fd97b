//! A sweep: every wanted kind listed once, and those that they are joined with.

use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::mpsc;

use super::kinds::{BALANCED, CLUSTER, Discovery, KINDS, KnownKind, ListedKind};
use super::pages::{self, ListItem, ListPages};
use super::resources::{cluster, first_of, resource, unlisted, unlisted_as};
use super::watch::{SweepState, WatchedLists};
use super::{ReceiverDropped, SweepRequest};
use crate::collect::join::Index;
use crate::collect::redact::{self, AWS_AUTH};
use crate::collect::sightings::Sightings;
use crate::kube_api::RequestError;
use crate::resource::{Gap, GroupKind, Reason, Resource, SECRET_STORES, Unread, is_built_in};

/// Its images are noted for the cloud.
const POD: &str = "Pod";
/// One of them lets IAM in.
const CONFIG_MAP: &str = "ConfigMap";

/// One sweep.
struct Sweep<'a> {
    client: &'a kube::Client,
    request: &'a SweepRequest<'a>,
    discovery: Discovery<'a>,
    index: Index,
    found: &'a mpsc::Sender<Resource>,
    /// What the cloud is asked about.
    sightings: Option<&'a mut Sightings>,
    /// Kinds that were reported as unlisted. Once is enough: it is one outcome for each rule, and a second one would
    /// have its id.
    lost: BTreeSet<String>,
    /// Where a watch continues, where there is to be one.
    lists: Option<WatchedLists>,
    /// Why the server was out of reach the last time.
    away: Option<Gap>,
    /// Whether that holds for the rest of the cycle.
    given_up: bool,
}

/// Reads the wanted kinds and those that they are joined with, one page in memory at a time. What fails is emitted
/// as unlisted; the rest goes on.
///
/// On the way notes what the cloud is to be asked about. Ends early when the receiver of `found` is dropped. Returns
/// where a watch continues, where there is to be one.
pub async fn observe(
    client: &kube::Client,
    request: &SweepRequest<'_>,
    sightings: Option<&mut Sightings>,
    found: &mpsc::Sender<Resource>,
) -> Option<SweepState> {
    let mut sweep = Sweep {
        client,
        request,
        discovery: Discovery::new(client),
        index: Index::new(request.now).of_version(request.version),
        found,
        sightings,
        lost: BTreeSet::new(),
        lists: request.watch.then(WatchedLists::default),
        away: None,
        given_up: false,
    };
    // Nothing is left to do for a receiver that is gone.
    sweep.all().await.ok()?;
    Some(SweepState { index: sweep.index, lists: sweep.lists? })
}

impl Sweep<'_> {
    async fn all(&mut self) -> Result<(), ReceiverDropped> {
        // The order of the table lets almost every kind be read once: noted for what comes after, and judged. Of objects
        // of its own kind, it notes too late for the first of them.
        let earlier = |about: &str, position: usize| {
            KINDS[..=position].iter().any(|kind| kind.name == about && self.judges(about))
        };
        let is_first = |position: usize, kind: &KnownKind| {
            Index::needed_by(kind.name).any(|about| earlier(about, position))
        };
        let listed =
            |info: &KnownKind| Arc::new(ListedKind::built_in(info, self.request.demands.get(info.name)));
        let kinds: Vec<(Arc<ListedKind>, bool)> = KINDS
            .iter()
            .enumerate()
            .map(|(position, info)| (listed(info), is_first(position, info)))
            .collect();
        for (kind, _) in kinds.iter().filter(|(_, first)| *first) {
            self.walk(kind, true, false).await?;
        }
        for (kind, first) in &kinds {
            let noted = self.notes(&kind.name) && !first;
            let judged = self.judges(&kind.name);
            let sighted = self.sightings.is_some() && kind.name == POD;
            if noted || judged || sighted {
                self.walk(kind, noted, judged).await?;
            }
        }
        self.foreign().await?;
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

    fn notes(&self, kind: &str) -> bool {
        Index::wants(kind, |about| self.request.demands.contains_key(about))
    }

    /// Why the server is out of reach. One that went away in mid-cycle is tried once more; every kind would wait for it
    /// anew.
    async fn out_of_reach(&mut self) -> Option<Gap> {
        if self.away.is_some() && !self.given_up {
            match pages::get_once(self.client, "/version").await {
                Err(RequestError::Unreachable(_)) => self.given_up = true,
                _ => self.away = None,
            }
        }
        self.away.clone()
    }

    /// Notes whether the server was there.
    fn failed(&mut self, error: RequestError) -> Gap {
        let reached = error.reached_server();
        let gap = Gap::from(error);
        self.away = (!reached).then(|| gap.clone());
        gap
    }

    /// Reads a kind's lists, for the index, for the judge, or for both.
    async fn walk(&mut self, kind: &Arc<ListedKind>, note: bool, judge: bool) -> Result<(), ReceiverDropped> {
        // An object is as it was when it was judged, if it is.
        let keep = judge || (note && !self.judges(&kind.name));
        for path in kind.paths() {
            let mut pages = ListPages::new(self.client, &path);
            let mut first = match self.out_of_reach().await {
                Some(gap) => Some(Err(RequestError::Unreachable(gap))),
                None => Some(pages.next().await),
            };
            if let Some(Err(error)) = &first
                && error.reason() == Reason::Missing
                && self.is_absent(kind).await
            {
                tracing::info!(
                    kind = kind.name,
                    "the API server does not have this kind; rules about it are not applicable"
                );
                continue;
            }
            let list = self.lists.as_mut().filter(|_| note || judge);
            let list = list.map(|lists| lists.begin(kind, &path, note, judge));
            let whole = loop {
                let page = match first.take() {
                    Some(page) => page,
                    None => pages.next().await,
                };
                let page = match page {
                    Ok(Some(page)) => page,
                    Ok(None) => break true,
                    Err(error) => {
                        let gap = self.failed(error);
                        self.take(unlisted(kind, self.request.owner, gap), note, judge).await?;
                        break false;
                    }
                };
                for item in page {
                    let resource = resource(kind, self.request.owner, ListItem::parse(&item));
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

    /// Whether the server certainly does not have a kind.
    async fn is_absent(&mut self, kind: &ListedKind) -> bool {
        let wanted = GroupKind { group: kind.group().to_owned(), kind: kind.kind.clone() };
        matches!(self.discovery.find(&wanted).await, Ok(None))
    }

    /// Kinds that are not built in, as far as rules ask for them.
    async fn foreign(&mut self) -> Result<(), ReceiverDropped> {
        let demands = self.request.demands;
        for (name, demand) in demands.iter().filter(|(name, _)| !is_built_in(name)) {
            let wanted = GroupKind::named(name);
            let found = match self.out_of_reach().await {
                Some(gap) => Err(gap),
                None => self.discovery.find(&wanted).await.map_err(|error| self.failed(error)),
            };
            match found {
                Ok(Some(served)) => {
                    let kind = Arc::new(ListedKind::foreign(name, served, demand));
                    let noted = self.notes(name);
                    self.walk(&kind, noted, true).await?;
                }
                Ok(None) => {
                    tracing::info!(
                        kind = name,
                        "the API server does not have this kind; rules about it are not applicable"
                    );
                }
                Err(gap) => {
                    let gap = gap.during(format_args!("discover {name}"));
                    let resource = wanted.guessed_resource();
                    let unlisted = unlisted_as(name, &resource, self.request.owner, gap);
                    let noted = self.notes(name);
                    self.take(unlisted, noted, true).await?;
                }
            }
        }
        Ok(())
    }

    /// Which load balancers Services and Ingresses have.
    async fn balanced(&mut self) {
        let Some(sightings) = &mut self.sightings else { return };
        for kind in BALANCED.iter().map(|info| ListedKind::built_in(info, None)) {
            for path in kind.paths() {
                let mut pages = ListPages::new(self.client, &path);
                loop {
                    match pages.next().await {
                        Ok(Some(page)) => {
                            for item in page {
                                sightings.note(&resource(&kind, self.request.owner, ListItem::parse(&item)));
                            }
                        }
                        Ok(None) => break,
                        Err(error) => {
                            sightings.note(&unlisted(&kind, self.request.owner, error.into()));
                            break;
                        }
                    }
                }
            }
        }
    }

    /// Whom a ConfigMap lets in by IAM, where the cloud is asked. One that cannot be read is unread by itself: others
    /// may be listed all the same.
    async fn aws_auth(&mut self) -> Result<(), ReceiverDropped> {
        let (namespace, name, _) = AWS_AUTH;
        if self.sightings.is_none() || !self.judges(CONFIG_MAP) {
            return Ok(());
        }
        let path = format!("/api/v1/namespaces/{namespace}/configmaps/{name}");
        let (mut raw, unread) = match pages::get(self.client, &path).await {
            Ok(object) => (object, None),
            // Access entries have replaced it.
            Err(error) if error.reason() == Reason::Missing => return Ok(()),
            Err(error) => {
                let gap = Gap::from(error).during(format_args!("get the ConfigMap {namespace}/{name}"));
                let who = json!({"metadata": {"name": name, "namespace": namespace}});
                (who, Some(gap.at("$.related.mappings")))
            }
        };
        if let Some(object) = raw.as_object_mut() {
            object.insert("kind".into(), CONFIG_MAP.into());
            object.insert("apiVersion".into(), "v1".into());
        }
        redact::kubernetes_object(&mut raw);
        let mut resource = crate::collect::object::resource(raw, None);
        self.index.relate(&mut resource);
        if let Some(unread) = unread {
            resource.related.clear();
            resource.unread.push(unread);
        }
        self.found.send(resource).await.map_err(|_| ReceiverDropped)
    }

    async fn take(&mut self, resource: Resource, note: bool, judge: bool) -> Result<(), ReceiverDropped> {
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

    async fn judge(&mut self, mut resource: Resource) -> Result<(), ReceiverDropped> {
        if resource.is_unlisted() && !self.lost.insert(resource.sub_type.clone()) {
            let gap =
                resource.unread.first().map(|unread: &Unread| unread.gap.to_string()).unwrap_or_default();
            tracing::warn!(kind = resource.sub_type, error = gap, "another list of this kind failed too");
            return Ok(());
        }
        self.index.relate(&mut resource);
        self.found.send(resource).await.map_err(|_| ReceiverDropped)
    }

    /// Whether there are objects of operators that keep secrets elsewhere: one of each is enough for those who are joined
    /// with them.
    async fn stores(&mut self) -> Result<(), ReceiverDropped> {
        for (name, group) in SECRET_STORES {
            if self.judges(name) || !self.notes(name) {
                continue;
            }
            let plural = GroupKind::named(name).guessed_plural();
            let found = match self.out_of_reach().await {
                Some(gap) => Err(gap),
                None => {
                    first_of(self.client, (name, group), &plural).await.map_err(|error| self.failed(error))
                }
            };
            match found {
                Ok(Some(object)) => self.take(object, true, false).await?,
                Ok(None) => {}
                Err(gap) => {
                    let gap = unlisted_as(name, &plural, self.request.owner, gap);
                    self.take(gap, true, false).await?;
                }
            }
        }
        Ok(())
    }
}
