//! The load balancers that Services and Ingresses name.
//!
//! A host name tells the region. There all load balancers of both generations are listed, page by page, and those
//! whose name is looked for are kept: to ask for them by name would fail for all if one is gone, and with no name at
//! all would give every one of the account.

mod classic;
mod host;
mod v2;

#[cfg(test)]
mod tests;

use aws_types::SdkConfig;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc;

use super::access::{Access, Problem};
use super::draft::{draft, fill};
use super::gaps::unseen;
use super::regions::out_of_reach;
use super::request::Request;
use crate::collect::sightings::Sightings;
use crate::resource::{Kind, Reason, Resource};
use host::{Host, Shape};

const KIND: Kind = Kind::LoadBalancer;
/// Of the older generation; the newer one's for applications, and for connections.
const SUB_TYPES: [&str; 3] = [CLASSIC, APPLICATION, NETWORK];
const CLASSIC: &str = "aws-elb";
const APPLICATION: &str = "aws-alb";
const NETWORK: &str = "aws-nlb";
/// The load balancers of which more is being asked at once.
const TOGETHER: usize = 16;
/// The most that one call lists.
const PAGE: i32 = 400;
/// The most whose tags one call gives.
const TAGGED: usize = 20;

/// A region that is looked through.
struct Region<'r> {
    access: Access,
    request: &'r Request,
    name: &'r str,
    found: mpsc::Sender<Resource>,
}

/// Where more is asked of a load balancer, by one of the APIs.
#[derive(Clone)]
struct Asked<C> {
    access: Access,
    client: C,
    region: String,
    found: mpsc::Sender<Resource>,
}

/// A load balancer that is looked for.
struct Sought<'s> {
    /// As the cluster names it.
    host: &'s str,
    shape: Shape,
    users: BTreeSet<&'s str>,
}

/// By the name that the API has for them.
type Wanted<'s> = BTreeMap<&'s str, Sought<'s>>;

/// Gives the load balancers that the cluster uses to `found`, each as soon as it is whole.
pub async fn balancers(
    access: &Access,
    request: &Request,
    sightings: &Sightings,
    found: &mpsc::Sender<Resource>,
) {
    if !SUB_TYPES.iter().any(|sub_type| request.wants(KIND, sub_type)) {
        return;
    }
    for resource in unseen(request, sightings, KIND, &SUB_TYPES, &["Service", "Ingress"]) {
        if found.send(resource).await.is_err() {
            return;
        }
    }
    for (name, sought) in by_region(sightings) {
        let region = Region { access: access.clone(), request, name, found: found.clone() };
        region.look(sought).await;
        if found.is_closed() {
            return;
        }
    }
}

fn by_region(sightings: &Sightings) -> BTreeMap<&str, Wanted<'_>> {
    let mut regions: BTreeMap<&str, Wanted> = BTreeMap::new();
    for (name, users) in &sightings.balancers {
        let Some(host) = Host::parse(name) else { continue };
        let sought = regions.entry(host.region).or_default().entry(host.dns_name).or_insert_with(|| Sought {
            host: name,
            shape: host.shape,
            users: BTreeSet::new(),
        });
        sought.users.extend(users.iter().map(String::as_str));
    }
    regions
}

impl Region<'_> {
    fn asked<C>(&self, client: impl FnOnce(&SdkConfig) -> C) -> Asked<C> {
        Asked {
            access: self.access.clone(),
            client: client(&self.access.at(self.name)),
            region: self.name.to_owned(),
            found: self.found.clone(),
        }
    }

    /// Tells of what is there, takes that out of `sought`, and gives what hindered the search among the newer
    /// generation and among the older one.
    async fn search(&self, sought: &mut Wanted<'_>) -> (Result<(), Problem>, Result<(), Problem>) {
        if let Some(problem) = out_of_reach(self.name, &self.request.partition) {
            return (Err(problem), Ok(()));
        }
        let newer = v2::look(self, sought).await;
        let older = if could_be_classic(sought) { classic::look(self, sought).await } else { Ok(()) };
        (newer, older)
    }

    /// Tells of all that is looked for here.
    async fn look(&self, mut sought: Wanted<'_>) {
        let (newer, older) = self.search(&mut sought).await;
        let none = format!(
            "no load balancer of account {} in {} has this host name",
            self.request.account, self.name
        );
        let missing = Problem { reason: Reason::Missing, code: String::new(), what: none };
        for sought in sought.into_values() {
            let (sub_type, problems) = match sought.shape {
                Shape::Network => (NETWORK, [newer.as_ref().err(), None]),
                Shape::ClassicOrApplication => (CLASSIC, [older.as_ref().err(), newer.as_ref().err()]),
            };
            if !self.request.wants(KIND, sub_type) {
                continue;
            }
            let why = problems.into_iter().flatten().next().unwrap_or(&missing);
            let raw = Map::from_iter([("DNSName".to_owned(), Value::from(sought.host))]);
            let mut resource = draft(KIND, sub_type, sought.host.to_owned(), sought.host.to_owned(), raw);
            used_by(&mut resource, &sought);
            resource.unread.push(why.unread("$"));
            if self.found.send(resource).await.is_err() {
                return;
            }
        }
    }
}

/// Whether one of the older generation can be among them.
fn could_be_classic(sought: &Wanted) -> bool {
    sought.values().any(|sought| sought.shape == Shape::ClassicOrApplication)
}

fn used_by(resource: &mut Resource, sought: &Sought) {
    let users: Vec<Value> = sought.users.iter().map(|user| Value::from(*user)).collect();
    fill(resource, "usedBy", Ok(Value::Array(users)));
}

/// Whether a call failed because one of those that it asked for is gone.
fn is_gone(problem: &Problem) -> bool {
    problem.reason == Reason::Missing
}
