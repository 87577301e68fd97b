//! The watch between two sweeps: it sends each object whose verdicts may have changed.
//!
//! In: what a sweep leaves ([`SweepState`]). Out: [`Resource`]s, each an object that changed in something that rules
//! read, or one whose joins did. Every list has its own stream; all of them send to one task, which owns the index. Of an
//! object that is judged and not joined, only a fingerprint is kept.

pub(crate) mod event;
mod fetch;
mod fingerprint;
pub(crate) mod lines;
mod lists;
mod pending;
mod referrers;
mod retry_delay;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::kinds::{CLUSTER, ListedKind};
use super::pages::ListItem;
use super::resources::{cluster, resource};
use super::{ReceiverDropped, SweepRequest};
use crate::collect::join::{Dependent, Index, ObjectKey};
use crate::resource::Resource;
pub(super) use lists::WatchedLists;
use pending::{PendingRereads, Reread};
use stream::ListStream;

/// Messages in the channel; each may hold an object.
const WAITING: usize = 4;
/// How long objects that are joined with a changed one are collected: one change seldom comes alone.
const COLLECT: Duration = Duration::from_secs(1);
/// The shortest time between two sends of the cluster as a whole, which is joined with much.
const CLUSTER_REST: Duration = Duration::from_secs(2);
/// When what could not be read is read again.
const AGAIN: Duration = Duration::from_secs(10);

/// What a sweep leaves for the watch. It holds some hundred bytes of each pod, binding and account, and the rules of
/// roles as text.
#[derive(Debug)]
pub struct SweepState {
    pub(super) index: Index,
    pub(super) lists: WatchedLists,
}

/// A message of a stream, or of the task that reads objects again.
enum WatchMessage {
    /// An object of a list, as it is.
    Is(usize, ListItem),
    /// An object of a list was deleted.
    Gone(usize, ListItem),
    /// A list is read again from its beginning.
    Listing(usize),
    /// It was read up to its end, and to this version.
    Listed(usize, String),
    /// An object that was asked for.
    Fetched(Arc<ListedKind>, ListItem),
    /// All were read but these, which failed.
    AllFetched(Vec<Reread>),
}

/// The task that owns the index.
struct Watcher<'a> {
    client: &'a kube::Client,
    request: &'a SweepRequest<'a>,
    kept: SweepState,
    found: &'a mpsc::Sender<Resource>,
    messages: mpsc::Sender<WatchMessage>,
    tasks: JoinSet<()>,
    pending: PendingRereads,
    /// What could not be read the last time.
    again: Vec<Reread>,
    /// When to read what is pending; none while that is under way, or nothing is pending.
    due: Option<Instant>,
    reading: bool,
    /// When to send the cluster.
    cluster_due: Option<Instant>,
    cluster_sent: Option<Instant>,
}

/// Goes on from a sweep until it is dropped or the receiver of `found` is gone: sends every resource that may be judged
/// otherwise now. Objects that are gone are not sent, but those that were joined with them.
///
/// What needs a list of its own (operators that keep secrets elsewhere, what the cloud is asked about) is seen by sweeps
/// only, and so are changes of a status that no built-in rule reads. Kinds that could not be listed stay unknown to those
/// that are joined with them until a list succeeds, here or in the next sweep.
pub async fn watch(
    client: &kube::Client,
    request: &SweepRequest<'_>,
    kept: SweepState,
    found: &mpsc::Sender<Resource>,
) {
    let (messages, mut received) = mpsc::channel(WAITING);
    let mut watcher = Watcher {
        client,
        request,
        kept,
        found,
        messages,
        tasks: JoinSet::new(),
        pending: PendingRereads::default(),
        again: Vec::new(),
        due: None,
        reading: false,
        cluster_due: None,
        cluster_sent: None,
    };
    watcher.open();
    // Nothing is left to do for a receiver that is gone.
    let _ = watcher.run(&mut received).await;
}

