//! Secrets that hold tokens. The only data read is a bootstrap token's expiration, usage and groups.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use regex::Regex;
use serde_json::{Value, json};

use crate::resource::{Reason, Resource, Unread};

/// The service account of a `kubernetes.io/service-account-token` Secret. `None`: any other Secret.
pub(in crate::collect) fn account(secret: &Value) -> Option<&str> {
    let text = |pointer: &str| secret.pointer(pointer).and_then(Value::as_str);
    (text("/type") == Some("kubernetes.io/service-account-token"))
        .then(|| text("/metadata/annotations/kubernetes.io~1service-account.name").unwrap_or_default())
}

/// Groups that a bootstrap token may add; the API server refuses a token that names another.
static EXTRA_GROUP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\Asystem:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]\z").expect("the pattern is valid")
});

/// Adds `bootstrapToken` to a bootstrap token: `{authentication, groups, expired, expires?}`, as the API server understands
/// them.
pub(super) fn relate_bootstrap(secret: &mut Resource, now: Timestamp) {
    if secret.raw.get("type").and_then(Value::as_str) != Some("bootstrap.kubernetes.io/token") {
        return;
    }
    let field = |key: &str| field(&secret.raw, key).map_err(|()| key.to_owned());
    let fields = field("usage-bootstrap-authentication").and_then(|usage| {
        Ok((usage, field("auth-extra-groups")?.unwrap_or_default(), field("expiration")?.unwrap_or_default()))
    });
    let (usage, groups, expires) = match fields {
        Ok(fields) => fields,
        Err(key) => {
            let what = format!("understand {key} of the bootstrap token {}", secret.name);
            secret.unread.push(Unread::new("$.related.bootstrapToken", Reason::Malformed, what));
            return;
        }
    };
    let groups: Vec<&str> = if groups.is_empty() { Vec::new() } else { groups.split(',').collect() };
    let is_accepted = groups.iter().all(|group| EXTRA_GROUP.is_match(group));
    let is_for_authentication = usage.as_deref() == Some("true");
    let mut token = json!({
        "authentication": is_for_authentication && is_accepted,
        "groups": groups,
        "expired": false,
    });
    if !expires.is_empty() {
        // A time that the API server cannot read has passed, for it.
        token["expired"] = expires.parse::<Timestamp>().map_or(true, |at| at <= now).into();
        token["expires"] = expires.into();
    }
    secret.related.insert("bootstrapToken".into(), token);
}

/// A field as text. The API server writes `stringData`, which only manifests have, over `data`.
fn field(secret: &Value, key: &str) -> Result<Option<String>, ()> {
    let of = |kind: &str| secret.get(kind).and_then(|data| data.get(key)).filter(|value| !value.is_null());
    match (of("stringData"), of("data")) {
        (Some(Value::String(text)), _) => Ok(Some(text.clone())),
        (None, Some(Value::String(text))) => {
            let bytes = STANDARD.decode(text).map_err(|_| ())?;
            String::from_utf8(bytes).map(Some).map_err(|_| ())
        }
        (None, None) => Ok(None),
        _ => Err(()),
    }
}
