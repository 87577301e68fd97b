//! Which process judges a cluster: this one if it runs alone, else the elected leader.

use backon::{BackoffBuilder, ExponentialBuilder};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::config::settings::Posture;
use crate::kube_api::{self, Target};
use crate::leader::{self, Election, NoSequence};
use crate::observe::Scope;
use crate::observe::data_dir::{DataDir, random_uuid};
use crate::telemetry::metrics::Registry;

/// The file in which a pod finds its namespace.
const NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";
/// The shortest and the longest wait before the API is tried again.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// How this process becomes the leader of a cluster, again after each term.
pub(super) enum Leadership {
    /// It runs alone.
    Alone { data: DataDir, began: bool },
    /// A Lease decides.
    Elected(Box<Elected>),
}

/// An election, once the API is found.
pub(super) struct Elected {
    posture: Posture,
    scope: Scope,
    registry: Arc<Registry>,
    election: Option<Election>,
}

/// The time during which this process leads a cluster.
pub(super) enum ClusterTerm {
    /// Without end.
    Alone(DataDir),
    /// While it holds the Lease.
    Elected(leader::LeaderTerm),
}

/// Whether this process takes part in an election. A pod does, because there is one on each node.
pub(super) fn is_elected(posture: &Posture, env: &dyn Fn(&str) -> Option<String>) -> bool {
    posture.leader_election.enabled.unwrap_or_else(|| {
        let named = posture.kube_config.is_some() || env("KUBECONFIG").is_some_and(|path| !path.is_empty());
        !named && env("KUBERNETES_SERVICE_HOST").is_some()
    })
}

/// The Lease's namespace: as configured, else the pod's, else `default`.
pub(super) fn lease_namespace(posture: &Posture) -> String {
    let own = || {
        let text = std::fs::read_to_string(Path::new(NAMESPACE)).ok()?;
        Some(text.trim().to_owned()).filter(|namespace| !namespace.is_empty())
    };
    let written = posture.leader_election.lease_namespace.clone();
    written.or_else(own).unwrap_or_else(|| "default".to_owned())
}

impl Leadership {
    /// For one cluster. Without an election, `data` numbers the cycles. An election registers its metrics.
    pub(super) fn new(posture: &Posture, scope: &Scope, data: &DataDir, registry: &Arc<Registry>) -> Self {
        if is_elected(posture, &|name| std::env::var(name).ok()) {
            Self::Elected(Box::new(Elected {
                posture: posture.clone(),
                scope: scope.clone(),
                registry: Arc::clone(registry),
                election: None,
            }))
        } else {
            Self::Alone { data: data.clone(), began: false }
        }
    }

    /// Waits until this process leads.
    pub(super) async fn lead(&mut self) -> anyhow::Result<ClusterTerm> {
        match self {
            Self::Alone { began: true, .. } => std::future::pending().await,
            Self::Alone { data, began } => {
                *began = true;
                Ok(ClusterTerm::Alone(data.clone()))
            }
            Self::Elected(elected) => elected.lead().await.map(ClusterTerm::Elected),
        }
    }

    /// Gives up the Lease.
    pub(super) async fn end(self) {
        if let Self::Elected(elected) = self
            && let Some(election) = elected.election
        {
            election.end().await;
        }
    }
}

impl Elected {
    async fn lead(&mut self) -> anyhow::Result<leader::LeaderTerm> {
        let election = match self.election.take() {
            Some(election) => election,
            None => self.begin().await?,
        };
        Ok(self.election.insert(election).lead().await)
    }

    /// Connects to the API, retrying until it answers, and joins the election.
    async fn begin(&self) -> anyhow::Result<Election> {
        let env = |name: &str| std::env::var(name).ok();
        // Renewing the Lease must not wait behind paced requests.
        let target = Target { paced: false, ..self.scope.target(&self.posture) };
        let (least, most) = WAITS;
        let mut waits = ExponentialBuilder::default()
            .with_min_delay(least)
            .with_max_delay(most)
            .with_jitter()
            .without_max_times()
            .build();
        loop {
            match kube_api::connect(target, &env).await {
                Ok(connection) => {
                    let election = Election::start(connection.client, self.settings(&env))?;
                    election.register(self.scope.name(), &self.registry);
                    return Ok(election);
                }
                Err(gap) => {
                    let retry_in = waits.next().unwrap_or(most);
                    let reason = gap.reason.as_str();
                    tracing::error!(reason, error = %gap, ?retry_in, "cannot start leader election");
                    tokio::time::sleep(retry_in).await;
                }
            }
        }
    }

    fn settings(&self, env: &dyn Fn(&str) -> Option<String>) -> leader::ElectionSettings {
        let written = &self.posture.leader_election;
        let host = || rustix::system::uname().nodename().to_string_lossy().into_owned();
        let name = env("POD_NAME").filter(|name| !name.is_empty()).unwrap_or_else(host);
        leader::ElectionSettings {
            lease_name: written.lease_name.clone(),
            namespace: lease_namespace(&self.posture),
            // A restarted pod is a different process from the one that held the Lease.
            identity: format!("{name}_{}", random_uuid()),
            lease_duration: written.lease_duration,
            renew_deadline: written.renew_deadline,
            retry_period: written.retry_period,
        }
    }
}

impl ClusterTerm {
    /// Whether the term certainly still holds.
    pub(super) fn holds(&self) -> bool {
        match self {
            Self::Alone(_) => true,
            Self::Elected(term) => term.holds(),
        }
    }

    /// Waits until leadership is lost.
    pub(super) async fn lost(&self) {
        match self {
            Self::Alone(_) => std::future::pending().await,
            Self::Elected(term) => term.lost().await,
        }
    }

    /// The sequence number of the next cycle, higher than that of every earlier cycle of any leader.
    pub(super) async fn next_sequence(&self, now: i64) -> Result<i64, NoSequence> {
        match self {
            Self::Alone(data) => Ok(data.next_sequence(now)),
            Self::Elected(term) => term.next_sequence(now).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    #[test]
    fn a_pod_competes_and_a_laptop_does_not() {
        let elected = |overrides: &[(&str, &str)], env: &[&str]| {
            let overrides = overrides.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            let sources = Sources {
                files: vec![],
                default_file: None,
                overrides: overrides.collect(),
                env: &|_| None,
                strict_perms: false,
                fleet_inputs: Vec::new,
            };
            let posture = load(&sources, crate::output::OUTPUTS).unwrap().settings.posture;
            is_elected(&posture, &|name| env.contains(&name).then(|| "x".to_owned()))
        };
        let pod = ["KUBERNETES_SERVICE_HOST"];
        assert!(elected(&[], &pod));
        assert!(!elected(&[], &[]));
        assert!(!elected(&[], &["KUBERNETES_SERVICE_HOST", "KUBECONFIG"]));
        assert!(!elected(&[("posturebeat.kube_config", "/k")], &pod));
        assert!(!elected(&[("posturebeat.leader_election.enabled", "false")], &pod));
        assert!(elected(&[("posturebeat.leader_election.enabled", "true")], &[]));
    }
}
