//! The calls to one private registry of ECR.

use aws_sdk_ecr::Client;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

use super::image_reference::EcrRegistry;
use super::{list_in, policy_in};
use crate::collect::aws::calls::ecr::{
    BATCH_GET_REPOSITORY_SCANNING_CONFIGURATION, DESCRIBE_REPOSITORIES, GET_REGISTRY_POLICY,
    GET_REGISTRY_SCANNING_CONFIGURATION, GET_REPOSITORY_POLICY,
};
use crate::collect::aws::client::{AwsClient, CallRefusal, PageCursor, ask, call_gap, in_batches};
use crate::collect::cloud::CloudCall;
use crate::resource::{Gap, Reason};

/// The most repositories that one call lists.
const PAGE: i32 = 1_000;
/// The most repositories whose scanning configuration one call gives.
const SCANNED: usize = 25;

/// A client for one registry.
pub(super) struct EcrClient {
    pub(super) aws: AwsClient,
    pub(super) client: Client,
    pub(super) account: String,
    pub(super) region: String,
}

impl EcrClient {
    pub(super) fn new(aws: &AwsClient, registry: EcrRegistry<'_>) -> Self {
        Self {
            aws: aws.clone(),
            client: Client::new(&aws.at(registry.region)),
            account: registry.account.to_owned(),
            region: registry.region.to_owned(),
        }
    }

    pub(super) fn registry(&self) -> EcrRegistry<'_> {
        EcrRegistry { account: &self.account, region: &self.region }
    }

    /// The descriptions of these repositories.
    pub(super) async fn describe(&self, names: Vec<String>) -> Result<Vec<Value>, CallRefusal> {
        let request = self.client.describe_repositories().registry_id(&self.account);
        let request = request.set_repository_names(Some(names));
        let mut answer = ask!(self.aws, DESCRIBE_REPOSITORIES, self.region, request)?;
        Ok(list_in(&mut answer, "repositories", &DESCRIBE_REPOSITORIES, &self.region)?)
    }

    /// Those of `names` that the registry has, by a list of all its repositories.
    pub(super) async fn list(&self, names: &BTreeSet<String>) -> Result<BTreeSet<String>, Gap> {
        let mut pages = PageCursor::default();
        let mut existing = BTreeSet::new();
        loop {
            let request = self.client.describe_repositories().registry_id(&self.account).max_results(PAGE);
            let sent = Box::pin(request.set_next_token(pages.token()).send());
            let page = self.aws.ask(&DESCRIBE_REPOSITORIES, &self.region, sent).await?;
            let Some(repositories) = page.repositories else {
                let why = "the answer has no list `repositories`";
                return Err(call_gap(&DESCRIBE_REPOSITORIES, &self.region, Reason::Malformed, why));
            };
            let listed = repositories.into_iter().filter_map(|repository| repository.repository_name);
            existing.extend(listed.filter(|name| names.contains(name)));
            if !pages.turn(page.next_token, &DESCRIBE_REPOSITORIES, &self.region)? {
                return Ok(existing);
            }
        }
    }

    /// The scanning configuration of the registry.
    pub(super) async fn registry_scanning(&self) -> Result<Value, Gap> {
        let request = self.client.get_registry_scanning_configuration();
        let mut answer = ask!(self.aws, GET_REGISTRY_SCANNING_CONFIGURATION, self.region, request)?;
        Ok(answer["scanningConfiguration"].take())
    }

    /// The policy of the registry, if it has one.
    pub(super) async fn registry_policy(&self) -> Result<Option<Value>, Gap> {
        let sent = Box::pin(self.client.get_registry_policy().send());
        let answer = self.aws.ask(&GET_REGISTRY_POLICY, &self.region, sent).await;
        let text = answer.map(|answer| answer.policy_text);
        policy_in(text, "RegistryPolicyNotFoundException", &GET_REGISTRY_POLICY, &self.region)
    }

    /// The policy of a repository, if it has one.
    pub(super) async fn repository_policy(&self, repository: &str) -> Result<Option<Value>, Gap> {
        let request = self.client.get_repository_policy().registry_id(&self.account);
        let sent = Box::pin(request.repository_name(repository).send());
        let answer = self.aws.ask(&GET_REPOSITORY_POLICY, &self.region, sent).await;
        let text = answer.map(|answer| answer.policy_text);
        policy_in(text, "RepositoryPolicyNotFoundException", &GET_REPOSITORY_POLICY, &self.region)
    }

    /// The scanning configuration of each of these repositories.
    pub(super) async fn scanning_of(&self, names: &[String]) -> BTreeMap<String, Result<Value, Gap>> {
        let call = BATCH_GET_REPOSITORY_SCANNING_CONFIGURATION;
        let gone = |refusal: &CallRefusal| refusal.code == "RepositoryNotFoundException";
        let answers = in_batches(names, SCANNED, gone, |names| async {
            let request = self.client.batch_get_repository_scanning_configuration();
            let mut answer = ask!(self.aws, call, self.region, request.set_repository_names(Some(names)))?;
            let given = list_in(&mut answer, "scanningConfigurations", &call, &self.region)?;
            // Left out where there are none.
            Ok((given, list_in(&mut answer, "failures", &call, &self.region).unwrap_or_default()))
        })
        .await;
        let refused = by_name(answers.refused);
        let mut all: BTreeMap<_, _> = refused.map(|(name, gap)| (name, Err(gap))).collect();
        for (given, failures) in answers.given {
            all.extend(named(given).into_iter().map(|(name, given)| (name, Ok(Value::Object(given)))));
            let failures = named(failures).into_iter();
            all.extend(failures.map(|(name, failure)| (name, Err(failure_gap(&call, &failure)))));
        }
        all
    }

    /// The gap of a repository that an answer leaves out.
    pub(super) fn not_answered(&self) -> Gap {
        let what = format!("an answer of ECR in {} leaves out a repository that was asked for", self.region);
        Gap::new(Reason::Missing, what)
    }
}

/// The gap of a repository that a batch reports as failed.
fn failure_gap(call: &CloudCall, failure: &Map<String, Value>) -> Gap {
    let text = |key: &str| failure.get(key).and_then(Value::as_str).unwrap_or_default();
    let what = format!("call {}: {}: {}", call.permission, text("failureCode"), text("failureReason"));
    let missing = text("failureCode") == "REPOSITORY_NOT_FOUND";
    Gap::new(if missing { Reason::Missing } else { Reason::Malformed }, what)
}

/// The gap of what only the owner of a registry may read.
pub(super) fn only_owner(account: &str, call: &CloudCall) -> Gap {
    let what = format!("only credentials of account {account} can call {} for its registry", call.permission);
    Gap::new(Reason::Denied, what)
}

/// The refusals of batches, by repository.
pub(super) fn by_name(refused: Vec<(Vec<String>, CallRefusal)>) -> impl Iterator<Item = (String, Gap)> {
    refused
        .into_iter()
        .flat_map(|(names, refusal)| names.into_iter().map(move |name| (name, refusal.gap.clone())))
}

/// Objects by the repository that they describe.
pub(super) fn named(objects: impl IntoIterator<Item = Value>) -> BTreeMap<String, Map<String, Value>> {
    let named = objects.into_iter().filter_map(|object| {
        let Value::Object(object) = object else { return None };
        Some((object.get("repositoryName")?.as_str()?.to_owned(), object))
    });
    named.collect()
}
