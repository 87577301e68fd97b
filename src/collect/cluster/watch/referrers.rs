//! Which objects refer to which: bindings to roles, and tokens to accounts. The joins of a referrer rest on its target.

use std::collections::HashMap;

use crate::collect::cluster::kinds::SECRET;
use crate::collect::join::{ObjectKey, RoleName, token_account};
use crate::resource::Resource;

/// Kinds of bindings.
pub(super) const BINDINGS: [&str; 2] = ["ClusterRoleBinding", "RoleBinding"];
const ACCOUNT: &str = "ServiceAccount";

#[derive(Debug, Default)]
pub(super) struct Referrers(HashMap<ObjectKey, Referrer>);

#[derive(Debug)]
struct Referrer {
    kind: &'static str,
    namespace: Box<str>,
    name: Box<str>,
    /// Kind, namespace and name.
    to: (&'static str, Box<str>, Box<str>),
}

impl Referrers {
    /// Notes what an object refers to.
    pub(super) fn note(&mut self, resource: &Resource, key: ObjectKey) {
        let namespace = resource.namespace().unwrap_or_default();
        let to = match resource.sub_type.as_str() {
            SECRET => token_account(&resource.raw)
                .map(|account| (SECRET, (ACCOUNT, namespace.into(), account.into()))),
            kind => BINDINGS.into_iter().find(|binding| *binding == kind).map(|binding| {
                let RoleName { kind, namespace, name } = RoleName::of_binding(resource);
                (binding, (kind, namespace.into(), name.into()))
            }),
        };
        match to {
            Some((kind, to)) => {
                let (namespace, name) = (namespace.into(), resource.name.as_str().into());
                self.0.insert(key, Referrer { kind, namespace, name, to });
            }
            None => self.forget(key),
        }
    }

    pub(super) fn forget(&mut self, key: ObjectKey) {
        self.0.remove(&key);
    }

    /// Kind, namespace and name of those that refer to an object.
    pub(super) fn to(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> impl Iterator<Item = (&'static str, &str, &str)> {
        let to = self.0.values().filter(move |it| (it.to.0, &*it.to.1, &*it.to.2) == (kind, namespace, name));
        to.map(|it| (it.kind, &*it.namespace, &*it.name))
    }

    /// The same for the tokens of an account.
    pub(super) fn tokens(
        &self,
        namespace: &str,
        account: &str,
    ) -> impl Iterator<Item = (&'static str, &str, &str)> {
        self.to(ACCOUNT, namespace, account)
    }
}
