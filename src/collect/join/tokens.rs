//! Secrets that hold tokens. The only data read is a bootstrap token's expiration, usage and groups.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::resource::{Reason, Resource, Unread};

/// The service account of a `kubernetes.io/service-account-token` Secret. `None`: any other Secret.
pub(in crate::collect) fn account(secret: &Value) -> Option<&str> {
    let text = |pointer: &str| secret.pointer(pointer).and_then(Value::as_str);
    (text("/type") == Some("kubernetes.io/service-account-token"))
        .then(|| text("/metadata/annotations/kubernetes.io~1service-account.name").unwrap_or_default())
}

/// Adds `bootstrapToken` to a bootstrap token: `{authentication, groups, expired, expires?}`.
pub(super) fn relate_bootstrap(secret: &mut Resource, now: Timestamp) {
    if secret.raw.get("type").and_then(Value::as_str) != Some("bootstrap.kubernetes.io/token") {
        return;
    }
    let field = |key: &str| -> Option<String> {
        let bytes = STANDARD.decode(secret.raw.get("data")?.get(key)?.as_str()?).ok()?;
        String::from_utf8(bytes).ok()
    };
    let groups = field("auth-extra-groups").unwrap_or_default();
    let groups: Vec<&str> = groups.split(',').map(str::trim).filter(|group| !group.is_empty()).collect();
    let authentication = field("usage-bootstrap-authentication").as_deref() == Some("true");
    let mut token = json!({"authentication": authentication, "groups": groups, "expired": false});
    if let Some(expires) = field("expiration") {
        let Ok(at) = expires.parse::<Timestamp>() else {
            let what = format!("understand the expiration of the bootstrap token {}", secret.name);
            secret.unread.push(Unread::new("$.related.bootstrapToken", Reason::Malformed, what));
            return;
        };
        token["expired"] = (at <= now).into();
        token["expires"] = expires.into();
    }
    secret.related.insert("bootstrapToken".into(), token);
}
