//! A title names what its control judges: the flag, the field, the file, the kind or the plugin.

use std::collections::BTreeSet;

use posturebeat::collect::node::places::PLACES;
use posturebeat::resource::Kind;
use posturebeat::rule::{Control, built_in};
use serde_json::Value;

use crate::catalogue;

/// Titles that name it in other words, and why.
const EXCEPTIONS: [(&str, &str); 4] = [
    ("cni-config-mode", "the role has many files: the title names their directory"),
    ("cni-config-owner", "the role has many files: the title names their directory"),
    ("eks-cluster-admins", "the title names the access policy that a derived value looks for"),
    ("eks-workload-roles", "the title names both ways to a role, which a join brings together"),
];
/// The sections of a control that decide or show.
const SECTIONS: [&str; 5] = ["applies", "check", "pass", "fail", "evidence"];
/// Keys whose text is a name inside the component's configuration file.
const CONFIG_KEYS: [&str; 2] = ["config", "field"];
/// Comparators whose texts are names: of plugins, verbs, capabilities.
const LISTS: [&str; 2] = ["contains", "excludes"];
/// Shorter names say nothing.
const SHORTEST: usize = 3;

#[test]
fn a_title_names_what_its_control_judges() {
    let catalogue = catalogue();
    let mut wrong = Vec::new();
    for file in built_in().iter().filter(|file| file.name.starts_with("controls/")) {
        let text: Value = posturebeat::yaml::from_str(&file.text).unwrap();
        let Some(control) = text["id"].as_str().and_then(|id| catalogue.control(id)) else { continue };
        let title = control.title.to_lowercase();
        let names = names(&text, control);
        let is_named = names.iter().any(|name| title.contains(&name.to_lowercase()));
        let is_excepted = EXCEPTIONS.iter().any(|(id, _)| *id == control.id);
        if is_named && is_excepted {
            wrong.push(format!("{}: is no exception any more", control.id));
        }
        if !is_named && !is_excepted {
            wrong.push(format!("{}: `{}` names none of {names:?}", control.id, control.title));
        }
    }
    for (id, _) in EXCEPTIONS.iter().filter(|(id, _)| catalogue.control(id).is_none()) {
        wrong.push(format!("{id}: an exception for a control that does not exist"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Everything that a control looks at, by name.
fn names(text: &Value, control: &Control) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for section in SECTIONS {
        walk(&text[section], &mut names);
    }
    for judged in &control.resources {
        match judged.kind {
            Kind::K8sObject => {
                names.insert(judged.name.clone());
            }
            Kind::File => {
                let places = PLACES.iter().filter(|place| place.roles.contains(&judged.name.as_str()));
                for path in places.flat_map(|place| &place.patterns) {
                    names.insert(path.clone());
                    names.extend(path.rsplit('/').next().map(str::to_owned));
                }
            }
            Kind::Process | Kind::Caas | Kind::LoadBalancer | Kind::ContainerRegistry => {}
        }
    }
    names.retain(|name| name.len() >= SHORTEST && !name.contains('*'));
    names
}

fn walk(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                if let (true, Some(flag)) = (key == "flag", value.as_str()) {
                    names.insert(format!("--{flag}"));
                }
                if let (true, Some(path)) = (CONFIG_KEYS.contains(&key.as_str()), value.as_str()) {
                    names.extend(path.rsplit('.').next().map(str::to_owned));
                }
                if let (true, Some(texts)) = (LISTS.contains(&key.as_str()), value.as_array()) {
                    names.extend(texts.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                walk(value, names);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| walk(element, names)),
        Value::String(text) if text.contains(['$', '@']) => names.extend(words_of_path(text)),
        _ => {}
    }
}

/// The names in a path and its filters: what follows a dot, a bracket or a quote.
fn words_of_path(path: &str) -> impl Iterator<Item = String> {
    let starts = path.match_indices(['.', '[', '\'', '"']).map(|(at, sign)| &path[at + sign.len()..]);
    starts.map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        rest[..end].to_owned()
    })
}
