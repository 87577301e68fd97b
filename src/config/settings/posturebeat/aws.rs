//! `posturebeat.aws`: access to AWS.

use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use crate::config::form::{Checker, SectionForm};
use crate::config::mistake::Mistake;
use crate::config::values::Secret;

/// Access to AWS.
#[derive(Debug, Clone, Default)]
pub struct Aws {
    /// The EKS cluster's name. `None`: detected.
    pub cluster_name: Option<String>,
    /// Its region. `None`: detected.
    pub region: Option<String>,
    /// A URL that replaces the endpoints of all AWS services.
    pub endpoint: Option<String>,
    /// The credentials.
    pub keys: AwsKeys,
    /// The role to assume with them.
    pub assume_role: Option<AssumeRole>,
}

/// Where AWS credentials come from.
#[derive(Debug, Clone, Default)]
pub enum AwsKeys {
    /// The SDK's default chain: variables, a service account's role, pod identity, a shared file, the instance's
    /// role.
    #[default]
    Environment,
    /// The configuration.
    Static {
        /// The key's id.
        access_key_id: String,
        /// The key.
        secret_access_key: SecretString,
        /// The session token of temporary keys.
        session_token: Option<SecretString>,
    },
    /// A shared credentials file.
    Shared {
        /// The file. `None`: `~/.aws/credentials`.
        file: Option<PathBuf>,
        /// The profile. `None`: `default`.
        profile: Option<String>,
    },
}

/// A role to assume.
#[derive(Debug, Clone)]
pub struct AssumeRole {
    /// `arn:aws:iam::123456789012:role/posturebeat`.
    pub role_arn: String,
    /// The external id that its trust policy requires.
    pub external_id: Option<SecretString>,
}

/// The section as written.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct AwsForm {
    /// The EKS cluster's name. Default: detected from the node's labels, its instance's tags, or the service
    /// account token.
    #[schemars(example = &"prod")]
    pub cluster_name: Option<String>,
    /// The cluster's region. Default: detected in the same way.
    #[schemars(example = &"eu-west-1")]
    pub region: Option<String>,
    /// A URL that replaces the endpoints of all AWS services, for a proxy or an emulator.
    #[schemars(example = &"http://localhost:4566")]
    pub endpoint: Option<String>,
    /// Credentials. Empty: those of the environment (variables, a service account's role, pod identity, a shared
    /// file, the instance's role).
    pub credentials: CredentialsForm,
}

/// `posturebeat.aws.credentials`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct CredentialsForm {
    /// The type of the credentials: `assume_role`, `direct_access_keys`, `temporary_keys` or
    /// `shared_credentials`. Optional; the keys below are used either way.
    pub r#type: Option<CredentialsType>,
    /// The access key's id.
    #[schemars(example = &"${AWS_ACCESS_KEY_ID}")]
    pub access_key_id: Option<String>,
    /// The secret access key.
    #[schemars(example = &"${AWS_SECRET_ACCESS_KEY}")]
    pub secret_access_key: Option<Secret>,
    /// The session token of temporary keys.
    #[schemars(example = &"${AWS_SESSION_TOKEN}")]
    pub session_token: Option<Secret>,
    /// A shared credentials file. Default: `~/.aws/credentials`.
    #[schemars(example = &"/etc/posturebeat/aws-credentials")]
    pub shared_credential_file: Option<PathBuf>,
    /// The profile in that file. Default: `default`.
    #[schemars(example = &"audit")]
    pub credential_profile_name: Option<String>,
    /// A role to assume with these credentials.
    #[schemars(example = &"arn:aws:iam::123456789012:role/posturebeat")]
    pub role_arn: Option<String>,
    /// The external id that the role's trust policy requires.
    pub external_id: Option<Secret>,
}

/// `posturebeat.aws.credentials.type`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum CredentialsType {
    AssumeRole,
    DirectAccessKeys,
    TemporaryKeys,
    SharedCredentials,
    #[serde(rename = "")]
    Empty,
}

