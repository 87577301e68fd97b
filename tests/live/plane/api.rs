//! A client that changes objects, by their paths.

use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_util::task::AbortOnDropHandle;

/// Who changes things: nobody that is watched.
pub struct Api {
    client: kube::Client,
    runtime: Runtime,
}

impl Api {
    pub fn new(kubeconfig: &Path) -> Self {
        let runtime = Runtime::new().unwrap();
        let kubeconfig = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
        let client = runtime.block_on(async {
            let options = kube::config::KubeConfigOptions::default();
            let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
            // A refusal is an answer.
            config.default_retry = false;
            kube::Client::try_from(config).unwrap()
        });
        Self { client, runtime }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<String, kube::Error> {
        let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = http::Request::builder().method(method).uri(path).header("content-type", kind);
        let request = request.body(body).unwrap();
        self.runtime.block_on(self.client.request_text(request))
    }

    fn must(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.ask(method, path, body);
        let answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        serde_json::from_str(&answer).unwrap()
    }

    /// Makes an object in a list.
    pub fn create(&self, list: &str, object: &Value) -> Value {
        self.must("POST", list, object)
    }

    /// Changes some fields of an object.
    pub fn patch(&self, path: &str, patch: &Value) {
        self.must("PATCH", path, patch);
    }

    /// Deletes an object at once.
    pub fn delete(&self, path: &str) {
        self.must("DELETE", &format!("{path}?gracePeriodSeconds=0"), &Value::Null);
    }

    /// What is there, if it can be had.
    pub fn text(&self, path: &str) -> Option<String> {
        self.ask("GET", path, &Value::Null).ok()
    }

    /// Asks again and again, until this is dropped; whatever the answers are.
    pub fn keep_asking(&self, list: &str, object: &Value) -> AbortOnDropHandle<()> {
        let (client, list, body) = (self.client.clone(), list.to_owned(), object.to_string());
        AbortOnDropHandle::new(self.runtime.spawn(async move {
            loop {
                let request = http::Request::post(&list).header("content-type", "application/json");
                let request = request.body(body.clone().into_bytes()).unwrap();
                let _ = client.request_text(request).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }))
    }
}
