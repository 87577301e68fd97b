//! The check of `output.elasticsearch`: hosts completed, credentials chosen, certificate files tried.

use secrecy::ExposeSecret;
use std::sync::Arc;

use super::ElasticsearchForm;
use super::HostProtocol;
use super::hosts::{self, UrlUser};
use crate::config::{Checker, Mistake, SectionForm, UnsupportedKeys};
use crate::output::ConfiguredOutput;
use crate::output::elasticsearch::settings::{Auth, ElasticsearchSettings};

/// Gzip's best.
const MAX_LEVEL: u64 = 9;

impl SectionForm for ElasticsearchForm {
    type Settings = ConfiguredOutput;

    const UNSUPPORTED: UnsupportedKeys = &[
        ("allow_older_versions", ""),
        ("escape_html", ""),
        ("headers", ""),
        ("idle_connection_timeout", ""),
        ("index", "the data streams have fixed names, see `posturebeat.namespace`"),
        ("indices", "the data streams have fixed names, see `posturebeat.namespace`"),
        ("kerberos", ""),
        ("loadbalance", ""),
        ("max_retries", "a finding is sent until it is accepted or refused"),
        ("non_indexable_policy", ""),
        ("parameters", ""),
        ("pipeline", ""),
        ("pipelines", ""),
        ("preset", "the defaults are those of `balanced`"),
        ("proxy_disable", ""),
        ("proxy_headers", ""),
        ("proxy_url", ""),
        ("queue", "set `queue.mem`"),
        ("ssl.ca_sha256", "set `certificate_authorities`"),
        ("ssl.ca_trusted_fingerprint", "set `certificate_authorities`"),
        ("ssl.certificate", ""),
        ("ssl.certificate_reload", ""),
        ("ssl.cipher_suites", ""),
        ("ssl.curve_types", ""),
        ("ssl.key", ""),
        ("ssl.key_passphrase", ""),
        ("ssl.key_passphrase_path", ""),
        ("ssl.renegotiation", ""),
        ("ssl.restart_on_cert_change", ""),
        ("ssl.supported_protocols", ""),
        ("worker", ""),
        ("workers", ""),
    ];

    fn check(self, checker: &Checker<'_>) -> Result<ConfiguredOutput, Mistake> {
        let (hosts, user) = hosts_of(&self, checker)?;
        if self.compression_level > MAX_LEVEL {
            return Err(checker.wrong("compression_level", "expected 0 to 9"));
        }
        if self.backoff.max.0 < self.backoff.init.0 || self.backoff.init.0.is_zero() {
            let message = "expected `init` above zero and `max` not below it";
            return Err(checker.wrong("backoff", message));
        }
        if self.timeout.0.is_zero() {
            return Err(checker.wrong("timeout", "expected a duration above zero"));
        }
        Ok(Arc::new(ElasticsearchSettings {
            hosts,
            compression_level: self.compression_level as u32,
            bulk_max_size: checker.at_least_one("bulk_max_size", self.bulk_max_size)?,
            timeout: self.timeout.0,
            backoff_init: self.backoff.init.0,
            backoff_max: self.backoff.max.0,
            tls: self.ssl.clone().check(&checker.section("ssl"))?,
            auth: auth(self, user, checker)?,
        }))
    }
}

/// Complete URLs, and the user that they name.
fn hosts_of(
    form: &ElasticsearchForm,
    checker: &Checker<'_>,
) -> Result<(Vec<String>, Option<UrlUser>), Mistake> {
    let scheme = match form.protocol {
        HostProtocol::Http => "http",
        HostProtocol::Https => "https",
    };
    let mut urls = Vec::new();
    let mut users = Vec::new();
    for (index, host) in form.hosts.iter().enumerate() {
        let host = hosts::parse(host, scheme, &form.path)
            .map_err(|message| checker.wrong(&format!("hosts.{index}"), message))?;
        urls.push(host.url);
        users.push(host.user);
    }
    if urls.is_empty() {
        let message = "no host is set: expected a list such as `[\"https://elasticsearch:9200\"]`";
        return Err(checker.wrong("hosts", message));
    }
    if users.windows(2).any(|pair| pair[0] != pair[1]) {
        let message = "the URLs have different users: use `username` and `password`, or `api_key`, for all";
        return Err(checker.wrong("hosts", message));
    }
    Ok((urls, users.pop().flatten()))
}

/// The credentials. Empty values, such as `${ES_USERNAME:}`, count as not set.
fn auth(form: ElasticsearchForm, in_url: Option<UrlUser>, checker: &Checker<'_>) -> Result<Auth, Mistake> {
    let username = form.username.filter(|name| !name.is_empty());
    let password = form.password.map(|secret| secret.0).filter(|text| !text.expose_secret().is_empty());
    let api_key = form.api_key.map(|secret| secret.0).filter(|text| !text.expose_secret().is_empty());
    if in_url.is_some() && (username.is_some() || password.is_some()) {
        let message = "the URLs name a user, and so does `username`: set it in one place";
        return Err(checker.wrong("hosts", message));
    }
    if let Some(key) = api_key {
        if in_url.is_some() || username.is_some() || password.is_some() {
            let message = "cannot set both `api_key` and `username`/`password`";
            return Err(checker.wrong("api_key", message));
        }
        if !key.expose_secret().contains(':') {
            let message = "expected `id:key`, the format that Kibana calls Beats";
            return Err(checker.wrong("api_key", message));
        }
        return Ok(Auth::ApiKey(key));
    }
    match (in_url, username, password) {
        (Some(UrlUser { name, password }), ..) => Ok(Auth::Basic { username: name, password }),
        (None, Some(username), password) => {
            Ok(Auth::Basic { username, password: password.unwrap_or_default() })
        }
        (None, None, Some(_)) => Err(checker.wrong("password", "a password requires `username`")),
        (None, None, None) => Ok(Auth::Anonymous),
    }
}
