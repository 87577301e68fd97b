//! Redaction of secrets, before a resource leaves its collector.
//!
//! In: arguments, parsed files, Kubernetes objects. Out: the same, with [`BLANK`] in place of secrets. A secret is
//! recognised by its position (flag, key, field), never by its value. To rules, what is blanked is unknown ([`Blanks`]),
//! unless the configuration reveals it ([`Reveal`]).

mod blanks;
mod foreign;
mod places;
mod recorded;
mod reveal;
#[cfg(test)]
mod tests;
mod words;

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::resource::Revealed;
pub(crate) use blanks::{Blanks, Comparand, any, equals, every};
pub use foreign::foreign_object;
pub use places::BLANKED;
pub use recorded::resource;
pub use reveal::{Reveal, RevealEntry};

/// Replaces a secret.
pub const BLANK: &str = "<redacted>";

const SECRET_WORDS: &[&str] = &[
    "token",
    "password",
    "passwd",
    "secret",
    "credential",
    "api-key",
    "apikey",
    "access-key",
    "private-key",
];

/// Flags that hold no secret although their name has one of [`SECRET_WORDS`]; rules look at them.
const HARMLESS: &[&str] = &[
    "authentication-token-webhook",
    "authentication-token-webhook-cache-ttl",
    "authentication-token-webhook-version",
    "concurrent-serviceaccount-token-syncs",
    "enable-bootstrap-token-auth",
    "image-credential-provider-config",
    "legacy-service-account-token-clean-up-period",
    "service-account-extend-token-expiration",
    "service-account-max-token-expiration",
    "use-service-account-credentials",
];

/// Keys of a bootstrap token's Secret that stay, besides `usage-…`.
const BOOTSTRAP_TOKEN_KEYS: &[&str] = &["expiration", "auth-extra-groups"];

/// Namespace, name and key of the ConfigMap with kube-proxy's configuration (kubeadm).
pub const KUBE_PROXY_CONFIG: (&str, &str, &str) = ("kube-system", "kube-proxy", "config.conf");

/// Namespace and name of the ConfigMap that maps IAM principals into an EKS cluster; its keys, and the field of a
/// principal under each.
pub const AWS_AUTH: (&str, &str, [(&str, &str); 2]) =
    ("kube-system", "aws-auth", [("mapRoles", "rolearn"), ("mapUsers", "userarn")]);

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

