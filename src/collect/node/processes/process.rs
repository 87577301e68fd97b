//! One running component as a resource.
//!
//! In: a trusted process, the component's arguments, and the process's view of the file system. Out: a document with
//! arguments, configuration and the files that its flags name, secrets blanked; and the files that it names.

mod api_server;
mod etcd;
mod openshift;
mod unread;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::proc_stat::{ProcStat, timestamp};
use super::{authorities, kubelet};
use crate::collect::arguments::{self, Arguments, KnownArguments};
use crate::collect::component::Component;
use crate::collect::config_files::kinds;
use crate::collect::node::filesystem::hostfs::HostRoot;
use crate::collect::node::filesystem::process_view::ProcessView;
use crate::collect::node::named_files::{self, ComponentSettings, NamedFile};
use crate::collect::node::static_pods::StaticContainer;
use crate::redact;
use crate::resource::{Gap, Kind, Reason, Resource, Unread};
use unread::{follow, follow_flag, keep};

/// A process to describe.
#[derive(Debug)]
pub(super) struct Process<'a> {
    /// Its process id.
    pub pid: u32,
    /// The component that it runs.
    pub component: Component,
    /// The program, if that runs several components in one process.
    pub program: Option<&'static str>,
    /// Its argument list, including the program's name.
    pub words: &'a [String],
    /// The component's arguments.
    pub given: &'a KnownArguments,
    /// Its entry in `/proc`.
    pub stat: &'a ProcStat,
    /// The boot time of the host, in Unix seconds.
    pub boot: Option<i64>,
    /// `/proc/<pid>`.
    pub directory: &'a HostRoot,
    /// Its container, if it is a static pod's.
    pub container: Option<&'a StaticContainer>,
    /// `major.minor` of its image's tag.
    pub version: Option<&'a str>,
    /// The program that started it and gives it some of its flags.
    pub supervisor: Option<&'static str>,
    /// Its view of the file system.
    pub view: &'a ProcessView<'a>,
}

/// A process's document, and the files that follow from it.
#[derive(Debug)]
pub(super) struct ProcessDescription {
    /// The resource.
    pub resource: Resource,
    /// The files that it names.
    pub named: Vec<NamedFile>,
    /// The roles of files that it may name in a place that could not be read.
    pub unnamed: Vec<(&'static [&'static str], Gap)>,
    /// The kubelet's directory of static pod manifests, as the kubelet sees it.
    pub manifests: Option<Result<String, Gap>>,
}

/// The arguments of a process that is a single component. `cut`: the list is longer than the bound.
pub(super) fn given(
    pid: u32,
    component: Component,
    words: &[String],
    cut: bool,
    view: &ProcessView<'_>,
) -> KnownArguments {
    let mut words = words.to_vec();
    redact::arguments(&mut words);
    let flags = words.get(Component::name_words(&words)..).unwrap_or_default();
    let mut given = KnownArguments { arguments: arguments::parse(component, flags), unread: Vec::new() };
    if cut {
        // The last value of a flag counts, so no conclusion from a part of the list is certain.
        given.unread.push(Unread::new("$", Reason::TooLarge, format!("read {}", path_of(pid, "cmdline"))));
    }
    openshift::add_arguments(component, view, &mut given);
    given
}

/// Describes a process.
pub(super) fn describe(process: &Process<'_>) -> ProcessDescription {
    let mut words = process.words.to_vec();
    redact::arguments(&mut words);
    let KnownArguments { arguments, unread } = process.given;
    let mut unread = unread.clone();
    let env = match process.component {
        // An etcd inside another program gets a file, and reads no variables.
        Component::Etcd if process.program.is_none() => etcd::environment(process, &mut unread),
        _ => BTreeMap::new(),
    };
    let (has_file, config, drop_ins) = configuration(process, arguments, &env, &mut unread);
    let files = match process.component {
        Component::ApiServer => api_server::files(process.view, arguments, &mut unread),
        _ => Map::new(),
    };
    let authorities = authorities(process, arguments, &env, has_file, config.as_ref(), &mut unread);

    let mut raw = Map::new();
    raw.insert("pid".into(), process.pid.to_string().into());
    raw.insert("command".into(), words.join(" ").trim_end().into());
    raw.insert("stat".into(), process.stat.document().into());
    raw.insert("external_data".into(), json!({}));
    raw.insert("component".into(), process.component.as_str().into());
    raw.extend(process.program.map(|program| ("program".to_owned(), program.into())));
    raw.insert("args".into(), json!(arguments));
    raw.insert("files".into(), files.into());
    let started = process.boot.and_then(|boot| process.stat.started(boot)).map(timestamp);
    let (version, supervisor) = (process.version, process.supervisor);
    for (key, text) in [("started", started.as_deref()), ("version", version), ("supervisor", supervisor)] {
        raw.extend(text.map(|text| (key.to_owned(), text.into())));
    }
    raw.extend(authorities.map(|authorities| ("authorities".to_owned(), authorities)));
    if process.component == Component::Etcd {
        raw.insert("env".into(), json!(env));
    }

    let started = ComponentSettings {
        component: process.component,
        arguments,
        has_file,
        config: config.as_ref(),
        env: &env,
        unread: &unread,
    };
    let mut unnamed = named_files::unnamed(&started);
    let drop_ins = drop_ins.unwrap_or_else(|why| {
        unnamed.push((&["kubelet-config"], why));
        Vec::new()
    });
    let named = named_files(process, &started, &drop_ins);
    let manifests = manifest_directory(&started);
    raw.extend(config.map(|config| ("config".to_owned(), config)));
    let resource = Resource {
        unread,
        ..Resource::observed(
            Kind::Process,
            "process".to_owned(),
            id(process.pid, process.stat, process.component, process.program),
            name(process.component, process.program),
            Value::Object(raw),
        )
    };
    ProcessDescription { resource, named, unnamed, manifests }
}

