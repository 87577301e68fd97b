//! `test kubernetes`: our identity on the API server, each right that a cycle needs, and which recommendations will be
//! errors without the missing ones.
//!
//! The API server is asked about each right. Where one is missing, the cluster is read once as a scan reads it, and only
//! the errors are kept: what a recommendation says without a right can depend on what other objects say.

use anyhow::anyhow;
use http::Method;
use kube::client::Body;
use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::engine::Engine;
use super::leadership;
use crate::collect::cluster::rights::{self, Extent, Need, Right, Served};
use crate::collect::cluster::{self, API_SERVER, NodeHints};
use crate::config::settings::{Posture, Settings};
use crate::evaluate::{Outcome, needs, object_demands};
use crate::kube_api::{self, JSON, RequestError};
use crate::observe::data_dir::DataDir;
use crate::observe::{Scope, Source, observe};
use crate::resource::{Kind, ObjectDemands, Reason};
use crate::rule::Rule;

/// The most bytes of a review.
const MAX_REVIEW: usize = 1024 * 1024;

/// What the API server allows.
pub struct KubernetesTest {
    /// Where the API server is.
    pub url: String,
    /// Our user name there.
    pub user: Result<String, String>,
    /// The cluster's name or id.
    pub cluster: Result<String, String>,
    /// Each right, and whether we have it.
    pub checks: Vec<RightCheck>,
    /// Kinds that rules ask for and that the server does not have: not applicable.
    pub absent: Vec<String>,
    /// Kinds that could not be looked up, and why.
    pub undiscovered: Vec<(String, String)>,
    /// The numbers of the recommendations that will be errors for want of a right.
    pub errors: BTreeSet<String>,
}

/// A right, and whether we have it.
pub struct RightCheck {
    /// The right, and what it is for.
    pub need: Need,
    /// Whether we have it.
    pub answer: RightAnswer,
    /// Of the recommendations that will be errors, those that read what it gives.
    pub errors: Vec<String>,
}

/// Whether a right is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RightAnswer {
    /// It is.
    Allowed,
    /// It is not.
    Denied,
    /// The API server did not answer: why.
    Unknown(String),
}

impl KubernetesTest {
    /// The rights that are missing.
    pub fn missing(&self) -> impl Iterator<Item = &RightCheck> {
        self.checks.iter().filter(|check| check.answer == RightAnswer::Denied)
    }
}

/// Asks for every right. An error where the API server is out of reach.
pub async fn test_kubernetes(settings: &Settings, engine: &Engine) -> anyhow::Result<KubernetesTest> {
    let posture = &settings.posture;
    let scope = Scope::all(posture)?;
    let env = |name: &str| std::env::var(name).ok();
    let connection = kube_api::connect(scope.target(posture), &env).await.map_err(|gap| anyhow!(gap.what))?;
    let client = &connection.client;
    let user = user(client).await;
    let identified = cluster::identify(&connection, &NodeHints::default()).await;
    if let Err(gap) = &identified
        && matches!(gap.reason, Reason::Unavailable | Reason::Timeout)
    {
        return Err(anyhow!("{gap}"));
    }
    let cluster = identified.map(|found| found.identity.cluster).map(|cluster| match cluster.name {
        Some(name) => format!("{name} ({})", cluster.id),
        None => cluster.id,
    });
    let demands = demands(engine, posture);
    let served = rights::served(client, &demands).await;
    let mut checks = Vec::new();
    for need in all_needs(engine, posture, &demands, &served, &env) {
        let answer = access(client, &need.right).await;
        checks.push(RightCheck { need, answer, errors: Vec::new() });
    }
    let mut test = KubernetesTest {
        url: connection.url.clone(),
        user,
        cluster: cluster.map_err(|gap| gap.what),
        checks,
        absent: Vec::new(),
        undiscovered: Vec::new(),
        errors: BTreeSet::new(),
    };
    for (name, found) in served.into_iter().filter(|(name, _)| demands.contains_key(name)) {
        match found {
            Ok(None) => test.absent.push(name),
            Err(gap) => test.undiscovered.push((name, gap.what)),
            Ok(Some(_)) => {}
        }
    }
    if test.missing().next().is_some() {
        foretell(settings, engine, &scope, &mut test).await?;
    }
    Ok(test)
}

/// What rules ask of the objects that a cycle with these settings reads.
fn demands(engine: &Engine, posture: &Posture) -> ObjectDemands {
    if posture.cluster { object_demands(engine.rules.iter()) } else { ObjectDemands::new() }
}

fn all_needs(
    engine: &Engine,
    posture: &Posture,
    demands: &ObjectDemands,
    served: &Served,
    env: &dyn Fn(&str) -> Option<String>,
) -> Vec<Need> {
    let extent = extent(engine, posture);
    let mut all = rights::needs(demands, served, extent);
    all.extend(rights::flagz_need(extent));
    all.extend(rights::identity_needs(extent));
    if posture.cluster && leadership::is_elected(posture, env) {
        let namespace = leadership::lease_namespace(posture);
        all.extend(rights::election_needs(&namespace, &posture.leader_election.lease_name));
    }
    all
}

/// What a daemon with these settings does.
pub(super) fn extent(engine: &Engine, posture: &Posture) -> Extent {
    Extent {
        secrets: posture.secrets,
        watch: posture.watch,
        node: posture.node,
        kubelet: posture.node && posture.kubelet_url.is_some(),
        cloud: posture.cluster && engine.judge.selectors().any(|(kind, _)| kind.is_of_cloud()),
        flagz: posture.cluster
            && posture.flagz
            && engine.judge.selectors().any(|selector| selector == (Kind::Process, API_SERVER)),
    }
}

