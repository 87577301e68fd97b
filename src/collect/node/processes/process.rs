//! One running component as a resource.
//!
//! In: a process that root vouches for, what it gives the component, and how it sees files. Out: its document
//! with arguments, configuration and the parsed files that its flags name, secrets blanked; and which files
//! it names.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::proc_stat::{ProcStat, timestamp};
use super::{authorities, kubelet};
use crate::collect::arguments::{self, Arguments, Given};
use crate::collect::component::{Component, base_name};
use crate::collect::config_files::kinds::{self, Expected};
use crate::collect::node::filesystem::hostfs::HostRoot;
use crate::collect::node::filesystem::view::{View, beside};
use crate::collect::node::named::{self, Named, Started};
use crate::collect::node::static_pods::Container;
use crate::collect::redact;
use crate::resource::{Gap, Kind, Reason, Resource, Unread};

/// A process to describe.
#[derive(Debug)]
pub struct Process<'a> {
    /// Its id.
    pub pid: u32,
    /// The component it is, or holds.
    pub component: Component,
    /// The program that holds it beside others.
    pub program: Option<&'static str>,
    /// Its argument list, the program's name included.
    pub words: &'a [String],
    /// What the component is given.
    pub given: &'a Given,
    /// What the kernel says of it.
    pub stat: &'a ProcStat,
    /// When the host was booted.
    pub boot: Option<i64>,
    /// `/proc/<pid>`.
    pub directory: &'a HostRoot,
    /// The container that started it, where it is a static pod's.
    pub container: Option<&'a Container>,
    /// How it sees files.
    pub view: &'a View<'a>,
}

/// A process's document, and what follows from it.
#[derive(Debug)]
pub struct Described {
    /// The resource.
    pub resource: Resource,
    /// The files it names.
    pub named: Vec<Named>,
    /// The roles of files that it may name where nobody could look.
    pub unnamed: Vec<(&'static [&'static str], Gap)>,
    /// A kubelet's directory of manifests, as it calls it.
    pub manifests: Option<Result<String, Gap>>,
}

/// kube-apiserver's flags that name a file, the key of its content in `files`, and what it is.
const API_SERVER_FILES: &[(&str, &str, &Expected)] = &[
    ("authentication-config", "authenticationConfiguration", &kinds::AUTHENTICATION),
    ("authorization-config", "authorizationConfiguration", &kinds::AUTHORIZATION),
    ("admission-control-config-file", "admissionConfiguration", &kinds::ADMISSION),
    ("encryption-provider-config", "encryptionConfiguration", &kinds::ENCRYPTION),
    ("audit-policy-file", "auditPolicy", &kinds::AUDIT_POLICY),
];

/// The variables that etcd takes settings from and that are of interest: names, paths and switches.
const ETCD_VARIABLES: &[&str] = &[
    "ETCD_AUTO_TLS",
    "ETCD_CERT_FILE",
    "ETCD_CIPHER_SUITES",
    "ETCD_CLIENT_CERT_AUTH",
    "ETCD_CONFIG_FILE",
    "ETCD_DATA_DIR",
    "ETCD_KEY_FILE",
    "ETCD_LISTEN_CLIENT_HTTP_URLS",
    "ETCD_LISTEN_CLIENT_URLS",
    "ETCD_LISTEN_PEER_URLS",
    "ETCD_PEER_AUTO_TLS",
    "ETCD_PEER_CERT_FILE",
    "ETCD_PEER_CLIENT_CERT_AUTH",
    "ETCD_PEER_KEY_FILE",
    "ETCD_PEER_TRUSTED_CA_FILE",
    "ETCD_TLS_MAX_VERSION",
    "ETCD_TLS_MIN_VERSION",
    "ETCD_TRUSTED_CA_FILE",
];

/// What a process that is one component is given: the words of its argument list. `cut`: there are more than
/// the bound.
pub fn given(pid: u32, component: Component, words: &[String], cut: bool) -> Given {
    let mut words = words.to_vec();
    redact::arguments(&mut words);
    let first_argument = if base_name(&words[0]) == "hyperkube" { 2 } else { 1 };
    let arguments = arguments::parse(component, words.get(first_argument..).unwrap_or_default());
    let mut unread = Vec::new();
    if cut {
        // What comes last counts, so nothing that follows from the rest is certain.
        unread.push(Unread::new("$", Reason::TooLarge, format!("read {}", path_of(pid, "cmdline"))));
    }
    if let Some(path) = arguments::last(&arguments, "openshift-config") {
        let what = format!(
            "read {path}, which OpenShift's operators put further arguments in: its form is not known"
        );
        unread.push(Unread::new("$.args", Reason::Malformed, what));
    }
    Given { arguments, unread }
}

/// Describes a process.
pub fn describe(process: &Process<'_>) -> Described {
    let mut words = process.words.to_vec();
    redact::arguments(&mut words);
    let Given { arguments, unread } = process.given;
    let mut unread = unread.clone();
    let env = environment(process, &mut unread);
    let (has_file, config, drop_ins) = configuration(process, arguments, &env, &mut unread);
    let files = api_server_files(process, arguments, &mut unread);
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
    for (key, text) in
        [("started", started), ("version", process.container.and_then(|it| it.version.clone()))]
    {
        raw.extend(text.map(|text| (key.to_owned(), text.into())));
    }
    raw.extend(authorities.map(|authorities| ("authorities".to_owned(), authorities)));
    if process.component == Component::Etcd {
        raw.insert("env".into(), json!(env));
    }

    let started = Started {
        component: process.component,
        arguments,
        has_file,
        config: config.as_ref(),
        env: &env,
        unread: &unread,
    };
    let mut unnamed = named::unnamed(&started);
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
    Described { resource, named, unnamed, manifests }
}

