//! The repositories that the cluster's images come from.

mod ecr;
mod existing;
mod image_reference;
mod images;
mod private;
mod public;

#[cfg(test)]
mod tests;

use serde_json::Value;
use tokio::sync::mpsc;

use super::client::{AwsClient, CallRefusal, PUBLIC_PARTITION, call_gap};
use super::document::policy_document;
use super::scope::AwsScope;
use crate::collect::cloud::CloudCall;
use crate::collect::sightings::Sightings;
use crate::resource::{Gap, Kind, Reason, Resource};

const KIND: Kind = Kind::ContainerRegistry;
const PRIVATE: &str = "aws-ecr";
const PUBLIC: &str = "aws-ecr-public";

/// Sends the repositories of ECR that images come from, and the account's public ones, to `found`, each as soon as it
/// is complete.
pub(super) async fn observe(
    aws: &AwsClient,
    scope: &AwsScope,
    sightings: &Sightings,
    found: &mpsc::Sender<Resource>,
) {
    let private = async {
        if scope.wants(KIND, PRIVATE) {
            let unseen = scope.unseen(sightings, KIND, &[PRIVATE], &["Pod"]).pop();
            private::observe(aws, scope, &sightings.images, unseen, found).await;
        }
    };
    let public = async {
        if scope.wants(KIND, PUBLIC) && scope.partition == PUBLIC_PARTITION {
            public::observe(aws, scope, found).await;
        }
    };
    tokio::join!(private, public);
}

/// The policy document in an answer; the code `absent` means that there is none.
fn policy_in(
    answer: Result<Option<String>, CallRefusal>,
    absent: &str,
    call: &CloudCall,
    region: &str,
) -> Result<Option<Value>, Gap> {
    match answer {
        Ok(text) => policy_document(text.as_deref().unwrap_or_default())
            .map(Some)
            .map_err(|why| call_gap(call, region, Reason::Malformed, &why)),
        Err(refusal) if refusal.code == absent => Ok(None),
        Err(refusal) => Err(refusal.gap),
    }
}

/// Takes a list out of an answer; an answer without the list must not look like an empty one.
fn list_in(answer: &mut Value, key: &str, call: &CloudCall, region: &str) -> Result<Vec<Value>, Gap> {
    match answer.get_mut(key).map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        _ => Err(call_gap(call, region, Reason::Malformed, &format!("the answer has no list `{key}`"))),
    }
}
