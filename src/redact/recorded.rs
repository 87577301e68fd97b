//! Redaction of whole resources that were written by hand or by an older version: recordings and cases.

use serde_json::Value;

use super::places::FILES;
use super::{BLANK, Reveal, document, is_secret_name, revealing, script, url_user_info, values_text};
use crate::resource::{Kind, Resource};

/// Kinds on which it depends what is blanked.
const BY_KIND: [&str; 2] = ["ConfigMap", "Secret"];

/// Blanks the secrets in a resource as its collector would have. What is blanked already stays as it is.
pub fn resource(resource: &mut Resource, reveal: &Reveal) {
    let raw = &mut resource.raw;
    if let Some(object) = raw.as_object_mut()
        && resource.kind == Kind::K8sObject
        && BY_KIND.contains(&resource.sub_type.as_str())
    {
        // A case may leave it out.
        object.entry("kind").or_insert_with(|| resource.sub_type.as_str().into());
    }
    match resource.kind {
        Kind::K8sObject => resource.revealed = revealing(raw, reveal),
        Kind::Process => process(raw),
        Kind::Caas => add_ons(raw),
        Kind::File | Kind::LoadBalancer | Kind::ContainerRegistry => {}
    }
}

fn process(raw: &mut Value) {
    if let Some(Value::Object(flags)) = raw.get_mut("args") {
        for (name, values) in flags {
            let is_secret = is_secret_name(name);
            for value in values.as_array_mut().into_iter().flatten() {
                match value {
                    Value::String(text) if is_secret && !text.is_empty() => BLANK.clone_into(text),
                    Value::String(text) => *text = url_user_info(text).into_owned(),
                    _ => {}
                }
            }
        }
    }
    for variable in
        raw.get_mut("env").and_then(Value::as_object_mut).into_iter().flat_map(|env| env.values_mut())
    {
        if let Value::String(text) = variable {
            *text = url_user_info(text).into_owned();
        }
    }
    for file in FILES {
        if let Some(file) = raw.get_mut(file) {
            document(file);
        }
    }
    if let Some(Value::String(line)) = raw.get_mut("command") {
        *line = script(line);
    }
}

fn add_ons(raw: &mut Value) {
    for add_on in raw.get_mut("addons").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(Value::String(text)) = add_on.get_mut("configurationValues") {
            values_text(text);
        }
    }
}