/// What stands for a process of which nothing could be read.
pub fn hidden(
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

/// Several components of one process must not share an id.
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
pub fn path_of(pid: u32, file: &str) -> String {
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
                // A variable that is out of sight may name a file, and then that counts alone.
                follow("$.env", "$.config", unread);
            }
            (&kinds::ETCD, path)
        }
        Component::ApiServer | Component::ControllerManager => return (false, None, Ok(Vec::new())),
    };
    let config = path.map(|path| process.view.parse(path, expected));
    (path.is_some(), keep(config, "$.config", unread), Ok(Vec::new()))
}

/// The content, or nothing and a note of why.
fn keep(read: Option<Result<Value, Gap>>, at: &str, unread: &mut Vec<Unread>) -> Option<Value> {
    match read? {
        Ok(value) => Some(value),
        Err(gap) => {
            unread.push(gap.at(at));
            None
        }
    }
}

/// Where `from` is unread, so is `at`, for the same reason. Whether it is.
fn follow(from: &str, at: &str, unread: &mut Vec<Unread>) -> bool {
    let why = unread.iter().find(|unread| unread.at == from).cloned();
    let follows = why.is_some();
    unread.extend(why.map(|why| why.gap.at(at)));
    follows
}

fn api_server_files(
    process: &Process<'_>,
    arguments: &Arguments,
    unread: &mut Vec<Unread>,
) -> Map<String, Value> {
    let mut files = Map::new();
    if process.component != Component::ApiServer {
        return files;
    }
    for (flag, key, expected) in API_SERVER_FILES {
        let Some(path) = arguments::last(arguments, flag) else { continue };
        let at = format!("$.files.{key}");
        let Some(mut content) = keep(Some(process.view.parse(path, expected)), &at, unread) else { continue };
        if *key == "admissionConfiguration" {
            read_plugins(process.view, path, &mut content, &at, unread);
        }
        files.insert((*key).to_owned(), content);
    }
    files
}

/// Puts the configuration of a plug-in where it would stand if it had no file of its own.
fn read_plugins(view: &View<'_>, admission: &str, content: &mut Value, at: &str, unread: &mut Vec<Unread>) {
    let Some(Value::Array(plugins)) = content.get_mut("plugins") else { return };
    for (position, plugin) in plugins.iter_mut().enumerate() {
        let Value::Object(plugin) = plugin else { continue };
        let name = plugin.get("name").and_then(Value::as_str).unwrap_or_default();
        let Some(expected) = kinds::of_plugin(name) else { continue };
        if plugin.contains_key("configuration") {
            continue;
        }
        let path = plugin.get("path").and_then(Value::as_str).filter(|path| !path.is_empty());
        let read = path.map(|path| view.parse(&beside(admission, path), expected));
        let at = format!("{at}.plugins[{position}].configuration");
        plugin.extend(keep(read, &at, unread).map(|content| ("configuration".to_owned(), content)));
    }
}

/// etcd's variables. Reading a process's environment takes the right to trace it; without, its manifest
/// tells.
fn environment(process: &Process<'_>, unread: &mut Vec<Unread>) -> BTreeMap<String, String> {
    // An etcd inside another program gets a file, and reads no variables.
    if process.component != Component::Etcd || process.program.is_some() {
        return BTreeMap::new();
    }
    let variables: BTreeMap<String, String> = match (process.directory.read("environ"), process.container) {
        (Ok(bytes), _) => bytes
            .split(|byte| *byte == 0)
            .filter_map(|variable| {
                let variable = String::from_utf8_lossy(variable);
                variable.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
            })
            .collect(),
        (Err(_), Some(container)) => container.env.clone(),
        (Err(error), None) => {
            unread.push(Unread::new(
                "$.env",
                error.reason,
                format!("read {}", path_of(process.pid, "environ")),
            ));
            BTreeMap::new()
        }
    };
    variables
        .into_iter()
        .filter(|(name, _)| ETCD_VARIABLES.contains(&name.as_str()))
        .map(|(name, value)| (name, redact::url_user_info(&value).into_owned()))
        .collect()
}

/// Fingerprints of the certificates that clients are verified against.
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

fn named_files(process: &Process<'_>, started: &Started<'_>, drop_ins: &[String]) -> Vec<Named> {
    let component = process.component;
    // The kubelet reads paths in its file as relative to it; the others as relative to where they run.
    let config_path =
        arguments::last(started.arguments, "config").filter(|_| component == Component::Kubelet);
    let mut files: Vec<Named> = named::paths(started)
        .into_iter()
        .map(|(roles, shown, in_file)| {
            let path = match config_path.filter(|_| in_file) {
                Some(config) => process.view.host_path(&beside(config, &shown)),
                None => process.view.host_path(&shown),
            };
            Named { roles, component, shown, path }
        })
        .collect();
    files.extend(drop_ins.iter().map(|path| Named {
        roles: &["kubelet-config"],
        component,
        shown: path.clone(),
        path: Ok(path.clone()),
    }));
    files
}

fn manifest_directory(started: &Started<'_>) -> Option<Result<String, Gap>> {
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
    Some(Ok(match arguments::last(started.arguments, "config") {
        Some(config) => beside(config, path),
        None => path.to_owned(),
    }))
}
