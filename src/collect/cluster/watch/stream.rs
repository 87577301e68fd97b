//! One watched list: continues from a version, and lists again when that version expired.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::WatchMessage;
use super::event::{self, WatchEvent};
use super::lines::{EventLines, LineError};
use super::retry_delay::{RetryDelay, spread};
use crate::collect::cluster::kinds::ListedKind;
use crate::collect::cluster::pages::{ListItem, ListPages};
use crate::kube_api::{self, RequestError, url_escaped};
use crate::resource::Reason;

/// How long the server is asked to keep a stream open; a part of it more, at random.
const OPEN: Duration = Duration::from_mins(5);
/// A server sends a bookmark each minute; a stream that is silent for longer may be cut without our notice.
const SILENCE: Duration = Duration::from_secs(90);
/// A stream that ends sooner counts as failed.
const SHORT: Duration = Duration::from_secs(5);
/// Failures in a row that are worth a line in the log.
const TELLING: u32 = 4;
/// Refusals in a row that are: a server that has just started refuses a few times.
const TELLING_REFUSALS: u32 = 3;

/// A watched list.
pub(super) struct ListStream {
    pub client: kube::Client,
    pub kind: Arc<ListedKind>,
    /// Which of the lists it is.
    pub list: usize,
    pub path: String,
    /// From where to go on; none where it must be listed again.
    pub version: Option<String>,
    pub messages: mpsc::Sender<WatchMessage>,
}

/// Why a stream ended.
enum StreamEnd {
    /// The server closed it in good order.
    Closed,
    /// Cut off or turned away; how long the server asks us to wait.
    Broken(Option<Duration>, String),
    /// Not allowed, or not there.
    Refused(String),
    /// The changes since the last version cannot be read.
    Lost(String),
    /// The receiver was dropped; stop producing.
    Unwanted,
}

impl ListStream {
    /// Watches until the receiver is dropped.
    pub(super) async fn run(mut self) {
        let mut delay = RetryDelay::default();
        let kind = self.kind.name.clone();
        loop {
            let began = Instant::now();
            let mut moved = false;
            let end = match self.version.clone() {
                Some(version) => self.follow(&version, &mut moved).await,
                None => self.list_again(&mut moved).await,
            };
            if moved || (matches!(end, StreamEnd::Closed) && began.elapsed() >= SHORT) {
                if delay.failures() >= TELLING || delay.refusals() >= TELLING_REFUSALS {
                    tracing::info!(kind, "watch re-established");
                }
                delay.relieve();
            }
            let wait = match end {
                StreamEnd::Unwanted => return,
                StreamEnd::Closed if began.elapsed() >= SHORT => RetryDelay::after_close(),
                StreamEnd::Closed => delay.after_failure(None),
                StreamEnd::Broken(asked, why) => {
                    let wait = delay.after_failure(asked);
                    if delay.failures() == TELLING {
                        tracing::warn!(kind, error = why, "cannot watch this kind; retrying");
                    } else {
                        tracing::debug!(kind, error = why, "watch interrupted");
                    }
                    wait
                }
                StreamEnd::Refused(why) => {
                    let wait = delay.after_refusal();
                    if delay.refusals() == TELLING_REFUSALS {
                        tracing::warn!(
                            kind,
                            error = why,
                            "cannot watch this kind; changes are seen in the next cycle"
                        );
                    } else {
                        tracing::debug!(kind, error = why, "watch refused");
                    }
                    wait
                }
                StreamEnd::Lost(why) => {
                    tracing::info!(kind, error = why, "re-listing after the watch expired");
                    self.version = None;
                    delay.after_loss()
                }
            };
            sleep(wait).await;
        }
    }

    async fn follow(&mut self, version: &str, moved: &mut bool) -> StreamEnd {
        let body = match kube_api::open(&self.client, &self.uri(version)).await {
            Ok(body) => body,
            Err(error) => return refused(&self.kind, error),
        };
        let mut lines = EventLines::new(body);
        loop {
            let line = match timeout(SILENCE, lines.next()).await {
                Ok(Ok(Some(line))) => line,
                Ok(Ok(None)) | Err(_) => return StreamEnd::Closed,
                Ok(Err(LineError::TooLong)) => return StreamEnd::Lost("an event is too large".into()),
                Ok(Err(LineError::Cut(why))) => return StreamEnd::Broken(None, why),
            };
            let (told, version) = match event::read(line) {
                WatchEvent::Is(item, version) => (Some(WatchMessage::Is(self.list, item)), version),
                WatchEvent::Gone(item, version) => (Some(WatchMessage::Gone(self.list, item)), version),
                WatchEvent::Bookmark(version) => (None, version),
                WatchEvent::Lost(why) => return StreamEnd::Lost(why),
                WatchEvent::Broken(asked, why) => return StreamEnd::Broken(asked, why),
            };
            if let Some(told) = told
                && self.messages.send(told).await.is_err()
            {
                return StreamEnd::Unwanted;
            }
            self.version = Some(version);
            *moved = true;
        }
    }

    fn uri(&self, version: &str) -> String {
        let joiner = if self.path.contains('?') { '&' } else { '?' };
        let open = spread(OPEN).as_secs();
        let mut uri =
            format!("{}{joiner}watch=true&allowWatchBookmarks=true&timeoutSeconds={open}", self.path);
        if !version.is_empty() {
            uri.push_str("&resourceVersion=");
            uri.push_str(&url_escaped(version).to_string());
        }
        uri
    }

    /// Lists it anew: the receiver compares every object with what it knew.
    async fn list_again(&mut self, moved: &mut bool) -> StreamEnd {
        let mut pages = ListPages::new(&self.client, &self.path);
        if self.messages.send(WatchMessage::Listing(self.list)).await.is_err() {
            return StreamEnd::Unwanted;
        }
        loop {
            let page = match pages.next().await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(error) if matches!(error.reason(), Reason::Denied | Reason::Missing) => {
                    return StreamEnd::Refused(format!("list {}: {error}", self.kind.resource()));
                }
                Err(error) => return StreamEnd::Broken(None, error.to_string()),
            };
            for item in page {
                let item = match ListItem::parse(&item) {
                    Ok(item) => item,
                    Err(gap) => return StreamEnd::Broken(None, gap.what),
                };
                if self.messages.send(WatchMessage::Is(self.list, item)).await.is_err() {
                    return StreamEnd::Unwanted;
                }
            }
        }
        let version = pages.version().unwrap_or_default().to_owned();
        if self.messages.send(WatchMessage::Listed(self.list, version.clone())).await.is_err() {
            return StreamEnd::Unwanted;
        }
        self.version = Some(version.clone());
        *moved = true;
        // At once: what changed since the list is waiting.
        self.follow(&version, moved).await
    }
}

/// Why there is no stream.
fn refused(kind: &ListedKind, error: RequestError) -> StreamEnd {
    let why = format!("watch {}: {error}", kind.resource());
    match error {
        RequestError::Refused(refusal) => match refusal.status.as_u16() {
            410 => StreamEnd::Lost(why),
            403..=405 => StreamEnd::Refused(why),
            _ => StreamEnd::Broken(refusal.retry_after, why),
        },
        _ => StreamEnd::Broken(None, why),
    }
}
