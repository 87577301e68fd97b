//! k3s: one process for all components. It passes each of them arguments of its own, and those that its options add.
//!
//! In: the options. Out: the enabled components, with the known part of their arguments.

use std::collections::BTreeSet;

use super::k3s_arguments::{K3sValue, KubeletForm, hidden, known};
use super::k3s_options::K3sOptions;
use super::{EmbeddedComponent, EmbeddingProcess};
use crate::collect::component::Component;
use crate::collect::node::filesystem::hostfs::HostRoot;
use crate::resource::{Gap, Reason, Unread};

/// The components of one process.
pub(super) fn parts(
    holder: &EmbeddingProcess<'_>,
    server: bool,
    flags: Option<&[String]>,
) -> Vec<EmbeddedComponent> {
    let options = K3sOptions::read(holder, flags).and_then(|options| {
        let path = format!("{}/{}", options.data_dir(), if server { "server/tls" } else { "agent" });
        match holder.host.stat(&path) {
            Ok(_) => Ok(options),
            Err(error) => Err(Gap::new(error.reason, format!("stat {path}: the data directory of k3s"))),
        }
    });
    let node = K3sNode { host: holder.host, options: options.as_ref().ok(), server };
    let components = Component::ALL.into_iter().filter(|component| node.runs(*component));
    match &options {
        Ok(options) => components.map(|component| node.part(component, options)).collect(),
        Err(unreadable) => {
            components.map(|component| EmbeddedComponent::unknown(component, unreadable.clone())).collect()
        }
    }
}

/// The facts that decide which components run, and with which arguments.
struct K3sNode<'a> {
    host: &'a HostRoot,
    /// If they could be read.
    options: Option<&'a K3sOptions>,
    server: bool,
}

impl K3sNode<'_> {
    /// Whether the process runs a component; if unknown, it is assumed to.
    fn runs(&self, component: Component) -> bool {
        let is_on = |switch: &str| self.options.is_some_and(|options| options.is_on(switch));
        let as_agent = !self.server || !is_on("disable-agent");
        match component {
            Component::ApiServer => self.server && !is_on("disable-apiserver"),
            Component::ControllerManager => self.server && !is_on("disable-controller-manager"),
            Component::Scheduler => self.server && !is_on("disable-scheduler"),
            Component::Etcd => self.server && !is_on("disable-etcd") && self.has_etcd(),
            Component::Kubelet => as_agent,
            Component::Proxy => as_agent && !is_on("disable-kube-proxy"),
        }
    }

    /// k3s writes the file before it starts its embedded etcd; with another datastore there is none.
    fn has_etcd(&self) -> bool {
        let other_store = self.options.is_some_and(|options| options.last("datastore-endpoint").is_some());
        !other_store && self.exists("server/db/etcd/config")
    }

    fn exists(&self, below: &str) -> bool {
        self.host.stat(self.path(below)).is_ok()
    }

    /// A path below the data directory.
    fn path(&self, below: &str) -> String {
        let default = K3sOptions::default();
        format!("{}/{below}", self.options.unwrap_or(&default).data_dir())
    }

    fn part(&self, component: Component, options: &K3sOptions) -> EmbeddedComponent {
        if component == Component::Proxy && !self.server {
            return EmbeddedComponent::unknown(component, proxy_of_agent());
        }
        let form = self.kubelet_form();
        let mut own: Vec<(&str, String)> = known(component, form)
            .iter()
            .map(|(flag, value)| {
                let value = match value {
                    K3sValue::Is(text) => (*text).to_owned(),
                    K3sValue::Server(below) => self.path(&format!("server/{below}")),
                    K3sValue::Agent(below) => self.path(&format!("agent/{below}")),
                };
                (*flag, value)
            })
            .collect();
        own.extend(self.by_options(component, form, options));
        let mut hidden: BTreeSet<&str> = hidden(component, form).into_iter().collect();
        hidden.retain(|flag| own.iter().all(|(known, _)| known != flag));

        let given = given(component, form, options);
        let named = |flag: &str| given.iter().any(|given| given.name == flag);
        if component == Component::ApiServer {
            // Newer versions omit these flags when such a file is given, older ones do not.
            for (file, flag) in
                [("authentication-config", "anonymous-auth"), ("authorization-config", "authorization-mode")]
            {
                if named(file) && !named(flag) {
                    own.retain(|(own, _)| *own != flag);
                    hidden.insert(flag);
                }
            }
        }
        let mut part = EmbeddedComponent::of_words(component, merge(&own, &hidden, &given));
        let arguments = &part.given.arguments;
        let missing = hidden.into_iter().filter(|flag| !arguments.contains_key(*flag));
        part.given.unread = missing.map(|flag| not_shown(component, flag)).collect();
        part
    }

    /// The arguments whose values depend on options or on files in the data directory.
    fn by_options(
        &self,
        component: Component,
        form: KubeletForm,
        options: &K3sOptions,
    ) -> Vec<(&'static str, String)> {
        // An IPv6-only cluster uses the IPv6 loopback address.
        let is_ipv6 = options.all("service-cidr").first().is_some_and(|range| range.contains(':'));
        let loopback = ("bind-address", if is_ipv6 { "::1" } else { "127.0.0.1" }.to_owned());
        let current_key = ["server/tls/service.current.key", "server/tls/service.key"];
        let current_key = current_key.into_iter().find(|path| self.exists(path)).unwrap_or(current_key[1]);
        match component {
            Component::ApiServer => {
                let port: Option<u32> = options.last("https-listen-port").unwrap_or("6443").parse().ok();
                let mut own = vec![loopback, ("service-account-signing-key-file", self.path(current_key))];
                own.extend(
                    port.and_then(|port| port.checked_add(1)).map(|port| ("secure-port", port.to_string())),
                );
                if options.is_on("secrets-encryption") {
                    own.push(("encryption-provider-config", self.path("server/cred/encryption-config.json")));
                }
                own.extend(self.store(options));
                own
            }
            Component::ControllerManager => {
                vec![loopback, ("service-account-private-key-file", self.path(current_key))]
            }
            Component::Scheduler => vec![loopback],
            Component::Kubelet
                if form == KubeletForm::Arguments && options.is_on("protect-kernel-defaults") =>
            {
                vec![("protect-kernel-defaults", "true".to_owned())]
            }
            Component::Kubelet | Component::Proxy | Component::Etcd => Vec::new(),
        }
    }

    /// The arguments for the datastore, if that is embedded in k3s.
    fn store(&self, options: &K3sOptions) -> Vec<(&'static str, String)> {
        if options.last("datastore-endpoint").is_some() {
            return Vec::new();
        }
        if self.has_etcd() {
            let path = |name: &str| self.path(&format!("server/tls/etcd/{name}"));
            return vec![
                ("etcd-servers", "https://127.0.0.1:2379".to_owned()),
                ("etcd-cafile", path("server-ca.crt")),
                ("etcd-certfile", path("client.crt")),
                ("etcd-keyfile", path("client.key")),
            ];
        }
        // SQLite behind a socket.
        if self.exists("server/db/state.db") {
            return vec![("etcd-servers", "unix://kine.sock".to_owned())];
        }
        Vec::new()
    }

    fn kubelet_form(&self) -> KubeletForm {
        if self.exists("agent/etc/kubelet.conf.d/00-k3s-defaults.conf") {
            KubeletForm::DropIns
        } else if self.exists("agent/etc/kubelet.conf") {
            KubeletForm::File
        } else {
            KubeletForm::Arguments
        }
    }
}

