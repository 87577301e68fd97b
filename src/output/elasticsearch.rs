//! `output.elasticsearch`: batches as `_bulk` requests, to Elasticsearch or OpenSearch.
//!
//! In: a batch. Out: verdicts, which [`retry`] reads from the answer. Every event is a `create` with its own `_id`, so
//! an event stored by a request whose answer was lost is a 409, not a duplicate.

use super::{BatchError, Output, OutputError, Verdict};
use crate::event::Event;
use async_trait::async_trait;
pub use client::{Client, Method, Payload, StoreAnswer, Unanswered};
pub(super) use config::ElasticsearchForm;
pub use retry::reason;
pub use settings::{Auth, ElasticsearchSettings};

mod bulk;
mod client;
mod config;
pub(crate) mod retry;
mod settings;
#[cfg(test)]
mod tests;

/// Only what verdicts need: an answer of hundreds of bytes instead of hundreds of kilobytes. `failure_store` tells a
/// stored document from one that was only kept for inspection.
const ANSWER: &str = "errors,items.*.error,items.*.status,items.*.failure_store";

/// The output.
#[derive(Debug)]
pub struct ElasticsearchOutput {
    client: Client,
    compression_level: u32,
}

impl ElasticsearchOutput {
    /// Builds the client; nothing is sent yet.
    pub fn new(settings: &ElasticsearchSettings) -> Result<Self, OutputError> {
        Ok(Self { client: Client::new(settings)?, compression_level: settings.compression_level })
    }
}

#[async_trait]
impl Output for ElasticsearchOutput {
    async fn publish(&mut self, batch: &[Event]) -> Result<Vec<Verdict>, BatchError> {
        let again = |why: String| BatchError::Again { why };
        let payload =
            bulk::payload(batch, self.compression_level).await.map_err(|error| again(error.to_string()))?;
        let answer = self
            .client
            .send(Method::Post, "_bulk", &[("filter_path", ANSWER)], Some(payload))
            .await
            .map_err(|error| again(error.to_string()))?;
        retry::verdicts(&answer, batch.len())
    }

    /// Requests the cluster's name. A key that may write but not read it (403) is valid if it can authenticate.
    async fn check(&mut self) -> Result<(), OutputError> {
        let answer = self.client.ask(Method::Get, "", &[], None).await?;
        if answer.status == 403 {
            let named = self.client.ask(Method::Get, "_security/_authenticate", &[], None).await?;
            if named.is_success() {
                return Ok(());
            }
        }
        match answer.status {
            401 | 403 => Err(OutputError::Denied {
                why: retry::reason(&answer),
                host: answer.host,
                settings: "`api_key`, or `username` and `password`",
            }),
            429 | 500.. => Err(OutputError::Unreachable { why: retry::reason(&answer), host: answer.host }),
            _ => Ok(()),
        }
    }
}
