//! The Kubernetes API: who it is, and its objects as plain JSON, a page at a time.
//!
//! In: a kubeconfig or the pod's own service account. Out: [`Resource`]s as they are read, and for each
//! kind that could not be listed one that says so. A typed struct would drop the fields that a newer
//! Kubernetes adds, so objects stay JSON.

mod connect;
mod identity;
mod kinds;
mod list;
mod platform;

use serde_json::value::RawValue;
use std::collections::BTreeSet;
use tokio::sync::mpsc;

use super::join::Index;
use super::redact;
use crate::resource::{Kind, Owner, Reason, Resource, Selector, Unread};

pub use connect::{Connection, connect};
pub use identity::{NodeHints, identify};
pub use kinds::{KINDS, KindInfo};
use list::{Item, Pages, Problem};

/// Reads the kinds that others are joined with into an index, then every wanted kind, one page in
/// memory at a time. What fails is emitted as unlisted; the rest goes on.
///
/// Ends early when the receiver of `found` is gone.
pub async fn observe(
    client: &kube::Client,
    owner: &Owner,
    wanted: &BTreeSet<&str>,
    found: &mpsc::Sender<Resource>,
) {
    let index = index(client, owner, wanted).await;
    for kind in KINDS.iter().filter(|kind| wanted.contains(kind.name)) {
        let mut pages = Pages::new(client, kind.path);
        loop {
            match pages.next().await {
                Ok(Some(page)) => {
                    for item in page {
                        let mut resource = resource(kind, owner, &item);
                        index.relate(&mut resource);
                        if found.send(resource).await.is_err() {
                            return;
                        }
                    }
                }
                Ok(None) => break,
                Err(problem) => {
                    if found.send(unlisted(kind, owner, &problem)).await.is_err() {
                        return;
                    }
                    break;
                }
            }
        }
    }
}

/// Everything that is joined, without what is judged.
async fn index(client: &kube::Client, owner: &Owner, wanted: &BTreeSet<&str>) -> Index {
    let mut index = Index::default();
    for kind in KINDS.iter().filter(|kind| Index::wants(kind.name, wanted)) {
        let path =
            Index::selector(kind.name).map_or(kind.path.to_owned(), |query| format!("{}?{query}", kind.path));
        let mut pages = Pages::new(client, &path);
        loop {
            match pages.next().await {
                Ok(Some(page)) => page.iter().for_each(|item| index.note(&resource(kind, owner, item))),
                Ok(None) => break,
                Err(problem) => {
                    index.note(&unlisted(kind, owner, &problem));
                    break;
                }
            }
        }
    }
    index
}

/// Every wanted kind could not be listed, for one reason: there is no way to the API.
pub fn out_of_reach(owner: &Owner, wanted: &BTreeSet<&str>, reason: Reason, what: &str) -> Vec<Resource> {
    KINDS
        .iter()
        .filter(|kind| wanted.contains(kind.name))
        .map(|kind| Resource::unlisted(&Selector::new(Kind::K8sObject, kind.name), owner, reason, what))
        .collect()
}

fn unlisted(kind: &KindInfo, owner: &Owner, problem: &Problem) -> Resource {
    let what = format!("list {}: {}", kind.plural(), problem.message);
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
        object.insert("apiVersion".into(), kind.api_version().into());
    }
    redact::kubernetes_object(&mut raw);
    let mut resource = super::object::resource(raw, None);
    if !whole {
        let what = format!("read {} {}: it has too many values", kind.name, resource.name);
        resource.unread.push(Unread::new("$", Reason::TooLarge, what));
    }
    resource
}
