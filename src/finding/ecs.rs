//! ECS fields beside `resource.*`: `file.*`, `process.*`, `orchestrator.resource.*`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::resource::{Kind, Resource};

/// The top-level ECS objects of one resource, by name.
pub(super) fn of(resource: &Resource, now: Timestamp) -> Vec<(&'static str, Value)> {
    if resource.is_unlisted() {
        return Vec::new();
    }
    match resource.kind {
        Kind::File => vec![("file", file(&resource.raw))],
        Kind::Process => vec![("process", process(&resource.raw, now))],
        Kind::K8sObject | Kind::Caas | Kind::LoadBalancer | Kind::ContainerRegistry => Vec::new(),
    }
}

/// `orchestrator.resource.*`: its id is the object's own UID, not the hashed one.
pub(super) fn orchestrated(resource: &Resource) -> Option<Value> {
    (resource.kind == Kind::K8sObject && !resource.is_unlisted())
        .then(|| json!({"type": resource.sub_type, "name": resource.name, "id": resource.id}))
}

fn copy(out: &mut Map<String, Value>, raw: &Value, names: &[(&str, &str)]) {
    for (field, key) in names {
        if let Some(value) = raw.get(*key).filter(|value| !value.is_null()) {
            out.insert((*field).to_owned(), value.clone());
        }
    }
}

fn file(raw: &Value) -> Value {
    let mut out = Map::new();
    let same = [
        ("name", "name"),
        ("mode", "mode"),
        ("uid", "uid"),
        ("gid", "gid"),
        ("owner", "owner"),
        ("group", "group"),
        ("path", "path"),
        ("inode", "inode"),
        ("size", "size"),
        ("type", "sub_type"),
        ("accessed", "accessed"),
        ("mtime", "mtime"),
        ("ctime", "ctime"),
    ];
    copy(&mut out, raw, &same);
    if let Some(path) = raw.get("path").and_then(Value::as_str) {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        let directory = if directory.is_empty() { "/" } else { directory };
        out.insert("directory".into(), Value::from(directory));
        let extension = name.rfind('.').map_or("", |dot| &name[dot..]);
        out.insert("extension".into(), Value::from(extension));
    }
    Value::Object(out)
}

fn process(raw: &Value, now: Timestamp) -> Value {
    let mut out = Map::new();
    let number =
        |value: Option<&Value>| value.and_then(Value::as_str).and_then(|text| text.parse::<i64>().ok());
    let stat = raw.get("stat");
    let stat_number = |key: &str| number(stat.and_then(|stat| stat.get(key)));
    if let Some(pid) = number(raw.get("pid")) {
        out.insert("pid".into(), Value::from(pid));
    }
    if let Some(parent) = stat_number("Parent") {
        out.insert("parent".into(), json!({"pid": parent}));
    }
    if let Some(group) = stat_number("Group") {
        out.insert("pgid".into(), Value::from(group));
    }
    if let Some(name) = stat.and_then(|stat| stat.get("Name")) {
        out.insert("name".into(), name.clone());
        out.insert("title".into(), name.clone());
    }
    if let Some(command) = raw.get("command").and_then(Value::as_str) {
        let args: Vec<&str> = command.split(' ').collect();
        out.insert("args_count".into(), Value::from(args.len()));
        out.insert("args".into(), Value::from(args));
        out.insert("command_line".into(), Value::from(command));
    }
    copy(&mut out, raw, &[("start", "started")]);
    let started = raw.get("started").and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    if let Some(started) = started {
        out.insert("uptime".into(), Value::from((now.as_second() - started.as_second()).max(0)));
    }
    Value::Object(out)
}
