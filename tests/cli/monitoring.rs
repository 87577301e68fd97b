//! What a run tells of itself while it runs, asked from the outside.

use serde_json::{Value, json};
use std::time::Duration;
use wiremock::MockServer;

use crate::api::{empty_lists, kubeconfig, ok, pod, server};
use crate::program::{Daemon, Program};

/// The log, line by line.
fn log(program: &Program) -> Vec<Value> {
    let text = std::fs::read_to_string(program.path("log")).unwrap();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn line<'a>(log: &'a [Value], message: &str) -> Option<&'a Value> {
    log.iter().find(|line| line["message"].as_str().is_some_and(|said| said.starts_with(message)))
}

/// Waits until there is an answer.
async fn until<T>(program: &Program, what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    for _ in 0..300 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what}: {}", std::fs::read_to_string(program.path("log")).unwrap());
}

/// A daemon that observes an API of two pods, and no node.
async fn daemon(program: &Program, server: &MockServer) -> Daemon {
    let privileged = json!({"metadata": {"name": "b", "namespace": "n", "uid": "b"},
        "spec": {"hostPID": true, "containers": [{"name": "c"}]}});
    ok(server, "/api/v1/pods", json!({"metadata": {}, "items": [pod("a"), privileged]})).await;
    empty_lists(server).await;
    program.write("config", &kubeconfig(server));
    program.write(
        "run.yml",
        "posturebeat: {kube_config: config, host_root: nowhere, benchmarks: [cis_k8s@1.0.1, cis_k8s@2.0.1]}\n\
         output.file: {path: out, filename: f.ndjson}\nqueue.mem.flush.timeout: 1s\n\
         logging: {json: true, metrics.period: 1s}\nhttp: {enabled: true, port: 0}\n",
    );
    let log = std::fs::File::create(program.path("log")).unwrap();
    let mut command = program.command(&["run", "-c", "run.yml"]);
    command.stderr(log);
    Daemon::start(command)
}

async fn get(url: &str) -> String {
    reqwest::get(url).await.unwrap().text().await.unwrap()
}

async fn get_json(url: &str) -> Value {
    serde_json::from_str(&get(url).await).unwrap()
}

