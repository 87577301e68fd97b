//! Admission webhooks: which see pods being created, and which belong to a known policy engine.

use serde_json::{Value, json};
use std::collections::BTreeSet;

use crate::resource::Resource;

pub(super) const VALIDATING: &str = "ValidatingWebhookConfiguration";
pub(super) const MUTATING: &str = "MutatingWebhookConfiguration";
pub(super) const KINDS: [&str; 2] = [VALIDATING, MUTATING];

/// Policy engines that judge pods at admission, by what their webhook's service is called.
const POLICY_ENGINES: [(&str, &str); 5] = [
    ("kyverno", "kyverno-svc"),
    ("gatekeeper", "gatekeeper-webhook-service"),
    ("kubewarden", "policy-server"),
    ("jspolicy", "jspolicy"),
    ("datree", "datree-webhook-server"),
];

/// Every configuration, cut to what rules ask about.
#[derive(Debug, Default)]
pub(super) struct Webhooks {
    list: Vec<Value>,
    engines: BTreeSet<&'static str>,
}

impl Webhooks {
    pub fn note(&mut self, resource: &Resource) {
        let webhooks = || resource.raw.get("webhooks").and_then(Value::as_array).into_iter().flatten();
        let mut services: Vec<String> = webhooks().filter_map(service).collect();
        services.sort();
        services.dedup();
        self.list.push(json!({
            "kind": resource.sub_type,
            "name": resource.name,
            "services": services,
            "seesPods": webhooks().any(sees_new_pods),
        }));
        self.engines.extend(webhooks().filter(|webhook| sees_new_pods(webhook)).filter_map(|webhook| {
            let service = webhook.pointer("/clientConfig/service/name").and_then(Value::as_str)?;
            POLICY_ENGINES.iter().find(|(_, name)| service.starts_with(name)).map(|(engine, _)| *engine)
        }));
    }

    /// `{kind, name, services, seesPods}` of each configuration.
    pub fn list(&self) -> Vec<Value> {
        self.list.clone()
    }

    /// Names of policy engines whose webhooks see pods being created.
    pub fn engines(&self) -> Vec<&'static str> {
        self.engines.iter().copied().collect()
    }
}

/// `namespace/name`.
fn service(webhook: &Value) -> Option<String> {
    let service = webhook.pointer("/clientConfig/service")?;
    Some(format!("{}/{}", service.get("namespace")?.as_str()?, service.get("name")?.as_str()?))
}

fn sees_new_pods(webhook: &Value) -> bool {
    let rules = webhook.get("rules").and_then(Value::as_array).into_iter().flatten();
    rules.into_iter().any(|rule| {
        let has = |key: &str, wanted: &[&str]| {
            let list = rule.get(key).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).any(|value| wanted.contains(&value))
        };
        has("apiGroups", &["", "*"])
            && has("operations", &["CREATE", "*"])
            && has("resources", &["pods", "pods/*", "*", "*/*"])
    })
}
