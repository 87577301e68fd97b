//! The account's public repositories, which anybody can pull from.

use aws_sdk_ecrpublic::Client;
use serde_json::Value;
use tokio::sync::mpsc;

use super::super::access::{Access, Problem};
use super::super::batches::Pages;
use super::super::body::Body;
use super::super::call;
use super::super::draft::{draft, fill};
use super::super::request::Request;
use super::super::window::Window;
use super::private::items;
use super::{KIND, PUBLIC, policy};
use crate::resource::{Resource, Selector};

/// The only region that answers for all.
const REGION: &str = "us-east-1";
/// The repositories of which more is being asked at once.
const TOGETHER: usize = 16;
/// Repositories of one page.
const PAGE: i32 = 100;

#[derive(Clone)]
struct Place {
    access: Access,
    client: Client,
    found: mpsc::Sender<Resource>,
}

/// Gives each public repository; nothing where there is none.
pub(super) async fn all(access: &Access, request: &Request, found: &mpsc::Sender<Resource>) {
    let client = Client::new(&access.at(REGION));
    let place = Place { access: access.clone(), client, found: found.clone() };
    if let Err(problem) = place.list().await {
        let selector = Selector::new(KIND, PUBLIC);
        let unlisted = Resource::unlisted(&selector, &request.owner, problem.reason, problem.what);
        // Nobody listens any more: the cycle is over.
        let _ = found.send(unlisted).await;
    }
}

impl Place {
    async fn list(&self) -> Result<(), Problem> {
        for registry in self.registries().await? {
            match self.list_of(&registry).await {
                // It is made with the first repository.
                Err(problem) if problem.code == "RegistryNotFoundException" => {}
                told => told?,
            }
        }
        Ok(())
    }

    async fn registries(&self) -> Result<Vec<String>, Problem> {
        let mut all = Vec::new();
        let mut pages = Pages::default();
        loop {
            let sent = self.client.describe_registries().set_next_token(pages.token()).send();
            let page = self.access.ask(&call::DESCRIBE_PUBLIC_REGISTRIES, REGION, sent).await?;
            all.extend(page.registries.into_iter().map(|registry| registry.registry_id));
            if !pages.turn(page.next_token, &call::DESCRIBE_PUBLIC_REGISTRIES, REGION)? {
                return Ok(all);
            }
        }
    }

    async fn list_of(&self, registry: &str) -> Result<(), Problem> {
        let mut pages = Pages::default();
        loop {
            let body = Body::default();
            let sent = self
                .client
                .describe_repositories()
                .registry_id(registry)
                .max_results(PAGE)
                .set_next_token(pages.token())
                .customize()
                .interceptor(body.clone())
                .send();
            let call = call::DESCRIBE_PUBLIC_REPOSITORIES;
            let (page, mut answer) = self.access.ask_json(&call, REGION, &body, sent).await?;
            let mut window = Window::new(TOGETHER);
            for repository in items(&mut answer, "repositories") {
                window.start(self.clone().complete(repository)).await;
            }
            window.end().await;
            if self.found.is_closed() || !pages.turn(page.next_token, &call, REGION)? {
                return Ok(());
            }
        }
    }

    async fn complete(self, repository: Value) {
        let Value::Object(raw) = repository else { return };
        let text = |key: &str| raw.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (arn, registry, name) = (text("repositoryArn"), text("registryId"), text("repositoryName"));
        let mut resource = draft(KIND, PUBLIC, arn, name.clone(), raw);
        let sent = self.client.get_repository_policy().registry_id(registry).repository_name(name).send();
        let call = call::GET_PUBLIC_REPOSITORY_POLICY;
        let text = self.access.ask(&call, REGION, sent).await.map(|answer| answer.policy_text);
        let policy = policy::given(text, "RepositoryPolicyNotFoundException", &call, REGION);
        if let Some(policy) = policy.transpose() {
            fill(&mut resource, "policy", policy);
        }
        // Nobody listens any more: the cycle is over.
        let _ = self.found.send(resource).await;
    }
}
