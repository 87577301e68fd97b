//! Which of the repositories that images are of a registry has.
//!
//! One name that it does not have spoils the answer for a whole batch, so that finding it takes many calls; whoever
//! may create a Pod can invent any number. Where there are many of them the registry is asked for all its names.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::OnceCell;

use super::super::access::Problem;
use super::super::batches::Pages;
use super::super::call::DESCRIBE_REPOSITORIES;
use super::private::Place;
use crate::resource::Reason;

/// The most that one call lists.
const PAGE: i32 = 1_000;
/// Calls refused for a name that the registry does not have, after which it is asked for all: one call for each
/// thousand that it has, not two for each that is invented.
const MISSES: usize = 32;

/// What is known of it.
pub(super) struct There {
    /// The repositories that images are of.
    used: BTreeSet<String>,
    misses: AtomicUsize,
    /// Those of `used` that are there, once that was asked, and if it was told.
    names: OnceCell<Option<BTreeSet<String>>>,
}

impl There {
    /// Of these repositories nothing is known yet.
    pub(super) fn of(used: BTreeSet<String>) -> Self {
        Self { used, misses: AtomicUsize::new(0), names: OnceCell::new() }
    }

    /// A call was refused for a name that the registry does not have.
    pub(super) fn missed(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }
}

impl Place {
    /// Those that are there, where many are not; `None` where that must be found out for each.
    pub(super) async fn those_there(&self) -> Option<&BTreeSet<String>> {
        if self.there.misses.load(Ordering::Relaxed) < MISSES {
            return None;
        }
        let told = || async { self.list().await.inspect_err(|problem| tracing::debug!("{problem}")).ok() };
        self.there.names.get_or_init(told).await.as_ref()
    }

    async fn list(&self) -> Result<BTreeSet<String>, Problem> {
        let mut pages = Pages::default();
        let mut there = BTreeSet::new();
        loop {
            let asked = self.client.describe_repositories().registry_id(&self.account).max_results(PAGE);
            let sent = Box::pin(asked.set_next_token(pages.token()).send());
            let page = self.access.ask(&DESCRIBE_REPOSITORIES, &self.region, sent).await?;
            let Some(repositories) = page.repositories else {
                let said = "the answer has no list `repositories`";
                return Err(Problem::new(&DESCRIBE_REPOSITORIES, &self.region, Reason::Malformed, said));
            };
            let names = repositories.into_iter().filter_map(|repository| repository.repository_name);
            there.extend(names.filter(|name| self.there.used.contains(name)));
            if !pages.turn(page.next_token, &DESCRIBE_REPOSITORIES, &self.region)? {
                return Ok(there);
            }
        }
    }

    /// Why nothing was said of a repository.
    pub(super) fn absent(&self, repository: &str) -> Problem {
        match self.there.names.get() {
            Some(Some(there)) if !there.contains(repository) => {
                let said = format!("the registry of account {} has no such repository", self.account);
                Problem::new(&DESCRIBE_REPOSITORIES, &self.region, Reason::Missing, &said)
            }
            _ => self.not_answered(),
        }
    }
}
