//! The repositories that the cluster's images come from.

mod image;
mod policy;
mod private;
mod public;
mod repository;

#[cfg(test)]
mod tests;

use tokio::sync::mpsc;

use super::access::Access;
use super::gaps::unseen;
use super::request::Request;
use super::sightings::Sightings;
use crate::resource::{Kind, Resource};

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
            for resource in unseen(request, sightings, KIND, &["Pod"]) {
                if found.send(resource).await.is_err() {
                    return;
                }
            }
            private::all(access, request, &sightings.images, found).await;
        }
    };
    let public = async {
        if request.wants(KIND, PUBLIC) && request.partition == PUBLIC_PARTITION {
            public::all(access, request, found).await;
        }
    };
    tokio::join!(private, public);
}
