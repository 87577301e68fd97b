//! `output.elasticsearch` as written, to [`Elasticsearch`]: hosts completed, credentials chosen,
//! certificate files looked at.

use secrecy::ExposeSecret;
use std::fs::File;
use std::io::Read;

use super::error::Mistake;
use super::hosts::{self, User};
use super::raw::{Protocol, RawElasticsearch, RawSsl, VerificationMode};
use super::resolve::Checker;
use super::{Auth, Elasticsearch, Tls, Verification};

const SECTION: &str = "output.elasticsearch";

/// Gzip's best.
const MAX_LEVEL: u64 = 9;

/// Checks the section.
pub(super) fn resolve(raw: RawElasticsearch, checker: &Checker<'_>) -> Result<Elasticsearch, Mistake> {
    let scheme = match raw.protocol {
        Protocol::Http => "http",
        Protocol::Https => "https",
    };
    let mut urls = Vec::new();
    let mut users = Vec::new();
    for (index, host) in raw.hosts.iter().enumerate() {
        let host = hosts::parse(host, scheme, &raw.path)
            .map_err(|message| checker.wrong(&format!("{SECTION}.hosts.{index}"), message))?;
        urls.push(host.url);
        users.push(host.user);
    }
    if urls.is_empty() {
        let message = "names no host: expected a list such as `[\"https://elasticsearch:9200\"]`";
        return Err(checker.wrong(&format!("{SECTION}.hosts"), message));
    }
    if users.windows(2).any(|pair| pair[0] != pair[1]) {
        let message = "the URLs have different users: use `username` and `password`, or `api_key`, for all";
        return Err(checker.wrong(&format!("{SECTION}.hosts"), message));
    }
    if raw.compression_level > MAX_LEVEL {
        return Err(checker.wrong(&format!("{SECTION}.compression_level"), "expected 0 to 9"));
    }
    if raw.backoff.max.0 < raw.backoff.init.0 || raw.backoff.init.0.is_zero() {
        let message = "expected `init` above zero and `max` not below it";
        return Err(checker.wrong(&format!("{SECTION}.backoff"), message));
    }
    if raw.timeout.0.is_zero() {
        return Err(checker.wrong(&format!("{SECTION}.timeout"), "expected a duration above zero"));
    }
    Ok(Elasticsearch {
        hosts: urls,
        compression_level: raw.compression_level as u32,
        bulk_max_size: checker.at_least_one(&format!("{SECTION}.bulk_max_size"), raw.bulk_max_size)?,
        timeout: raw.timeout.0,
        backoff_init: raw.backoff.init.0,
        backoff_max: raw.backoff.max.0,
        tls: tls(&raw.ssl, checker)?,
        auth: auth(raw, users.pop().flatten(), checker)?,
    })
}

/// One way of saying who we are; empty values, such as `${ES_USERNAME:}`, are none.
fn auth(raw: RawElasticsearch, in_url: Option<User>, checker: &Checker<'_>) -> Result<Auth, Mistake> {
    let username = raw.username.filter(|name| !name.is_empty());
    let password = raw.password.map(|secret| secret.0).filter(|text| !text.expose_secret().is_empty());
    let api_key = raw.api_key.map(|secret| secret.0).filter(|text| !text.expose_secret().is_empty());
    if in_url.is_some() && (username.is_some() || password.is_some()) {
        let message = "the URLs name a user, and so does `username`: write it in one place";
        return Err(checker.wrong(&format!("{SECTION}.hosts"), message));
    }
    if let Some(key) = api_key {
        if in_url.is_some() || username.is_some() || password.is_some() {
            let message = "cannot set both `api_key` and `username`/`password`";
            return Err(checker.wrong(&format!("{SECTION}.api_key"), message));
        }
        if !key.expose_secret().contains(':') {
            let message = "expected `id:key`, the format that Kibana calls Beats";
            return Err(checker.wrong(&format!("{SECTION}.api_key"), message));
        }
        return Ok(Auth::ApiKey(key));
    }
    match (in_url, username, password) {
        (Some(User { name, password }), ..) => Ok(Auth::Basic { username: name, password }),
        (None, Some(username), password) => {
            Ok(Auth::Basic { username, password: password.unwrap_or_default() })
        }
        (None, None, Some(_)) => {
            Err(checker.wrong(&format!("{SECTION}.password"), "a password without `username`"))
        }
        (None, None, None) => Ok(Auth::Anonymous),
    }
}

fn tls(raw: &RawSsl, checker: &Checker<'_>) -> Result<Tls, Mistake> {
    if !raw.enabled {
        return Ok(Tls::default());
    }
    let verification = match raw.verification_mode {
        VerificationMode::Full | VerificationMode::Strict => Verification::Full,
        VerificationMode::None => Verification::None,
        VerificationMode::Certificate => {
            return Err(checker.wrong(
                &format!("{SECTION}.ssl.verification_mode"),
                "`certificate` is not supported (yet): use `full` with a host name that the certificate has, or `none`",
            ));
        }
    };
    let mut certificate_authorities = Vec::new();
    for (index, authority) in raw.certificate_authorities.iter().enumerate() {
        if authority.contains("-----BEGIN") {
            certificate_authorities.push(authority.clone());
            continue;
        }
        let key = format!("{SECTION}.ssl.certificate_authorities.{index}");
        let path = checker.located(&key, authority.as_ref());
        // One byte, because a folder can be opened but not read.
        let readable = File::open(&path).and_then(|mut file| file.read(&mut [0; 1]));
        readable
            .map_err(|error| checker.wrong(&key, format!("cannot read `{}`: {error}", path.display())))?;
        certificate_authorities.push(path.display().to_string());
    }
    Ok(Tls { certificate_authorities, verification })
}