static USER_INFO: LazyLock<Regex> = LazyLock::new(|| regex(r#"([A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s"<>]*@"#));
static SCHEME_AND_KEY: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]+"));
static SECRET_LINE: LazyLock<Regex> =
    LazyLock::new(|| regex(r#"(?mi)^(\s*(?:-\s+)?["']?(?:[\w-]+-data|token|password)["']?\s*:[ \t]*)\S.*$"#));

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of this file are valid")
}

/// Blanks user and password of every URL in a text.
pub fn url_user_info(text: &str) -> Cow<'_, str> {
    // Most texts have no `@`, and searching for one byte is fast.
    if text.contains('@') && text.contains("://") {
        USER_INFO.replace_all(text, format!("${{1}}{BLANK}@"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Blanks the secrets in an argument list: `--token=x`, `--token x`, `TOKEN=x`, and the same inside a word that is a
/// shell script.
pub fn arguments(words: &mut [String]) {
    let mut is_secret = false;
    for word in words {
        argument(word, &mut is_secret);
    }
}

/// Blanks the secrets in one word. `is_secret` carries over to the next word: the word before was a flag whose value
/// is secret.
fn argument(word: &mut String, is_secret: &mut bool) {
    if std::mem::take(is_secret) && !word.starts_with("--") {
        BLANK.clone_into(word);
        return;
    }
    if !word.starts_with('-') {
        *word = script(word);
        return;
    }
    // The user of an address goes first: a sign in it is none between a flag and its value.
    let whole = url_user_info(word).into_owned();
    *word = match whole.split_once('=') {
        Some((name, value)) if is_secret_name(name) && !value.is_empty() => format!("{name}={BLANK}"),
        Some(_) => whole,
        None => {
            *is_secret = is_secret_name(&whole);
            whole
        }
    };
}

/// The same for a list in a manifest, whose items need not be strings.
fn written_arguments(items: &mut [Value], is_secret: &mut bool) {
    for item in items {
        match item {
            Value::String(word) => argument(word, is_secret),
            Value::Array(items) => written_arguments(items, is_secret),
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                if std::mem::take(is_secret) {
                    *item = BLANK.into();
                }
            }
        }
    }
}

/// Blanks the secrets in a Kubernetes object, and returns those that rules may compare.
pub fn revealing(object: &mut Value, reveal: &Reveal) -> Revealed {
    let revealed = reveal.of(object);
    kubernetes_object(object);
    revealed
}

/// Blanks the secrets in a Kubernetes object or a list of objects.
pub fn kubernetes_object(object: &mut Value) {
    walk(object, true);
}

/// Blanks the secrets in a parsed configuration file or kubeconfig: `*-data`, tokens, passwords, keys and user info
/// in URLs.
pub fn document(document: &mut Value) {
    walk(document, false);
}

/// Blanks the secrets in a configuration with arbitrary keys, such as a chart's values: every value whose key has one
/// of the secret words.
pub fn values(values: &mut Value) {
    blank_named(values);
    walk(values, true);
}

/// The same for values that are JSON or YAML in a string; without secrets the text stays as it is.
pub fn values_text(text: &mut String) {
    let Ok(parsed) = crate::yaml::from_str::<Value>(text) else {
        BLANK.clone_into(text);
        return;
    };
    let mut redacted = parsed.clone();
    values(&mut redacted);
    if redacted != parsed {
        *text = redacted.to_string();
    }
}

fn blank_named(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(_) | Value::Number(_) if is_secret_word(key) => *value = BLANK.into(),
                    value => blank_named(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(blank_named),
        _ => {}
    }
}

fn walk(value: &mut Value, is_object: bool) {
    match value {
        Value::Object(map) => {
            let mut runs = false;
            let mut is_secret_object = false;
            let mut is_config_map = false;
            for (key, value) in map.iter_mut() {
                match (key.as_str(), &mut *value) {
                    (key, Value::String(text)) if is_secret_key(key) && !text.is_empty() => {
                        BLANK.clone_into(text);
                        continue;
                    }
                    (key, Value::Number(_)) if is_secret_key(key) => {
                        *value = BLANK.into();
                        continue;
                    }
                    ("metadata", metadata) if is_object => drop_copies(metadata),
                    ("env" | "httpHeaders", Value::Array(pairs)) if is_object => blank_pairs(pairs),
                    ("command" | "args", Value::Array(_)) => runs = is_object,
                    ("kind", Value::String(kind)) => {
                        is_secret_object = is_object && kind == "Secret";
                        is_config_map = is_object && kind == "ConfigMap";
                    }
                    _ => {}
                }
                walk(value, is_object);
            }
            if runs {
                blank_words(map);
            }
            if is_secret_object {
                blank_secret_object(map);
            }
            if is_config_map {
                blank_config_map(map);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, is_object)),
        Value::String(text) => {
            if let Cow::Owned(redacted) = url_user_info(text) {
                *text = redacted;
            }
            // A ConfigMap can hold whole files.
            if text.contains('\n')
                && let Cow::Owned(redacted) = SECRET_LINE.replace_all(text, format!("${{1}}{BLANK}"))
            {
                *text = redacted;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Removes or blanks copies of the object inside itself, which would still hold what is blanked elsewhere.
fn drop_copies(metadata: &mut Value) {
    let Value::Object(metadata) = metadata else { return };
    metadata.remove("managedFields");
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations")
        && let Some(copy) = annotations.get_mut(LAST_APPLIED)
    {
        *copy = BLANK.into();
    }
}

/// Blanks a ConfigMap's values except kube-proxy's configuration and the IAM mappings; people keep passwords in
/// ConfigMaps.
fn blank_config_map(map: &mut Map<String, Value>) {
    let (namespace, name, key) = KUBE_PROXY_CONFIG;
    let is = |field: &str, wanted: &str| {
        map.get("metadata").and_then(|it| it.get(field)?.as_str()) == Some(wanted)
    };
    let mut kept = if is("namespace", namespace) && is("name", name) { vec![key] } else { Vec::new() };
    let (namespace, name, keys) = AWS_AUTH;
    if is("namespace", namespace) && is("name", name) {
        kept.extend(keys.map(|(key, _)| key));
    }
    for field in ["data", "binaryData"] {
        if let Some(Value::Object(data)) = map.get_mut(field) {
            data.iter_mut()
                .filter(|(key, _)| !kept.contains(&key.as_str()))
                .for_each(|(_, value)| *value = BLANK.into());
        }
    }
}

/// Blanks the values of a container's variables; their names and references stay.
fn blank_pairs(pairs: &mut [Value]) {
    for pair in pairs {
        // A manifest may have a number or a bool here, which the API would reject.
        if let Some(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) = pair.get_mut("value")
            && value != ""
        {
            *value = BLANK.into();
        }
    }
}

/// Blanks the secrets in a container's `command` followed by its `args`.
fn blank_words(container: &mut Map<String, Value>) {
    let mut is_secret = false;
    for key in ["command", "args"] {
        if let Some(Value::Array(items)) = container.get_mut(key) {
            written_arguments(items, &mut is_secret);
        }
    }
}

fn blank_secret_object(map: &mut Map<String, Value>) {
    let is_bootstrap_token = map.get("type").and_then(Value::as_str) == Some("bootstrap.kubernetes.io/token");
    for key in ["data", "stringData"] {
        let data = match map.get_mut(key) {
            Some(Value::Object(data)) => data,
            None | Some(Value::Null) => continue,
            // A manifest may have anything here, which the API would reject.
            Some(other) => {
                *other = BLANK.into();
                continue;
            }
        };
        for (name, value) in data {
            let may_show = BOOTSTRAP_TOKEN_KEYS.contains(&name.as_str()) || name.starts_with("usage-");
            if !(is_bootstrap_token && may_show) {
                *value = BLANK.into();
            }
        }
    }
}

fn is_secret_key(key: &str) -> bool {
    key.ends_with("-data") || matches!(key, "token" | "password" | "secret")
}

/// Whether a flag or variable of this name holds a secret.
fn is_secret_name(name: &str) -> bool {
    let name = name.trim_start_matches('-').to_ascii_lowercase().replace('_', "-");
    SECRET_WORDS.iter().any(|word| name.contains(word))
        && !name.ends_with("-file")
        && !name.ends_with("-dir")
        && !HARMLESS.contains(&name.as_str())
}

/// The same for a key in any notation: `apiKey`, `DB_PASSWORD`.
fn is_secret_word(key: &str) -> bool {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '_'], "");
    let key = plain(key);
    SECRET_WORDS.iter().any(|word| key.contains(&plain(word)))
}

fn script(text: &str) -> String {
    let text = words::blank_values(&url_user_info(text), is_secret_name);
    SCHEME_AND_KEY.replace_all(&text, format!("${{1}} {BLANK}")).into_owned()
}
