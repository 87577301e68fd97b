//! `posturebeat.aws`: its keys, and their check.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use super::error::Mistake;
use super::resolve::Checker;
use super::settings::{AssumeRole, Aws, AwsKeys};
use super::values::Secret;

/// The section `posturebeat.aws`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawAws {
    /// Name of the EKS cluster. Default: detected from the node's labels, the instance's tags, or the issuer of the
    /// service account token.
    #[schemars(example = &"prod")]
    pub cluster_name: Option<String>,
    /// Region of the cluster. Default: detected in the same way.
    #[schemars(example = &"eu-west-1")]
    pub region: Option<String>,
    /// Endpoint for all AWS services, such as a proxy or an emulator. Default: each service's own endpoint.
    #[schemars(example = &"http://localhost:4566")]
    pub endpoint: Option<String>,
    /// Credentials for AWS. Empty: those of the environment (variables, a service account's role (IRSA), Pod Identity,
    /// a shared file, the instance's role).
    pub credentials: RawCredentials,
}

/// The section `posturebeat.aws.credentials`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawCredentials {
    /// Type of credentials, as Kibana writes it: `assume_role`, `direct_access_keys`, `temporary_keys` or
    /// `shared_credentials`. The keys that are set decide, with or without it.
    pub r#type: Option<CredentialsType>,
    /// Access key ID.
    #[schemars(example = &"${AWS_ACCESS_KEY_ID}")]
    pub access_key_id: Option<String>,
    /// Secret access key.
    #[schemars(example = &"${AWS_SECRET_ACCESS_KEY}")]
    pub secret_access_key: Option<Secret>,
    /// Session token of temporary keys.
    #[schemars(example = &"${AWS_SESSION_TOKEN}")]
    pub session_token: Option<Secret>,
    /// Path of a shared credentials file. Default: `~/.aws/credentials`.
    #[schemars(example = &"/etc/posturebeat/aws-credentials")]
    pub shared_credential_file: Option<PathBuf>,
    /// Profile in that file. Default: `default`.
    #[schemars(example = &"audit")]
    pub credential_profile_name: Option<String>,
    /// ARN of a role to assume with these credentials.
    #[schemars(example = &"arn:aws:iam::123456789012:role/posturebeat")]
    pub role_arn: Option<String>,
    /// External ID that the role's trust policy requires.
    pub external_id: Option<Secret>,
}

/// `posturebeat.aws.credentials.type`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum CredentialsType {
    AssumeRole,
    DirectAccessKeys,
    TemporaryKeys,
    SharedCredentials,
    #[serde(rename = "")]
    Empty,
}

/// Whether this is a valid `posturebeat.aws.credentials.type`.
pub(super) fn is_known(kind: &str) -> bool {
    serde_json::from_value::<CredentialsType>(kind.into()).is_ok()
}

/// An empty string counts as unset: Kibana writes blank fields as empty strings.
fn text(value: Option<String>) -> Option<String> {
    value.filter(|text| !text.is_empty())
}

fn secret(value: Option<Secret>) -> Option<secrecy::SecretString> {
    use secrecy::ExposeSecret as _;
    value.map(|secret| secret.0).filter(|secret| !secret.expose_secret().is_empty())
}

/// Checks the section.
pub(super) fn resolve(raw: RawAws, checker: &Checker<'_>) -> Result<Aws, Mistake> {
    let RawAws { cluster_name, region, endpoint, credentials } = raw;
    let at = |key: &str| format!("posturebeat.aws.credentials.{key}");
    let RawCredentials {
        r#type,
        access_key_id,
        secret_access_key,
        session_token,
        shared_credential_file,
        credential_profile_name,
        role_arn,
        external_id,
    } = credentials;
    let (key, secret_key, token) = (text(access_key_id), secret(secret_access_key), secret(session_token));
    let file = shared_credential_file.filter(|path| !path.as_os_str().is_empty());
    let profile = text(credential_profile_name);
    let keys = match (key, secret_key) {
        (Some(_), None) => {
            return Err(checker.wrong(&at("secret_access_key"), "expected the secret of `access_key_id`"));
        }
        (None, Some(_)) => {
            return Err(checker.wrong(&at("access_key_id"), "expected the key of `secret_access_key`"));
        }
        (None, None) if token.is_some() => {
            let message = "expected `access_key_id` and `secret_access_key` with a session token";
            return Err(checker.wrong(&at("session_token"), message));
        }
        (Some(_), Some(_)) if file.is_some() || profile.is_some() => {
            let message = "expected either an access key or a shared file with its profile, found both";
            return Err(checker.wrong(&at("access_key_id"), message));
        }
        (Some(_), Some(_)) if r#type == Some(CredentialsType::TemporaryKeys) && token.is_none() => {
            return Err(
                checker.wrong(&at("session_token"), "expected a session token with `type: temporary_keys`")
            );
        }
        (Some(access_key_id), Some(secret_access_key)) => {
            AwsKeys::Static { access_key_id, secret_access_key, session_token: token }
        }
        (None, None) if file.is_some() || profile.is_some() => {
            let file = file.map(|path| checker.located(&at("shared_credential_file"), &path));
            AwsKeys::Shared { file, profile }
        }
        (None, None) => AwsKeys::Environment,
    };
    let (role_arn, external_id) = (text(role_arn), secret(external_id));
    let assume_role = match (role_arn, external_id) {
        (Some(role_arn), external_id) => {
            if !role_arn.starts_with("arn:") || !role_arn.contains(":role/") {
                let message = format!(
                    "expected a role such as `arn:aws:iam::123456789012:role/posturebeat`, found `{role_arn}`"
                );
                return Err(checker.wrong(&at("role_arn"), message));
            }
            Some(AssumeRole { role_arn, external_id })
        }
        (None, Some(_)) => {
            return Err(checker.wrong(&at("external_id"), "expected `role_arn` with an external ID"));
        }
        (None, None) => None,
    };
    let endpoint = text(endpoint);
    if let Some(endpoint) = &endpoint
        && !endpoint.starts_with("http://")
        && !endpoint.starts_with("https://")
    {
        let message = format!("expected a URL such as `http://localhost:4566`, found `{endpoint}`");
        return Err(checker.wrong("posturebeat.aws.endpoint", message));
    }
    let region = text(region);
    if let Some(region) = &region
        && !region.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    {
        let message = format!("expected a region such as `eu-west-1`, found `{region}`");
        return Err(checker.wrong("posturebeat.aws.region", message));
    }
    Ok(Aws { cluster_name: text(cluster_name), region, endpoint, keys, assume_role })
}
