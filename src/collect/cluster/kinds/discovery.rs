//! API discovery: whether the server has a kind, in which version, and under which resource.
//!
//! Asked only for kinds that are not built in, and to learn that a built-in one is not there. One request answers for all
//! groups (aggregated discovery, Kubernetes 1.27 and later); older servers are asked group by group.

use serde::Deserialize;
use std::collections::BTreeMap;

use crate::kube_api::{self, JSON, RequestError};
use crate::resource::{Gap, GroupKind, Reason};

/// What servers with aggregated discovery answer with everything; others answer with the names of groups.
const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
/// The most bytes of an answer: a cluster with a thousand kinds of its own takes about one million.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// The version of the core group.
const CORE_VERSION: &str = "v1";

/// A kind as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedKind {
    /// `Certificate`.
    pub kind: String,
    /// `cert-manager.io/v1`.
    pub api_version: String,
    /// `certificates`.
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
}

/// What is known of a server's kinds, asked for as needed.
pub(in crate::collect::cluster) struct Discovery<'c> {
    client: &'c kube::Client,
    groups: Option<Result<ApiGroups, RequestError>>,
    /// The kinds of each group; `None`: the server does not have the group.
    kinds: BTreeMap<String, Result<Option<Vec<ApiResource>>, RequestError>>,
}

/// The groups of a server, with their versions; empty lists of resources where those are asked for group by group.
#[derive(Debug)]
struct ApiGroups {
    aggregated: bool,
    all: Vec<ApiGroup>,
}

#[derive(Debug, Deserialize)]
struct ApiGroup {
    #[serde(default)]
    metadata: ApiGroupMeta,
    /// Where the answer is not aggregated.
    #[serde(default)]
    name: String,
    /// The preferred one first.
    #[serde(default)]
    versions: Vec<ApiVersion>,
}

#[derive(Debug, Default, Deserialize)]
struct ApiGroupMeta {
    #[serde(default)]
    name: String,
}

#[derive(Debug, Deserialize)]
struct ApiVersion {
    /// `v1`.
    #[serde(rename = "version")]
    name: String,
    #[serde(default)]
    resources: Vec<AggregatedResource>,
    /// `Stale` where the server behind it did not answer.
    #[serde(default)]
    freshness: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AggregatedResource {
    resource: String,
    #[serde(default)]
    response_kind: ResponseKind,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct ResponseKind {
    #[serde(default)]
    kind: String,
}

/// A resource of a version, as servers without aggregated discovery list it.
#[derive(Debug, Clone, Deserialize)]
struct ApiResource {
    name: String,
    kind: String,
    #[serde(default)]
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
    /// `cert-manager.io/v1`: set by us.
    #[serde(skip)]
    api_version: String,
}

#[derive(Deserialize)]
struct GroupList {
    /// `APIGroupList`, or `APIGroupDiscoveryList` where the answer is aggregated.
    kind: String,
    #[serde(default, alias = "items")]
    groups: Vec<ApiGroup>,
}

#[derive(Deserialize)]
struct ResourceList {
    resources: Vec<ApiResource>,
}

impl<'c> Discovery<'c> {
    pub(crate) fn new(client: &'c kube::Client) -> Self {
        Self { client, groups: None, kinds: BTreeMap::new() }
    }

    /// The kind as the server has it; `None`: it does not have it.
    pub(crate) async fn find(&mut self, wanted: &GroupKind) -> Result<Option<ServedKind>, RequestError> {
        if !self.kinds.contains_key(&wanted.group) {
            let kinds = self.group(&wanted.group).await;
            self.kinds.insert(wanted.group.clone(), kinds);
        }
        let Some(Ok(Some(kinds))) = self.kinds.get(&wanted.group) else {
            return match self.kinds.get(&wanted.group) {
                Some(Err(error)) => Err(error.clone()),
                _ => Ok(None),
            };
        };
        let mut named = kinds.iter().filter(|it| it.kind == wanted.kind && !it.name.contains('/')).peekable();
        if named.peek().is_none() {
            return Ok(None);
        }
        let Some(found) = named.find(|it| it.verbs.iter().any(|verb| verb == "list")) else {
            return Err(RequestError::malformed("the API server offers no list of this kind"));
        };
        Ok(Some(ServedKind {
            kind: found.kind.clone(),
            api_version: found.api_version.clone(),
            plural: found.name.clone(),
            namespaced: found.namespaced,
        }))
    }

    async fn group(&mut self, name: &str) -> Result<Option<Vec<ApiResource>>, RequestError> {
        if name.is_empty() {
            return self.version("/api/v1", CORE_VERSION).await.map(Some);
        }
        if self.groups.is_none() {
            self.groups = Some(self.all_groups().await);
        }
        let groups = match &self.groups {
            Some(Ok(groups)) => groups,
            Some(Err(error)) => return Err(error.clone()),
            None => return Ok(None),
        };
        let Some(group) = groups.all.iter().find(|group| group.name == name || group.metadata.name == name)
        else {
            return Ok(None);
        };
        if let Some(stale) = group.versions.iter().find(|version| version.freshness == "Stale") {
            let why = format!("the server of {name}/{} does not answer the API server", stale.name);
            return Err(RequestError::Unusable(Gap::new(Reason::Unavailable, why)));
        }
        let mut kinds = Vec::new();
        for ApiVersion { name: version, resources, .. } in &group.versions {
            let api_version = format!("{name}/{version}");
            if groups.aggregated {
                kinds.extend(resources.iter().map(|it| it.plain(&api_version)));
            } else {
                let path = format!("/apis/{api_version}");
                kinds.extend(self.version(&path, &api_version).await?);
            }
        }
        Ok(Some(kinds))
    }

    async fn all_groups(&self) -> Result<ApiGroups, RequestError> {
        let answer = kube_api::fetch(self.client, "/apis", AGGREGATED, MAX_ANSWER).await?;
        let list: GroupList = serde_json::from_slice(&answer.body).map_err(|error| {
            RequestError::malformed(format!("the answer is not a list of API groups: {error}"))
        })?;
        let aggregated = match list.kind.as_str() {
            "APIGroupDiscoveryList" => true,
            "APIGroupList" => false,
            _ => return Err(RequestError::malformed("the answer is not a list of API groups")),
        };
        Ok(ApiGroups { aggregated, all: list.groups })
    }

    async fn version(&self, path: &str, api_version: &str) -> Result<Vec<ApiResource>, RequestError> {
        let answer = kube_api::fetch(self.client, path, JSON, MAX_ANSWER).await?;
        let list: ResourceList = serde_json::from_slice(&answer.body).map_err(|error| {
            RequestError::malformed(format!("the answer is not a list of resources: {error}"))
        })?;
        let named = |it: ApiResource| ApiResource { api_version: api_version.to_owned(), ..it };
        Ok(list.resources.into_iter().map(named).collect())
    }
}

impl AggregatedResource {
    fn plain(&self, api_version: &str) -> ApiResource {
        ApiResource {
            name: self.resource.clone(),
            kind: self.response_kind.kind.clone(),
            namespaced: self.scope == "Namespaced",
            verbs: self.verbs.clone(),
            api_version: api_version.to_owned(),
        }
    }
}
