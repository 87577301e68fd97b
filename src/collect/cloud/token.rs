//! The issuer of a service account token. Nothing else of the token leaves this file.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::io::Read as _;
use std::path::Path;

/// Where Kubernetes mounts a pod's token.
pub(super) const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// The largest token: real ones have one or two thousand bytes.
const MAX_TOKEN: u64 = 64 * 1024;
/// The longest issuer.
const MAX_ISSUER: usize = 255;

/// The issuer that the token in a file names. Its signature is not checked: a forged issuer matches no cluster.
pub(super) fn issuer(path: &Path) -> Option<String> {
    let mut token = String::new();
    std::fs::File::open(path).ok()?.take(MAX_TOKEN).read_to_string(&mut token).ok()?;
    issuer_of(token.trim())
}

fn issuer_of(token: &str) -> Option<String> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    let issuer = claims["iss"].as_str()?;
    let plain = issuer.len() <= MAX_ISSUER && issuer.chars().all(|c| c.is_ascii_graphic());
    plain.then(|| issuer.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuer_stands_in_the_middle_of_the_token() {
        let issuer = "https://oidc.eks.eu-west-1.amazonaws.com/id/0A?>";
        let payload = URL_SAFE_NO_PAD.encode(serde_json::json!({"iss": issuer, "sub": "x"}).to_string());
        let token = format!("e30.{payload}.c2ln");
        assert_eq!(issuer_of(&token).as_deref(), Some(issuer));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), token + "\n").unwrap();
        assert_eq!(super::issuer(file.path()).as_deref(), Some(issuer));
    }

    #[test]
    fn what_is_no_token_has_none() {
        let encoded = |text: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(text));
        for token in
            ["", "a.b", "e30.!!!.c2ln", &encoded("{}"), &encoded("x"), &encoded(r#"{"iss": "a\nb"}"#)]
        {
            assert_eq!(issuer_of(token), None, "{token}");
        }
        assert_eq!(issuer(Path::new("/there/is/no/token")), None);
    }
}
