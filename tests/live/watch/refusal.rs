//! An API server that answers 429: a priority level with no place at all, whose one request that it lets in nonetheless
//! is somebody else's and waits for a webhook that never answers.

use serde_json::{Value, json};
use std::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use super::asked::{SCHEMAS, schema};
use super::objects::{BINDINGS, binding};
use crate::bed::Bed;
use crate::plane::api::Api;
use crate::plane::{Plane, READER, SLOW};

const LEVELS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations";
const WEBHOOKS: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
/// Nothing is made there.
const WAITING: &str = "/api/v1/namespaces/default/configmaps?dryRun=All";

/// What refuses [`READER`] at an API server, as long as it is there.
pub struct Refusal<'a> {
    api: &'a Api,
    _place: AbortOnDropHandle<()>,
    /// Accepts, and says nothing.
    _webhook: TcpListener,
    _slow: Api,
}

impl<'a> Refusal<'a> {
    /// Returns when the first request was refused.
    pub fn begin(bed: &Bed, plane: &Plane, api: &'a Api) -> Self {
        let webhook = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/", webhook.local_addr().unwrap());
        api.create(WEBHOOKS, &never_answers(&url));
        api.create(BINDINGS, &binding(SLOW, "cluster-admin", SLOW));
        api.create(LEVELS, &no_place());
        api.create(SCHEMAS, &schema(SLOW, "no-place"));
        let slow = plane.api_of(SLOW, 0);
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "waiting"}});
        let place = slow.keep_asking(WAITING, &map);
        let refusal = Self { api, _place: place, _webhook: webhook, _slow: slow };
        refusal.send_to("no-place");
        let reader = plane.api_of(READER, 0);
        bed.until("the first refusal", || {
            reader.text("/api/v1/namespaces/kube-system").is_none().then_some(())
        });
        refusal
    }

    pub fn end(self) {
        self.send_to("global-default");
    }

    fn send_to(&self, level: &str) {
        let path = format!("{SCHEMAS}/{READER}");
        self.api.patch(&path, &json!({"spec": {"priorityLevelConfiguration": {"name": level}}}));
    }
}

fn no_place() -> Value {
    json!({"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "PriorityLevelConfiguration",
        "metadata": {"name": "no-place"}, "spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 0,
            "borrowingLimitPercent": 0, "lendablePercent": 0, "limitResponse": {"type": "Reject"}}}})
}

fn never_answers(url: &str) -> Value {
    let rule = json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]});
    json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "never-answers"}, "webhooks": [{"name": "never-answers.posturebeat.test",
            "clientConfig": {"url": url}, "rules": [rule], "failurePolicy": "Ignore", "sideEffects": "None",
            "admissionReviewVersions": ["v1"], "timeoutSeconds": 30}]})
}
