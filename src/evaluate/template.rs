//! The template of pods inside a workload, judged as the pod that comes of it.
//!
//! In: a workload. Out: the document of such a pod, and a judgement whose places begin at the template.

use serde_json::{Map, Value, json};

use super::{Document, Judgement};
use crate::resource::{Reason, Resource, TemplatePath, Unread};

const POD: &str = "Pod";

/// The pod of a workload's template: the template's metadata and spec, with the workload's name and namespace.
pub(super) fn pod(workload: &Resource, path: &TemplatePath) -> Document {
    let mut raw = match path.of(&workload.raw) {
        Some(Value::Object(template)) => template.clone(),
        _ => Map::new(),
    };
    let mut unread: Vec<Unread> = workload.unread.iter().filter_map(|unread| within(unread, path)).collect();
    if !path.of(&workload.raw).is_some_and(Value::is_object) && !unread.iter().any(|unread| unread.at == "$")
    {
        let what = format!("parse {}: expected an object", path.place());
        unread.push(Unread::new("$", Reason::Malformed, what));
    }
    raw.insert("apiVersion".into(), "v1".into());
    raw.insert("kind".into(), POD.into());
    let metadata = raw.entry("metadata").or_insert_with(|| json!({}));
    if let Value::Object(metadata) = metadata {
        // A template cannot choose them.
        metadata.remove("uid");
        for key in ["name", "namespace"] {
            match workload.raw.pointer(&format!("/metadata/{key}")) {
                Some(value) => drop(metadata.insert(key.into(), value.clone())),
                None => drop(metadata.remove(key)),
            }
        }
    }
    let pod = Resource {
        related: workload.related.clone(),
        revealed: workload.revealed.under(path),
        unread,
        origin: workload.origin.clone(),
        ..Resource::observed(
            workload.kind,
            POD.into(),
            workload.id.clone(),
            workload.name.clone(),
            Value::Object(raw),
        )
    };
    Document::new(pod)
}

/// An unread place as the pod has it; `None`: it is beside the template.
fn within(unread: &Unread, path: &TemplatePath) -> Option<Unread> {
    if unread.at.starts_with("$.related") {
        return Some(unread.clone());
    }
    let template = path.place();
    if let Some(rest) = unread.at.strip_prefix(&template)
        && (rest.is_empty() || rest.starts_with(['.', '[']))
    {
        return Some(Unread { at: format!("${rest}"), gap: unread.gap.clone() });
    }
    let is_above = template.strip_prefix(&unread.at).is_some_and(|rest| rest.starts_with('.'));
    is_above.then(|| Unread { at: "$".into(), gap: unread.gap.clone() })
}

/// Makes the places of a judgement those of the workload: `$.spec.template.spec…`.
pub(super) fn as_of_workload(mut judgement: Judgement, path: &TemplatePath) -> Judgement {
    let place = path.place();
    let of_workload = |at: &str| -> Option<String> {
        let rest = at.strip_prefix('$')?;
        let is_own = rest.starts_with(".spec")
            || rest.starts_with(".metadata.labels")
            || rest.starts_with(".metadata.annotations");
        is_own.then(|| format!("{place}{rest}"))
    };
    judgement.evidence = std::mem::take(&mut judgement.evidence)
        .into_iter()
        .map(|(key, value)| (of_workload(&key).unwrap_or(key), value))
        .collect();
    // What is computed or joined is of no place in the template.
    let in_template =
        |steps: &&mut Vec<String>| matches!(steps.first().map(String::as_str), Some("spec" | "metadata"));
    for steps in judgement.places.iter_mut().filter(in_template) {
        steps.splice(0..0, path.keys().map(str::to_owned));
    }
    if let Some(gap) = &mut judgement.gap {
        gap.what = gap.what.replace("parse $.spec", &format!("parse {place}.spec"));
    }
    judgement
}
