//! What a call's error means: the reason for the outcome, and the advice for whoever can mend it.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::config::http::HttpResponse;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use std::error::Error;

use crate::causes;
use crate::collect::cloud::CloudCall;
use crate::resource::{Gap, Reason};

/// The most characters of a service's message that are kept.
const MAX_MESSAGE: usize = 400;

/// A call that failed, with the service's code: some codes are an answer of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallRefusal {
    /// The service's code, such as `RepositoryNotFoundException`; empty where it gave none.
    pub code: String,
    /// Why, what was called, and what to do about it.
    pub gap: Gap,
}

/// The gap that an answer of no use leaves.
pub(crate) fn call_gap(call: &CloudCall, region: &str, reason: Reason, why: &str) -> Gap {
    Gap::new(reason, format!("call {} in {region}: {why}", call.permission))
}

impl From<Gap> for CallRefusal {
    fn from(gap: Gap) -> Self {
        Self { code: String::new(), gap }
    }
}

impl From<CallRefusal> for Gap {
    fn from(refusal: CallRefusal) -> Self {
        refusal.gap
    }
}

impl CallRefusal {
    /// Reads the error of a call.
    pub(super) fn of<E>(call: &CloudCall, region: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let code = error.code().unwrap_or_default().to_owned();
        let status = error.raw_response().map(|response| response.status().as_u16());
        let reason = match error {
            SdkError::TimeoutError(_) => Reason::Timeout,
            SdkError::ServiceError(_) => reason(&code, status),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Reason::Timeout,
            SdkError::DispatchFailure(_) => without_credentials(error).unwrap_or(Reason::Unavailable),
            SdkError::ConstructionFailure(_) => without_credentials(error).unwrap_or(Reason::Malformed),
            _ => Reason::Malformed,
        };
        let why = match (error.message(), status) {
            (Some(message), _) => format!("{code}: {message}"),
            (None, _) if reason == Reason::NoCredentials => NO_CREDENTIALS.to_owned(),
            (None, Some(status)) => format!("HTTP {status} with an answer that cannot be understood"),
            (None, None) => unexplained(error),
        };
        let why: String = why.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect();
        let advice = match reason {
            Reason::Denied if code.is_empty() && status.is_none() => {
                " (the configured credentials cannot be obtained)".to_owned()
            }
            Reason::Denied if is_about_credentials(&code) => {
                " (the credentials are invalid or have expired)".to_owned()
            }
            Reason::Denied => format!(" (allow the IAM action {})", call.permission),
            Reason::NoCredentials => " (set posturebeat.aws.credentials, or give the pod a role)".to_owned(),
            _ => String::new(),
        };
        Self { code, gap: call_gap(call, region, reason, &format!("{why}{advice}")) }
    }
}

const NO_CREDENTIALS: &str = "no credentials: none are configured, the environment has none, and neither the service \
                              account nor this machine has a role";

/// An error without a service's message: its causes, and STS's own words on a role that it does not give.
fn unexplained<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: Error + 'static,
{
    let chain = causes::chain(error);
    let by_keys = causes::find::<AssumeRoleError>(error).and_then(ProvideErrorMetadata::message);
    let by_token = || causes::find::<AssumeRoleWithWebIdentityError>(error)?.message();
    match by_keys.or_else(by_token) {
        Some(message) if !chain.contains(message) => format!("{message}: {chain}"),
        _ => chain,
    }
}

/// Whether it is the caller who is refused, not the call.
fn is_about_credentials(code: &str) -> bool {
    ["Token", "Signature", "UnrecognizedClient"].iter().any(|part| code.contains(part))
}

/// What a service's refusal means.
fn reason(code: &str, status: Option<u16>) -> Reason {
    let has = |parts: &[&str]| parts.iter().any(|part| code.contains(part));
    if has(&["Throttl", "TooManyRequests", "RequestLimitExceeded", "LimitExceeded", "ServiceUnavailable"]) {
        Reason::Unavailable
    } else if is_about_credentials(code) || has(&["AccessDenied", "Unauthorized", "NotAuthorized"]) {
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

/// Why a call has no credentials, if that is what failed: none were found, or the configured ones were refused.
fn without_credentials(error: &(dyn Error + 'static)) -> Option<Reason> {
    Some(match causes::find::<CredentialsError>(error)? {
        CredentialsError::CredentialsNotLoaded(_) => Reason::NoCredentials,
        CredentialsError::ProviderTimedOut(_) => Reason::Timeout,
        _ => Reason::Denied,
    })
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
