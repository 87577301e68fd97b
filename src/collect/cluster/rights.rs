//! The rights that a cycle needs on the API, and what hangs on each.
//!
//! Made from what rules ask for and what is joined with it, so that `rules check`, `test config` and `test kubernetes`
//! name the rights that a sweep uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::LazyLock;

use super::control_plane::{API_SERVER, FLAGZ};
use super::kinds::{BALANCED, Discovery, KINDS, ListScope, ListedKind, SECRET, ServedKind};
use crate::collect::join::Index;
use crate::collect::redact::AWS_AUTH;
use crate::resource::{
    CLOUD, Gap, GroupKind, Kind, ObjectDemand, ObjectDemands, SECRET_STORES, Selector, is_built_in,
};

/// A right, as RBAC grants it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// Empty for the core group.
    pub group: String,
    /// The plural, with a subresource after a slash; or a path of the server that is no resource, such as `/flagz`.
    pub resource: String,
    /// The one namespace that it is needed in; `None`: in all, or of a cluster-wide resource.
    pub namespace: Option<String>,
    /// The one object that it is needed on.
    pub name: Option<String>,
    /// `list`.
    pub verb: &'static str,
}

impl Right {
    /// The path, if the right is not about a resource.
    pub fn url(&self) -> Option<&str> {
        Some(self.resource.as_str()).filter(|resource| resource.starts_with('/'))
    }

    /// `deployments.apps in default`: what the verb is about.
    pub fn object(&self) -> String {
        let group = if self.group.is_empty() { String::new() } else { format!(".{}", self.group) };
        let name = self.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let place = self.namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
        format!("{}{group}{name}{place}", self.resource)
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.object())
    }
}

/// A right, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The right.
    pub right: Right,
    /// The places of documents that are unread without it: `$` where a kind as a whole is.
    pub feeds: Vec<(Selector, String)>,
    /// What else is lost without it.
    pub cost: Option<&'static str>,
}

/// What a cycle does beside listing what rules ask for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extent {
    /// Whether Secrets may be listed.
    pub secrets: bool,
    /// Whether changes are watched.
    pub watch: bool,
    /// Whether a node is looked at.
    pub node: bool,
    /// Whether the kubelet is asked for its configuration.
    pub kubelet: bool,
    /// Whether AWS is asked.
    pub cloud: bool,
    /// Whether the API server is asked for its flags.
    pub flagz: bool,
}

/// The kinds that are not built in as the server has them, by name; `None`: it does not have the kind.
pub type Served = BTreeMap<String, Result<Option<ServedKind>, Gap>>;

/// Asks the server for the kinds that are not built in and that are asked for or joined with.
pub async fn served(client: &kube::Client, demands: &ObjectDemands) -> Served {
    let mut discovery = Discovery::new(client);
    let mut served = Served::new();
    for name in foreign(demands) {
        let found = discovery.find(&GroupKind::named(&name)).await;
        served.insert(name, found.map_err(Gap::from));
    }
    served
}

/// The same by convention, without asking.
pub fn guessed(demands: &ObjectDemands) -> Served {
    let guess = |name: String| {
        let wanted = GroupKind::named(&name);
        let version = if wanted.group.is_empty() { "v1".to_owned() } else { format!("{}/v1", wanted.group) };
        let plural = wanted.guessed_plural();
        let served = ServedKind { kind: wanted.kind, api_version: version, plural, namespaced: true };
        (name, Ok(Some(served)))
    };
    foreign(demands).into_iter().map(guess).collect()
}

fn foreign(demands: &ObjectDemands) -> BTreeSet<String> {
    let asked = demands.keys().filter(|name| !is_built_in(name)).cloned();
    let stores = SECRET_STORES.iter().map(|(name, _)| *name).filter(|name| is_noted(name, demands));
    asked.chain(stores.map(str::to_owned)).collect()
}

fn is_noted(kind: &str, demands: &ObjectDemands) -> bool {
    Index::wants(kind, |about| demands.contains_key(about))
}

/// What is kept of a secret store that no rule asks for.
static NOTHING: LazyLock<ObjectDemand> = LazyLock::new(|| ObjectDemand::everywhere(BTreeSet::new()));

/// The rights that a sweep needs for what rules ask for, in the order that it uses them.
pub fn needs(demands: &ObjectDemands, served: &Served, extent: Extent) -> Vec<Need> {
    let is_judged = |kind: &str| demands.contains_key(kind) && (kind != SECRET || extent.secrets);
    let mut needs = Vec::new();
    for info in KINDS.iter().filter(|info| is_judged(info.name) || is_noted(info.name, demands)) {
        let kind = ListedKind::built_in(info, demands.get(info.name));
        list_needs(&kind, demands, is_judged(info.name), extent.watch, &mut needs);
    }
    for (name, found) in served {
        let Ok(Some(found)) = found else { continue };
        let demand = demands.get(name);
        let kind = ListedKind::foreign(name, found.clone(), demand.unwrap_or(&NOTHING));
        // Of a store that is only joined with, sweeps look for one object.
        list_needs(&kind, demands, demand.is_some(), extent.watch && demand.is_some(), &mut needs);
    }
    if extent.cloud {
        cloud_needs(demands, &mut needs);
    }
    needs.sort_by(|a, b| {
        (a.feeds.is_empty(), &a.right.object()).cmp(&(b.feeds.is_empty(), &b.right.object()))
    });
    needs
}

