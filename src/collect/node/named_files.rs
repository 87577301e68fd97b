//! Files that running components name: they are judged wherever they are.
//!
//! In: a component's arguments, configuration and variables. Out: (role, path as the component sees it). A setting
//! that the component ignores is ignored here too.

use std::collections::BTreeMap;

use serde_json::Value;

use super::places::PKI_ROLES;
use crate::collect::arguments::{self, Arguments};
use crate::collect::component::Component;
use crate::resource::{Gap, Unread};

/// A file that a process names.
#[derive(Debug)]
pub struct NamedFile {
    /// Its role; for key material the four roles that it may have.
    pub roles: &'static [&'static str],
    /// The component that names it.
    pub component: Component,
    /// Its path as the process sees it.
    pub shown: String,
    /// Its path on the host.
    pub path: Result<String, Gap>,
}

/// A setting of a component that names files.
#[derive(Debug)]
struct FileSetting {
    component: Component,
    roles: &'static [&'static str],
    /// The first source that is set counts.
    sources: &'static [SettingSource],
}

#[derive(Debug, Clone, Copy)]
enum SettingSource {
    /// A flag; all of its values.
    Flag(&'static str),
    /// A flag that is ignored if there is a configuration file.
    FlagWithoutFile(&'static str),
    /// An environment variable, which is also ignored if there is a configuration file.
    Variable(&'static str),
    /// A key of the configuration file, as a JSON pointer.
    Key(&'static str),
}

/// The settings of a running component.
#[derive(Debug, Clone, Copy)]
pub(super) struct ComponentSettings<'a> {
    /// The component.
    pub component: Component,
    /// Its arguments.
    pub arguments: &'a Arguments,
    /// Whether it has a configuration file, even if that cannot be read.
    pub has_file: bool,
    /// The content of the configuration file, if it could be read.
    pub config: Option<&'a Value>,
    /// Its environment variables, as far as known.
    pub env: &'a BTreeMap<String, String>,
    /// The parts that could not be read.
    pub unread: &'a [Unread],
}

/// The files that a component names, by role.
pub(super) fn paths(started: &ComponentSettings<'_>) -> Vec<(&'static [&'static str], String)> {
    let mut paths = Vec::new();
    for (roles, sources) in settings(started.component) {
        let mut found = sources.into_iter().map(|source| started.values(source));
        if let Some(values) = found.find(|values| !values.is_empty()) {
            paths.extend(values.into_iter().map(|path| (roles, path)));
        }
    }
    if started.component == Etcd {
        paths.extend(default_data_dir(started).map(|path| (ETCD_DATA_DIR, path)));
    }
    paths
}

/// Where etcd keeps its data if nobody says where: a directory with its name, in its working directory.
fn default_data_dir(started: &ComponentSettings<'_>) -> Option<String> {
    let first = |sources: &[SettingSource]| {
        let hidden = sources.iter().any(|source| started.hidden(*source).is_some());
        let values = sources.iter().find_map(|source| started.values(*source).pop());
        (values, hidden)
    };
    match first(ETCD_DATA_DIR_SOURCES) {
        (None, false) => match first(&[Key("/name"), FlagWithoutFile("name"), Variable("ETCD_NAME")]) {
            (Some(name), _) => Some(format!("{name}.etcd")),
            (None, false) => Some("default.etcd".to_owned()),
            (None, true) => None,
        },
        _ => None,
    }
}

/// The roles of files that a component may name in a source that could not be read, and why.
pub(super) fn unnamed(started: &ComponentSettings<'_>) -> Vec<(&'static [&'static str], Gap)> {
    let in_doubt = |(roles, sources): (_, Vec<SettingSource>)| {
        // A source that is set before it makes the rest irrelevant.
        let hidden = sources.into_iter().find_map(|source| match started.hidden(source) {
            None if started.values(source).is_empty() => None,
            hidden => Some(hidden),
        });
        Some((roles, hidden??))
    };
    settings(started.component).filter_map(in_doubt).collect()
}

/// The roles of all files that a component may name.
pub(super) fn roles(component: Component) -> impl Iterator<Item = &'static [&'static str]> {
    settings(component).map(|(roles, _)| roles)
}

/// The settings of a component that name files: what the files are, and the sources, of which the first that is set
/// counts.
fn settings(component: Component) -> impl Iterator<Item = (&'static [&'static str], Vec<SettingSource>)> {
    let own = FILE_SETTINGS.iter().filter(move |setting| setting.component == component);
    let own = own.map(|setting| (setting.roles, setting.sources.to_vec()));
    let of_material = KEY_MATERIAL.iter().filter(move |(of, _)| *of == component);
    let of_material = of_material.flat_map(|(_, flags)| *flags).map(|flag| (PKI_ROLES, vec![Flag(flag)]));
    own.chain(of_material)
}

impl ComponentSettings<'_> {
    /// Why a source is unknown.
    fn hidden(&self, source: SettingSource) -> Option<Gap> {
        let at = match source {
            SettingSource::Variable(_) if self.has_file => return None,
            SettingSource::Flag(_) | SettingSource::FlagWithoutFile(_) => "$.args",
            SettingSource::Variable(_) => "$.env",
            SettingSource::Key(_) => "$.config",
        };
        let hidden = self.unread.iter().find(|unread| unread.at == "$" || unread.at == at);
        hidden.map(|unread| Gap::new(unread.gap.reason, unread.gap.what.clone()))
    }

    fn values(&self, source: SettingSource) -> Vec<String> {
        let flag = |name: &str| match self.arguments.get(name) {
            // The only ones of these flags that are lists.
            Some(values) if name == "service-account-key-file" => values.clone(),
            Some(values) if name == "tls-sni-cert-key" => {
                values.iter().flat_map(|pair| of_pair(pair)).collect()
            }
            _ => arguments::last(self.arguments, name).map(str::to_owned).into_iter().collect(),
        };
        let values: Vec<String> = match source {
            SettingSource::FlagWithoutFile(_) | SettingSource::Variable(_) if self.has_file => Vec::new(),
            SettingSource::Flag(name) | SettingSource::FlagWithoutFile(name) => flag(name),
            SettingSource::Variable(name) => self.env.get(name).cloned().into_iter().collect(),
            SettingSource::Key(pointer) => {
                let value = self.config.and_then(|config| config.pointer(pointer)).and_then(Value::as_str);
                value.map(str::to_owned).into_iter().collect()
            }
        };
        values.into_iter().filter(|path| !path.is_empty()).collect()
    }
}

/// The files of `CERTIFICATE,KEY[:NAME,…]`.
fn of_pair(pair: &str) -> Vec<String> {
    let files = pair.split_once(':').map_or(pair, |(files, _)| files);
    files.splitn(2, ',').map(|path| path.trim().to_owned()).collect()
}

use Component::{ApiServer, ControllerManager, Etcd, Kubelet, Proxy, Scheduler};
use SettingSource::{Flag, FlagWithoutFile, Key, Variable};

const SCHEDULER_KUBECONFIG: &[&str] = &["scheduler-kubeconfig"];
const CONTROLLER_MANAGER_KUBECONFIG: &[&str] = &["controller-manager-kubeconfig"];

const ETCD_DATA_DIR: &[&str] = &["etcd-data-dir"];
const ETCD_DATA_DIR_SOURCES: &[SettingSource] =
    &[Key("/data-dir"), FlagWithoutFile("data-dir"), Variable("ETCD_DATA_DIR")];

const fn setting(
    component: Component,
    roles: &'static [&'static str],
    sources: &'static [SettingSource],
) -> FileSetting {
    FileSetting { component, roles, sources }
}

const FILE_SETTINGS: &[FileSetting] = &[
    setting(Kubelet, &["kubelet-kubeconfig"], &[Flag("kubeconfig")]),
    setting(Kubelet, &["kubelet-config"], &[Flag("config")]),
    setting(
        Kubelet,
        &["kubelet-client-ca"],
        &[Flag("client-ca-file"), Key("/authentication/x509/clientCAFile")],
    ),
    setting(
        Scheduler,
        SCHEDULER_KUBECONFIG,
        &[Key("/clientConnection/kubeconfig"), FlagWithoutFile("kubeconfig")],
    ),
    setting(Scheduler, SCHEDULER_KUBECONFIG, &[Flag("authentication-kubeconfig")]),
    setting(Scheduler, SCHEDULER_KUBECONFIG, &[Flag("authorization-kubeconfig")]),
    setting(ControllerManager, CONTROLLER_MANAGER_KUBECONFIG, &[Flag("kubeconfig")]),
    setting(ControllerManager, CONTROLLER_MANAGER_KUBECONFIG, &[Flag("authentication-kubeconfig")]),
    setting(ControllerManager, CONTROLLER_MANAGER_KUBECONFIG, &[Flag("authorization-kubeconfig")]),
    setting(
        Proxy,
        &["proxy-kubeconfig"],
        &[Key("/clientConnection/kubeconfig"), FlagWithoutFile("kubeconfig")],
    ),
    setting(Etcd, ETCD_DATA_DIR, ETCD_DATA_DIR_SOURCES),
    setting(
        Etcd,
        PKI_ROLES,
        &[
            Key("/client-transport-security/cert-file"),
            FlagWithoutFile("cert-file"),
            Variable("ETCD_CERT_FILE"),
        ],
    ),
    setting(
        Etcd,
        PKI_ROLES,
        &[Key("/client-transport-security/key-file"), FlagWithoutFile("key-file"), Variable("ETCD_KEY_FILE")],
    ),
    setting(
        Etcd,
        PKI_ROLES,
        &[
            Key("/client-transport-security/trusted-ca-file"),
            FlagWithoutFile("trusted-ca-file"),
            Variable("ETCD_TRUSTED_CA_FILE"),
        ],
    ),
    setting(
        Etcd,
        PKI_ROLES,
        &[
            Key("/peer-transport-security/cert-file"),
            FlagWithoutFile("peer-cert-file"),
            Variable("ETCD_PEER_CERT_FILE"),
        ],
    ),
    setting(
        Etcd,
        PKI_ROLES,
        &[
            Key("/peer-transport-security/key-file"),
            FlagWithoutFile("peer-key-file"),
            Variable("ETCD_PEER_KEY_FILE"),
        ],
    ),
    setting(
        Etcd,
        PKI_ROLES,
        &[
            Key("/peer-transport-security/trusted-ca-file"),
            FlagWithoutFile("peer-trusted-ca-file"),
            Variable("ETCD_PEER_TRUSTED_CA_FILE"),
        ],
    ),
];

/// Certificates, CAs and keys, each named by one flag.
const KEY_MATERIAL: [(Component, &[&str]); 2] = [
    (
        ApiServer,
        &[
            "client-ca-file",
            "etcd-cafile",
            "etcd-certfile",
            "etcd-keyfile",
            "kubelet-certificate-authority",
            "kubelet-client-certificate",
            "kubelet-client-key",
            "proxy-client-cert-file",
            "proxy-client-key-file",
            "requestheader-client-ca-file",
            "service-account-key-file",
            "service-account-signing-key-file",
            "tls-cert-file",
            "tls-private-key-file",
            "tls-sni-cert-key",
        ],
    ),
    (
        ControllerManager,
        &[
            "client-ca-file",
            "cluster-signing-cert-file",
            "cluster-signing-key-file",
            "cluster-signing-kube-apiserver-client-cert-file",
            "cluster-signing-kube-apiserver-client-key-file",
            "cluster-signing-kubelet-client-cert-file",
            "cluster-signing-kubelet-client-key-file",
            "cluster-signing-kubelet-serving-cert-file",
            "cluster-signing-kubelet-serving-key-file",
            "cluster-signing-legacy-unknown-cert-file",
            "cluster-signing-legacy-unknown-key-file",
            "requestheader-client-ca-file",
            "root-ca-file",
            "service-account-private-key-file",
            "tls-cert-file",
            "tls-private-key-file",
            "tls-sni-cert-key",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named(component: Component, line: &str, config: Option<Value>) -> Vec<(&'static str, String)> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let arguments = arguments::parse(component, &words);
        let env = BTreeMap::from([("ETCD_DATA_DIR".to_owned(), "/env".to_owned())]);
        let has_file = config.is_some();
        let started = ComponentSettings {
            component,
            arguments: &arguments,
            has_file,
            config: config.as_ref(),
            env: &env,
            unread: &[],
        };
        paths(&started).into_iter().map(|(roles, path)| (roles[0], path)).collect()
    }

    #[test]
    fn the_kubelet_s_flag_beats_its_file() {
        let config = json!({"authentication": {"x509": {"clientCAFile": "/file.crt"}}});
        let from_file = named(Kubelet, "--kubeconfig=/k.conf", Some(config.clone()));
        assert_eq!(
            from_file,
            [("kubelet-kubeconfig", "/k.conf".into()), ("kubelet-client-ca", "/file.crt".into())]
        );
        let from_flag = named(Kubelet, "--client-ca-file=/a.crt --client-ca-file=/b.crt", Some(config));
        assert_eq!(from_flag, [("kubelet-client-ca", "/b.crt".into())]);
    }

    #[test]
    fn the_scheduler_s_and_etcd_s_files_beat_their_flags() {
        let config = json!({"clientConnection": {"kubeconfig": "/file.conf"}});
        let line = "--kubeconfig=/flag.conf --authentication-kubeconfig=/auth.conf";
        assert_eq!(
            named(Scheduler, line, Some(config)),
            [("scheduler-kubeconfig", "/file.conf".into()), ("scheduler-kubeconfig", "/auth.conf".into())]
        );
        let of_etcd = |path: &str| [("etcd-data-dir", path.to_owned())];
        assert_eq!(named(Etcd, "--data-dir=/flag", Some(json!({}))), of_etcd("default.etcd"));
        assert_eq!(named(Etcd, "--name=flag", Some(json!({"name": "a"}))), of_etcd("a.etcd"));
        assert_eq!(named(Etcd, "--data-dir=/flag", None), [("etcd-data-dir", "/flag".into())]);
        assert_eq!(named(Etcd, "", None), [("etcd-data-dir", "/env".into())]);
    }

    #[test]
    fn an_empty_flag_names_nothing() {
        assert_eq!(named(Kubelet, "--kubeconfig=/k.conf --kubeconfig= --config=", None), []);
    }

    #[test]
    fn every_service_account_key_counts() {
        let line = "--service-account-key-file=/a.pub --service-account-key-file=/b.pub";
        assert_eq!(named(ApiServer, line, None).len(), 2);
    }
}
