//! The cloud of a cycle: who we are there, which of its clusters this one is, and what it tells.

use anyhow::anyhow;
use std::collections::BTreeSet;
use tokio::sync::mpsc;

use super::IN_FLIGHT;
use super::observation::Observation;
use crate::collect::aws::identity::{Caller, Facts, Instance, caller, find_cluster, find_region};
use crate::collect::aws::{self, Access, Request};
use crate::collect::node::host::HostFacts;
use crate::collect::sightings::Sightings;
use crate::config::settings::{Aws, Settings};
use crate::resource::{
    CLOUD, Gap, Identity, IdentitySource, Kind, Owner, Platform, Resource, Selector, Unread,
};

/// Where a region is needed only to begin with.
const ANY_REGION: &str = "us-east-1";

/// AWS, as a cycle sees it.
pub(crate) struct Cloud {
    sight: Result<Sight, Unread>,
    /// The cluster's name at EKS, where it is configured.
    named: Option<String>,
}

/// AWS answers.
pub(crate) struct Sight {
    pub access: Access,
    pub region: String,
    pub caller: Caller,
    /// The cluster's name.
    pub cluster: Result<String, Unread>,
}

impl Sight {
    /// Connects, and finds out where, who and which.
    pub(crate) async fn find(aws: &Aws, facts: &Facts) -> Result<Self, Unread> {
        let off =
            std::env::var("AWS_EC2_METADATA_DISABLED").is_ok_and(|off| off.eq_ignore_ascii_case("true"));
        let instance = |access: &Access| {
            if off { None } else { Instance::new(access, None).map_err(|why| tracing::warn!("{why}")).ok() }
        };
        let region = if let Some(found) = facts.region() {
            found.value
        } else {
            let access = aws::connect(aws, ANY_REGION).await;
            find_region(facts, instance(&access).as_ref()).await?.value
        };
        let access = aws::connect(aws, &region).await;
        let caller = caller(&access, &region).await.map_err(|problem| problem.unread("$"))?;
        let cluster = find_cluster(&access, &region, facts, instance(&access).as_ref()).await;
        Ok(Self { access, region, caller, cluster: cluster.map(|found| found.value) })
    }
}

/// What is known of the cluster before AWS is asked; a region that the environment names counts as configured.
pub(crate) fn facts(aws: &Aws, env: &dyn Fn(&str) -> Option<String>) -> Facts {
    let region = || ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| env(name));
    Facts {
        cluster: aws.cluster_name.clone(),
        region: aws.region.clone().or_else(region),
        ..Facts::default()
    }
}

impl Cloud {
    /// Finds the cluster in AWS.
    pub(crate) async fn find(aws: &Aws, facts: &Facts) -> Self {
        let sight = Sight::find(aws, facts).await;
        if let Err(unread) = &sight {
            tracing::warn!(reason = unread.gap.reason.as_str(), "AWS tells nothing: {}", unread.gap.what);
        }
        Self { sight, named: facts.cluster.clone().filter(|name| !name.is_empty()) }
    }

    /// Adds what is known now to the cluster's identity. Its name at EKS is better than a kubeconfig's; one that is
    /// configured stays the same while AWS tells nothing.
    pub(crate) fn tell(&self, identity: &mut Identity) {
        let found = self.sight.as_ref().ok().and_then(|sight| sight.cluster.as_ref().ok());
        if let Some(name) = found.or(self.named.as_ref()) {
            identity.cluster.name = Some(name.clone());
        }
        let Ok(sight) = &self.sight else { return };
        identity.cluster.cloud = Some(crate::resource::Cloud {
            provider: "aws".to_owned(),
            region: sight.region.clone(),
            account: sight.caller.account.clone(),
        });
    }

    /// The cluster itself, as EKS tells of it.
    pub(crate) async fn observe_cluster(&self, ask: &Ask, found: &mpsc::Sender<Resource>) {
        match &self.sight {
            Err(unread) => ask.out_of_reach(|_| true, unread, found).await,
            Ok(sight) => match &sight.cluster {
                Err(unread) => ask.out_of_reach(|kind| kind == Kind::Caas, unread, found).await,
                Ok(name) => aws::eks::observe(&sight.access, &ask.request(sight, name), found).await,
            },
        }
    }

