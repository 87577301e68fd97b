//! The load balancers that Services and Ingresses name.
//!
//! A host name contains the region. There, all load balancers of both generations are listed, page by page, and those
//! with a host name of the cluster are kept: a request by name fails for all names if one is gone.

mod classic;
mod host_name;
mod v2;

#[cfg(test)]
mod tests;

use aws_types::SdkConfig;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc;

use super::client::{AwsClient, CallRefusal, out_of_reach};
use super::document::{draft, fill};
use super::scope::AwsScope;
use crate::collect::sightings::Sightings;
use crate::resource::{Gap, Kind, Reason, Resource};
use host_name::{BalancerFamily, BalancerHost};

const KIND: Kind = Kind::LoadBalancer;
/// Classic, application and network load balancers.
const SUB_TYPES: [&str; 3] = [CLASSIC, APPLICATION, NETWORK];
const CLASSIC: &str = "aws-elb";
const APPLICATION: &str = "aws-alb";
const NETWORK: &str = "aws-nlb";
/// The most load balancers that are completed at once.
const TOGETHER: usize = 16;
/// The most that one call lists.
const PAGE: i32 = 400;
/// The most whose tags one call lists.
const TAGGED: usize = 20;

/// A region that is searched.
struct RegionSearch<'r> {
    aws: AwsClient,
    scope: &'r AwsScope,
    name: &'r str,
    found: mpsc::Sender<Resource>,
}

/// One of the two APIs in a region.
#[derive(Clone)]
struct ElbClient<C> {
    aws: AwsClient,
    client: C,
    region: String,
    found: mpsc::Sender<Resource>,
}

/// A load balancer that is looked for.
struct SoughtBalancer<'s> {
    /// Its host name in the cluster.
    host: &'s str,
    family: BalancerFamily,
    users: BTreeSet<&'s str>,
}

/// By their host names in the API.
type SoughtBalancers<'s> = BTreeMap<&'s str, SoughtBalancer<'s>>;

/// Sends the load balancers that the cluster uses to `found`, each as soon as it is complete.
pub(super) async fn observe(
    aws: &AwsClient,
    scope: &AwsScope,
    sightings: &Sightings,
    found: &mpsc::Sender<Resource>,
) {
    if !SUB_TYPES.iter().any(|sub_type| scope.wants(KIND, sub_type)) {
        return;
    }
    for resource in scope.unseen(sightings, KIND, &SUB_TYPES, &["Service", "Ingress"]) {
        if found.send(resource).await.is_err() {
            return;
        }
    }
    for (name, sought) in by_region(sightings) {
        let region = RegionSearch { aws: aws.clone(), scope, name, found: found.clone() };
        region.observe(sought).await;
        if found.is_closed() {
            return;
        }
    }
}

fn by_region(sightings: &Sightings) -> BTreeMap<&str, SoughtBalancers<'_>> {
    let mut regions: BTreeMap<&str, SoughtBalancers> = BTreeMap::new();
    for (name, users) in &sightings.balancers {
        let Some(host) = BalancerHost::parse(name) else { continue };
        let sought = regions
            .entry(host.region)
            .or_default()
            .entry(host.dns_name)
            .or_insert_with(|| SoughtBalancer { host: name, family: host.family, users: BTreeSet::new() });
        sought.users.extend(users.iter().map(String::as_str));
    }
    regions
}

impl RegionSearch<'_> {
    fn client<C>(&self, client: impl FnOnce(&SdkConfig) -> C) -> ElbClient<C> {
        ElbClient {
            aws: self.aws.clone(),
            client: client(&self.aws.at(self.name)),
            region: self.name.to_owned(),
            found: self.found.clone(),
        }
    }

    /// Sends the load balancers that exist, removes them from `sought`, and returns what stopped the search among the
    /// newer generation and among the older one.
    async fn search(&self, sought: &mut SoughtBalancers<'_>) -> (Result<(), Gap>, Result<(), Gap>) {
        if let Some(gap) = out_of_reach(self.name, &self.scope.partition) {
            return (Err(gap), Ok(()));
        }
        let newer = v2::search(self, sought).await;
        let older = if could_be_classic(sought) { classic::search(self, sought).await } else { Ok(()) };
        (newer, older)
    }

    /// Sends everything that is sought in this region.
    async fn observe(&self, mut sought: SoughtBalancers<'_>) {
        let (newer, older) = self.search(&mut sought).await;
        let none =
            format!("no load balancer of account {} in {} has this host name", self.scope.account, self.name);
        let missing = Gap::new(Reason::Missing, none);
        for sought in sought.into_values() {
            let (sub_type, gaps) = match sought.family {
                BalancerFamily::Network => (NETWORK, [newer.as_ref().err(), None]),
                BalancerFamily::ClassicOrApplication => {
                    (CLASSIC, [older.as_ref().err(), newer.as_ref().err()])
                }
            };
            if !self.scope.wants(KIND, sub_type) {
                continue;
            }
            let gap = gaps.into_iter().flatten().next().unwrap_or(&missing);
            let raw = Map::from_iter([("DNSName".to_owned(), Value::from(sought.host))]);
            let mut resource = draft(KIND, sub_type, sought.host.to_owned(), sought.host.to_owned(), raw);
            used_by(&mut resource, &sought);
            resource.unread.push(gap.clone().at("$"));
            if self.found.send(resource).await.is_err() {
                return;
            }
        }
    }
}

/// Whether a classic load balancer can be among them.
fn could_be_classic(sought: &SoughtBalancers) -> bool {
    sought.values().any(|sought| sought.family == BalancerFamily::ClassicOrApplication)
}

fn used_by(resource: &mut Resource, sought: &SoughtBalancer) {
    let users: Vec<Value> = sought.users.iter().map(|user| Value::from(*user)).collect();
    fill(resource, "usedBy", Ok(Value::Array(users)));
}

/// Whether a call failed because one of the load balancers that it names is gone.
fn is_gone(refusal: &CallRefusal) -> bool {
    refusal.gap.reason == Reason::Missing
}
