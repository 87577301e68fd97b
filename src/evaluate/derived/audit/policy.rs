//! An audit policy as the API server reads it, and which requests each of its rules fits.
//!
//! In: the parsed file. Out: its rules, or why the API server would refuse to start with them.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// From here on, a rule may select every API group with `*`.
const ANY_GROUP_SINCE: (u32, u32) = (1, 36);

/// How much of a request a rule records, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub(super) enum AuditLevel {
    None,
    Metadata,
    Request,
    RequestResponse,
}

/// A moment in the life of a request at which a record can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub(super) enum AuditStage {
    RequestReceived,
    /// Of long-running requests only.
    ResponseStarted,
    ResponseComplete,
    Panic,
}

/// One rule. An empty list is the same as none: it limits nothing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditRule {
    pub(super) level: AuditLevel,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) users: BTreeSet<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) user_groups: BTreeSet<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) verbs: BTreeSet<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) namespaces: BTreeSet<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) resources: Vec<AuditedResources>,
    #[serde(default, rename = "nonResourceURLs", deserialize_with = "or_default")]
    pub(super) urls: Vec<String>,
    /// The policy's own among them.
    #[serde(default, deserialize_with = "or_default")]
    omit_stages: Vec<AuditStage>,
}

/// The resources of one API group that a rule is about.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditedResources {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) group: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) resources: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) resource_names: BTreeSet<String>,
}

/// What a request is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum RequestTarget<'r> {
    /// A resource, with its subresource: `pods/exec`.
    Resource { group: &'r str, resource: &'r str },
    /// A path outside the API's resources.
    Path(&'r str),
}

impl RequestTarget<'_> {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Resource { resource, .. } => resource,
            Self::Path(path) => path,
        }
    }
}

/// `null` is the same as nothing.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(value: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(value).map(Option::unwrap_or_default)
}

/// Reads the rules; `version` is that of the API server, if known. An error says why the API server would refuse them.
pub(super) fn rules(policy: &Value, version: Option<(u32, u32)>) -> Result<Vec<AuditRule>, String> {
    let omitted = policy.get("omitStages").unwrap_or(&Value::Null);
    let omitted: Vec<AuditStage> = or_default(omitted).map_err(|error| format!("omitStages: {error}"))?;
    let written = match policy.get("rules") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(written)) => written,
        Some(_) => return Err("a list of rules".to_owned()),
    };
    let read = |(index, value): (usize, &Value)| {
        let mut rule = AuditRule::deserialize(value).map_err(|error| format!("rules[{index}]: {error}"))?;
        rule.check(version).map_err(|why| format!("rules[{index}]: {why}"))?;
        rule.omit_stages.extend(&omitted);
        Ok(rule)
    };
    written.iter().enumerate().map(read).collect()
}

impl AuditRule {
    /// What the API server refuses at its start.
    fn check(&self, version: Option<(u32, u32)>) -> Result<(), String> {
        if !self.urls.is_empty() && self.is_about_resources() {
            return Err("either nonResourceURLs, or resources and namespaces".to_owned());
        }
        for selected in &self.resources {
            let group = selected.group.as_str();
            let is_name =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
            match version {
                Some(version) if group == "*" && version < ANY_GROUP_SINCE => {
                    return Err(format!(
                        "no API group `*`, which Kubernetes {}.{} does not know",
                        version.0, version.1
                    ));
                }
                _ if group != "*" && !group.bytes().all(is_name) => {
                    return Err(format!("an API group without its version, found `{group}`"));
                }
                _ if selected.resources.is_empty() && !selected.resource_names.is_empty() => {
                    return Err("resources beside resourceNames".to_owned());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// How much it costs to hold the rule against a request.
    pub(super) fn weight(&self) -> usize {
        let patterns = self.resources.iter().map(|selected| 1 + selected.resources.len());
        patterns.sum::<usize>() + self.urls.len() + 1
    }

    pub(super) fn omits(&self, stage: AuditStage) -> bool {
        self.omit_stages.contains(&stage)
    }

    fn is_about_resources(&self) -> bool {
        !self.namespaces.is_empty() || !self.resources.is_empty()
    }

    /// Whether it decides such requests, of some asker, namespace and name.
    pub(super) fn covers(&self, target: RequestTarget<'_>, verb: &str) -> bool {
        limited_to(&self.verbs, verb)
            && match target {
                RequestTarget::Resource { .. } if self.is_about_resources() => {
                    self.resources.is_empty() || self.resources.iter().any(|it| it.selects(target))
                }
                RequestTarget::Resource { .. } => self.urls.is_empty(),
                RequestTarget::Path(path) => {
                    !self.is_about_resources()
                        && (self.urls.is_empty() || self.urls.iter().any(|url| is_path_of(url, path)))
                }
            }
    }

    pub(super) fn admits_namespace(&self, namespace: &str) -> bool {
        limited_to(&self.namespaces, namespace)
    }

    pub(super) fn admits_name(&self, target: RequestTarget<'_>, name: &str) -> bool {
        let named = |it: &AuditedResources| it.selects(target) && limited_to(&it.resource_names, name);
        self.resources.is_empty() || self.resources.iter().any(named)
    }

    pub(super) fn admits_user(&self, user: &str, groups: &[String]) -> bool {
        limited_to(&self.users, user)
            && (self.user_groups.is_empty() || groups.iter().any(|it| self.user_groups.contains(it)))
    }
}

impl AuditedResources {
    /// `pods` excludes its subresources, `pods/*` includes them, `*` is everything in the group.
    pub(super) fn selects(&self, target: RequestTarget<'_>) -> bool {
        let RequestTarget::Resource { group, resource } = target else { return false };
        if self.group != group && self.group != "*" {
            return false;
        }
        let (owner, sub) =
            resource.split_once('/').map_or((resource, None), |(owner, sub)| (owner, Some(sub)));
        self.resources.is_empty()
            || self.resources.iter().any(|pattern| {
                pattern == resource
                    || pattern == "*"
                    || (sub.is_some() && pattern.strip_prefix("*/") == sub)
                    || pattern.strip_suffix("/*") == Some(owner)
            })
    }
}

fn limited_to(allowed: &BTreeSet<String>, value: &str) -> bool {
    allowed.is_empty() || allowed.contains(value)
}

/// `/healthz*` is everything that starts like that.
fn is_path_of(pattern: &str, path: &str) -> bool {
    pattern == "*"
        || pattern == path
        || (pattern.ends_with('*') && path.starts_with(pattern.trim_end_matches('*')))
}
