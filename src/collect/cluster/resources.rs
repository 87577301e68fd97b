//! What was read, as resources.

use serde_json::json;

use super::SweepRequest;
use super::kinds::{CLUSTER, ListedKind};
use super::pages::{self, ListItem};
use crate::collect::object;
use crate::kube_api::RequestError;
use crate::redact;
use crate::resource::{Gap, Kind, Owner, Reason, Resource, Selector, TemplatePath, Unread};

/// A secret store: one object of a kind, with nothing but its identity; none where its operator is not installed.
pub(super) async fn first_of(
    client: &kube::Client,
    (kind, group): (&str, &str),
    plural: &str,
) -> Result<Option<Resource>, RequestError> {
    let group = match pages::get(client, &format!("/apis/{group}")).await {
        Ok(group) => group,
        Err(error) if error.reason() == Reason::Missing => return Ok(None),
        Err(error) => return Err(error),
    };
    let version = group.pointer("/preferredVersion/groupVersion").and_then(serde_json::Value::as_str);
    let version = version.ok_or_else(|| RequestError::malformed("the answer names no version"))?;
    let object = match pages::first(client, &format!("/apis/{version}/{plural}")).await {
        Ok(Some(ListItem::Object(object) | ListItem::TooLarge(object))) => object,
        Ok(None) => return Ok(None),
        // The operator is there, in a version without this kind.
        Err(error) if error.reason() == Reason::Missing => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = |key: &str| object["metadata"][key].as_str();
    let who = json!({"name": text("name"), "namespace": text("namespace"), "uid": text("uid")});
    let raw = json!({"kind": kind, "apiVersion": version, "metadata": who});
    Ok(Some(object::resource(raw, None)))
}

/// The cluster as a whole.
pub(super) fn cluster(request: &SweepRequest<'_>) -> Resource {
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
pub(super) fn unlisted(kind: &ListedKind, owner: &Owner, gap: Gap) -> Resource {
    let mut unlisted = unlisted_as(&kind.name, &kind.resource(), owner, gap);
    unlisted.pod_template.clone_from(&kind.pod_template);
    unlisted
}

/// A kind that could not be listed, by its name and that of its resource.
pub(super) fn unlisted_as(name: &str, resource: &str, owner: &Owner, gap: Gap) -> Resource {
    let gap = gap.during(format_args!("list {resource}"));
    Resource::unlisted(&Selector::new(Kind::K8sObject, name), owner, gap)
}

/// One object of a kind; a list leaves out what all its items share.
pub(super) fn resource(
    kind: &ListedKind,
    request: &SweepRequest<'_>,
    item: Result<ListItem, Gap>,
) -> Resource {
    let (mut raw, whole) = match item {
        Ok(ListItem::Object(raw)) => (raw, true),
        Ok(ListItem::TooLarge(raw)) => (raw, false),
        Err(gap) => return unlisted(kind, request.owner, gap),
    };
    if let Some(object) = raw.as_object_mut() {
        object.insert("kind".into(), kind.kind.as_str().into());
        object.insert("apiVersion".into(), kind.api_version.as_str().into());
    }
    let revealed = redact::revealing(&mut raw, request.reveal);
    let cut = kind.kept.as_ref().map(|kept| redact::foreign_object(&mut raw, kept));
    let mut resource = object::resource(raw, None);
    resource.revealed = revealed;
    resource.unread.extend(cut.into_iter().flatten());
    // An operator's object may refer to a template elsewhere.
    let has_template = |path: &&TemplatePath| kind.kept.is_none() || path.of(&resource.raw).is_some();
    resource.pod_template = kind.pod_template.as_ref().filter(has_template).cloned();
    if !whole {
        let what = format!("read {} {}: it has too many values", kind.name, resource.name);
        resource.unread.push(Unread::new("$", Reason::TooLarge, what));
    }
    resource
}
