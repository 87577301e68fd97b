//! `posturebeat.leader_election`: as it is written, and checked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::Mistake;
use super::resolve::Checker;
use super::settings::LeaderElection;
use super::values::Span;

/// The longest name of an object in the API.
const MAX_NAME: usize = 253;

/// The section `posturebeat.leader_election`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawLeaderElection {
    /// Whether this process competes; without, it always collects what `collect` says. Default: where it runs as a
    /// pod, by its service account.
    pub enabled: Option<bool>,
    /// The Lease. Elastic's own shipper has `cloudbeat-cluster-leader`: with that name, of all pods of both only
    /// one collects.
    pub lease_name: String,
    /// Its namespace. Default: the pod's, else `default`.
    #[schemars(example = &"posturebeat")]
    pub lease_namespace: Option<String>,
    /// How long after a leader's last sign of life others wait before one takes over.
    pub lease_duration: Span,
    /// How long a leader that cannot renew the Lease goes on; less than `lease_duration`.
    pub renew_deadline: Span,
    /// How often a leader renews, and others look; less than `renew_deadline`.
    pub retry_period: Span,
}

impl Default for RawLeaderElection {
    fn default() -> Self {
        Self {
            enabled: None,
            lease_name: "posturebeat-cluster-leader".to_owned(),
            lease_namespace: None,
            lease_duration: Span::seconds(15),
            renew_deadline: Span::seconds(10),
            retry_period: Span::seconds(2),
        }
    }
}

/// Checks names, and that no leader goes on after another may have begun.
pub(super) fn resolve(raw: RawLeaderElection, checker: &Checker<'_>) -> Result<LeaderElection, Mistake> {
    let key = |name: &str| format!("posturebeat.leader_election.{name}");
    if !is_name(&raw.lease_name) {
        let message = format!("expected the name of a Lease, found `{}`", raw.lease_name.escape_debug());
        return Err(checker.wrong(&key("lease_name"), message));
    }
    let namespace = raw.lease_namespace.filter(|namespace| !namespace.is_empty());
    if let Some(namespace) = namespace.as_ref().filter(|namespace| !is_name(namespace)) {
        let message = format!("expected the name of a namespace, found `{}`", namespace.escape_debug());
        return Err(checker.wrong(&key("lease_namespace"), message));
    }
    // The API keeps whole seconds.
    if raw.lease_duration.0.as_secs() == 0 || raw.lease_duration.0.subsec_nanos() > 0 {
        let message = format!("expected whole seconds, found `{}`", raw.lease_duration);
        return Err(checker.wrong(&key("lease_duration"), message));
    }
    if raw.renew_deadline.0 >= raw.lease_duration.0 {
        let message = format!("expected less than lease_duration, which is `{}`", raw.lease_duration);
        return Err(checker.wrong(&key("renew_deadline"), message));
    }
    if raw.retry_period.0.is_zero() || raw.retry_period.0 >= raw.renew_deadline.0 {
        let message = format!(
            "expected more than nothing and less than renew_deadline, which is `{}`",
            raw.renew_deadline
        );
        return Err(checker.wrong(&key("retry_period"), message));
    }
    Ok(LeaderElection {
        enabled: raw.enabled,
        lease_name: raw.lease_name,
        lease_namespace: namespace,
        lease_duration: raw.lease_duration.0,
        renew_deadline: raw.renew_deadline.0,
        retry_period: raw.retry_period.0,
    })
}

/// As the API takes it; it becomes part of a URL.
fn is_name(name: &str) -> bool {
    let inside =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '-' | '.');
    let edge = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    name.len() <= MAX_NAME
        && name.chars().all(inside)
        && edge(name.chars().next())
        && edge(name.chars().next_back())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_api() {
        for name in ["posturebeat-cluster-leader", "a", "1.b"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "A", "-a", "a-", "a/b", "a b", &"a".repeat(254)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
