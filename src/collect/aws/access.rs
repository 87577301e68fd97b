//! Asking AWS: with whose credentials, so many calls at once, and what a refusal means.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::config::http::HttpResponse;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use aws_types::region::Region;
use serde_json::Value;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::Semaphore;

use super::body::Body;
use super::call::Call;
use crate::resource::{Reason, Unread};

/// The most calls under way, over all services and regions.
const AT_ONCE: usize = 8;
/// The most of an answer's message that is told.
const MAX_MESSAGE: usize = 400;

/// AWS as one caller sees it.
#[derive(Debug, Clone)]
pub struct Access {
    config: SdkConfig,
    places: Arc<Semaphore>,
}

/// A call that gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Why, in the words of outcomes.
    pub reason: Reason,
    /// The service's own code, such as `RepositoryNotFoundException`; empty where it did not answer.
    pub code: String,
    /// What was called, what came back, and what to do about it.
    pub what: String,
}

impl Problem {
    /// A call that was answered, with something that is of no use.
    pub(super) fn new(call: &Call, region: &str, reason: Reason, said: &str) -> Self {
        let what = format!("call {} in {region}: {said}", call.action());
        Self { reason, code: String::new(), what }
    }

    /// As the reason why `at` is unread.
    pub fn unread(&self, at: &str) -> Unread {
        Unread::new(at, self.reason, self.what.clone())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Access {
    /// With this configuration's credentials.
    pub fn new(config: SdkConfig) -> Self {
        Self { config, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The configuration for a region.
    pub fn at(&self, region: &str) -> SdkConfig {
        self.config.to_builder().region(Region::new(region.to_owned())).build()
    }

    /// What requests are sent with.
    pub(super) fn http_client(&self) -> Option<SharedHttpClient> {
        self.config.http_client()
    }

    /// Waits for a place, then for the answer.
    pub async fn ask<T, E>(
        &self,
        call: &Call,
        region: &str,
        sent: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Problem>
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        // Never closed.
        let _place = self.places.acquire().await;
        sent.await.map_err(|error| problem(call, region, &error))
    }

    /// The same, and the answer as JSON: `body` is the interceptor that the operation was given.
    pub(super) async fn ask_json<T, E>(
        &self,
        call: &Call,
        region: &str,
        body: &Body,
        sent: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<(T, Value), Problem>
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let answer = self.ask(call, region, sent).await?;
        Ok((answer, body.take()))
    }
}

fn problem<E>(call: &Call, region: &str, error: &SdkError<E, HttpResponse>) -> Problem
where
    E: Error + ProvideErrorMetadata + 'static,
{
    let code = error.code().unwrap_or_default().to_owned();
    let status = error.raw_response().map(|response| response.status().as_u16());
    let reason = match error {
        SdkError::TimeoutError(_) => Reason::Timeout,
        SdkError::ServiceError(_) => reason(&code, status),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Reason::Timeout,
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => without_credentials(error)
            .unwrap_or(match error {
                SdkError::DispatchFailure(_) => Reason::Unavailable,
                _ => Reason::Malformed,
            }),
        _ => Reason::Malformed,
    };
    let said = match error.message() {
        Some(message) => format!("{code}: {message}"),
        None if reason == Reason::NoCredentials => {
            "there are no credentials: none configured, none in the environment, and neither a service account nor this machine has a role".to_owned()
        }
        None => unexplained(error, status),
    };
    let said: String = said.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect();
    let action = call.action();
    let advice = match reason {
        Reason::Denied if code.is_empty() && status.is_none() => {
            " (the credentials that are configured cannot be had)".to_owned()
        }
        Reason::Denied if is_of_credentials(&code) => {
            " (these credentials are not valid, or no longer)".to_owned()
        }
        Reason::Denied => format!(" (allow the IAM action {action})"),
        Reason::NoCredentials => " (set posturebeat.aws.credentials, or give the pod a role)".to_owned(),
        _ => String::new(),
    };
    Problem { reason, code, what: format!("call {action} in {region}: {said}{advice}") }
}

/// What an error says that the service did not explain: its causes, the deepest last.
fn unexplained<E>(error: &SdkError<E, HttpResponse>, status: Option<u16>) -> String
where
    E: Error + 'static,
{
    if let (SdkError::ServiceError(_) | SdkError::ResponseError(_), Some(status)) = (error, status) {
        return format!("HTTP {status}, with nothing that can be understood");
    }
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {}", refusal_of_role(error).map_or_else(|| error.to_string(), str::to_owned));
        cause = error.source();
    }
    said
}

/// Whether it is the caller who is refused, not the call.
fn is_of_credentials(code: &str) -> bool {
    ["Token", "Signature", "UnrecognizedClient"].iter().any(|part| code.contains(part))
}

/// What a service's refusal means.
fn reason(code: &str, status: Option<u16>) -> Reason {
    let has = |parts: &[&str]| parts.iter().any(|part| code.contains(part));
    if has(&["Throttl", "TooManyRequests", "RequestLimitExceeded", "LimitExceeded", "ServiceUnavailable"]) {
        Reason::Unavailable
    } else if is_of_credentials(code) || has(&["AccessDenied", "Unauthorized", "NotAuthorized"]) {
        Reason::Denied
    } else if has(&["NotFound", "NoSuch"]) {
        Reason::Missing
    } else {
        match status {
            Some(401 | 403) => Reason::Denied,
            Some(404) => Reason::Missing,
            Some(429 | 500..) => Reason::Unavailable,
            _ => Reason::Malformed,
        }
    }
}

/// Why there are no credentials, if that is what is wrong: there are none, or those that are configured were refused.
fn without_credentials(error: &(dyn Error + 'static)) -> Option<Reason> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<CredentialsError>() {
            return Some(match error {
                CredentialsError::CredentialsNotLoaded(_) => Reason::NoCredentials,
                CredentialsError::ProviderTimedOut(_) => Reason::Timeout,
                _ => Reason::Denied,
            });
        }
        cause = error.source();
    }
    None
}

/// What STS says of a role that it does not give.
fn refusal_of_role<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e str> {
    let by_keys = error.downcast_ref::<AssumeRoleError>().and_then(ProvideErrorMetadata::message);
    let by_token = || error.downcast_ref::<AssumeRoleWithWebIdentityError>()?.message();
    by_keys.or_else(by_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_a_reason() {
        for (code, status, expected) in [
            ("AccessDeniedException", 400, Reason::Denied),
            ("UnauthorizedOperation", 403, Reason::Denied),
            ("ExpiredTokenException", 400, Reason::Denied),
            ("InvalidClientTokenId", 403, Reason::Denied),
            ("SignatureDoesNotMatch", 403, Reason::Denied),
            ("ThrottlingException", 400, Reason::Unavailable),
            ("TooManyRequestsException", 429, Reason::Unavailable),
            ("RepositoryNotFoundException", 400, Reason::Missing),
            ("LoadBalancerNotFound", 400, Reason::Missing),
            ("NoSuchEntity", 404, Reason::Missing),
            ("InternalFailure", 500, Reason::Unavailable),
            ("", 503, Reason::Unavailable),
            ("InvalidParameterException", 400, Reason::Malformed),
        ] {
            assert_eq!(reason(code, Some(status)), expected, "{code}");
        }
    }
}
