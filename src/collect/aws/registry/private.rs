//! Private repositories: found in the names of images, asked for in batches.
//!
//! Nothing of a registry is kept: a batch is asked for when there is a place for it, and each of its repositories
//! leaves as soon as all of it is known.

use aws_sdk_ecr::Client;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;

use super::super::access::{Access, Problem};
use super::super::ask::ask;
use super::super::batches::in_batches;
use super::super::call;
use super::super::draft::{draft, fill};
use super::super::regions::{out_of_reach, partition};
use super::super::request::Request;
use super::super::window::Window;
use super::image::{Image, Registry};
use super::there::There;
use super::{KIND, PRIVATE, list_in, policy_in};
use crate::resource::{Reason, Resource};

/// The most repositories that one call describes.
const NAMES: usize = 100;
/// The most whose scanning one call tells.
const SCANNED: usize = 25;
/// Batches under way.
const BATCHES: usize = 4;
/// Repositories of one batch under way.
const OF_BATCH: usize = 4;
/// The most registries that are asked: whoever may create a Pod can name any number.
const REGISTRIES: usize = 256;
/// The most repositories that are asked about, for the same reason.
const REPOSITORIES: usize = 20_000;
/// Refused calls, with no other between, after which a registry's batches are no longer taken apart to find those
/// repositories that may be read.
const DENIALS: usize = 16;

/// A registry that is asked, and what is known of it as a whole.
pub(super) struct Place {
    pub(super) access: Access,
    pub(super) client: Client,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) found: mpsc::Sender<Resource>,
    own: bool,
    scanning: Result<Value, Problem>,
    policy: Result<Option<Value>, Problem>,
    denials: AtomicUsize,
    pub(super) there: There,
}

/// A repository, and the images of it that run.
pub(super) struct Used {
    pub(super) repository: String,
    pub(super) images: Vec<String>,
}

type Repositories<'i> = BTreeMap<&'i str, Vec<&'i str>>;

/// Gives each repository that an image is of; `gap` stands for those whose images could not be seen.
pub(super) async fn all(
    access: &Access,
    request: &Request,
    images: &BTreeSet<String>,
    gap: Option<Resource>,
    found: &mpsc::Sender<Resource>,
) {
    let mut registries: Vec<(Registry, Repositories)> = by_registry(images).into_iter().collect();
    let count = registries.iter().map(|(_, repositories)| repositories.len()).sum();
    if let Some(gap) = with_excess(gap, count, request) {
        // Nobody listens any more: the cycle is over.
        let _ = found.send(gap).await;
    }
    // What is most likely real comes before the bound.
    registries.sort_by_key(|(registry, _)| {
        (registry.account != request.account, registry.region != request.region, *registry)
    });
    let mut window = Window::new(BATCHES);
    let mut left = REPOSITORIES;
    for (at, (registry, repositories)) in registries.into_iter().enumerate() {
        let repositories: Vec<_> = repositories.into_iter().take(left).collect();
        left -= repositories.len();
        if repositories.is_empty() {
            break;
        }
        let asked = if let Some(problem) = unasked(at, registry, request) {
            Err(problem)
        } else {
            let used = repositories.iter().map(|(name, _)| (*name).to_owned()).collect();
            Ok(Arc::new(Place::new(access, request, registry, used, found).await))
        };
        for batch in repositories.chunks(NAMES) {
            if found.is_closed() {
                return;
            }
            let batch: Vec<Used> = batch.iter().map(|(name, images)| Used::new(name, images)).collect();
            match &asked {
                Ok(place) => window.start(Arc::clone(place).judge(batch)).await,
                Err(problem) => {
                    for used in batch {
                        // Nobody listens any more: the cycle is over.
                        let _ = found.send(unknown(registry, &used, problem)).await;
                    }
                }
            }
        }
    }
    window.end().await;
}

fn by_registry(images: &BTreeSet<String>) -> BTreeMap<Registry<'_>, Repositories<'_>> {
    let mut registries: BTreeMap<Registry, Repositories> = BTreeMap::new();
    for text in images {
        let Some(image) = Image::parse(text) else { continue };
        let Some(registry) = image.ecr() else { continue };
        registries.entry(registry).or_default().entry(image.repository).or_default().push(text);
    }
    registries
}

