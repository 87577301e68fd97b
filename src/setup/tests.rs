//! The generated templates, and mock stores that refuse features and access.

use super::*;
use crate::output::Tls;
use crate::output::elasticsearch::Auth;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

fn settings(server: &MockServer) -> ElasticsearchSettings {
    let _ = rustls::crypto::ring::default_provider().install_default();
    ElasticsearchSettings {
        hosts: vec![server.uri()],
        auth: Auth::Anonymous,
        tls: Tls::default(),
        compression_level: 0,
        bulk_max_size: 10,
        timeout: Duration::from_secs(20),
        backoff_init: Duration::from_secs(1),
        backoff_max: Duration::from_mins(1),
    }
}

/// A store without any templates that refuses types and keys as real ones do.
async fn store_without(lacking: &'static [&'static str]) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(404)).mount(&server).await;
    Mock::given(method("PUT"))
        .respond_with(move |request: &Request| {
            let body = String::from_utf8(request.body.clone()).unwrap();
            for lack in lacking {
                let (used, why) = if *lack == "data_stream" {
                    (r#""data_stream":{}"#.to_owned(), "[1:2] [index_template] unknown field [data_stream]".to_owned())
                } else {
                    (format!(r#""type":"{lack}""#), format!("No handler for type [{lack}] declared on field [x]"))
                };
                if body.contains(&used) {
                    let error = json!({"error": {"type": "illegal_argument_exception", "reason": "invalid", "caused_by": {"type": "mapper_parsing_exception", "reason": why}}, "status": 400});
                    return ResponseTemplate::new(400).set_body_json(error);
                }
            }
            ResponseTemplate::new(200).set_body_json(json!({"acknowledged": true}))
        })
        .mount(&server)
        .await;
    server
}

/// The last body that was sent to each path.
async fn taken(server: &MockServer) -> Vec<(String, Value)> {
    let mut bodies = std::collections::BTreeMap::new();
    for request in server.received_requests().await.unwrap() {
        if request.method.as_str() == "PUT" {
            bodies.insert(request.url.path().to_owned(), request.body_json().unwrap());
        }
    }
    bodies.into_iter().collect()
}

#[test]
fn the_committed_templates_are_the_generated_ones() {
    for template in templates() {
        let path = format!("{}/kibana/index-template/{}.json", env!("CARGO_MANIFEST_DIR"), template.file);
        let text = serde_json::to_string_pretty(&template.body).unwrap() + "\n";
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "{path} is stale: run `make update`");
    }
}

#[test]
fn every_field_is_defined_once_and_described() {
    let mut names = BTreeSet::new();
    for section in fields::sections() {
        assert!(!section.title.is_empty() && section.description.ends_with('.'), "{}", section.key);
        for field in section.fields {
            assert!(field.description.ends_with('.'), "{} needs a sentence", field.name);
            assert!(names.insert(field.name.clone()), "{} is defined twice", field.name);
        }
    }
    for name in &names {
        let above = name.match_indices('.').map(|(at, _)| &name[..at]);
        for parent in above {
            assert!(!names.contains(parent), "`{name}` lies under the field `{parent}`");
        }
    }
}

#[test]
fn every_section_is_in_a_template() {
    let findings = &templates()[0].body["template"]["mappings"]["properties"];
    assert_eq!(findings["rule"]["properties"]["benchmark"]["properties"]["rule_number"]["type"], "keyword");
    assert_eq!(findings["resource"]["properties"]["raw"], json!({"type": "object", "enabled": false}));
    let coverage = &templates()[2].body["template"]["mappings"]["properties"];
    assert_eq!(coverage["posturebeat"]["properties"]["coverage"]["properties"]["failed"]["type"], "long");
    let text = templates().iter().map(|template| template.body.to_string()).collect::<String>();
    for section in fields::sections() {
        let last = section.fields[0].name.rsplit('.').next().unwrap().to_owned();
        assert!(text.contains(&format!("\"{last}\":")), "{}", section.key);
    }
}

#[tokio::test]
async fn a_store_that_knows_everything_gets_the_full_templates() {
    let server = store_without(&[]).await;
    let report = index_management(&settings(&server)).await.unwrap();
    assert_eq!(report.installed.len(), 3);
    assert_eq!(report.adaptations, None);
    let mut full: Vec<_> =
        templates().into_iter().map(|full| (format!("/_index_template/{}", full.name), full.body)).collect();
    full.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(taken(&server).await, full);
}

#[tokio::test]
async fn a_store_that_lacks_things_gets_the_nearest_and_it_is_told_in_one_line() {
    let lacking =
        &["data_stream", "flattened", "flat_object", "match_only_text", "constant_keyword", "wildcard"];
    let server = store_without(lacking).await;
    let report = index_management(&settings(&server)).await.unwrap();
    assert_eq!(report.installed.len(), 3, "{report:?}");
    let line = report.adaptations.clone().unwrap();
    assert!(line.contains("data streams") && line.contains("`text`") && !line.contains('\n'), "{line}");
    assert_eq!(report.lines().len(), 4);
    for (path, body) in taken(&server).await {
        assert!(body.get("data_stream").is_none(), "{path}");
        let properties = &body["template"]["mappings"]["properties"];
        assert_eq!(properties["message"]["type"], "text", "{path}");
        assert_eq!(properties["data_stream"]["properties"]["namespace"]["type"], "keyword", "{path}");
        if path.ends_with("findings") {
            let params = &properties["posturebeat"]["properties"]["params"];
            assert_eq!(*params, json!({"type": "object", "enabled": false}));
        }
    }
}

#[tokio::test]
async fn a_store_without_flattened_may_have_flat_object() {
    let server = store_without(&["flattened"]).await;
    let report = ensure(&settings(&server)).await.unwrap();
    assert_eq!(report.adaptations.unwrap(), "the store lacks `flattened` (`flat_object` instead)");
}

#[tokio::test]
async fn a_refusal_that_teaches_nothing_is_an_error_with_its_reason() {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(404)).mount(&server).await;
    let why = json!({"error": {"type": "illegal_argument_exception", "reason": "same priority as [other]"}});
    Mock::given(method("PUT"))
        .respond_with(ResponseTemplate::new(400).set_body_json(why))
        .mount(&server)
        .await;
    let error = index_management(&settings(&server)).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("logs-cloud_security_posture.findings") && text.contains("same priority"),
        "{text}"
    );
    assert_eq!(taken(&server).await.len(), 1);
}

