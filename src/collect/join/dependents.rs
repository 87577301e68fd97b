//! Maps a change in the index to the objects whose joins it changes.

use super::roles::RoleName;
use super::{Dependent, accounts, pods, webhooks};

const NAMESPACE: &str = "Namespace";
const ACCOUNT: &str = "ServiceAccount";

/// `namespace`: where the network policies changed.
pub(super) fn policies(namespace: Option<String>) -> Vec<Dependent> {
    let one = |namespace| [Dependent::Cluster, Dependent::Object(NAMESPACE, String::new(), namespace)];
    namespace.into_iter().flat_map(one).collect()
}

pub(super) fn webhooks(changed: &webhooks::WebhookChanges) -> Vec<Dependent> {
    let mut told = cluster(changed.any);
    told.extend(changed.engines.then_some(Dependent::All(NAMESPACE)));
    told
}

/// `name`: the role whose rules changed.
pub(super) fn role(name: Option<RoleName>) -> Vec<Dependent> {
    name.into_iter().map(|it| Dependent::BindingsTo(it.kind, it.namespace, it.name)).collect()
}

pub(super) fn accounts(changed: accounts::AccountChanges) -> Vec<Dependent> {
    let mut told = cluster(changed.users);
    told.extend(changed.pods_of.map(|(namespace, name)| Dependent::PodsOf(namespace, name)));
    let sharing = changed.sharing.into_iter();
    told.extend(sharing.map(|(namespace, name)| Dependent::Object(ACCOUNT, namespace, name)));
    told
}

/// `servers`: whether the known API servers changed.
pub(super) fn pods(changed: pods::PodChanges, servers: bool) -> Vec<Dependent> {
    let mut told = cluster(changed.cluster && !servers);
    told.extend(self::servers(servers));
    for (namespace, name) in changed.accounts {
        told.push(Dependent::Object(ACCOUNT, namespace.clone(), name.clone()));
        told.push(Dependent::TokensOf(namespace, name));
    }
    told
}

/// What API servers show.
pub(super) fn servers(changed: bool) -> Vec<Dependent> {
    let mut told = cluster(changed);
    told.extend(changed.then_some(Dependent::All(NAMESPACE)));
    told
}

/// `changed`: whether kube-proxy's configuration changed.
pub(super) fn proxy(changed: bool) -> Vec<Dependent> {
    let (namespace, name, _) = crate::redact::KUBE_PROXY_CONFIG;
    let set = || Dependent::Object("DaemonSet", namespace.into(), name.into());
    changed.then(set).into_iter().collect()
}

/// `changed`: whether a fact about the cluster as a whole changed.
pub(super) fn cluster(changed: bool) -> Vec<Dependent> {
    changed.then_some(Dependent::Cluster).into_iter().collect()
}
