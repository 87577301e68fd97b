//! Reads the objects that must be judged again.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::WatchMessage;
use super::pending::Reread;
use crate::collect::cluster::pages::{ListItem, ListPages};
use crate::resource::Reason;

/// When what was refused is read again, once: an API server that has just started refuses what it will allow in a
/// moment.
const REFUSED: Duration = Duration::from_secs(2);

/// Reads list by list; the last message names those that failed.
pub(super) async fn fetch(client: kube::Client, asks: Vec<Reread>, messages: mpsc::Sender<WatchMessage>) {
    let Some((mut failed, refused)) = read(&client, asks, &messages).await else { return };
    if !refused.is_empty() {
        sleep(REFUSED).await;
        // What is still refused is reported by the sweep, once for each rule.
        let Some((more, _)) = read(&client, refused, &messages).await else { return };
        failed.extend(more);
    }
    // The receiver may be gone.
    let _ = messages.send(WatchMessage::AllFetched(failed)).await;
}

/// Returns those that failed and those that were refused; nothing where the receiver is gone.
async fn read(
    client: &kube::Client,
    asks: Vec<Reread>,
    messages: &mpsc::Sender<WatchMessage>,
) -> Option<(Vec<Reread>, Vec<Reread>)> {
    let (mut failed, mut refused) = (Vec::new(), Vec::new());
    for ask in asks {
        let mut pages = ListPages::new(client, &ask.path);
        loop {
            let page = match pages.next().await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(error) => {
                    tracing::debug!(kind = ask.kind.name, %error, "cannot list objects");
                    match error.reason() {
                        Reason::Denied => refused.push(ask),
                        // The sweep reports it.
                        Reason::Missing => {}
                        _ => failed.push(ask),
                    }
                    break;
                }
            };
            // The sweep reports an item that is not an object.
            for item in page.iter().filter_map(|item| ListItem::parse(item).ok()) {
                if ask.means(item.json())
                    && messages.send(WatchMessage::Fetched(Arc::clone(&ask.kind), item)).await.is_err()
                {
                    return None;
                }
            }
        }
    }
    Some((failed, refused))
}
