//! Admission webhooks: which ones see new pods, and which belong to a known policy engine.

use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::statements::{ObjectKey, Statements};
use crate::resource::Resource;

pub(super) const VALIDATING: &str = "ValidatingWebhookConfiguration";
pub(super) const MUTATING: &str = "MutatingWebhookConfiguration";
pub(super) const KINDS: [&str; 2] = [VALIDATING, MUTATING];

/// Policy engines that check pods at admission, each with the prefix of its webhook Service's name.
const POLICY_ENGINES: [(&str, &str); 5] = [
    ("kyverno", "kyverno-svc"),
    ("gatekeeper", "gatekeeper-webhook-service"),
    ("kubewarden", "policy-server"),
    ("jspolicy", "jspolicy"),
    ("datree", "datree-webhook-server"),
];

/// Every webhook configuration, reduced to what rules read.
#[derive(Debug, Default)]
pub(super) struct Webhooks {
    known: Statements<WebhookFacts>,
}

#[derive(Debug, PartialEq)]
struct WebhookFacts {
    kind: &'static str,
    name: String,
    services: Vec<String>,
    sees_pods: bool,
    /// Policy engines whose webhooks see new pods.
    engines: BTreeSet<&'static str>,
}

/// What changed when a webhook configuration was noted or forgotten.
#[derive(Debug, Default)]
pub(super) struct WebhookChanges {
    pub any: bool,
    pub engines: bool,
}

impl Webhooks {
    pub(super) fn note(&mut self, resource: &Resource, key: ObjectKey) -> WebhookChanges {
        self.put(key, Some(WebhookFacts::of(resource)))
    }

    pub(super) fn forget(&mut self, key: ObjectKey) -> WebhookChanges {
        self.put(key, None)
    }

    fn put(&mut self, key: ObjectKey, now: Option<WebhookFacts>) -> WebhookChanges {
        let before = self.engines();
        let any = self.known.put(key, now);
        WebhookChanges { any, engines: any && self.engines() != before }
    }

    /// `{kind, name, services, seesPods}` of each configuration.
    pub(super) fn list(&self) -> Vec<Value> {
        // In the order of collection: validating configurations first.
        let all = self.known.sorted(|it| (it.kind == MUTATING, it.name.clone()));
        let one = |it: &WebhookFacts| json!({"kind": it.kind, "name": it.name, "services": it.services, "seesPods": it.sees_pods});
        all.into_iter().map(one).collect()
    }

    /// Names of the policy engines whose webhooks see new pods.
    pub(super) fn engines(&self) -> Vec<&'static str> {
        let engines: BTreeSet<_> = self.known.values().flat_map(|it| it.engines.iter().copied()).collect();
        engines.into_iter().collect()
    }
}

impl WebhookFacts {
    fn of(resource: &Resource) -> Self {
        let webhooks = || resource.raw.get("webhooks").and_then(Value::as_array).into_iter().flatten();
        let services: BTreeSet<String> = webhooks().filter_map(service).collect();
        let engines = webhooks().filter(|webhook| sees_new_pods(webhook)).filter_map(|webhook| {
            let service = webhook.pointer("/clientConfig/service/name").and_then(Value::as_str)?;
            POLICY_ENGINES.iter().find(|(_, name)| service.starts_with(name)).map(|(engine, _)| *engine)
        });
        Self {
            kind: if resource.sub_type == MUTATING { MUTATING } else { VALIDATING },
            name: resource.name.clone(),
            services: services.into_iter().collect(),
            sees_pods: webhooks().any(sees_new_pods),
            engines: engines.collect(),
        }
    }
}

/// `namespace/name` of the webhook's Service. `None`: it is called by URL.
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