/// Adds to what stands for repositories that are not seen those that are too many to be asked about. It is one
/// resource: a second one would have its id.
fn with_excess(gap: Option<Resource>, count: usize, request: &Request) -> Option<Resource> {
    if count <= REPOSITORIES {
        return gap;
    }
    let what = format!("images of {count} repositories run; only {REPOSITORIES} of these are asked about");
    let problem = Problem { reason: Reason::TooLarge, code: String::new(), what };
    let Some(mut gap) = gap else { return Some(request.unlisted(KIND, PRIVATE, &problem)) };
    for unread in &mut gap.unread {
        unread.gap.what = format!("{}; {}", unread.gap.what, problem.what);
    }
    Some(gap)
}

/// Why a registry is not asked at all, if so.
fn unasked(at: usize, registry: Registry, request: &Request) -> Option<Problem> {
    if at >= REGISTRIES {
        let what = format!("images of over {REGISTRIES} registries run; this one is not asked");
        return Some(Problem { reason: Reason::TooLarge, code: String::new(), what });
    }
    out_of_reach(registry.region, &request.partition)
}

/// A repository of which nothing can be told.
fn unknown(registry: Registry, used: &Used, problem: &Problem) -> Resource {
    let Registry { account, region } = registry;
    let partition = partition(region).map_or("aws", |partition| partition.name);
    let arn = format!("arn:{partition}:ecr:{region}:{account}:repository/{}", used.repository);
    let raw = Map::from_iter([
        ("registryId".to_owned(), Value::from(account)),
        ("repositoryName".to_owned(), Value::from(used.repository.as_str())),
        ("usedBy".to_owned(), Value::from(used.images.clone())),
    ]);
    let mut resource = draft(KIND, PRIVATE, arn, used.repository.clone(), raw);
    resource.unread.push(problem.unread("$"));
    resource
}

impl Used {
    fn new(repository: &str, images: &[&str]) -> Self {
        let images = images.iter().map(|image| (*image).to_owned()).collect();
        Self { repository: repository.to_owned(), images }
    }
}

impl Place {
    async fn new(
        access: &Access,
        request: &Request,
        registry: Registry<'_>,
        used: BTreeSet<String>,
        found: &mpsc::Sender<Resource>,
    ) -> Self {
        let mut place = Self {
            access: access.clone(),
            client: Client::new(&access.at(registry.region)),
            account: registry.account.to_owned(),
            region: registry.region.to_owned(),
            found: found.clone(),
            own: registry.account == request.account,
            scanning: Err(only_owner(registry.account, &call::GET_REGISTRY_SCANNING_CONFIGURATION)),
            policy: Err(only_owner(registry.account, &call::GET_REGISTRY_POLICY)),
            denials: AtomicUsize::new(0),
            there: There::of(used),
        };
        if place.own {
            let (scanning, policy) = tokio::join!(place.ask_scanning(), place.ask_policy());
            (place.scanning, place.policy) = (scanning, policy);
        }
        place
    }

