//! The section `ssl` of an output: its form, its check, its settings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read;

use crate::config::{Checker, Mistake, SectionForm};

/// What marks PEM text, as opposed to the path of a PEM file.
const PEM_MARK: &str = "-----BEGIN";

/// How TLS connections are verified.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// PEM files, or PEM text, that replace the system's authorities. Empty: the system's.
    pub certificate_authorities: Vec<String>,
    /// How the server's certificate is checked.
    pub verification: Verification,
}

/// `ssl.verification_mode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verification {
    /// Authority and host name.
    #[default]
    Full,
    /// Nothing.
    None,
}

/// The section as written.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SslForm {
    /// Whether the other `ssl` settings apply. The scheme of the hosts decides whether TLS is used.
    pub enabled: bool,
    /// The trusted authorities: PEM files, or PEM text. Empty: the system's.
    #[schemars(example = ["/etc/posturebeat/ca.pem"])]
    pub certificate_authorities: Vec<String>,
    /// How the server's certificate is checked: `full` (or `strict`, the same) checks authority and host name, `none`
    /// checks nothing.
    pub verification_mode: VerificationMode,
}

impl Default for SslForm {
    fn default() -> Self {
        Self {
            enabled: true,
            certificate_authorities: Vec::new(),
            verification_mode: VerificationMode::default(),
        }
    }
}

/// `ssl.verification_mode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum VerificationMode {
    #[default]
    Full,
    Strict,
    Certificate,
    None,
}

impl SectionForm for SslForm {
    type Settings = Tls;

    fn check(self, checker: &Checker<'_>) -> Result<Tls, Mistake> {
        if !self.enabled {
            return Ok(Tls::default());
        }
        let verification = match self.verification_mode {
            VerificationMode::Full | VerificationMode::Strict => Verification::Full,
            VerificationMode::None => Verification::None,
            VerificationMode::Certificate => {
                let message = "`certificate` is not supported (yet): use `full` with a host name that the certificate has, or `none`";
                return Err(checker.wrong("verification_mode", message));
            }
        };
        let mut certificate_authorities = Vec::new();
        for (index, authority) in self.certificate_authorities.into_iter().enumerate() {
            if is_pem(&authority) {
                certificate_authorities.push(authority);
                continue;
            }
            let key = format!("certificate_authorities.{index}");
            let path = checker.located(&key, authority.as_ref());
            // One byte, because a folder can be opened but not read.
            let readable = File::open(&path).and_then(|mut file| file.read(&mut [0; 1]));
            readable
                .map_err(|error| checker.wrong(&key, format!("cannot read `{}`: {error}", path.display())))?;
            certificate_authorities.push(path.display().to_string());
        }
        Ok(Tls { certificate_authorities, verification })
    }
}

/// Whether an authority is PEM text, and not the path of a file.
pub(super) fn is_pem(authority: &str) -> bool {
    authority.contains(PEM_MARK)
}
