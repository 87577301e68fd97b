//! What no real server can be made to do on demand: overload, half an answer, a cut connection.

use super::retry::verdicts;
use super::*;
use crate::output::Tls;
use secrecy::SecretString;
use std::io::Read;
use std::time::Duration;
use wiremock::matchers::{body_string_contains, header, method, path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

fn settings(hosts: &[String]) -> ElasticsearchSettings {
    // Whoever links two TLS back ends must say which one is meant; the program does so in `main`.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ElasticsearchSettings {
        hosts: hosts.to_vec(),
        auth: Auth::ApiKey(SecretString::from("an-id:very-hidden")),
        tls: Tls::default(),
        compression_level: 0,
        bulk_max_size: 10,
        timeout: Duration::from_secs(20),
        backoff_init: Duration::from_secs(1),
        backoff_max: Duration::from_mins(1),
    }
}

fn output(hosts: &[String]) -> ElasticsearchOutput {
    ElasticsearchOutput::new(&settings(hosts)).unwrap()
}

fn event(id: &str) -> Event {
    Event::single("logs-a-b", id, &format!(r#"{{"n":"{id}"}}"#))
}

fn answer(status: u16, body: &str) -> StoreAnswer {
    StoreAnswer { host: "http://es:9200".into(), status, body: body.into() }
}

/// A host that nobody listens on.
async fn dead_host() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn bulk_answer(status: u16, body: &str) -> MockServer {
    let server = MockServer::start().await;
    let template = ResponseTemplate::new(status).set_body_raw(body.to_owned(), "application/json");
    Mock::given(path("/_bulk")).respond_with(template).mount(&server).await;
    server
}

const ALL_GOOD: &str = r#"{"errors":false,"items":[{"create":{"status":201}}]}"#;

#[test]
fn each_item_has_its_own_verdict() {
    let body = r#"{"errors":true,"items":[
        {"create":{"status":201}},
        {"create":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"exists"}}},
        {"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"queue full"}}},
        {"create":{"status":503,"error":{"type":"unavailable_shards_exception","reason":"no shard"}}},
        {"create":{"status":400,"error":{"type":"document_parsing_exception","reason":"failed to parse field [n] of type [long] in document with id '5'. Preview of field's value: 'hush: 'a''","caused_by":{"type":"illegal_argument_exception","reason":"not a number"}}}},
        {"create":{"status":201,"failure_store":"used"}}
    ]}"#;
    let verdicts = verdicts(&answer(200, body), 6).unwrap();
    assert_eq!(verdicts[..2], [Verdict::Done, Verdict::Duplicate]);
    assert_eq!(
        verdicts[2],
        Verdict::Again {
            why: "`http://es:9200` answered 429 es_rejected_execution_exception: queue full".into()
        }
    );
    assert!(matches!(&verdicts[3], Verdict::Again { why } if why.contains("503")));
    let Verdict::Refused { why } = &verdicts[4] else { panic!("{:?}", verdicts[4]) };
    assert_eq!(
        why,
        "`http://es:9200` answered 400 document_parsing_exception: failed to parse field [n] of type [long] \
         in document with id '5'. Preview of field's value: '…: not a number"
    );
    assert!(matches!(&verdicts[5], Verdict::Refused { why } if why.contains("failure store")));
}

/// As Elasticsearch 8.19 says it.
#[test]
fn what_a_reason_quotes_of_a_document_is_left_out() {
    let unreadable = r#"{"error":{"type":"document_parsing_exception","reason":"[1:57] failed to parse: [1:58] Unexpected end-of-input: expected close marker for Object (start marker at [Source: (byte[])\"{\"file\":{\"path\":\"/hush\"}\"; line: 1, column: 1])\n at [Source: (byte[])\"{\"file\":{\"path\":\"/hush\"}\"; line: 1, column: 58]"}}"#;
    let told = reason(&answer(400, unreadable));
    assert!(!told.contains("hush") && !told.contains('\n'), "{told}");
    assert!(told.contains("Unexpected end-of-input") && told.ends_with("1, column: 58]"), "{told}");
    let mistyped = r#"{"error":{"type":"document_parsing_exception","reason":"[1:58] failed to parse field [n] of type [long] in document with id '2'. Preview of field's value: 'a 'hush''","caused_by":{"type":"illegal_argument_exception","reason":"For input string: \"a \"hush\"\""}}}"#;
    assert_eq!(
        reason(&answer(400, mistyped)),
        "400 document_parsing_exception: [1:58] failed to parse field [n] of type [long] in document with id '2'. \
         Preview of field's value: '…: For input string: \"…"
    );
}

