//! The images of a private repository that run, and what scans found in them.

use aws_sdk_ecr::types::ImageIdentifier;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

use super::ecr::EcrClient;
use super::image_reference::ImageReference;
use super::list_in;
use crate::collect::aws::calls::ecr::DESCRIBE_IMAGES;
use crate::collect::aws::client::{CallRefusal, ask, in_batches};
use crate::resource::{Gap, Unread};

/// The most images that one call describes.
const IMAGES: usize = 100;
/// The fields of an image that are kept: times of pulls change all the time, and sizes say nothing about security.
const KEPT: [&str; 4] = ["imageDigest", "imageTags", "imageScanStatus", "imageScanFindingsSummary"];

/// How a repository identifies an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum ImageId {
    Digest(String),
    Tag(String),
}

impl ImageId {
    /// By digest, if there is one: a pull by digest ignores the tag.
    fn of(image: &ImageReference) -> Option<Self> {
        let digest = image.digest.map(|digest| Self::Digest(digest.to_owned()));
        digest.or_else(|| image.tag.map(|tag| Self::Tag(tag.to_owned())))
    }

    fn identifier(self) -> ImageIdentifier {
        match self {
            Self::Digest(digest) => ImageIdentifier::builder().image_digest(digest).build(),
            Self::Tag(tag) => ImageIdentifier::builder().image_tag(tag).build(),
        }
    }

    /// The entry of an image of which no more is known.
    fn entry(self) -> Value {
        let (key, value) = match self {
            Self::Digest(digest) => ("imageDigest", Value::from(digest)),
            Self::Tag(tag) => ("imageTags", Value::from(vec![tag])),
        };
        Value::Object(Map::from_iter([(key.to_owned(), value)]))
    }
}

impl EcrClient {
    /// The images of `running` with their scan results, and the gaps of those that were deleted.
    pub(super) async fn images_of(
        &self,
        repository: &str,
        running: &[String],
    ) -> (Result<Vec<Value>, Gap>, Vec<Unread>) {
        let ids: BTreeSet<ImageId> =
            running.iter().filter_map(|text| ImageId::of(&ImageReference::parse(text)?)).collect();
        let ids: Vec<ImageId> = ids.into_iter().collect();
        // One deleted image, which may well still run, fails the call for all.
        let gone = |refusal: &CallRefusal| refusal.code == "ImageNotFoundException";
        let call = DESCRIBE_IMAGES;
        let answers = in_batches(&ids, IMAGES, gone, |ids| async {
            let request =
                self.client.describe_images().registry_id(&self.account).repository_name(repository);
            let request = request.set_image_ids(Some(ids.into_iter().map(ImageId::identifier).collect()));
            let mut answer = ask!(self.aws, call, self.region, request)?;
            Ok(list_in(&mut answer, "imageDetails", &call, &self.region)?)
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
        for (ids, refusal) in answers.refused {
            if !gone(&refusal) {
                return (Err(refusal.gap), Vec::new());
            }
            for id in ids {
                unread.push(refusal.gap.clone().at(format!("$.images[{}]", images.len())));
                images.push(id.entry());
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
