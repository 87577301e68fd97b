//! Reads those that must be judged again.

use tokio::sync::mpsc;

use super::Told;
use super::pending::Ask;
use crate::collect::cluster::item::Item;
use crate::collect::cluster::list::Pages;
use crate::resource::Reason;

/// Reads list by list, and tells at the end which must be read again.
pub(super) async fn fetch(client: kube::Client, asks: Vec<Ask>, told: mpsc::Sender<Told>) {
    let mut failed = Vec::new();
    for ask in asks {
        let mut pages = Pages::new(&client, &ask.path);
        loop {
            let page = match pages.next().await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(problem) => {
                    tracing::debug!("could not list {}: {}", ask.kind.plural, problem.message);
                    // The sweep says so too, once for each rule.
                    if !matches!(problem.reason, Reason::Denied | Reason::Missing) {
                        failed.push(ask);
                    }
                    break;
                }
            };
            // One that is no object is said by the sweep.
            for item in page.iter().filter_map(|item| Item::parse(item).ok()) {
                if ask.means(item.json()) && told.send(Told::Fetched(ask.kind, item)).await.is_err() {
                    return;
                }
            }
        }
    }
    // Nobody is left to be told.
    let _ = told.send(Told::AllFetched(failed)).await;
}
