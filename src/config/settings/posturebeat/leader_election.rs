//! `posturebeat.leader_election`: which of many processes checks the cluster and AWS.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::config::form::{Checker, SectionForm};
use crate::config::mistake::Mistake;
use crate::config::values::Span;

/// Leader election, by a Lease.
#[derive(Debug, Clone)]
pub struct LeaderElection {
    /// Whether this process takes part. `None`: if it runs as a pod.
    pub enabled: Option<bool>,
    /// The Lease.
    pub lease_name: String,
    /// Its namespace. `None`: the pod's, else `default`.
    pub lease_namespace: Option<String>,
    /// How long others wait after the leader's last renewal; whole seconds.
    pub lease_duration: Duration,
    /// How long a leader that cannot renew goes on; less than `lease_duration`.
    pub renew_deadline: Duration,
    /// How often the leader renews and others check; less than `renew_deadline`.
    pub retry_period: Duration,
}

/// The Kubernetes API's limit for names.
const MAX_NAME: usize = 253;

/// The section as written.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct LeaderElectionForm {
    /// Whether this process takes part. If not, it always collects what `collect` selects. Default: true in a pod
    /// with a service account.
    pub enabled: Option<bool>,
    /// The Lease. With the name of Elastic's own shipper, `cloudbeat-cluster-leader`, only one pod of both shippers
    /// collects.
    pub lease_name: String,
    /// The Lease's namespace. Default: the pod's, else `default`.
    #[schemars(example = &"posturebeat")]
    pub lease_namespace: Option<String>,
    /// How long others wait after the leader's last renewal before one of them takes over.
    pub lease_duration: Span,
    /// How long a leader that cannot renew the Lease keeps leading; less than `lease_duration`.
    pub renew_deadline: Span,
    /// How often the leader renews and others check the Lease; less than `renew_deadline`.
    pub retry_period: Span,
}

impl Default for LeaderElectionForm {
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

impl SectionForm for LeaderElectionForm {
    type Settings = LeaderElection;

    /// Checks names, and that a leader stops before another one may start.
    fn check(self, checker: &Checker<'_>) -> Result<LeaderElection, Mistake> {
        if !is_name(&self.lease_name) {
            let message = format!("expected the name of a Lease, found `{}`", self.lease_name.escape_debug());
            return Err(checker.wrong("lease_name", message));
        }
        let namespace = self.lease_namespace.filter(|namespace| !namespace.is_empty());
        if let Some(namespace) = namespace.as_ref().filter(|namespace| !is_name(namespace)) {
            let message = format!("expected the name of a namespace, found `{}`", namespace.escape_debug());
            return Err(checker.wrong("lease_namespace", message));
        }
        // The API stores whole seconds.
        if self.lease_duration.0.as_secs() == 0 || self.lease_duration.0.subsec_nanos() > 0 {
            let message = format!("expected whole seconds, found `{}`", self.lease_duration);
            return Err(checker.wrong("lease_duration", message));
        }
        if self.renew_deadline.0 >= self.lease_duration.0 {
            let message = format!("expected less than lease_duration, which is `{}`", self.lease_duration);
            return Err(checker.wrong("renew_deadline", message));
        }
        if self.retry_period.0.is_zero() || self.retry_period.0 >= self.renew_deadline.0 {
            let message = format!(
                "expected more than zero and less than renew_deadline, which is `{}`",
                self.renew_deadline
            );
            return Err(checker.wrong("retry_period", message));
        }
        Ok(LeaderElection {
            enabled: self.enabled,
            lease_name: self.lease_name,
            lease_namespace: namespace,
            lease_duration: self.lease_duration.0,
            renew_deadline: self.renew_deadline.0,
            retry_period: self.retry_period.0,
        })
    }
}

/// Whether the API accepts the name. It becomes part of a URL.
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