    /// What the cluster's objects name: load balancers, and repositories of images.
    pub(crate) async fn observe_used(
        &self,
        ask: &Ask,
        sightings: &Sightings,
        found: &mpsc::Sender<Resource>,
    ) {
        // That nothing is in reach was said of everything.
        let Ok(sight) = &self.sight else { return };
        let name = sight.cluster.as_deref().unwrap_or_default();
        let request = ask.request(sight, name);
        tokio::join!(
            // What they keep while they wait is large.
            Box::pin(aws::balancers(&sight.access, &request, sightings, found)),
            Box::pin(aws::repositories(&sight.access, &request, sightings, found)),
        );
    }
}

/// For whom, and what is wanted.
pub(crate) struct Ask {
    owner: Owner,
    wanted: BTreeSet<Selector>,
}

impl Ask {
    /// Those of `wanted` that a cloud tells of.
    pub(crate) fn new(owner: &Owner, wanted: &BTreeSet<(Kind, String)>) -> Self {
        let of_cloud = wanted.iter().filter(|(kind, _)| kind.is_of_cloud());
        let wanted = of_cloud.map(|(kind, name)| Selector::new(*kind, name.as_str())).collect();
        Self { owner: owner.clone(), wanted }
    }

    fn request(&self, sight: &Sight, cluster: &str) -> Request {
        Request {
            cluster: cluster.to_owned(),
            region: sight.region.clone(),
            account: sight.caller.account.clone(),
            partition: sight.caller.partition.clone(),
            owner: self.owner.clone(),
            wanted: self.wanted.clone(),
        }
    }

    /// Says of everything wanted of these kinds that it could not be read.
    async fn out_of_reach(
        &self,
        kinds: impl Fn(Kind) -> bool,
        unread: &Unread,
        found: &mpsc::Sender<Resource>,
    ) {
        for selector in self.wanted.iter().filter(|selector| kinds(selector.kind)) {
            let gap = Resource::unlisted(
                selector,
                &self.owner,
                Gap::new(unread.gap.reason, unread.gap.what.clone()),
            );
            // A send fails when nobody wants more.
            if found.send(gap).await.is_err() {
                return;
            }
        }
    }
}

/// Begins to look at an EKS cluster from outside. Without credentials there is nothing to see at all.
pub(crate) async fn outside(
    settings: &Settings,
    mut wanted: BTreeSet<(Kind, String)>,
    host: HostFacts,
) -> anyhow::Result<Observation> {
    let env = |name: &str| std::env::var(name).ok();
    let facts = facts(&settings.posture.aws, &env);
    let sight =
        Sight::find(&settings.posture.aws, &facts).await.map_err(|unread| anyhow!(unread.gap.what))?;
    let name = sight.cluster.clone().map_err(|unread| anyhow!(unread.gap.what))?;
    let mut identity = Identity::default();
    let Caller { partition, account, .. } = &sight.caller;
    identity.cluster.id = format!("arn:{partition}:eks:{}:{account}:cluster/{name}", sight.region);
    identity.cluster.source = IdentitySource::Cloud;
    identity.cluster.platform = Some(Platform::Eks);
    let cloud = Cloud { sight: Ok(sight), named: None };
    cloud.tell(&mut identity);
    wanted.retain(|(kind, _)| *kind == Kind::Caas);
    let owner = Owner { id: format!("cluster/{}", identity.cluster.id), name };
    let ask = Ask::new(&owner, &wanted);
    let (sender, found) = mpsc::channel(IN_FLIGHT);
    let ended = tokio::spawn(async move {
        cloud.observe_cluster(&ask, &sender).await;
        Ok(None)
    });
    Ok(Observation::new(identity, host, found, ended))
}

/// Every sub type of a cloud that can be asked for.
pub(crate) fn everything() -> impl Iterator<Item = (Kind, String)> {
    CLOUD.iter().flat_map(|(kind, names)| names.iter().map(|name| (*kind, (*name).to_owned())))
}