/// Whether `posturebeat.aws.credentials.type` may have this value.
pub(in crate::config) fn is_credentials_type(kind: &str) -> bool {
    serde_json::from_value::<CredentialsType>(kind.into()).is_ok()
}

/// Kibana writes fields that were left blank as empty text.
fn text(value: Option<String>) -> Option<String> {
    value.filter(|text| !text.is_empty())
}

fn secret(value: Option<Secret>) -> Option<SecretString> {
    value.map(|secret| secret.0).filter(|secret| !secret.expose_secret().is_empty())
}

impl SectionForm for AwsForm {
    type Settings = Aws;

    fn check(self, checker: &Checker<'_>) -> Result<Aws, Mistake> {
        let Self { cluster_name, region, endpoint, credentials } = self;
        let (keys, assume_role) = credentials.check(&checker.section("credentials"))?;
        let endpoint = text(endpoint);
        if let Some(endpoint) = &endpoint
            && !endpoint.starts_with("http://")
            && !endpoint.starts_with("https://")
        {
            let message = format!("expected a URL such as `http://localhost:4566`, found `{endpoint}`");
            return Err(checker.wrong("endpoint", message));
        }
        let region = text(region);
        if let Some(region) = &region
            && !region.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        {
            let message = format!("expected a region such as `eu-west-1`, found `{region}`");
            return Err(checker.wrong("region", message));
        }
        Ok(Aws { cluster_name: text(cluster_name), region, endpoint, keys, assume_role })
    }
}

impl SectionForm for CredentialsForm {
    type Settings = (AwsKeys, Option<AssumeRole>);

    fn check(self, checker: &Checker<'_>) -> Result<Self::Settings, Mistake> {
        let role = role(text(self.role_arn), secret(self.external_id), checker)?;
        let (key, secret_key) = (text(self.access_key_id), secret(self.secret_access_key));
        let token = secret(self.session_token);
        let file = self.shared_credential_file.filter(|path| !path.as_os_str().is_empty());
        let profile = text(self.credential_profile_name);
        let is_shared = file.is_some() || profile.is_some();
        let keys = match (key, secret_key) {
            (Some(_), None) => {
                return Err(checker.wrong("secret_access_key", "expected the secret of `access_key_id`"));
            }
            (None, Some(_)) => {
                return Err(checker.wrong("access_key_id", "expected the id of `secret_access_key`"));
            }
            (None, None) if token.is_some() => {
                let message = "a session token requires `access_key_id` and `secret_access_key`";
                return Err(checker.wrong("session_token", message));
            }
            (Some(_), Some(_)) if is_shared => {
                let message = "expected either an access key or a shared file with its profile, found both";
                return Err(checker.wrong("access_key_id", message));
            }
            (Some(_), Some(_)) if self.r#type == Some(CredentialsType::TemporaryKeys) && token.is_none() => {
                return Err(checker.wrong("session_token", "expected the session token of `temporary_keys`"));
            }
            (Some(access_key_id), Some(secret_access_key)) => {
                AwsKeys::Static { access_key_id, secret_access_key, session_token: token }
            }
            (None, None) if is_shared => {
                let file = file.map(|path| checker.located("shared_credential_file", &path));
                AwsKeys::Shared { file, profile }
            }
            (None, None) => AwsKeys::Environment,
        };
        Ok((keys, role))
    }
}

fn role(
    role_arn: Option<String>,
    external_id: Option<SecretString>,
    checker: &Checker<'_>,
) -> Result<Option<AssumeRole>, Mistake> {
    match (role_arn, external_id) {
        (Some(role_arn), _) if !role_arn.starts_with("arn:") || !role_arn.contains(":role/") => {
            let message = format!(
                "expected a role such as `arn:aws:iam::123456789012:role/posturebeat`, found `{role_arn}`"
            );
            Err(checker.wrong("role_arn", message))
        }
        (Some(role_arn), external_id) => Ok(Some(AssumeRole { role_arn, external_id })),
        (None, Some(_)) => Err(checker.wrong("external_id", "expected `role_arn` too, which is not set")),
        (None, None) => Ok(None),
    }
}