#[test]
fn what_an_answer_does_not_account_for_comes_again() {
    let short = r#"{"errors":false,"items":[{"create":{"status":201}},{"create":{}},"?"]}"#;
    let verdicts_of_short = verdicts(&answer(200, short), 4).unwrap();
    assert_eq!(verdicts_of_short[0], Verdict::Done);
    assert!(verdicts_of_short[1..].iter().all(|verdict| matches!(verdict, Verdict::Again { .. })));
    let long = r#"{"items":[{"create":{"status":201}},{"create":{"status":201}}]}"#;
    assert_eq!(verdicts(&answer(200, long), 1), Ok(vec![Verdict::Done]));
    for cut in [r#"{"errors":false,"items":[{"crea"#, "", "<html>", "[]", "{}"] {
        assert!(matches!(verdicts(&answer(200, cut), 1), Err(BatchError::Again { .. })), "{cut}");
    }
}

#[test]
fn a_refused_request_says_what_is_to_be_done_with_the_batch() {
    assert_eq!(verdicts(&answer(413, "<html>"), 1), Err(BatchError::TooLarge));
    for status in [401, 403] {
        let refusal = answer(status, r#"{"error":{"type":"security_exception","reason":"no"},"status":401}"#);
        assert_eq!(
            verdicts(&refusal, 1),
            Err(BatchError::Denied {
                why: format!("`http://es:9200` answered {status} security_exception: no")
            })
        );
    }
    for status in [301, 400, 404, 405, 408, 429, 500, 502, 503, 504] {
        assert!(
            matches!(verdicts(&answer(status, "busy\nx"), 1), Err(BatchError::Again { why }) if why.ends_with("busy x"))
        );
    }
    let page = verdicts(&answer(502, &"é".repeat(9000)), 1).unwrap_err();
    assert!(matches!(page, BatchError::Again { why } if why.chars().count() < 600));
}

#[tokio::test]
async fn a_batch_is_one_request_with_the_key_and_gzip() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/prefix/_bulk"))
        .and(query_param("filter_path", ANSWER))
        // base64 of `an-id:very-hidden`
        .and(header("authorization", "ApiKey YW4taWQ6dmVyeS1oaWRkZW4="))
        .and(header("content-encoding", "gzip"))
        .and(header("user-agent", concat!("posturebeat/", env!("CARGO_PKG_VERSION"))))
        .respond_with(|request: &Request| {
            let mut text = String::new();
            flate2::read::GzDecoder::new(request.body.as_slice()).read_to_string(&mut text).unwrap();
            assert_eq!(text, "{\"create\":{\"_index\":\"logs-a-b\",\"_id\":\"1\"}}\n{\"n\":\"1\"}\n");
            ResponseTemplate::new(200).set_body_raw(ALL_GOOD, "application/json")
        })
        .expect(1)
        .mount(&server)
        .await;
    let mut settings = settings(&[format!("{}/prefix/", server.uri())]);
    settings.compression_level = 1;
    let mut output = ElasticsearchOutput::new(&settings).unwrap();
    assert_eq!(output.publish(&[event("1")]).await, Ok(vec![Verdict::Done]));
}