#[tokio::test]
async fn fleets_own_template_is_kept_and_ours_only_renewed_by_setup() {
    let server = MockServer::start().await;
    let found = |meta: Value| {
        let body = json!({"index_templates": [{"name": "x", "index_template": {"_meta": meta}}]});
        ResponseTemplate::new(200).set_body_json(body)
    };
    let fleets =
        json!({"managed_by": "fleet", "managed": true, "package": {"name": "cloud_security_posture"}});
    Mock::given(method("GET"))
        .and(path("/_index_template/logs-cloud_security_posture.findings"))
        .respond_with(found(fleets))
        .mount(&server)
        .await;
    let ours = json!({"managed_by": "posturebeat", "version": "0.0.1"});
    Mock::given(method("GET")).respond_with(found(ours)).mount(&server).await;
    Mock::given(method("PUT")).respond_with(ResponseTemplate::new(200)).mount(&server).await;

    let report = ensure(&settings(&server)).await.unwrap();
    assert!(report.installed.is_empty());
    assert_eq!(report.kept.len(), 1);
    assert!(report.kept[0].why.contains("Fleet"));

    let report = index_management(&settings(&server)).await.unwrap();
    assert_eq!(report.installed, ["logs-posturebeat.outcomes", "logs-posturebeat.coverage"]);
    assert_eq!(report.kept.len(), 1);
}

#[tokio::test]
async fn not_being_permitted_stops_setup_but_not_the_daemon() {
    for (get, put) in [(403, 200), (404, 403)] {
        let server = MockServer::start().await;
        Mock::given(method("GET")).respond_with(ResponseTemplate::new(get)).mount(&server).await;
        Mock::given(method("PUT")).respond_with(ResponseTemplate::new(put)).mount(&server).await;
        assert!(matches!(index_management(&settings(&server)).await, Err(SetupError::Denied { .. })));
        let report = ensure(&settings(&server)).await.unwrap();
        assert_eq!(report.kept.len(), 3, "{report:?}");
        assert_eq!(report.lines().len(), 1, "reported once: {:?}", report.lines());
    }
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(401)).mount(&server).await;
    assert!(matches!(ensure(&settings(&server)).await, Err(SetupError::Denied { .. })));
}
