//! A run and where its documents go: by the policy's output, by a proxy, to a stream that programs read; and how the
//! kubeconfig says who asks, and which way.

use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::api;
use crate::program::{Program, Ran, root};

/// Takes every document.
struct Store;

impl Respond for Store {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let items = vec![json!({"create": {"status": 201}}); documents(request).len()];
        answer(&json!({"errors": false, "items": items}))
    }
}

fn answer(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).insert_header("x-elastic-product", "Elasticsearch").set_body_json(body)
}

/// The documents of a bulk request, each behind its action.
fn documents(request: &Request) -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(request.body.as_slice()).read_to_string(&mut text).unwrap();
    text.lines().skip(1).step_by(2).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Elasticsearch, or a proxy before it.
async fn stand_in() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path("/_bulk")).respond_with(Store).mount(&server).await;
    let root =
        json!({"version": {"number": "9.5.0"}, "tagline": "You Know, for Search", "acknowledged": true});
    Mock::given(any()).respond_with(answer(&root)).with_priority(200).mount(&server).await;
    server
}

async fn stored(server: &MockServer) -> Vec<Value> {
    let requests = server.received_requests().await.unwrap();
    requests.iter().filter(|request| request.url.path() == "/_bulk").flat_map(documents).collect()
}

/// Runs it while the servers of this test answer.
async fn run(program: &Program, args: &[&str], env: &[(&str, &str)]) -> Ran {
    let mut command = program.command(args);
    command.envs(env.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    Ran::of(output)
}

#[tokio::test]
async fn what_a_policy_s_input_finds_goes_to_its_output_by_the_proxy_of_the_environment() {
    let (program, store, proxy) = (Program::new(), stand_in().await, stand_in().await);
    let policy = format!(
        "id: shop\nrevision: 3\noutputs:\n  default: {{type: elasticsearch, hosts: ['{}'], api_key: 'shop:shop'}}\n\
         inputs:\n- {{id: posture, type: cloudbeat/cis_k8s, use_output: default, package_policy_id: shop, streams: []}}\n",
        store.uri()
    );
    program.write("policy.yml", &policy);
    let recording = root().join("examples/kubeadm-v1.37.ndjson.gz");
    program.write("own.yml", &format!("posturebeat.snapshots: ['{}']\n", recording.display()));
    let args = ["run", "-c", "policy.yml", "-c", "own.yml"];

    let direct = run(&program, &args, &[]).await;
    assert_eq!(direct.code, Some(0), "{}", direct.err);
    let found = stored(&store).await;
    assert!(found.len() > 700, "{}", found.len());
    let of_policy = |it: &Value| it["cloud_security_posture"]["package_policy"]["id"] == "shop";
    assert!(found.iter().all(of_policy));
    let requests = store.received_requests().await.unwrap();
    // `shop:shop`, in base64.
    assert!(requests.iter().all(|request| request.headers["authorization"] == "ApiKey c2hvcDpzaG9w"));
    assert!(stored(&proxy).await.is_empty());

    let way = proxy.uri();
    let by_proxy = run(&program, &args, &[("HTTP_PROXY", way.as_str())]).await;
    assert_eq!(by_proxy.code, Some(0), "{}", by_proxy.err);
    assert_eq!(stored(&proxy).await.len(), found.len());
    assert_eq!(stored(&store).await.len(), found.len(), "nothing goes past the proxy");
}

#[test]
fn a_configuration_that_cannot_run_is_not_called_good() {
    let program = Program::new();
    for text in [
        "# nothing\n---\n",
        "output:\n",
        "output.elasticsearch: {enabled: false, hosts: [es]}\nposturebeat.period: 4h\n",
    ] {
        program.write("posturebeat.yml", text);
        let ran = program.run(&["test", "config"]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{text}");
        assert!(ran.last().starts_with("Exiting: no output is configured"), "{text}: {}", ran.err);
    }
}

#[test]
fn a_stream_that_programs_read_holds_documents_alone() {
    let program = Program::new();
    for (name, text) in [
        ("host/proc/1/comm", "init\n"),
        ("host/etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
        ("host/etc/group", "root:x:0:\n"),
        ("host/etc/kubernetes/admin.conf", ""),
    ] {
        program.write(name, text);
    }
    let host = ["-E", "posturebeat.host_root=host", "-E", "posturebeat.collect.cluster=false"];
    let ran = program.run(&[&["collect", "--to", "node.ndjson.gz"], &host[..]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);

    // Two recordings, each with a report for people.
    let recordings = "posturebeat.snapshots: [node.ndjson.gz, node.ndjson.gz]\n";
    program.write("run.yml", &format!("{recordings}output.console.pretty: true\n"));
    let ran = program.run(&["run", "-c", "run.yml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let printed: Vec<Value> =
        serde_json::Deserializer::from_str(&ran.out).into_iter::<Value>().collect::<Result<_, _>>().unwrap();
    assert!(printed.iter().all(|document| document["@timestamp"].is_string()));
    let accounts = printed.iter().filter(|it| it["data_stream"]["dataset"] == "posturebeat.coverage");
    assert_eq!((accounts.count(), ran.err.matches("Score ").count()), (2, 2), "{}", ran.err);

    // Where documents go to a file, the other stream is free for people.
    program.write("run.yml", &format!("{recordings}output.file.path: out\n"));
    let ran = program.run(&["run", "-c", "run.yml"]);
    assert_eq!((ran.code, ran.out.matches("Score ").count()), (Some(0), 2), "{}", ran.err);
    let written = std::fs::read_to_string(program.path("out/posturebeat.ndjson")).unwrap();
    assert_eq!(written.lines().count(), printed.len());

    // A scan that warns.
    let ran = program.run(&["scan", "--format", "ndjson", "-E", "posturebeat.host_root=host"]);
    assert!(ran.err.contains(" WARN "), "{}", ran.err);
    assert!(ran.out.lines().count() > 1);
    assert!(ran.out.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{}", ran.out);
}

#[tokio::test]
async fn a_kubeconfig_says_as_whom_and_which_way_the_cluster_is_asked() {
    let (program, server) = (Program::new(), api::server().await);
    api::empty_lists(&server).await;
    std::fs::create_dir(program.path("host")).unwrap();
    let mut config: Value = serde_json::from_str(&api::kubeconfig(&server)).unwrap();
    config["users"][0]["user"] = json!({"token": "t", "as": "auditor", "as-groups": ["reviewers"]});
    program.write("config", &config.to_string());
    let args = ["scan", "-E", "posturebeat.kube_config=config", "-E", "posturebeat.host_root=host"];
    let ran = run(&program, &args, &[]).await;
    let asked = server.received_requests().await.unwrap();
    assert!(asked.len() > 10, "{}", ran.err);
    for request in &asked {
        let says = |header: &str| request.headers.get(header).and_then(|value| value.to_str().ok());
        let who = (says("impersonate-user"), says("impersonate-group"));
        assert_eq!(who, (Some("auditor"), Some("reviewers")), "{}", request.url);
    }

    // A proxy that cannot be used is never passed by.
    config["clusters"][0]["cluster"]["proxy-url"] = "http://127.0.0.1:9".into();
    program.write("config", &config.to_string());
    let ran = run(&program, &args, &[]).await;
    assert_eq!(server.received_requests().await.unwrap().len(), asked.len());
    assert!(ran.err.contains("http://127.0.0.1:9"), "{}", ran.err);
}
