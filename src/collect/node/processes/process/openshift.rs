//! OpenShift's API server and controller manager: most of their flags stand in the file of `--openshift-config`.
//!
//! In: the flags on the command line, and the process's view of the file. Out: the flags of both. What the file sets in
//! another form is read where it is a plain value, and is unread otherwise; nothing in it is ever taken for unset.

use serde_json::{Map, Value};

use crate::collect::arguments::{self, KnownArguments};
use crate::collect::component::Component;
use crate::collect::config_files::kinds::{self, FileKind};
use crate::collect::node::filesystem::process_view::ProcessView;
use crate::redact;
use crate::resource::{Gap, Reason, Unread};

/// The flags that the API server takes from other keys, where its arguments do not have them.
const SETTINGS: &[(&str, &str)] = &[
    ("client-ca-file", "/servingInfo/clientCA"),
    ("disable-admission-plugins", "/admission/disabledPlugins"),
    ("enable-admission-plugins", "/admission/enabledPlugins"),
    ("etcd-cafile", "/storageConfig/ca"),
    ("etcd-certfile", "/storageConfig/certFile"),
    ("etcd-keyfile", "/storageConfig/keyFile"),
    ("etcd-servers", "/storageConfig/urls"),
    ("kubelet-certificate-authority", "/kubeletClientInfo/ca"),
    ("kubelet-client-certificate", "/kubeletClientInfo/certFile"),
    ("kubelet-client-key", "/kubeletClientInfo/keyFile"),
    ("service-account-key-file", "/serviceAccountPublicKeyFiles"),
    ("tls-cert-file", "/servingInfo/certFile"),
    ("tls-cipher-suites", "/servingInfo/cipherSuites"),
    ("tls-min-version", "/servingInfo/minTLSVersion"),
    ("tls-private-key-file", "/servingInfo/keyFile"),
];

/// The flags that the API server has where neither arguments nor other keys set them.
const DEFAULTS: &[(&str, &str)] = &[
    ("anonymous-auth", "true"),
    ("authorization-mode", "Scope,SystemMasters,RBAC,Node"),
    ("insecure-port", "0"),
    ("kubelet-https", "true"),
    ("service-account-lookup", "true"),
];

/// Flags that are made of keys in another form.
const UNREAD: &[(&str, &str)] = &[
    ("admission-control-config-file", "/admission/pluginConfig"),
    ("audit-log-maxage", "/auditConfig"),
    ("audit-log-maxbackup", "/auditConfig"),
    ("audit-log-maxsize", "/auditConfig"),
    ("audit-log-path", "/auditConfig"),
    ("audit-policy-file", "/auditConfig"),
    ("audit-webhook-config-file", "/auditConfig"),
    ("secure-port", "/servingInfo/bindAddress"),
];

/// Adds the flags of the file that `--openshift-config` names.
pub(super) fn add_arguments(component: Component, view: &ProcessView<'_>, given: &mut KnownArguments) {
    let (expected, key): (&FileKind, &str) = match component {
        Component::ApiServer => (&kinds::OPENSHIFT_API_SERVER, "apiServerArguments"),
        Component::ControllerManager => (&kinds::OPENSHIFT_CONTROLLER_MANAGER, "extendedArguments"),
        _ => return,
    };
    let Some(path) = arguments::last(&given.arguments, "openshift-config").map(str::to_owned) else { return };
    match view.parse(&path, expected) {
        Ok(file) => add(component, &path, &file, key, given),
        Err(gap) => {
            let gap = Gap::new(gap.reason, format!("{}: it holds more of the flags", gap.what));
            given.unread.push(gap.at("$.args"));
        }
    }
}

fn add(component: Component, path: &str, file: &Value, key: &str, given: &mut KnownArguments) {
    let unread = |flag: &str| {
        let what = format!("read --{flag}, which {path} sets in another form");
        Unread::new(format!("$.args.{flag}"), Reason::Malformed, what)
    };
    let mut flags: Map<String, Value> = match file.get(key) {
        Some(Value::Object(flags)) => flags.clone(),
        None | Some(Value::Null) => Map::new(),
        Some(_) => {
            let what = format!("read {path}: expected a map in {key}");
            return given.unread.push(Unread::new("$.args", Reason::Malformed, what));
        }
    };
    if component == Component::ApiServer {
        let is_set = |pointer: &str| file.pointer(pointer).is_some_and(is_given);
        for (flag, pointer) in SETTINGS.iter().filter(|(_, pointer)| is_set(pointer)) {
            let value = file.pointer(pointer).cloned().unwrap_or_default();
            flags.entry((*flag).to_owned()).or_insert(value);
        }
        for (flag, value) in DEFAULTS {
            flags.entry((*flag).to_owned()).or_insert_with(|| (*value).into());
        }
        let in_other_form =
            UNREAD.iter().filter(|(flag, pointer)| !flags.contains_key(*flag) && is_set(pointer));
        given.unread.extend(in_other_form.map(|(flag, _)| unread(flag)));
    }
    for (flag, value) in &flags {
        let Some(values) = texts(value) else {
            given.unread.push(unread(flag));
            continue;
        };
        let mut words: Vec<String> = values.iter().map(|value| format!("--{flag}={value}")).collect();
        redact::arguments(&mut words);
        for (flag, values) in arguments::parse(component, &words) {
            match given.arguments.get(&flag) {
                // Which of the two counts hangs on the flag.
                Some(own) if *own != values => given.unread.push(unread(&flag)),
                Some(_) => {}
                None => {
                    given.arguments.insert(flag, values);
                }
            }
        }
    }
}

fn is_given(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// A list of texts, or one.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}