#[tokio::test]
async fn kubescape_2010_log_line_coverage_documents_and_metrics_say_the_same() {
    let (program, server) = (Program::new(), server().await);
    let mut daemon = daemon(&program, &server).await;
    let url = until(&program, "the endpoint", async || {
        line(&log(&program), "monitoring endpoint started")
            .map(|line| line["posturebeat"]["url"].as_str().unwrap().to_owned())
    })
    .await;
    let stats = until(&program, "a cycle that is delivered", async || {
        let stats = get_json(&format!("{url}/stats")).await;
        let done = ["node", "cluster"].iter().all(|of| stats["posturebeat"]["cycles"]["complete"][of] == 1)
            && stats["libbeat"]["pipeline"]["events"]["active"] == 0;
        done.then_some(stats)
    })
    .await;
    let text = get(&format!("{url}/metrics")).await;
    let told = &stats["posturebeat"]["last_cycle"];

    let written = std::fs::read_to_string(program.path("out/f.ndjson")).unwrap();
    let documents: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let coverage: Vec<&Value> = documents
        .iter()
        .map(|document| &document["posturebeat"]["coverage"])
        .filter(|it| it.is_object())
        .collect();
    assert_eq!(coverage.len(), 4, "of node and cluster, one for each benchmark");
    for part in ["node", "cluster"] {
        one_account(part, told, &text, &coverage, &log(&program));
    }
    let events = &stats["libbeat"]["output"]["events"];
    assert_eq!((&events["acked"], &events["total"]), (&json!(documents.len()), &json!(documents.len())));
    assert_eq!(stats["libbeat"]["output"]["type"], "file");
    assert!(!text.contains("hostPID") && !text.contains("1.2.1"), "bounded: no resource, no rule");

    let info = get_json(&format!("{url}/")).await;
    assert_eq!((&info["beat"], &info["version"]), (&json!("posturebeat"), &json!(env!("CARGO_PKG_VERSION"))));
    assert_eq!(documents[0]["agent"]["id"], info["uuid"]);
    assert_eq!(documents[0]["agent"]["ephemeral_id"], stats["beat"]["info"]["ephemeral_id"]);
    let state = get_json(&format!("{url}/state")).await;
    assert_eq!(state["posturebeat"]["benchmarks"], json!(["cis_k8s@1.0.1", "cis_k8s@2.0.1"]));

    until(&program, "a line of metrics", async || {
        line(&log(&program), "Non-zero metrics in the last 1s").map(|_| ())
    })
    .await;
    let pid = rustix::process::Pid::from_child(&daemon.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let ended = tokio::task::spawn_blocking(move || daemon.0.wait().unwrap()).await.unwrap();
    assert!(ended.success(), "{ended}");
    let log = log(&program);
    let total = &line(&log, "Total metrics").unwrap()["monitoring"]["metrics"];
    assert_eq!(total["libbeat"]["pipeline"]["events"]["published"], documents.len());
    assert!(reqwest::get(&url).await.unwrap_err().is_connect());
}

/// What the metrics, the log and the documents say of a cycle about `part` is the same.
fn one_account(part: &str, told: &Value, text: &str, coverage: &[&Value], log: &[Value]) {
    let coverage: Vec<&&Value> = coverage.iter().filter(|document| document["of"] == part).collect();
    assert_eq!(coverage.len(), 2, "{part}");
    let mut lines = log.iter();
    let logged = lines
        .find(|line| line["message"] == "cycle complete" && line["posturebeat"]["of"] == part)
        .unwrap()["posturebeat"]
        .clone();
    let cycle = |metric: &str| -> &Value { &told[metric][part] };
    assert_eq!(cycle("sequence"), &logged["sequence"]);
    assert_eq!(cycle("resources"), &logged["resources"]);
    for (outcome, in_log) in [
        ("passed", "passed"),
        ("failed", "failed"),
        ("needs_review", "needs_review"),
        ("error", "errors"),
        ("not_applicable", "not_applicable"),
    ] {
        let mut total = 0;
        for of in &coverage {
            let benchmark =
                format!("{}@{}", of["benchmark"].as_str().unwrap(), of["version"].as_str().unwrap());
            let count = of[outcome].as_u64().unwrap();
            assert_eq!(cycle("outcomes")[&benchmark][outcome], count, "{benchmark} {outcome}");
            let sample = format!(
                "posturebeat_last_cycle_outcomes{{of=\"{part}\",benchmark=\"{benchmark}\",outcome=\"{outcome}\"}} {count}\n"
            );
            assert!(text.contains(&sample), "{sample}{text}");
            total += count;
        }
        assert_eq!(logged[in_log], total, "{outcome}");
        // Of a node whose root is not there nothing is known.
        let seen = part == "node" || outcome == "needs_review" || total > 0;
        assert!(seen, "the test sees some {outcome}");
    }
    for of in &coverage {
        let benchmark = format!("{}@{}", of["benchmark"].as_str().unwrap(), of["version"].as_str().unwrap());
        assert_eq!(cycle("score")[&benchmark], of["score"]);
        assert_eq!(cycle("rules")[&benchmark], of["rules"]);
        let errors = cycle("errors")[&benchmark].as_object().unwrap().values();
        assert_eq!(errors.map(|count| count.as_u64().unwrap()).sum::<u64>(), of["error"].as_u64().unwrap());
        assert_eq!(cycle("resources"), &of["resources"]);
        let milliseconds = cycle("duration_seconds").as_f64().unwrap() * 1000.0;
        assert!((milliseconds - of["duration_ms"].as_f64().unwrap()).abs() <= 1.0, "{told}");
        assert_eq!(logged["milliseconds"], of["duration_ms"]);
    }
}

#[test]
fn a_taken_port_ends_the_start() {
    let program = Program::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ran = program.run(&[
        "run",
        "-E",
        "output.console.enabled=true",
        "-E",
        "http.enabled=true",
        "-E",
        &format!("http.port={port}"),
    ]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(
        ["http.port", "localhost", &port, "in use"].iter().all(|word| ran.last().contains(word)),
        "{}",
        ran.err
    );
}
