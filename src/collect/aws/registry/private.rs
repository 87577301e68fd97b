//! Private repositories: found in image references, described in batches.
//!
//! Nothing of a registry is kept: a batch starts when a slot is free, and each of its repositories is sent as soon as it
//! is complete.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;

use super::ecr::{EcrClient, by_name, named, only_owner};
use super::existing::ExistingRepositories;
use super::image_reference::{EcrRegistry, ImageReference};
use super::{KIND, PRIVATE};
use crate::collect::aws::calls::ecr::{
    BATCH_GET_REPOSITORY_SCANNING_CONFIGURATION, GET_REGISTRY_POLICY, GET_REGISTRY_SCANNING_CONFIGURATION,
};
use crate::collect::aws::client::{AwsClient, CallRefusal, TaskWindow, in_batches, out_of_reach, partition};
use crate::collect::aws::document::{draft, fill};
use crate::collect::aws::scope::AwsScope;
use crate::resource::{Gap, Reason, Resource};

/// The most repositories that one call describes.
const NAMES: usize = 100;
/// Batches under way.
const BATCHES: usize = 4;
/// Repositories of one batch under way.
const OF_BATCH: usize = 4;
/// The most registries that are asked: anyone who may create a Pod can name any number.
const REGISTRIES: usize = 256;
/// The most repositories that are asked about, for the same reason.
const REPOSITORIES: usize = 20_000;
/// Denied calls in a row after which a registry's batches are no longer split to find the repositories that may be
/// read.
const DENIALS: usize = 16;

/// A registry, with what holds for all its repositories.
struct PrivateRegistry {
    ecr: EcrClient,
    found: mpsc::Sender<Resource>,
    /// Whether it belongs to the account of the credentials.
    own: bool,
    scanning: Result<Value, Gap>,
    policy: Result<Option<Value>, Gap>,
    denials: AtomicUsize,
    existing: ExistingRepositories,
}

/// A repository, and the images of it that run.
struct UsedRepository {
    repository: String,
    images: Vec<String>,
}

type Repositories<'i> = BTreeMap<&'i str, Vec<&'i str>>;

/// Sends each repository that an image comes from; `unseen` stands for those whose Pods could not be read.
pub(super) async fn observe(
    aws: &AwsClient,
    scope: &AwsScope,
    images: &BTreeSet<String>,
    unseen: Option<Resource>,
    found: &mpsc::Sender<Resource>,
) {
    let mut registries: Vec<(EcrRegistry, Repositories)> = by_registry(images).into_iter().collect();
    let count = registries.iter().map(|(_, repositories)| repositories.len()).sum();
    if let Some(unlisted) = with_excess(unseen, count, scope) {
        // Fails when the receiver was dropped: the cycle is over.
        let _ = found.send(unlisted).await;
    }
    // The likeliest registries come first, before the bound.
    registries.sort_by_key(|(registry, _)| {
        (registry.account != scope.account, registry.region != scope.region, *registry)
    });
    let mut window = TaskWindow::new(BATCHES);
    let mut left = REPOSITORIES;
    for (at, (registry, repositories)) in registries.into_iter().enumerate() {
        let repositories: Vec<_> = repositories.into_iter().take(left).collect();
        left -= repositories.len();
        if repositories.is_empty() {
            break;
        }
        let asked = if let Some(gap) = unasked(at, registry, scope) {
            Err(gap)
        } else {
            let used = repositories.iter().map(|(name, _)| (*name).to_owned()).collect();
            Ok(Arc::new(PrivateRegistry::new(aws, scope, registry, used, found).await))
        };
        for batch in repositories.chunks(NAMES) {
            if found.is_closed() {
                return;
            }
            let batch: Vec<UsedRepository> =
                batch.iter().map(|(name, images)| UsedRepository::new(name, images)).collect();
            match &asked {
                Ok(registry) => window.start(Arc::clone(registry).observe(batch)).await,
                Err(gap) => {
                    for used in batch {
                        // Fails when the receiver was dropped: the cycle is over.
                        let _ = found.send(unknown(registry, &used, gap.clone())).await;
                    }
                }
            }
        }
    }
    window.end().await;
}

