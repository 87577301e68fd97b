//! Connecting to AWS, with the configured credentials or the environment's.

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, ConfigLoader};
use aws_credential_types::Credentials;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::Region;
use secrecy::ExposeSecret as _;
use std::time::Duration;

use super::AwsClient;
use crate::config::{AssumeRole, Aws, AwsKeys};

/// Attempts of one call. The SDK slows down when it is throttled.
const ATTEMPTS: u32 = 5;
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one attempt may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a call may take with all its attempts.
const CALL_TIMEOUT: Duration = Duration::from_mins(2);
/// The session name of an assumed role, as CloudTrail shows it.
const SESSION: &str = "posturebeat";

/// Prepares a client for `region`. No call is made yet, except to read the credentials of a role to assume.
pub(crate) async fn connect(aws: &Aws, region: &str) -> AwsClient {
    let base = loader(aws, region);
    let base = match &aws.keys {
        AwsKeys::Environment => base,
        AwsKeys::Static { access_key_id, secret_access_key, session_token } => {
            let token = session_token.as_ref().map(|token| token.expose_secret().to_owned());
            let secret = secret_access_key.expose_secret();
            base.credentials_provider(Credentials::new(access_key_id, secret, token, None, "configuration"))
        }
        AwsKeys::Shared { file, profile } => {
            // It may ask other services, and brings no HTTP client.
            let environment = ProviderConfig::without_region()
                .with_region(Some(Region::new(region.to_owned())))
                .with_behavior_version(Some(BehaviorVersion::latest()))
                .with_http_client(http_client());
            let mut provider = ProfileFileCredentialsProvider::builder().configure(&environment);
            if let Some(profile) = profile {
                provider = provider.profile_name(profile);
            }
            if let Some(file) = file {
                let files = EnvConfigFiles::builder().with_file(EnvConfigFileKind::Credentials, file).build();
                provider = provider.profile_files(files);
            }
            base.credentials_provider(provider.build())
        }
    };
    let config = base.load().await;
    let Some(AssumeRole { role_arn, external_id }) = &aws.assume_role else { return AwsClient::new(config) };
    let mut role = AssumeRoleProvider::builder(role_arn).session_name(SESSION).configure(&config);
    if let Some(external_id) = external_id {
        role = role.external_id(external_id.expose_secret());
    }
    let role = role.build().await;
    AwsClient::new(loader(aws, region).credentials_provider(role).load().await)
}

fn http_client() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

fn loader(aws: &Aws, region: &str) -> ConfigLoader {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client())
        .region(Region::new(region.to_owned()))
        .retry_config(RetryConfig::adaptive().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts);
    match &aws.endpoint {
        Some(endpoint) => loader.endpoint_url(endpoint),
        None => loader,
    }
}
