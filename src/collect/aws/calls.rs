//! The calls that are made to AWS, a file for each service: each with the IAM action that it takes, what its answer
//! fills, and the probe that tests whether it is allowed.
//!
//! The policy to attach, `test aws` and the messages of failed calls are made from this table.

pub(super) mod ecr;
pub(super) mod ecr_public;
pub(super) mod eks;
pub(super) mod elb;
pub(super) mod elbv2;
pub(super) mod iam;
pub(super) mod logs;
mod policy;
mod probe;
pub(super) mod sts;

use std::future::Future;
use std::pin::Pin;

use super::client::{AwsClient, CallRefusal};
use crate::collect::cloud::CloudCall;

pub(super) use policy::policy;
pub(super) use probe::probe;

/// A name that nothing has.
const NO_NAME: &str = "posturebeat-probe";

/// A call and its probe.
struct CallEntry {
    call: CloudCall,
    /// Makes the call with arguments that need not exist; `None` where it is not made there at all.
    probe: for<'t> fn(&'t ProbeTarget<'t>) -> Option<Probing<'t>>,
}

type Probing<'t> = Pin<Box<dyn Future<Output = Result<(), CallRefusal>> + Send + 't>>;

/// The cluster that calls are probed for.
pub(super) struct ProbeTarget<'t> {
    /// AWS.
    pub aws: &'t AwsClient,
    /// The cluster's region.
    pub region: &'t str,
    /// Its partition.
    pub partition: &'t str,
    /// Its name, where it is known.
    pub cluster: Option<&'t str>,
}

impl ProbeTarget<'_> {
    fn cluster(&self) -> &str {
        self.cluster.unwrap_or(NO_NAME)
    }
}

/// Defines the calls of a service, with the region that they are probed in: of each its documentation, name, operation,
/// what it feeds as `selector: place`, and its probe's request, from a client of the service and the [`ProbeTarget`].
macro_rules! service_calls {
    (
        service $service:literal, client $client:ty, region |$where:pat_param| $region:expr;
        $(
            $(#[$doc:meta])+
            $name:ident = $operation:literal feeds { $($selector:literal: $place:literal),* },
            probe |$sdk:pat_param, $target:pat_param| $request:expr;
        )+
    ) => {
        $(
            $(#[$doc])+
            pub(crate) const $name: $crate::collect::cloud::CloudCall =
                $crate::collect::cloud::CloudCall {
                    service: $service,
                    operation: $operation,
                    permission: concat!($service, ":", $operation),
                    feeds: &[$($crate::collect::cloud::CallFeed { selector: $selector, place: $place }),*],
                };
        )+

        /// The calls of this service.
        pub(super) const TABLE: &[super::CallEntry] = &[$({
            fn probe<'t>(target: &'t super::ProbeTarget<'t>) -> Option<super::Probing<'t>> {
                let $where = target;
                let region: &str = $region?;
                let $sdk = <$client>::new(&target.aws.at(region));
                let $target = target;
                let request = $request;
                Some(Box::pin(async move { target.aws.ask(&$name, region, request.send()).await.map(drop) }))
            }
            super::CallEntry { call: $name, probe }
        }),+];
    };
}
use service_calls;

/// All of them.
fn table() -> impl Iterator<Item = &'static CallEntry> {
    let services = [
        sts::TABLE,
        eks::TABLE,
        iam::TABLE,
        logs::TABLE,
        elb::TABLE,
        elbv2::TABLE,
        ecr::TABLE,
        ecr_public::TABLE,
    ];
    services.into_iter().flatten()
}

/// Every call that is made.
pub fn calls() -> impl Iterator<Item = CloudCall> {
    table().map(|entry| entry.call)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{CLOUD, Selector};
    use std::collections::BTreeSet;

    #[test]
    fn every_call_feeds_something_that_is_known() {
        let mut actions = BTreeSet::new();
        for call in calls() {
            assert!(actions.insert(call.permission), "{} stands twice", call.permission);
            assert!(!call.feeds.is_empty() || call == sts::GET_CALLER_IDENTITY, "{}", call.permission);
            for feed in call.feeds {
                let selector: Selector = feed.selector.parse().unwrap();
                let known = |(kind, names): &(_, &[&str])| {
                    *kind == selector.kind && names.contains(&selector.name.as_str())
                };
                assert!(CLOUD.iter().any(known), "{}", feed.selector);
            }
        }
    }
}