/// An argument that an option adds to a component.
struct ExtraArgument<'a> {
    name: &'a str,
    value: &'a str,
    /// The name ends in `+` or `-`: k3s' own values are kept, before or after this one.
    keeps: bool,
}

/// The arguments that the options add to a component.
fn given(component: Component, form: KubeletForm, options: &K3sOptions) -> Vec<ExtraArgument<'_>> {
    let names: &[&str] = match component {
        Component::ApiServer => &["kube-apiserver-arg"],
        Component::ControllerManager => &["kube-controller-manager-arg", "kube-controller-arg"],
        Component::Scheduler => &["kube-scheduler-arg"],
        Component::Kubelet => &["kubelet-arg"],
        Component::Proxy => &["kube-proxy-arg"],
        // Its arguments go into its configuration file.
        Component::Etcd => &[],
    };
    let texts = names.iter().flat_map(|name| options.all(name));
    texts
        .map(|text| {
            let text = text.trim_start_matches("--");
            let (name, value) = text.split_once('=').unwrap_or((text, "true"));
            let plain = name.trim_end_matches(['+', '-']);
            ExtraArgument { name: plain, value, keeps: plain != name }
        })
        .filter(|extra| {
            // k3s copies the files that these name into its own directory, and drops the flags.
            let copied = component == Component::Kubelet
                && ((form == KubeletForm::DropIns && matches!(extra.name, "config" | "config-dir"))
                    || (form == KubeletForm::File && extra.name == "config"));
            !copied && !extra.name.is_empty()
        })
        .collect()
}

/// The component's argument list. An option replaces k3s' own value unless it keeps it; if that value is unknown, the
/// argument stays unknown.
fn merge(own: &[(&str, String)], hidden: &BTreeSet<&str>, given: &[ExtraArgument<'_>]) -> Vec<String> {
    let mut words = Vec::new();
    for (flag, value) in own {
        if given.iter().all(|extra| extra.name != *flag || extra.keeps) {
            words.push(format!("--{flag}={value}"));
        }
    }
    for extra in given {
        let is_part = extra.keeps && hidden.contains(extra.name);
        if !is_part {
            words.push(format!("--{}={}", extra.name, extra.value));
        }
    }
    words
}

fn not_shown(component: Component, flag: &str) -> Unread {
    let what = format!(
        "read --{flag} of {name}: k3s sets it and shows it nowhere on the node; set it in {name}-arg to have it judged",
        name = component.as_str()
    );
    Unread::new(format!("$.args.{flag}"), Reason::Missing, what)
}

fn proxy_of_agent() -> Gap {
    let what =
        "determine whether k3s runs kube-proxy here: its server decides, and nothing on an agent shows it";
    Gap::new(Reason::Missing, what.to_owned())
}
