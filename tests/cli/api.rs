//! Faults that a real API server cannot be made to have: each becomes an error, and the rest goes on.

use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::program::{Daemon, Program, Ran};

pub async fn server() -> MockServer {
    let server = MockServer::start().await;
    let system = json!({"kind": "Namespace", "metadata": {"name": "kube-system", "uid": "system-uid"}});
    ok(&server, "/api/v1/namespaces/kube-system", system).await;
    ok(&server, "/version", json!({"gitVersion": "v1.37.2"})).await;
    // No kind that is not built in.
    ok(&server, "/apis", json!({"kind": "APIGroupList", "groups": []})).await;
    ok(&server, "/api/v1", json!({"kind": "APIResourceList", "resources": []})).await;
    server
}

pub async fn ok(server: &MockServer, at: &str, body: Value) {
    Mock::given(method("GET"))
        .and(path(at))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .mount(server)
        .await;
}

/// Every list that a test does not care about is empty.
pub async fn empty_lists(server: &MockServer) {
    let empty = json!({"kind": "List", "metadata": {}, "items": []});
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(empty))
        .with_priority(200)
        .mount(server)
        .await;
}

pub fn pod(name: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "n", "uid": name}, "spec": {"containers": [{"name": "c"}]}})
}

/// A kubeconfig that names it.
pub fn kubeconfig(server: &MockServer) -> String {
    json!({"apiVersion": "v1", "kind": "Config", "current-context": "x",
        "clusters": [{"name": "mock", "cluster": {"server": server.uri()}}],
        "users": [{"name": "x", "user": {}}], "contexts": [{"name": "x", "context": {"cluster": "mock", "user": "x"}}]})
    .to_string()
}