impl Watcher<'_> {
    /// Opens the streams. Of pods and bindings first: most depends on them.
    fn open(&mut self) {
        let mut order: Vec<usize> = (0..self.kept.lists.all.len()).collect();
        let hasty = |kind: &str| kind == "Pod" || referrers::BINDINGS.contains(&kind);
        order.sort_by_key(|list| !hasty(&self.kept.lists.all[*list].kind.name));
        for position in order {
            let list = &self.kept.lists.all[position];
            let stream = ListStream {
                client: self.client.clone(),
                kind: Arc::clone(&list.kind),
                list: position,
                path: list.path.clone(),
                version: list.version.clone(),
                messages: self.messages.clone(),
            };
            self.tasks.spawn(stream.run());
        }
    }

    async fn run(&mut self, received: &mut mpsc::Receiver<WatchMessage>) -> Result<(), ReceiverDropped> {
        loop {
            let wake = self.due.into_iter().chain(self.cluster_due).min();
            tokio::select! {
                Some(message) = received.recv() => self.take(message).await?,
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => self.act().await?,
                () = self.found.closed() => return Err(ReceiverDropped),
            }
        }
    }

    async fn take(&mut self, message: WatchMessage) -> Result<(), ReceiverDropped> {
        match message {
            WatchMessage::Is(list, item) => {
                if let Some(resource) = self.note(list, item) {
                    self.send(resource).await?;
                }
            }
            WatchMessage::Gone(list, item) => {
                let kind = Arc::clone(&self.kept.lists.all[list].kind);
                let key = ObjectKey::of(&resource(&kind, self.request, Ok(item)));
                self.forget(list, key);
            }
            WatchMessage::Listing(list) => {
                let list = &mut self.kept.lists.all[list];
                (list.still, list.version) = (Some(HashSet::new()), None);
            }
            WatchMessage::Listed(list, version) => self.listed(list, version),
            WatchMessage::Fetched(kind, item) => {
                let resource = resource(&kind, self.request, Ok(item));
                // One that is not known yet, or not any more, has an event of its own.
                if self.kept.lists.has(&kind.name, ObjectKey::of(&resource)) {
                    self.send(resource).await?;
                }
            }
            WatchMessage::AllFetched(failed) => {
                self.reading = false;
                let wait = if failed.is_empty() { COLLECT } else { AGAIN };
                self.again = failed;
                self.due = None;
                self.plan(wait);
            }
        }
        Ok(())
    }

    /// Learns of an object; gives it where it must be judged again.
    fn note(&mut self, list: usize, item: ListItem) -> Option<Resource> {
        let lists = &mut self.kept.lists;
        let list = &mut lists.all[list];
        let resource = resource(&list.kind, self.request, Ok(item));
        let key = ObjectKey::of(&resource);
        let print = lists.prints.of(&list.kind.name, &resource);
        let same = list.seen.insert(key, print) == Some(print);
        match &mut list.still {
            // What was not read as a whole may not have been noted.
            Some(still) => {
                still.insert(key);
            }
            None if same => return None,
            None => {}
        }
        let (noted, judged) = (list.noted, list.judged);
        lists.referrers.note(&resource, key);
        if noted {
            let touched = self.kept.index.note(&resource);
            self.touch(touched);
        }
        (judged && !same).then_some(resource)
    }

    fn forget(&mut self, list: usize, key: ObjectKey) {
        let list = &mut self.kept.lists.all[list];
        list.seen.remove(&key);
        let (kind, noted) = (Arc::clone(&list.kind), list.noted);
        self.kept.lists.referrers.forget(key);
        if noted {
            let touched = self.kept.index.forget(&kind.name, key);
            self.touch(touched);
        }
    }

    /// What was there and was not listed again is gone.
    fn listed(&mut self, position: usize, version: String) {
        let list = &mut self.kept.lists.all[position];
        list.version = Some(version);
        let kind = Arc::clone(&list.kind);
        let still = list.still.take().unwrap_or_default();
        let gone: Vec<ObjectKey> = list.seen.keys().filter(|key| !still.contains(key)).copied().collect();
        for key in gone {
            self.forget(position, key);
        }
        if self.kept.lists.are_whole(&kind.name) {
            let touched = self.kept.index.heal(&kind.name);
            self.touch(touched);
        }
    }

    /// Queues the objects whose joins changed.
    fn touch(&mut self, touched: Vec<Dependent>) {
        for dependent in touched {
            let judges = |kind: &str| self.request.judges(kind);
            self.pending.add(dependent, &self.kept.lists.referrers, &judges);
        }
        self.plan(COLLECT);
    }

    fn plan(&mut self, wait: Duration) {
        let now = Instant::now();
        let nothing = self.pending.is_empty() && self.again.is_empty();
        if !(self.reading || nothing) {
            self.due.get_or_insert(now + wait);
        }
        if std::mem::take(&mut self.pending.cluster) && self.request.judges(CLUSTER) {
            let rested = self.cluster_sent.map_or(now, |sent| sent + CLUSTER_REST);
            self.cluster_due.get_or_insert(rested.max(now + COLLECT));
        }
    }

    /// Does what is due.
    async fn act(&mut self) -> Result<(), ReceiverDropped> {
        let now = Instant::now();
        if self.due.is_some_and(|due| due <= now) {
            self.due = None;
            let mut asks = std::mem::take(&mut self.again);
            let lists = &self.kept.lists;
            let more = self.pending.take(lists);
            asks.extend(more.into_iter().filter(|ask| !asks.contains(ask)).collect::<Vec<_>>());
            // Those that have ended.
            while self.tasks.try_join_next().is_some() {}
            self.reading = true;
            self.tasks.spawn(fetch::fetch(self.client.clone(), asks, self.messages.clone()));
        }
        if self.cluster_due.is_some_and(|due| due <= now) {
            self.cluster_due = None;
            self.cluster_sent = Some(now);
            self.send(cluster(self.request)).await?;
        }
        Ok(())
    }

    async fn send(&mut self, mut resource: Resource) -> Result<(), ReceiverDropped> {
        self.kept.index.relate(&mut resource);
        self.found.send(resource).await.map_err(|_| ReceiverDropped)
    }
}