/// A resource for a process of which nothing could be read.
pub(super) fn hidden(
    pid: u32,
    component: Component,
    program: Option<&'static str>,
    stat: &ProcStat,
    why: Gap,
) -> Resource {
    Resource {
        unread: vec![why.at("$")],
        ..Resource::observed(
            Kind::Process,
            "process".to_owned(),
            id(pid, stat, component, program),
            name(component, program),
            json!({"pid": pid.to_string(), "component": component.as_str(), "stat": stat.document()}),
        )
    }
}

/// Components of one process must not share an id.
fn id(pid: u32, stat: &ProcStat, component: Component, program: Option<&str>) -> String {
    match program {
        None => format!("{pid}{}", stat.start_ticks),
        Some(_) => format!("{pid}{}/{}", stat.start_ticks, component.as_str()),
    }
}

/// The component's name: the kernel's is cut to 15 characters (`kube-controller`).
fn name(component: Component, program: Option<&str>) -> String {
    match program {
        None => component.as_str().to_owned(),
        Some(program) => format!("{} ({program})", component.as_str()),
    }
}

/// `/proc/<pid>/<file>`.
pub(super) fn path_of(pid: u32, file: &str) -> String {
    format!("/proc/{pid}/{file}")
}

/// Whether a configuration file is named, its content, and the kubelet's drop-ins.
fn configuration(
    process: &Process<'_>,
    arguments: &Arguments,
    env: &BTreeMap<String, String>,
    unread: &mut Vec<Unread>,
) -> (bool, Option<Value>, Result<Vec<String>, Gap>) {
    let (expected, path) = match process.component {
        Component::Kubelet => {
            let configuration = kubelet::configuration(process.view, arguments);
            let has_file = arguments::last(arguments, "config").is_some();
            let config = keep(configuration.document, "$.config", unread);
            return (has_file, config, configuration.drop_ins);
        }
        Component::Scheduler => (&kinds::SCHEDULER, arguments::last(arguments, "config")),
        Component::Proxy => (&kinds::PROXY, arguments::last(arguments, "config")),
        Component::Etcd => {
            let in_env = || env.get("ETCD_CONFIG_FILE").map(String::as_str).filter(|path| !path.is_empty());
            let path = arguments::last(arguments, "config-file").or_else(in_env);
            if path.is_none() {
                // A variable that cannot be read may name a file, and then only that file counts.
                follow("$.env", "$.config", unread);
            }
            (&kinds::ETCD, path)
        }
        Component::ApiServer | Component::ControllerManager => return (false, None, Ok(Vec::new())),
    };
    let config = path.map(|path| process.view.parse(path, expected));
    (path.is_some(), keep(config, "$.config", unread), Ok(Vec::new()))
}

/// Fingerprints of the CA certificates that clients are verified with.
fn authorities(
    process: &Process<'_>,
    arguments: &Arguments,
    env: &BTreeMap<String, String>,
    has_file: bool,
    config: Option<&Value>,
    unread: &mut Vec<Unread>,
) -> Option<Value> {
    if process.component == Component::Etcd && follow("$.config", "$.authorities", unread) {
        return None;
    }
    if process.component == Component::ApiServer && follow_flag("client-ca-file", "$.authorities", unread) {
        return None;
    }
    let flag = |name: &str| arguments::last(arguments, name).map(str::to_owned);
    let path = match process.component {
        Component::ApiServer => flag("client-ca-file"),
        Component::Etcd if has_file => {
            let path = config?.pointer("/client-transport-security/trusted-ca-file").and_then(Value::as_str);
            path.map(str::to_owned)
        }
        Component::Etcd => flag("trusted-ca-file").or_else(|| env.get("ETCD_TRUSTED_CA_FILE").cloned()),
        _ => None,
    };
    let path = path.filter(|path| !path.is_empty())?;
    let read = authorities::fingerprints(process.view, &path).map(Value::from);
    keep(Some(read), "$.authorities", unread)
}

fn named_files(
    process: &Process<'_>,
    started: &ComponentSettings<'_>,
    drop_ins: &[String],
) -> Vec<NamedFile> {
    let component = process.component;
    // Relative to the working directory, but for those that were made whole when their file was read.
    let mut files: Vec<NamedFile> = named_files::paths(started)
        .into_iter()
        .map(|(roles, shown)| {
            let path = process.view.host_path(&shown);
            NamedFile { roles, component, shown, path }
        })
        .collect();
    files.extend(drop_ins.iter().map(|path| NamedFile {
        roles: &["kubelet-config"],
        component,
        shown: path.clone(),
        path: Ok(path.clone()),
    }));
    files
}

fn manifest_directory(started: &ComponentSettings<'_>) -> Option<Result<String, Gap>> {
    if started.component != Component::Kubelet {
        return None;
    }
    if let Some(path) = arguments::last(started.arguments, "pod-manifest-path") {
        return Some(Ok(path.to_owned()));
    }
    if let Some(unread) = started.unread.iter().find(|unread| unread.at == "$" || unread.at == "$.config") {
        return Some(Err(Gap::new(unread.gap.reason, unread.gap.what.clone())));
    }
    let path = started.config?.get("staticPodPath")?.as_str().filter(|path| !path.is_empty())?;
    Some(Ok(path.to_owned()))
}