fn by_registry(images: &BTreeSet<String>) -> BTreeMap<EcrRegistry<'_>, Repositories<'_>> {
    let mut registries: BTreeMap<EcrRegistry, Repositories> = BTreeMap::new();
    for text in images {
        let Some(image) = ImageReference::parse(text) else { continue };
        let Some(registry) = image.ecr() else { continue };
        registries.entry(registry).or_default().entry(image.repository).or_default().push(text);
    }
    registries
}

/// Adds the repositories over the bound to the resource that stands for unseen ones. It is one resource: a second one
/// would have the same id.
fn with_excess(unseen: Option<Resource>, count: usize, scope: &AwsScope) -> Option<Resource> {
    if count <= REPOSITORIES {
        return unseen;
    }
    let what = format!("images of {count} repositories run; only {REPOSITORIES} of these are asked about");
    let Some(mut unlisted) = unseen else {
        return Some(scope.unlisted(KIND, PRIVATE, &Gap::new(Reason::TooLarge, what)));
    };
    for unread in &mut unlisted.unread {
        unread.gap.what = format!("{}; {what}", unread.gap.what);
    }
    Some(unlisted)
}

/// Why a registry is not asked at all, if so.
fn unasked(at: usize, registry: EcrRegistry, scope: &AwsScope) -> Option<Gap> {
    if at >= REGISTRIES {
        let what = format!("images of over {REGISTRIES} registries run; this one is not asked");
        return Some(Gap::new(Reason::TooLarge, what));
    }
    out_of_reach(registry.region, &scope.partition)
}

/// A repository of which only the name is known.
fn unknown(registry: EcrRegistry, used: &UsedRepository, gap: Gap) -> Resource {
    let EcrRegistry { account, region } = registry;
    let partition = partition(region).map_or("aws", |partition| partition.name);
    let arn = format!("arn:{partition}:ecr:{region}:{account}:repository/{}", used.repository);
    let raw = Map::from_iter([
        ("registryId".to_owned(), Value::from(account)),
        ("repositoryName".to_owned(), Value::from(used.repository.as_str())),
        ("usedBy".to_owned(), Value::from(used.images.clone())),
    ]);
    let mut resource = draft(KIND, PRIVATE, arn, used.repository.clone(), raw);
    resource.unread.push(gap.at("$"));
    resource
}

impl UsedRepository {
    fn new(repository: &str, images: &[&str]) -> Self {
        let images = images.iter().map(|image| (*image).to_owned()).collect();
        Self { repository: repository.to_owned(), images }
    }
}

impl PrivateRegistry {
    async fn new(
        aws: &AwsClient,
        scope: &AwsScope,
        registry: EcrRegistry<'_>,
        used: BTreeSet<String>,
        found: &mpsc::Sender<Resource>,
    ) -> Self {
        let ecr = EcrClient::new(aws, registry);
        let own = registry.account == scope.account;
        let (scanning, policy) = if own {
            tokio::join!(ecr.registry_scanning(), ecr.registry_policy())
        } else {
            let only_owner = |call| only_owner(registry.account, call);
            (Err(only_owner(&GET_REGISTRY_SCANNING_CONFIGURATION)), Err(only_owner(&GET_REGISTRY_POLICY)))
        };
        let (denials, existing) = (AtomicUsize::new(0), ExistingRepositories::among(used));
        Self { ecr, found: found.clone(), own, scanning, policy, denials, existing }
    }

