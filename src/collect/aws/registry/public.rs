//! The account's public repositories, which anybody can pull from.

use aws_sdk_ecrpublic::Client;
use serde_json::Value;
use tokio::sync::mpsc;

use super::super::PUBLIC_REGION as REGION;
use super::super::access::{Access, Problem};
use super::super::ask::{ask, ask_pages};
use super::super::batches::Pages;
use super::super::call;
use super::super::draft::{draft, fill};
use super::super::request::Request;
use super::super::window::Window;
use super::{KIND, PUBLIC, list_in, policy_in};
use crate::resource::Resource;

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
        // Nobody listens any more: the cycle is over.
        let _ = found.send(request.unlisted(KIND, PUBLIC, &problem)).await;
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
        let request = || self.client.describe_registries();
        let all = ask_pages!(self.access, call::DESCRIBE_PUBLIC_REGISTRIES, REGION, "registries", request)?;
        Ok(all.iter().filter_map(|registry| registry["registryId"].as_str()).map(str::to_owned).collect())
    }

    async fn list_of(&self, registry: &str) -> Result<(), Problem> {
        let mut pages = Pages::default();
        loop {
            let asked = self.client.describe_repositories().registry_id(registry);
            let asked = asked.max_results(PAGE).set_next_token(pages.token());
            let call = call::DESCRIBE_PUBLIC_REPOSITORIES;
            let mut answer = ask!(self.access, call, REGION, asked)?;
            let next = answer["nextToken"].as_str().map(str::to_owned);
            let mut window = Window::new(TOGETHER);
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
        let call = call::GET_PUBLIC_REPOSITORY_POLICY;
        let text = self.access.ask(&call, REGION, sent).await.map(|answer| answer.policy_text);
        let policy = policy_in(text, "RepositoryPolicyNotFoundException", &call, REGION);
        if let Some(policy) = policy.transpose() {
            fill(&mut resource, "policy", policy);
        }
        // Nobody listens any more: the cycle is over.
        let _ = self.found.send(resource).await;
    }
}