fn list_needs(kind: &ListedKind, demands: &ObjectDemands, judged: bool, watch: bool, needs: &mut Vec<Need>) {
    let own = judged.then(|| (Selector::new(Kind::K8sObject, kind.name.as_str()), "$".to_owned()));
    let joined = Index::joins(&kind.name).iter().filter(|(about, _)| demands.contains_key(*about));
    let joined = joined.flat_map(|(about, keys)| {
        let at = |key: &&str| (Selector::new(Kind::K8sObject, *about), format!("$.related.{key}"));
        keys.iter().map(at).collect::<Vec<_>>()
    });
    let feeds: Vec<_> = own.into_iter().chain(joined).collect();
    for list in &kind.lists {
        let (namespace, name) = match list {
            ListScope::All => ("", None),
            ListScope::In(namespace) => (&**namespace, None),
            ListScope::Where(namespace, field, value) => {
                (*namespace, (*field == "metadata.name").then_some(*value))
            }
        };
        let right = |verb| Right {
            group: kind.group().to_owned(),
            resource: kind.plural.clone(),
            namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
            name: name.map(str::to_owned),
            verb,
        };
        needs.push(Need { right: right("list"), feeds: feeds.clone(), cost: None });
        if watch {
            let cost = Some("changes between two cycles are not judged");
            needs.push(Need { right: right("watch"), feeds: Vec::new(), cost });
        }
    }
}

fn cloud_needs(demands: &ObjectDemands, needs: &mut Vec<Need>) {
    let balancers = CLOUD.iter().filter(|(kind, _)| *kind == Kind::LoadBalancer);
    let balancers = balancers.flat_map(|(kind, names)| names.iter().map(|name| Selector::new(*kind, *name)));
    let feeds: Vec<_> = balancers.map(|selector| (selector, "$".to_owned())).collect();
    for kind in BALANCED.iter().map(|info| ListedKind::built_in(info, None)) {
        let right = Right {
            group: kind.group().to_owned(),
            resource: kind.plural.clone(),
            namespace: None,
            name: None,
            verb: "list",
        };
        needs.push(Need { right, feeds: feeds.clone(), cost: None });
    }
    if demands.contains_key("ConfigMap") {
        let (namespace, name, _) = AWS_AUTH;
        let feeds = vec![(Selector::new(Kind::K8sObject, "ConfigMap"), "$.related.mappings".to_owned())];
        needs.push(Need {
            right: object_right("configmaps", Some(namespace), name, "get"),
            feeds,
            cost: None,
        });
    }
}

/// The single objects that identify cluster and node, and what is lost without each.
pub fn identity_needs(extent: Extent) -> Vec<Need> {
    let need = |right, cost| Need { right, feeds: Vec::new(), cost: Some(cost) };
    let mut needs = vec![
        need(
            object_right("namespaces", None, "kube-system", "get"),
            "the cluster has no id; the machine id takes its place",
        ),
        need(
            object_right("configmaps", Some("kube-system"), "kubeadm-config", "get"),
            "findings do not name a cluster that kubeadm set up",
        ),
    ];
    let node = |resource: &str| Right {
        group: String::new(),
        resource: resource.to_owned(),
        namespace: None,
        name: None,
        verb: "get",
    };
    if extent.node {
        needs.push(need(
            node("nodes"),
            "findings do not identify the node as the API does, and the kubelet's version is unknown",
        ));
    }
    if extent.kubelet {
        needs.push(need(node("nodes/configz"), "the kubelet is judged by its flags and files"));
    }
    needs
}

/// The right to the API server's flags. Where an agent observes the API server's node, they are not asked for.
pub fn flagz_need(extent: Extent) -> Option<Need> {
    let right =
        Right { group: String::new(), resource: FLAGZ.to_owned(), namespace: None, name: None, verb: "get" };
    let feeds = vec![(Selector::new(Kind::Process, API_SERVER), "$".to_owned())];
    let cost = Some("the API server is judged only by its pod's arguments, or by an agent on its node");
    extent.flagz.then_some(Need { right, feeds, cost })
}

/// The rights of leader election on its Lease.
pub fn election_needs(namespace: &str, name: &str) -> Vec<Need> {
    let right = |verb, name: Option<&str>| Right {
        group: "coordination.k8s.io".to_owned(),
        resource: "leases".to_owned(),
        namespace: Some(namespace.to_owned()),
        name: name.map(str::to_owned),
        verb,
    };
    let cost = Some("no process becomes the leader: there are no findings about the cluster");
    [right("create", None), right("get", Some(name)), right("update", Some(name))]
        .map(|right| Need { right, feeds: Vec::new(), cost })
        .into()
}

fn object_right(resource: &str, namespace: Option<&str>, name: &str, verb: &'static str) -> Right {
    Right {
        group: String::new(),
        resource: resource.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: Some(name.to_owned()),
        verb,
    }
}

/// Rights as lines of text: the verbs of one object together, `list, watch certificates.cert-manager.io`.
pub fn lines<'r>(rights: impl IntoIterator<Item = &'r Right>) -> Vec<String> {
    let mut verbs: Vec<(String, Vec<&str>)> = Vec::new();
    for right in rights {
        let object = right.object();
        match verbs.iter_mut().find(|(known, _)| *known == object) {
            Some((_, verbs)) if verbs.contains(&right.verb) => {}
            Some((_, verbs)) => verbs.push(right.verb),
            None => verbs.push((object, vec![right.verb])),
        }
    }
    verbs.into_iter().map(|(object, verbs)| format!("{} {object}", verbs.join(", "))).collect()
}
