//! Requests to the emulator for services whose clients the project does not have.

use serde_json::Value;

pub struct Plain {
    url: String,
    http: reqwest::Client,
}

impl Plain {
    pub fn at(emulator: &str) -> Self {
        Self { url: emulator.to_owned(), http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// Empties the emulator.
    pub async fn reset(&self) {
        let request = self.http.post(format!("{}/moto-api/reset", self.url));
        request.send().await.unwrap().error_for_status().unwrap();
    }

    /// An operation of a JSON service.
    pub async fn json(&self, service: &str, region: &str, target: &str, body: &Value) -> Value {
        let request = self.http.post(&self.url).header("x-amz-target", target).body(body.to_string());
        serde_json::from_str(&Self::send(request, "application/x-amz-json-1.1", service, region).await)
            .unwrap()
    }

    /// An operation of a service that takes forms; its answer is XML.
    pub async fn form(&self, service: &str, region: &str, body: &'static str) -> String {
        let request = self.http.post(&self.url).body(body);
        Self::send(request, "application/x-www-form-urlencoded", service, region).await
    }

    /// With as much of a signature as the emulator reads.
    async fn send(request: reqwest::RequestBuilder, kind: &str, service: &str, region: &str) -> String {
        let scope = format!("{}/20260101/{region}/{service}/aws4_request", super::KEY_ID);
        let signature =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0000000000000000");
        let request = request.header("authorization", signature).header("content-type", kind);
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        answer.text().await.unwrap()
    }
}

/// The text of every element of this name.
pub fn texts<'a>(xml: &'a str, element: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    xml.split(open.as_str()).skip(1).filter_map(|rest| Some(rest.split_once(close.as_str())?.0)).collect()
}
