//! Calling AWS: with which credentials, how many calls at once, in pages and batches, and what a refusal means.

mod batches;
mod connect;
mod pages;
mod partitions;
mod refusal;
mod response_body;
mod tasks;

use aws_sdk_sts::config::http::HttpResponse;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use aws_types::region::Region;
use serde_json::Value;
use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::Semaphore;

use crate::collect::cloud::CloudCall;

pub(super) use batches::{PageCursor, in_batches};
pub(super) use connect::connect;
pub(super) use pages::{Page, ask, ask_pages, follow};
pub(super) use partitions::{PUBLIC_PARTITION, PUBLIC_REGION, out_of_reach, partition};
pub(super) use refusal::{CallRefusal, call_gap};
pub(super) use response_body::ResponseBody;
pub(super) use tasks::{TaskWindow, each};

/// The most calls under way, over all services and regions.
const AT_ONCE: usize = 8;

/// AWS with one set of credentials, and a bound on the calls under way.
#[derive(Debug, Clone)]
pub(super) struct AwsClient {
    config: SdkConfig,
    permits: Arc<Semaphore>,
}

impl AwsClient {
    /// With this configuration's credentials.
    pub(super) fn new(config: SdkConfig) -> Self {
        Self { config, permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The configuration for a region.
    pub(super) fn at(&self, region: &str) -> SdkConfig {
        self.config.to_builder().region(Region::new(region.to_owned())).build()
    }

    /// The HTTP client that requests are sent with.
    pub(super) fn http_client(&self) -> Option<SharedHttpClient> {
        self.config.http_client()
    }

    /// Waits for a permit, then for the answer.
    pub(super) async fn ask<T, E>(
        &self,
        call: &CloudCall,
        region: &str,
        sent: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, CallRefusal>
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        // Never closed.
        let _permit = self.permits.acquire().await;
        sent.await.map_err(|error| CallRefusal::of(call, region, &error))
    }

    /// The same, and the answer as JSON: `body` is the interceptor that the operation was given.
    pub(super) async fn ask_json<T, E>(
        &self,
        call: &CloudCall,
        region: &str,
        body: &ResponseBody,
        sent: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<Value, CallRefusal>
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        self.ask(call, region, sent).await?;
        Ok(body.take())
    }
}
