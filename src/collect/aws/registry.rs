//! The repositories that the cluster's images come from.

mod image;
mod private;
mod public;
mod repository;
mod there;

#[cfg(test)]
mod tests;

use serde_json::Value;
use tokio::sync::mpsc;

use super::access::{Access, Problem};
use super::call::Call;
use super::gaps::unseen;
use super::policy;
use super::request::Request;
use crate::collect::sightings::Sightings;
use crate::resource::{Kind, Reason, Resource};

const KIND: Kind = Kind::ContainerRegistry;
const PRIVATE: &str = "aws-ecr";
const PUBLIC: &str = "aws-ecr-public";
/// The only partition with public registries.
const PUBLIC_PARTITION: &str = "aws";

/// Gives the repositories of ECR that images come from, and the account's public ones, to `found`, each as soon as it
/// is whole.
pub async fn repositories(
    access: &Access,
    request: &Request,
    sightings: &Sightings,
    found: &mpsc::Sender<Resource>,
) {
    let private = async {
        if request.wants(KIND, PRIVATE) {
            let gap = unseen(request, sightings, KIND, &[PRIVATE], &["Pod"]).pop();
            private::all(access, request, &sightings.images, gap, found).await;
        }
    };
    let public = async {
        if request.wants(KIND, PUBLIC) && request.partition == PUBLIC_PARTITION {
            public::all(access, request, found).await;
        }
    };
    tokio::join!(private, public);
}

/// The policy in what a call gave, where the lack of one is an answer too.
fn policy_in(
    answer: Result<Option<String>, Problem>,
    lack: &str,
    call: &Call,
    region: &str,
) -> Result<Option<Value>, Problem> {
    match answer {
        Ok(text) => policy::document(text.as_deref().unwrap_or_default())
            .map(Some)
            .map_err(|why| Problem::new(call, region, Reason::Malformed, &why)),
        Err(problem) if problem.code == lack => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// Takes a list out of an answer; what has none must not look like an empty one.
fn list_in(answer: &mut Value, key: &str, call: &Call, region: &str) -> Result<Vec<Value>, Problem> {
    match answer.get_mut(key).map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        _ => Err(Problem::new(call, region, Reason::Malformed, &format!("the answer has no list `{key}`"))),
    }
}
