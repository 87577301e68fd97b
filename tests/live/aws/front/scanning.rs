//! Whether a repository scans what is pushed, where the registry's rules say nothing of it: the emulator forgets that.

use bytes::Bytes;
use http::{HeaderValue, Request};
use serde_json::Value;
use std::collections::BTreeMap;

use super::Answer;
use super::extras::changed;
use super::forward::Emulator;

/// What is asked.
pub const ACTION: &str = "ecr:BatchGetRepositoryScanningConfiguration";
/// What tells it.
const TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories";

/// The emulator's answer with what it says of the same repositories elsewhere.
pub async fn complete(emulator: &Emulator, request: &Request<Bytes>, answer: Answer) -> Answer {
    let mut described = request.clone();
    described.headers_mut().insert("x-amz-target", HeaderValue::from_static(TARGET));
    let described = emulator.ask(&described).await;
    if !(answer.status().is_success() && described.status().is_success()) {
        return answer;
    }
    let described: Value = serde_json::from_slice(described.body()).unwrap();
    let own: BTreeMap<_, _> = described["repositories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|repository| {
            (&repository["repositoryName"], &repository["imageScanningConfiguration"]["scanOnPush"])
        })
        .map(|(name, scans)| (name.as_str(), scans.as_bool() == Some(true)))
        .collect();
    changed(answer, |document| {
        for found in document["scanningConfigurations"].as_array_mut().unwrap() {
            if found["scanFrequency"] != "MANUAL" {
                found["scanOnPush"] = true.into();
            } else if own.get(&found["repositoryName"].as_str()) == Some(&true) {
                found["scanOnPush"] = true.into();
                found["scanFrequency"] = "SCAN_ON_PUSH".into();
            }
        }
    })
}
