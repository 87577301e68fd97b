//! What was read, as resources.

use serde_json::json;

use super::Request;
use super::item::Item;
use super::kinds::{CLUSTER, KindInfo, Store};
use super::list::{self, Problem};
use crate::collect::{object, redact};
use crate::resource::{Gap, Kind, Owner, Reason, Resource, Selector, Unread};

/// One object of a kind, without anything but its metadata; none where its operator is not installed.
pub(super) async fn first_of(client: &kube::Client, store: &Store) -> Result<Option<Resource>, Problem> {
    let group = match list::get(client, &format!("/apis/{}", store.group)).await {
        Ok(group) => group,
        Err(problem) if problem.reason == Reason::Missing => return Ok(None),
        Err(problem) => return Err(problem),
    };
    let version = group.pointer("/preferredVersion/groupVersion").and_then(serde_json::Value::as_str);
    let Some(version) = version else {
        return Err(Problem::new(Reason::Malformed, "the answer names no version"));
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
    Ok(Some(object::resource(raw, None)))
}

/// The cluster as a whole.
pub(super) fn cluster(request: &Request<'_>) -> Resource {
    let uid = request.owner.id.trim_start_matches("cluster/");
    let mut raw = json!({
        "kind": CLUSTER,
        "metadata": {"name": request.owner.name, "uid": uid},
        "secretsListed": request.secrets,
    });
    if let Some(version) = request.version {
        raw["version"] = version.into();
    }
    let mut resource = object::resource(raw, None);
    resource.id.clone_from(&request.owner.id);
    resource
}

/// A kind that could not be listed.
pub(super) fn unlisted(kind: &KindInfo, owner: &Owner, problem: &Problem) -> Resource {
    let what = format!("list {}: {}", kind.plural, problem.message);
    Resource::unlisted(&Selector::new(Kind::K8sObject, kind.name), owner, Gap::new(problem.reason, what))
}

/// One object of a kind; a list leaves out what all its items share.
pub(super) fn resource(kind: &KindInfo, owner: &Owner, item: Result<Item, Problem>) -> Resource {
    let (mut raw, whole) = match item {
        Ok(Item::Object(raw)) => (raw, true),
        Ok(Item::TooLarge(raw)) => (raw, false),
        Err(problem) => return unlisted(kind, owner, &problem),
    };
    if let Some(object) = raw.as_object_mut() {
        object.insert("kind".into(), kind.name.into());
        object.insert("apiVersion".into(), kind.api_version.into());
    }
    redact::kubernetes_object(&mut raw);
    let mut resource = object::resource(raw, None);
    if !whole {
        let what = format!("read {} {}: it has too many values", kind.name, resource.name);
        resource.unread.push(Unread::new("$", Reason::TooLarge, what));
    }
    resource
}