/// The rights on kinds of objects that these rules need, as lines of text, by convention where a kind is not built in.
pub fn rights_of_rules(engine: &Engine, posture: &Posture) -> Vec<String> {
    let demands = demands(engine, posture);
    let needs = rights::needs(&demands, &rights::guessed(&demands), extent(engine, posture));
    rights::lines(needs.iter().map(|need| &need.right))
}

/// Reads the cluster once, and notes which recommendations are errors for want of a right.
async fn foretell(
    settings: &Settings,
    engine: &Engine,
    scope: &Scope,
    test: &mut KubernetesTest,
) -> anyhow::Result<()> {
    let several =
        engine.rules.iter().any(|rule| rule.benchmark.full_name() != engine.rules[0].benchmark.full_name());
    let number = |rule: &Rule| {
        if several {
            format!("{}/{}", rule.benchmark.full_name(), rule.row.number)
        } else {
            rule.row.number.clone()
        }
    };
    let mut erroneous = BTreeSet::new();
    if scope.cluster {
        let cluster = Scope { node: false, ..scope.clone() };
        let data = cluster.data_dir(&DataDir::read_only(&settings.data_path));
        let mut wanted = engine.wanted();
        // What a cloud says takes no right here.
        wanted.kinds.retain(|(kind, _)| !kind.is_of_cloud());
        let mut observation = observe(&Source::Live(cluster), settings, &data, wanted).await?;
        while let Some(resource) = observation.found.recv().await {
            for (rules, judgement) in engine.judge.judge(resource) {
                let denied = judgement.gap.as_ref().is_some_and(|gap| gap.reason == Reason::Denied);
                if judgement.outcome == Outcome::Error && denied {
                    erroneous.extend(rules.iter().copied());
                }
            }
        }
        observation.ended().await?;
    }
    for check in test.checks.iter_mut().filter(|check| check.answer == RightAnswer::Denied) {
        let reads = |rule: &Rule| check.need.feeds.iter().any(|(of, place)| needs(&rule.control, of, place));
        // What AWS tells of load balancers is not read here.
        let of_cloud = check.need.feeds.iter().any(|(selector, _)| selector.kind.is_of_cloud());
        let concerned = engine.rules.iter().enumerate();
        let concerned = concerned.filter(|(at, rule)| reads(rule) && (of_cloud || erroneous.contains(at)));
        for (_, rule) in concerned {
            check.errors.push(number(rule));
        }
        check.errors.dedup();
        test.errors.extend(check.errors.iter().cloned());
    }
    test.errors.extend(erroneous.iter().map(|at| number(&engine.rules[*at])));
    Ok(())
}

/// Our user name, as the API server sees us.
async fn user(client: &kube::Client) -> Result<String, String> {
    let mut answer = review(client, "authentication.k8s.io/v1", "SelfSubjectReview", &json!({})).await;
    // Beta in Kubernetes 1.27.
    if answer.as_ref().is_err_and(|error| error.reason() == Reason::Missing) {
        answer = review(client, "authentication.k8s.io/v1beta1", "SelfSubjectReview", &json!({})).await;
    }
    match answer {
        Ok(answer) => match answer.pointer("/status/userInfo/username").and_then(Value::as_str) {
            Some(name) => Ok(name.to_owned()),
            None => Err("the answer names no user".to_owned()),
        },
        Err(error) if error.reason() == Reason::Missing => {
            Err("unknown: API servers before Kubernetes 1.27 do not tell".to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

async fn access(client: &kube::Client, right: &Right) -> RightAnswer {
    let (resource, subresource) = right.resource.split_once('/').unwrap_or((&right.resource, ""));
    let spec = match right.url() {
        Some(path) => json!({"nonResourceAttributes": {"verb": right.verb, "path": path}}),
        None => json!({"resourceAttributes": {
            "verb": right.verb,
            "group": right.group,
            "resource": resource,
            "subresource": subresource,
            "namespace": right.namespace.as_deref().unwrap_or_default(),
            "name": right.name.as_deref().unwrap_or_default(),
        }}),
    };
    match review(client, "authorization.k8s.io/v1", "SelfSubjectAccessReview", &spec).await {
        Ok(answer) => match answer.pointer("/status/allowed") {
            Some(Value::Bool(true)) => RightAnswer::Allowed,
            Some(Value::Bool(false)) => RightAnswer::Denied,
            _ => RightAnswer::Unknown("the answer does not say whether it is allowed".to_owned()),
        },
        Err(error) => RightAnswer::Unknown(error.to_string()),
    }
}

/// Creates a review, which the API server answers and does not store.
async fn review(
    client: &kube::Client,
    api_version: &str,
    kind: &str,
    spec: &Value,
) -> Result<Value, RequestError> {
    let body = json!({"apiVersion": api_version, "kind": kind, "spec": spec});
    let request = http::Request::builder()
        .method(Method::POST)
        .uri(format!("/apis/{api_version}/{}s", kind.to_lowercase()))
        .header(http::header::ACCEPT, JSON)
        .header(http::header::CONTENT_TYPE, JSON)
        .body(Body::from(body.to_string().into_bytes()));
    kube_api::send(client, request, MAX_REVIEW).await?.json()
}
