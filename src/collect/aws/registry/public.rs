//! The account's public repositories, which anyone can pull from.

use aws_sdk_ecrpublic::Client;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{KIND, PUBLIC, list_in, policy_in};
use crate::collect::aws::calls::ecr_public::{
    DESCRIBE_PUBLIC_REGISTRIES, DESCRIBE_PUBLIC_REPOSITORIES, GET_PUBLIC_REPOSITORY_POLICY,
};
use crate::collect::aws::client::{
    AwsClient, CallRefusal, PUBLIC_REGION as REGION, PageCursor, TaskWindow, ask, ask_pages,
};
use crate::collect::aws::document::{draft, fill};
use crate::collect::aws::scope::AwsScope;
use crate::resource::{Gap, Resource};

/// The most repositories that are completed at once.
const TOGETHER: usize = 16;
/// The most repositories that one call lists.
const PAGE: i32 = 100;

#[derive(Clone)]
struct PublicRegistries {
    aws: AwsClient,
    client: Client,
    found: mpsc::Sender<Resource>,
}

/// Sends each public repository; nothing where there is none.
pub(super) async fn observe(aws: &AwsClient, scope: &AwsScope, found: &mpsc::Sender<Resource>) {
    let client = Client::new(&aws.at(REGION));
    let registries = PublicRegistries { aws: aws.clone(), client, found: found.clone() };
    if let Err(gap) = registries.list().await {
        // Fails when the receiver was dropped: the cycle is over.
        let _ = found.send(scope.unlisted(KIND, PUBLIC, &gap)).await;
    }
}

impl PublicRegistries {
    async fn list(&self) -> Result<(), Gap> {
        for registry in self.registries().await? {
            match self.list_of(&registry).await {
                // It is created with the first repository.
                Err(refusal) if refusal.code == "RegistryNotFoundException" => {}
                listed => listed?,
            }
        }
        Ok(())
    }

    async fn registries(&self) -> Result<Vec<String>, Gap> {
        let request = || self.client.describe_registries();
        let all = ask_pages!(self.aws, DESCRIBE_PUBLIC_REGISTRIES, REGION, "registries", request)?;
        Ok(all.iter().filter_map(|registry| registry["registryId"].as_str()).map(str::to_owned).collect())
    }

    async fn list_of(&self, registry: &str) -> Result<(), CallRefusal> {
        let mut pages = PageCursor::default();
        loop {
            let asked = self.client.describe_repositories().registry_id(registry);
            let asked = asked.max_results(PAGE).set_next_token(pages.token());
            let call = DESCRIBE_PUBLIC_REPOSITORIES;
            let mut answer = ask!(self.aws, call, REGION, asked)?;
            let next = answer["nextToken"].as_str().map(str::to_owned);
            let mut window = TaskWindow::new(TOGETHER);
            for repository in list_in(&mut answer, "repositories", &call, REGION)? {
                window.start(self.clone().complete(repository)).await;
            }
            window.end().await;
            if self.found.is_closed() || !pages.turn(next, &call, REGION)? {
                return Ok(());
            }
        }
    }

    async fn complete(self, repository: Value) {
        let Value::Object(raw) = repository else { return };
        let text = |key: &str| raw.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (arn, registry, name) = (text("repositoryArn"), text("registryId"), text("repositoryName"));
        let mut resource = draft(KIND, PUBLIC, arn, name.clone(), raw);
        let asked = self.client.get_repository_policy().registry_id(registry).repository_name(name);
        let sent = Box::pin(asked.send());
        let call = GET_PUBLIC_REPOSITORY_POLICY;
        let text = self.aws.ask(&call, REGION, sent).await.map(|answer| answer.policy_text);
        let policy = policy_in(text, "RepositoryPolicyNotFoundException", &call, REGION);
        if let Some(policy) = policy.transpose() {
            fill(&mut resource, "policy", policy);
        }
        // Fails when the receiver was dropped: the cycle is over.
        let _ = self.found.send(resource).await;
    }
}