async fn scan(server: &MockServer) -> (Ran, Value) {
    let program = Program::new();
    program.write("config", &kubeconfig(server));
    std::fs::create_dir(program.path("host")).unwrap();
    let mut command = program.command(&[
        "scan",
        "--format",
        "json",
        "-E",
        "posturebeat.kube_config=config",
        "-E",
        "posturebeat.host_root=host",
    ]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let ran = Ran::of(output);
    let report = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    (ran, report)
}

fn outcome(report: &Value, name: &str, number: &str) -> Value {
    let resources = report["resources"].as_array().unwrap();
    let found =
        resources.iter().find(|resource| resource["name"] == name && resource["type"] == "k8s_object");
    found.map(|resource| resource["results"][format!("cis_k8s@2.0.1/{number}")].clone()).unwrap_or_default()
}

fn messages(report: &Value) -> String {
    let resources = report["resources"].as_array().unwrap().iter();
    let details = resources.filter_map(|resource| resource["details"].as_array()).flatten();
    details.filter_map(|detail| detail["error"]["message"].as_str()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_busy_server_is_asked_again() {
    let server = server().await;
    let busy = ResponseTemplate::new(429).insert_header("Retry-After", "1");
    Mock::given(method("GET"))
        .and(path("/api/v1/pods"))
        .respond_with(busy)
        .up_to_n_times(2)
        .with_priority(1)
        .mount(&server)
        .await;
    ok(&server, "/api/v1/pods", json!({"metadata": {}, "items": [pod("a")]})).await;
    empty_lists(&server).await;
    let (ran, report) = scan(&server).await;
    assert_eq!(outcome(&report, "a", "5.2.2"), "passed", "{}", ran.err);
}

#[tokio::test]
async fn a_server_that_stays_busy_is_an_error_for_that_kind_alone() {
    let server = server().await;
    Mock::given(method("GET"))
        .and(path("/api/v1/pods"))
        .respond_with(ResponseTemplate::new(503))
        .with_priority(1)
        .mount(&server)
        .await;
    let namespace = json!({"metadata": {"name": "shop", "uid": "shop"}});
    ok(&server, "/api/v1/namespaces", json!({"metadata": {}, "items": [namespace]})).await;
    empty_lists(&server).await;
    let (_, report) = scan(&server).await;
    assert_eq!(outcome(&report, "mock", "5.2.2"), "error");
    assert_eq!(outcome(&report, "shop", "5.3.2"), "failed", "the rest of the cycle went on");
    assert!(messages(&report).contains("list pods: HTTP 503"), "{}", messages(&report));
}

#[tokio::test]
async fn a_list_that_breaks_in_its_middle_keeps_what_it_gave() {
    let server = server().await;
    Mock::given(method("GET"))
        .and(path("/api/v1/pods"))
        .and(query_param("continue", "next"))
        .respond_with(ResponseTemplate::new(403).set_body_json(json!({"message": "no more for you"})))
        .with_priority(1)
        .mount(&server)
        .await;
    ok(&server, "/api/v1/pods", json!({"metadata": {"continue": "next"}, "items": [pod("a")]})).await;
    empty_lists(&server).await;
    let (_, report) = scan(&server).await;
    assert_eq!(outcome(&report, "a", "5.2.2"), "passed");
    assert_eq!(outcome(&report, "mock", "5.2.2"), "error");
    assert!(messages(&report).contains("no more for you"), "{}", messages(&report));
}

#[tokio::test]
async fn an_expired_list_goes_on_where_the_server_says() {
    let server = server().await;
    let gone = json!({"kind": "Status", "code": 410, "metadata": {"continue": "fresh"}});
    let page = |token: &str| {
        Mock::given(method("GET")).and(path("/api/v1/pods")).and(query_param("continue", token))
    };
    page("old")
        .respond_with(ResponseTemplate::new(410).set_body_json(gone))
        .with_priority(1)
        .mount(&server)
        .await;
    let rest = json!({"metadata": {}, "items": [pod("b")]});
    page("fresh")
        .respond_with(ResponseTemplate::new(200).set_body_json(rest))
        .with_priority(1)
        .mount(&server)
        .await;
    ok(&server, "/api/v1/pods", json!({"metadata": {"continue": "old"}, "items": [pod("a")]})).await;
    empty_lists(&server).await;
    let (_, report) = scan(&server).await;
    assert_eq!(outcome(&report, "a", "5.2.2"), "passed");
    assert_eq!(outcome(&report, "b", "5.2.2"), "passed");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_a_time_out() {
    let server = server().await;
    // Longer than anybody waits for an answer.
    let slow =
        ResponseTemplate::new(200).set_body_json(json!({"items": []})).set_delay(Duration::from_mins(10));
    Mock::given(method("GET"))
        .and(path("/api/v1/pods"))
        .respond_with(slow)
        .with_priority(1)
        .mount(&server)
        .await;
    empty_lists(&server).await;
    let (_, report) = scan(&server).await;
    assert_eq!(outcome(&report, "mock", "5.2.2"), "error");
    assert!(messages(&report).contains("(timeout)"), "{}", messages(&report));
}

/// Stands before a server until somebody asks for `last`; then there is nobody. Gives where, and how often it was asked in
/// vain.
async fn vanishing(
    behind: std::net::SocketAddr,
    last: &'static str,
) -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, in_vain) = (front.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&in_vain);
    tokio::spawn(async move {
        let gone = CancellationToken::new();
        while let Ok((mut client, _)) = front.accept().await {
            if gone.is_cancelled() {
                counted.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let gone = gone.clone();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(behind).await.unwrap();
                let (mut from_client, mut to_client) = client.split();
                let (mut from_server, mut to_server) = server.split();
                let ask = async {
                    let mut part = vec![0; 64 * 1024];
                    while let Ok(read @ 1..) = from_client.read(&mut part).await {
                        if String::from_utf8_lossy(&part[..read]).contains(last) {
                            return gone.cancel();
                        }
                        to_server.write_all(&part[..read]).await.unwrap();
                    }
                };
                tokio::select! {
                    () = ask => {}
                    _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
                    () = gone.cancelled() => {}
                }
            });
        }
    });
    (address, in_vain)
}

/// Each kind would wait for it for eight seconds.
#[tokio::test]
async fn a_server_that_goes_away_in_mid_cycle_is_not_looked_for_kind_by_kind() {
    let server = server().await;
    empty_lists(&server).await;
    let (address, in_vain) = vanishing(*server.address(), "/validatingwebhookconfigurations").await;
    let program = Program::new();
    let config = kubeconfig(&server).replace(&server.address().to_string(), &address.to_string());
    program.write("config", &config);
    std::fs::create_dir(program.path("host")).unwrap();
    let mut command = program.command(&["scan", "--format", "json", "-E", "posturebeat.kube_config=config"]);
    command.args(["-E", "posturebeat.host_root=host"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let said = messages(&report);
    assert!(said.contains("list pods: ") && said.contains("list clusterroles: "), "{said}");
    let in_vain = in_vain.load(Ordering::Relaxed);
    assert!((1..20).contains(&in_vain), "{in_vain} tries for some thirty kinds");
}

#[tokio::test]
async fn an_answer_that_is_no_list_is_malformed() {
    let server = server().await;
    let html = ResponseTemplate::new(200).set_body_string("<html>a proxy's login page</html>");
    Mock::given(method("GET"))
        .and(path("/api/v1/pods"))
        .respond_with(html)
        .with_priority(1)
        .mount(&server)
        .await;
    empty_lists(&server).await;
    let (_, report) = scan(&server).await;
    assert_eq!(outcome(&report, "mock", "5.2.2"), "error");
    assert!(messages(&report).contains("the answer is not a list"), "{}", messages(&report));
}

#[tokio::test]
async fn a_page_over_the_bound_is_asked_for_in_halves() {
    let server = server().await;
    let huge = "x".repeat(17 * 1024 * 1024);
    Mock::given(method("GET"))
        .and(path("/api/v1/pods"))
        .and(query_param("limit", "100"))
        .respond_with(ResponseTemplate::new(200).set_body_string(huge))
        .with_priority(1)
        .mount(&server)
        .await;
    ok(&server, "/api/v1/pods", json!({"metadata": {}, "items": [pod("a")]})).await;
    empty_lists(&server).await;
    let (_, report) = scan(&server).await;
    assert_eq!(outcome(&report, "a", "5.2.2"), "passed");
}

#[tokio::test]
async fn a_cycle_that_outlasts_its_period_is_said_and_the_next_one_waits_for_it() {
    let server = server().await;
    let slow =
        ResponseTemplate::new(200).set_body_json(json!({"items": []})).set_delay(Duration::from_secs(2));
    Mock::given(method("GET"))
        .and(path("/api/v1/pods"))
        .respond_with(slow)
        .with_priority(1)
        .mount(&server)
        .await;
    empty_lists(&server).await;
    let program = Program::new();
    program.write("config", &kubeconfig(&server));
    std::fs::create_dir(program.path("host")).unwrap();
    program.write(
        "run.yml",
        "posturebeat: {period: 1s, kube_config: config, host_root: host}\noutput.file: {path: out, filename: f.ndjson}\n",
    );
    let log = std::fs::File::create(program.path("log")).unwrap();
    let mut command = program.command(&["run", "-c", "run.yml"]);
    command.stderr(log);
    let daemon = Daemon::start(command);
    let of_cluster = |line: &&str| line.contains("of=\"cluster\"");
    let read = || {
        let log = std::fs::read_to_string(program.path("log")).unwrap();
        log.lines().filter(of_cluster).collect::<Vec<_>>().join("\n")
    };
    for _ in 0..300 {
        if read().matches("the cycle took longer than the period").count() >= 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(daemon);
    let log = read();
    // Ends and complaints take turns: no second cycle ran beside the first.
    let told: Vec<&str> = log
        .lines()
        .filter_map(|line| {
            ["cycle complete", "took longer than the period"].into_iter().find(|words| line.contains(words))
        })
        .collect();
    assert!(told.len() >= 4, "{log}");
    for pair in told.chunks_exact(2) {
        assert_eq!(pair, ["cycle complete", "took longer than the period"], "{log}");
    }
}

/// Elsewhere every check of the nodes passed, or was left out, where no node was looked at.
#[tokio::test]
async fn trivy_operator_1306_and_kubescape_388_what_no_node_was_asked_does_not_pass() {
    let server = server().await;
    empty_lists(&server).await;
    let (ran, report) = scan(&server).await;
    let rules = report["rules"].as_array().unwrap();
    let of_nodes =
        rules.iter().filter(|rule| !rule["judges"][0].as_str().unwrap().starts_with("k8s_object/"));
    let mut processes = 0;
    for rule in of_nodes {
        assert_eq!(rule["totals"]["passed"], 0, "{rule}");
        if rule["judges"][0].as_str().unwrap().starts_with("process/") {
            assert_eq!(rule["totals"]["error"], 1, "{rule}");
            processes += 1;
        }
    }
    assert!(processes > 60, "{processes}: {}", ran.err);
}
