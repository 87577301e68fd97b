//! Which of the repositories that images name exist in a registry.
//!
//! One name that does not exist fails the call for a whole batch, and finding it takes many calls; anyone who may create
//! a Pod can invent names. So after many such failures the registry is asked for all its names.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::OnceCell;

use super::ecr::EcrClient;
use crate::collect::aws::calls::ecr::DESCRIBE_REPOSITORIES;
use crate::collect::aws::client::call_gap;
use crate::resource::{Gap, Reason};

/// Calls refused for a name that the registry does not have, after which it is asked for all: one call for each
/// thousand that it has, not two for each that is invented.
const MISSES: usize = 32;

/// What is known about the repositories of a registry.
pub(super) struct ExistingRepositories {
    /// The repositories that images name.
    used: BTreeSet<String>,
    misses: AtomicUsize,
    /// Those of `used` that exist, once they were listed; `None` where the list was refused.
    existing: OnceCell<Option<BTreeSet<String>>>,
}

impl ExistingRepositories {
    /// For these names, of which nothing is known yet.
    pub(super) fn among(used: BTreeSet<String>) -> Self {
        Self { used, misses: AtomicUsize::new(0), existing: OnceCell::new() }
    }

    /// Counts a call that was refused for a name that the registry does not have.
    pub(super) fn missed(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    /// The names that exist, where many do not; `None` where each is to be asked for.
    pub(super) async fn known(&self, ecr: &EcrClient) -> Option<&BTreeSet<String>> {
        if self.misses.load(Ordering::Relaxed) < MISSES {
            return None;
        }
        let list = || async {
            let listed = ecr.list(&self.used).await;
            listed
                .inspect_err(|error| tracing::debug!(%error, "cannot list the registry's repositories"))
                .ok()
        };
        self.existing.get_or_init(list).await.as_ref()
    }

    /// The gap of a repository that no answer describes.
    pub(super) fn absent(&self, ecr: &EcrClient, repository: &str) -> Gap {
        match self.existing.get() {
            Some(Some(existing)) if !existing.contains(repository) => {
                let why = format!("the registry of account {} has no such repository", ecr.account);
                call_gap(&DESCRIBE_REPOSITORIES, &ecr.region, Reason::Missing, &why)
            }
            _ => ecr.not_answered(),
        }
    }
}