    /// Sends a batch of repositories.
    async fn observe(self: Arc<Self>, batch: Vec<UsedRepository>) {
        let names: Vec<String> = batch.iter().map(|used| used.repository.clone()).collect();
        let spoilt = |refusal: &CallRefusal| self.is_spoilt(refusal);
        let answers = in_batches(&names, NAMES, spoilt, |names| self.describe(names)).await;
        let mut described = named(answers.given.into_iter().flatten());
        let refused: BTreeMap<String, Gap> = by_name(answers.refused).collect();
        let names: Vec<String> = described.keys().cloned().collect();
        let mut scanning = self.scanning_of(&names).await;
        let mut window = TaskWindow::new(OF_BATCH);
        for used in batch {
            if self.found.is_closed() {
                return;
            }
            let name = &used.repository;
            let Some(raw) = described.remove(name) else {
                let gap = refused.get(name).cloned().unwrap_or_else(|| self.existing.absent(&self.ecr, name));
                // Fails when the receiver was dropped: the cycle is over.
                let _ = self.found.send(unknown(self.ecr.registry(), &used, gap)).await;
                continue;
            };
            let scanning = scanning.remove(name).unwrap_or_else(|| Err(self.ecr.not_answered()));
            window.start(Arc::clone(&self).complete(raw, used, scanning)).await;
        }
        window.end().await;
    }

    async fn describe(&self, mut names: Vec<String>) -> Result<Vec<Value>, CallRefusal> {
        if let Some(existing) = self.existing.known(&self.ecr).await {
            names.retain(|name| existing.contains(name));
            // A call without names lists all repositories.
            if names.is_empty() {
                return Ok(Vec::new());
            }
        }
        let described = self.ecr.describe(names).await?;
        self.denials.store(0, Ordering::Relaxed);
        Ok(described)
    }

    /// Whether a call failed for a reason that need not hold for each repository that it asked for.
    fn is_spoilt(&self, refusal: &CallRefusal) -> bool {
        match refusal.code.as_str() {
            "RepositoryNotFoundException" => {
                self.existing.missed();
                true
            }
            "InvalidParameterException" => true,
            _ if refusal.gap.reason == Reason::Denied => {
                self.denials.fetch_add(1, Ordering::Relaxed) < DENIALS
            }
            _ => false,
        }
    }

    /// The scanning configuration of each of these repositories, which only the registry's owner may read.
    async fn scanning_of(&self, names: &[String]) -> BTreeMap<String, Result<Value, Gap>> {
        if self.own {
            return self.ecr.scanning_of(names).await;
        }
        let gap = only_owner(&self.ecr.account, &BATCH_GET_REPOSITORY_SCANNING_CONFIGURATION);
        names.iter().map(|name| (name.clone(), Err(gap.clone()))).collect()
    }

    /// Adds what the batch does not contain, and sends the repository.
    async fn complete(
        self: Arc<Self>,
        raw: Map<String, Value>,
        used: UsedRepository,
        scanning: Result<Value, Gap>,
    ) {
        let UsedRepository { repository, images: running } = used;
        let arn = raw.get("repositoryArn").and_then(Value::as_str).unwrap_or_default().to_owned();
        let (policy, (images, unread)) =
            tokio::join!(self.ecr.repository_policy(&repository), self.ecr.images_of(&repository, &running));
        let mut resource = draft(KIND, PRIVATE, arn, repository, raw);
        fill(&mut resource, "scanningConfiguration", scanning);
        fill(&mut resource, "registryScanningConfiguration", self.scanning.clone());
        if let Some(policy) = self.policy.clone().transpose() {
            fill(&mut resource, "registryPolicy", policy);
        }
        if let Some(policy) = policy.transpose() {
            fill(&mut resource, "policy", policy);
        }
        resource.unread.extend(unread);
        fill(&mut resource, "images", images.map(Value::Array));
        fill(&mut resource, "usedBy", Ok(Value::from(running)));
        // Fails when the receiver was dropped: the cycle is over.
        let _ = self.found.send(resource).await;
    }
}