    fn registry(&self) -> Registry<'_> {
        Registry { account: &self.account, region: &self.region }
    }

    async fn ask_scanning(&self) -> Result<Value, Problem> {
        let request = self.client.get_registry_scanning_configuration();
        let call = call::GET_REGISTRY_SCANNING_CONFIGURATION;
        let mut answer = ask!(self.access, call, self.region, request)?;
        Ok(answer["scanningConfiguration"].take())
    }

    async fn ask_policy(&self) -> Result<Option<Value>, Problem> {
        let call = call::GET_REGISTRY_POLICY;
        let sent = Box::pin(self.client.get_registry_policy().send());
        let answer = self.access.ask(&call, &self.region, sent).await;
        let text = answer.map(|answer| answer.policy_text);
        policy_in(text, "RegistryPolicyNotFoundException", &call, &self.region)
    }

    /// Tells of a batch of repositories.
    async fn judge(self: Arc<Self>, batch: Vec<Used>) {
        let names: Vec<String> = batch.iter().map(|used| used.repository.clone()).collect();
        let answers =
            in_batches(&names, NAMES, |problem| self.is_spoilt(problem), |names| self.describe(names)).await;
        let mut described = named(answers.given.into_iter().flatten());
        let refused: BTreeMap<String, Problem> = each(answers.refused).collect();
        let names: Vec<String> = described.keys().cloned().collect();
        let mut scanning = self.scanning_of(&names).await;
        let mut window = Window::new(OF_BATCH);
        for used in batch {
            if self.found.is_closed() {
                return;
            }
            let Some(raw) = described.remove(&used.repository) else {
                let problem =
                    refused.get(&used.repository).cloned().unwrap_or_else(|| self.absent(&used.repository));
                // Nobody listens any more: the cycle is over.
                let _ = self.found.send(unknown(self.registry(), &used, &problem)).await;
                continue;
            };
            let scanning = scanning.remove(&used.repository).unwrap_or_else(|| Err(self.not_answered()));
            window.start(Arc::clone(&self).complete(raw, used, scanning)).await;
        }
        window.end().await;
    }

    async fn describe(&self, mut names: Vec<String>) -> Result<Vec<Value>, Problem> {
        if let Some(there) = self.those_there().await {
            names.retain(|name| there.contains(name));
            // To ask for no name is to ask for all.
            if names.is_empty() {
                return Ok(Vec::new());
            }
        }
        let asked = self.client.describe_repositories().registry_id(&self.account);
        let call = call::DESCRIBE_REPOSITORIES;
        let mut answer = ask!(self.access, call, self.region, asked.set_repository_names(Some(names)))?;
        self.denials.store(0, Ordering::Relaxed);
        list_in(&mut answer, "repositories", &call, &self.region)
    }

    /// Whether a call failed for a reason that need not hold for each repository that it asked for.
    fn is_spoilt(&self, problem: &Problem) -> bool {
        match problem.code.as_str() {
            "RepositoryNotFoundException" => {
                self.there.missed();
                true
            }
            "InvalidParameterException" => true,
            _ if problem.reason == Reason::Denied => self.denials.fetch_add(1, Ordering::Relaxed) < DENIALS,
            _ => false,
        }
    }

    /// How the registry's scanning meets each of these.
    async fn scanning_of(&self, names: &[String]) -> BTreeMap<String, Result<Value, Problem>> {
        let call = call::BATCH_GET_REPOSITORY_SCANNING_CONFIGURATION;
        if !self.own {
            let problem = only_owner(&self.account, &call);
            return names.iter().map(|name| (name.clone(), Err(problem.clone()))).collect();
        }
        let gone = |problem: &Problem| problem.code == "RepositoryNotFoundException";
        let answers = in_batches(names, SCANNED, gone, |names| async {
            let asked = self.client.batch_get_repository_scanning_configuration();
            let mut answer = ask!(self.access, call, self.region, asked.set_repository_names(Some(names)))?;
            let given = list_in(&mut answer, "scanningConfigurations", &call, &self.region)?;
            // Left out where there are none.
            Ok((given, list_in(&mut answer, "failures", &call, &self.region).unwrap_or_default()))
        })
        .await;
        let mut all: BTreeMap<_, _> = each(answers.refused).map(|(name, why)| (name, Err(why))).collect();
        for (given, failures) in answers.given {
            all.extend(named(given).into_iter().map(|(name, given)| (name, Ok(Value::Object(given)))));
            for (name, failure) in named(failures) {
                let text = |key: &str| failure.get(key).and_then(Value::as_str).unwrap_or_default();
                let what =
                    format!("call {}: {}: {}", call.action(), text("failureCode"), text("failureReason"));
                let missing = text("failureCode") == "REPOSITORY_NOT_FOUND";
                let reason = if missing { Reason::Missing } else { Reason::Malformed };
                all.insert(name, Err(Problem { reason, code: text("failureCode").to_owned(), what }));
            }
        }
        all
    }

    /// Puts into a repository what its registry says of all.
    pub(super) fn fill_registry(&self, resource: &mut Resource) {
        fill(resource, "registryScanningConfiguration", self.scanning.clone());
        if let Some(policy) = self.policy.clone().transpose() {
            fill(resource, "registryPolicy", policy);
        }
    }

    pub(super) fn not_answered(&self) -> Problem {
        let what = format!("an answer of ECR in {} leaves out what was asked for", self.region);
        Problem { reason: Reason::Missing, code: String::new(), what }
    }
}

/// What nobody else is told.
fn only_owner(account: &str, call: &call::Call) -> Problem {
    let what = format!("only credentials of account {account} can call {} for its registry", call.action());
    Problem { reason: Reason::Denied, code: String::new(), what }
}

/// Each thing that was refused.
fn each(refused: Vec<(Vec<String>, Problem)>) -> impl Iterator<Item = (String, Problem)> {
    refused
        .into_iter()
        .flat_map(|(names, problem)| names.into_iter().map(move |name| (name, problem.clone())))
}

/// Objects by the repository that they are about.
fn named(objects: impl IntoIterator<Item = Value>) -> BTreeMap<String, Map<String, Value>> {
    let named = objects.into_iter().filter_map(|object| {
        let Value::Object(object) = object else { return None };
        Some((object.get("repositoryName")?.as_str()?.to_owned(), object))
    });
    named.collect()
}
