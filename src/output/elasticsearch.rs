//! `output.elasticsearch`: batches as `_bulk` requests, to Elasticsearch or OpenSearch.
//!
//! In: a batch. Out: verdicts, read from the answer by [`retry`] alone. Every event is a `create` with
//! its own `_id`, so one that was stored by a request whose answer got lost is a 409 and no double.

use super::{BatchError, Output, OutputError, Verdict};
use crate::config::settings;
use crate::event::Event;
use async_trait::async_trait;
pub use client::{Answer, Client, Method, Payload, Unanswered};
pub use retry::reason;

mod bulk;
mod client;
mod retry;
#[cfg(test)]
mod tests;

/// Only what the verdicts are read from: an answer of hundreds of bytes instead of hundreds of kilobytes.
/// `failure_store` tells a document that was stored from one that was only kept for inspection.
const ANSWER: &str = "errors,items.*.error,items.*.status,items.*.failure_store";

/// The output.
#[derive(Debug)]
pub struct Elasticsearch {
    client: Client,
    compression_level: u32,
}

impl Elasticsearch {
    /// Builds the client; nothing is sent yet.
    pub fn new(settings: &settings::Elasticsearch) -> Result<Self, OutputError> {
        Ok(Self { client: Client::new(settings)?, compression_level: settings.compression_level })
    }
}

#[async_trait]
impl Output for Elasticsearch {
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

    /// Asks who is there. A key that may write but not look (403) proves itself by naming itself.
    async fn check(&mut self) -> Result<(), OutputError> {
        let answer = self.client.ask(Method::Get, "", &[], None).await?;
        if answer.status == 403 {
            let named = self.client.ask(Method::Get, "_security/_authenticate", &[], None).await?;
            if named.is_success() {
                return Ok(());
            }
        }
        match answer.status {
            401 | 403 => Err(OutputError::Denied { why: retry::reason(&answer), host: answer.host }),
            429 | 500.. => Err(OutputError::Unreachable { why: retry::reason(&answer), host: answer.host }),
            _ => Ok(()),
        }
    }
}