#[tokio::test]
async fn without_compression_the_body_is_plain() {
    let server = MockServer::start().await;
    let good = ResponseTemplate::new(200).set_body_raw(ALL_GOOD, "application/json");
    Mock::given(body_string_contains(r#"{"n":"1"}"#)).respond_with(good).expect(1).mount(&server).await;
    assert_eq!(output(&[server.uri()]).publish(&[event("1")]).await, Ok(vec![Verdict::Done]));
    assert!(server.received_requests().await.unwrap()[0].headers.get("content-encoding").is_none());
}

#[tokio::test]
async fn a_host_that_fails_passes_the_turn_on_and_the_next_keeps_it() {
    let busy = bulk_answer(429, r#"{"error":{"type":"busy","reason":"later"},"status":429}"#).await;
    let good = bulk_answer(200, ALL_GOOD).await;
    let dead = dead_host().await;
    let mut output = output(&[dead.clone(), busy.uri(), good.uri()]);
    let Err(BatchError::Again { why }) = output.publish(&[event("1")]).await else {
        panic!("nobody is there")
    };
    assert!(why.contains(&dead) && why.contains("refused"), "{why}");
    let Err(BatchError::Again { why }) = output.publish(&[event("1")]).await else { panic!("it is busy") };
    assert_eq!(why, format!("`{}` answered 429 busy: later", busy.uri()));
    for _ in 0..2 {
        assert_eq!(output.publish(&[event("1")]).await, Ok(vec![Verdict::Done]));
    }
    assert_eq!(busy.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_connection_cut_in_mid_answer_loses_nothing() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"errors\":fal").await.unwrap();
    });
    let verdict = output(&[host]).publish(&[event("1")]).await;
    assert!(matches!(verdict, Err(BatchError::Again { .. })), "{verdict:?}");
}

#[tokio::test]
async fn wrong_credentials_are_told_from_an_absent_server() {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(401)).mount(&server).await;
    let mut denied = output(&[dead_host().await, server.uri()]);
    let error = denied.check().await.unwrap_err();
    assert!(matches!(error, OutputError::Denied { .. }), "{error}");
    let mut absent = output(&[dead_host().await]);
    assert!(absent.check().await.unwrap_err().is_temporary());
}

#[tokio::test]
async fn a_key_that_may_write_but_not_look_is_let_in() {
    let server = MockServer::start().await;
    Mock::given(path("/")).respond_with(ResponseTemplate::new(403)).mount(&server).await;
    let mut output = output(&[server.uri()]);
    assert!(matches!(output.check().await, Err(OutputError::Denied { .. })), "it cannot say who it is");
    let itself = ResponseTemplate::new(200).set_body_string("{}");
    Mock::given(path("/_security/_authenticate")).respond_with(itself).mount(&server).await;
    output.check().await.unwrap();
}

#[tokio::test]
async fn no_credentials_in_messages_or_debug() {
    let output = output(&["http://es:9200".into()]);
    assert!(!format!("{output:?}").contains("hidden"), "{output:?}");
    let error = ElasticsearchOutput::new(&settings(&["https://me:hidden@es:9200".into()])).unwrap_err();
    assert!(error.to_string().contains("hosts[0]") && !error.to_string().contains("hidden"), "{error}");
    let mut settings = settings(&["https://es:9200".into()]);
    settings.auth = Auth::ApiKey(SecretString::from("hidden"));
    let error = ElasticsearchOutput::new(&settings).unwrap_err();
    assert!(!error.to_string().contains("hidden"), "{error}");
}

#[tokio::test]
async fn an_authority_that_cannot_be_used_is_named() {
    let mut settings = settings(&["https://es:9200".into()]);
    settings.tls.certificate_authorities = vec!["/nowhere/ca.crt".into()];
    let error = ElasticsearchOutput::new(&settings).unwrap_err();
    assert!(error.to_string().contains("/nowhere/ca.crt"), "{error}");
    settings.tls.certificate_authorities = vec!["-----BEGIN CERTIFICATE-----\nno\n".into()];
    let error = ElasticsearchOutput::new(&settings).unwrap_err();
    assert!(error.to_string().contains("certificate_authorities[0]"), "{error}");
}

/// The client would follow, and a bulk request would arrive as a question.
#[tokio::test]
async fn a_redirect_is_refused_and_names_the_other_host() {
    let other = bulk_answer(200, ALL_GOOD).await;
    let server = MockServer::start().await;
    let elsewhere = format!("{}/_bulk", other.uri().replace("127.0.0.1", "localhost"));
    let template = ResponseTemplate::new(307).insert_header("location", elsewhere.as_str());
    Mock::given(path("/_bulk")).respond_with(template).mount(&server).await;
    let Err(BatchError::Again { why }) = output(&[server.uri()]).publish(&[event("1")]).await else {
        panic!("not stored where it was meant to be");
    };
    assert!(why.contains("it redirects to `localhost`: set `hosts`"), "{why}");
}

#[tokio::test]
async fn an_answer_that_announces_too_much_is_not_read() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).await;
        let answer =
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n{";
        stream.write_all(answer).await.unwrap();
        tokio::time::sleep(Duration::from_mins(1)).await;
    });
    let Err(BatchError::Again { why }) = output(&[host]).publish(&[event("1")]).await else {
        panic!("no verdict can be known");
    };
    assert!(why.contains("more than 67108864 bytes"), "{why}");
}
