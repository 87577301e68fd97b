//! One private repository: who may use it, and what scans of its images that run have found.

use aws_sdk_ecr::types::ImageIdentifier;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::access::Problem;
use super::super::ask::ask;
use super::super::batches::in_batches;
use super::super::call;
use super::super::draft::{draft, fill};
use super::image::Image;
use super::private::{Place, Used};
use super::{KIND, PRIVATE, list_in, policy_in};
use crate::resource::Unread;

/// The most images that one call describes.
const IMAGES: usize = 100;
/// What is kept of an image: times of pulls change all the time, sizes tell nothing of safety.
const KEPT: [&str; 4] = ["imageDigest", "imageTags", "imageScanStatus", "imageScanFindingsSummary"];

/// How a repository knows an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Id {
    Digest(String),
    Tag(String),
}

impl Id {
    /// A digest says more than a tag: with both, the tag is not looked at when the image is pulled.
    fn of(image: &Image) -> Option<Self> {
        let digest = image.digest.map(|digest| Self::Digest(digest.to_owned()));
        digest.or_else(|| image.tag.map(|tag| Self::Tag(tag.to_owned())))
    }

    fn asked(self) -> ImageIdentifier {
        match self {
            Self::Digest(digest) => ImageIdentifier::builder().image_digest(digest).build(),
            Self::Tag(tag) => ImageIdentifier::builder().image_tag(tag).build(),
        }
    }

    /// Stands for an image of which no more is known.
    fn shown(self) -> Value {
        let (key, value) = match self {
            Self::Digest(digest) => ("imageDigest", Value::from(digest)),
            Self::Tag(tag) => ("imageTags", Value::from(vec![tag])),
        };
        Value::Object(Map::from_iter([(key.to_owned(), value)]))
    }
}

impl Place {
    /// Asks what the batch did not tell, and lets the repository go.
    pub(super) async fn complete(
        self: Arc<Self>,
        raw: Map<String, Value>,
        used: Used,
        scanning: Result<Value, Problem>,
    ) {
        let arn = raw.get("repositoryArn").and_then(Value::as_str).unwrap_or_default().to_owned();
        let ids = used.images.iter().filter_map(|text| Id::of(&Image::parse(text)?)).collect();
        let mut resource = draft(KIND, PRIVATE, arn, used.repository, raw);
        let (policy, (images, unread)) =
            tokio::join!(self.policy_of(&resource.name), self.images_of(&resource.name, ids));
        fill(&mut resource, "scanningConfiguration", scanning);
        self.fill_registry(&mut resource);
        if let Some(policy) = policy.transpose() {
            fill(&mut resource, "policy", policy);
        }
        resource.unread.extend(unread);
        fill(&mut resource, "images", images.map(Value::Array));
        fill(&mut resource, "usedBy", Ok(Value::from(used.images)));
        // Nobody listens any more: the cycle is over.
        let _ = self.found.send(resource).await;
    }

    async fn policy_of(&self, repository: &str) -> Result<Option<Value>, Problem> {
        let asked = self.client.get_repository_policy().registry_id(&self.account);
        let sent = Box::pin(asked.repository_name(repository).send());
        let call = call::GET_REPOSITORY_POLICY;
        let answer = self.access.ask(&call, &self.region, sent).await;
        let text = answer.map(|answer| answer.policy_text);
        policy_in(text, "RepositoryPolicyNotFoundException", &call, &self.region)
    }

    /// The images that run, and which of them are gone.
    async fn images_of(
        &self,
        repository: &str,
        ids: BTreeSet<Id>,
    ) -> (Result<Vec<Value>, Problem>, Vec<Unread>) {
        let ids: Vec<Id> = ids.into_iter().collect();
        // One that is gone, which may well still run, spoils the answer.
        let gone = |problem: &Problem| problem.code == "ImageNotFoundException";
        let call = call::DESCRIBE_IMAGES;
        let answers = in_batches(&ids, IMAGES, gone, |ids| async {
            let asked = self.client.describe_images().registry_id(&self.account).repository_name(repository);
            let asked = asked.set_image_ids(Some(ids.into_iter().map(Id::asked).collect()));
            let mut answer = ask!(self.access, call, self.region, asked)?;
            list_in(&mut answer, "imageDetails", &call, &self.region)
        })
        .await;
        let (mut images, mut unread) = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        for image in answers.given.into_iter().flatten() {
            // The same one by tag and by digest.
            if seen.insert(image["imageDigest"].to_string()) {
                images.push(kept(image));
            }
        }
        for (ids, problem) in answers.refused {
            if !gone(&problem) {
                return (Err(problem), Vec::new());
            }
            for id in ids {
                unread.push(problem.unread(&format!("$.images[{}]", images.len())));
                images.push(id.shown());
            }
        }
        (Ok(images), unread)
    }
}

fn kept(image: Value) -> Value {
    let Value::Object(mut image) = image else { return image };
    image.retain(|key, _| KEPT.contains(&key.as_str()));
    Value::Object(image)
}
