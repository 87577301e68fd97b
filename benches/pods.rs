//! CPU time per pod, in microseconds: to parse, redact, evaluate (every 5.2 control) and build documents, and for the
//! whole path to an output that discards them, with section 5.2 and with all of section 5. All threads count, so this
//! is what one core needs for a pod. Peak memory is printed too.
//!
//! `make bench`

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results, and panics on errors"
)]

use async_trait::async_trait;
use jiff::Timestamp;
use posturebeat::collect::join::Index;
use posturebeat::config::settings::Queue;
use posturebeat::evaluate::Judge;
use posturebeat::event::Event;
use posturebeat::exception::{Exceptions, Marks};
use posturebeat::finding::{Agent, Context, FindingWriter};
use posturebeat::output::{BatchError, Delivery, Output, OutputError, Verdict};
use posturebeat::pipeline::Pipeline;
use posturebeat::redact;
use posturebeat::resource::{Identity, Kind, Resource};
use posturebeat::rule::{Catalogue, Rule, built_in};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

/// As many pods as a large cluster has. More take longer, but no more memory. `cargo bench -- 500` takes fewer.
const PODS: usize = 10_000;
/// How often each step is measured for all pods. The steps take turns and the median counts, because the speed of a
/// shared machine drifts.
const ROUNDS: usize = 7;
/// How many different pods there are. They are used in turn, so that their own memory does not count.
const DISTINCT: usize = 100;

/// An output that serializes every document, as each output must, and discards it.
struct Null;

#[async_trait]
impl Output for Null {
    async fn publish(&mut self, batch: &[Event]) -> Result<Vec<Verdict>, BatchError> {
        let mut body = Vec::with_capacity(1 << 20);
        for event in batch {
            body.clear();
            event.write_document(&mut body).unwrap();
            black_box(&body);
        }
        Ok(vec![Verdict::Done; batch.len()])
    }

    async fn check(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
}

/// A pod as an API server returns it: about 2.5 KB of JSON.
fn pod(index: usize) -> String {
    let container = |name: &str| {
        json!({"name": name, "image": format!("registry.example.com/team/{name}:1.{index}"), "imagePullPolicy": "IfNotPresent",
            "env": [{"name": "MODE", "value": "production"}, {"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}}],
            "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
            "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": index.is_multiple_of(2)},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "volumeMounts": [{"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": "kube-api-access", "readOnly": true}]})
    };
    json!({"metadata": {"name": format!("web-{index}"), "generateName": "web-", "namespace": "shop", "uid": format!("00000000-0000-4000-8000-{index:012}"),
            "creationTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": "123456", "labels": {"app": "web", "pod-template-hash": "5d4f8c7b9"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d4f8c7b9", "uid": "11111111-1111-4111-8111-111111111111", "controller": true}]},
        "spec": {"containers": [container("web"), container("sidecar")], "dnsPolicy": "ClusterFirst", "enableServiceLinks": true, "nodeName": "node-1",
            "restartPolicy": "Always", "schedulerName": "default-scheduler", "securityContext": {}, "serviceAccountName": "web", "terminationGracePeriodSeconds": 30,
            "tolerations": [{"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 300}],
            "volumes": [{"name": "kube-api-access", "projected": {"defaultMode": 420, "sources": [{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}]}}]},
        "status": {"phase": "Running", "hostIP": "10.0.0.1", "podIP": "10.1.0.1", "qosClass": "Burstable",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:10Z"}, {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}})
    .to_string()
}

fn resource(mut raw: Value) -> Resource {
    redact::kubernetes_object(&mut raw);
    let text = |key: &str| raw.pointer(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (id, name) = (text("/metadata/uid"), text("/metadata/name"));
    Resource::observed(Kind::K8sObject, "Pod".into(), id, name, raw)
}

fn context() -> Context {
    let agent = Agent {
        kind: "posturebeat".into(),
        name: "bench".into(),
        id: "11111111-1111-4111-8111-111111111111".into(),
        ephemeral_id: "22222222-2222-4222-8222-222222222222".into(),
    };
    Context {
        of: "all",
        identity: Identity::default(),
        agent,
        host: Map::new(),
        package_policy: (String::new(), 0),
        namespace: "default".into(),
        shared_cloud_id: false,
        sequence: 1,
    }
}

/// CPU time of all threads.
fn cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.cast_unsigned(), now.tv_nsec.try_into().unwrap())
}

/// Peak memory of this process, in MB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kilobytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes / 1024.0
}

/// CPU time per pod, in microseconds.
fn measure(pods: usize, work: impl FnOnce()) -> f64 {
    let before = cpu();
    work();
    cpu().saturating_sub(before).as_secs_f64() * 1e6 / pods as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The rules of the newest `cis_k8s` in a section, such as `5.2`, or `5` for all of its sections.
fn rules_of(section: &str) -> Vec<Rule> {
    let catalogue = Catalogue::load(&built_in()).unwrap();
    let rules = catalogue.rules(&["cis_k8s".into()], &BTreeMap::new()).unwrap();
    let within = |rule: &Rule| rule.row.number.starts_with(&format!("{section}."));
    rules.into_iter().filter(within).collect()
}

async fn whole_path(judge: &Judge, rules: &[Rule], texts: &[String], pods: usize) {
    let writer = FindingWriter::new(rules, &Exceptions::default(), context());
    let mut index = Index::new(Timestamp::now());
    let mut account = resource(json!({"metadata": {"name": "web", "namespace": "shop"}}));
    account.sub_type = "ServiceAccount".into();
    index.note(&account);
    let queue = Queue { events: 3200, flush_timeout: Duration::from_secs(10) };
    let delivery = Delivery {
        batch_events: 1600,
        backoff_init: Duration::from_secs(1),
        backoff_max: Duration::from_mins(1),
        ..Delivery::default()
    };
    let (producer, pipeline) = Pipeline::start(Box::new(Null), &queue, delivery);
    let none = Marks::default();
    let mut pending = Vec::new();
    for number in 0..pods {
        let raw = serde_json::from_str(&texts[number % DISTINCT]).unwrap();
        let mut resource = resource(raw);
        index.note(&resource);
        index.relate(&mut resource);
        let now = Timestamp::now();
        let subject = writer.subject(&resource, now);
        let judgements = judge.judge(resource);
        pending.extend(writer.findings(
            subject,
            judgements.iter().map(|(rules, judgement)| (*rules, judgement)),
            &none,
        ));
        // As many events at once as a cycle sends.
        if pending.len() >= 512 {
            producer.send_all(std::mem::take(&mut pending)).await.unwrap();
        }
    }
    producer.send_all(pending).await.unwrap();
    producer.flush().await.unwrap();
    let counts = pipeline.stats().counts();
    assert_eq!(counts.sent, counts.delivered);
    pipeline.shutdown(Duration::from_secs(5)).await;
}

fn main() {
    let (rules, section) = (rules_of("5.2"), rules_of("5"));
    let (judge, section_judge) = (Judge::new(&rules), Judge::new(&section));
    let writer = FindingWriter::new(&rules, &Exceptions::default(), context());
    let texts: Vec<String> = (0..DISTINCT).map(pod).collect();
    let bytes: usize = texts.iter().map(String::len).sum::<usize>() / DISTINCT;

    let resources: Vec<Resource> =
        texts.iter().map(|text| resource(serde_json::from_str(text).unwrap())).collect();
    let judged: Vec<_> = resources.iter().map(|resource| judge.judge(resource.clone())).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let none = Marks::default();
    let number = std::env::args().find_map(|argument| argument.parse().ok());
    let pods: usize = number.unwrap_or(PODS);
    let mut rounds: [Vec<f64>; 6] = Default::default();
    for _ in 0..ROUNDS {
        let parse = measure(pods, || {
            for number in 0..pods {
                black_box(serde_json::from_str::<Value>(&texts[number % DISTINCT]).unwrap());
            }
        });
        let collected = measure(pods, || {
            for number in 0..pods {
                black_box(resource(serde_json::from_str(&texts[number % DISTINCT]).unwrap()));
            }
        });
        let clone = measure(pods, || {
            for number in 0..pods {
                black_box(resources[number % DISTINCT].clone());
            }
        });
        let evaluate = measure(pods, || {
            for number in 0..pods {
                black_box(judge.judge(resources[number % DISTINCT].clone()));
            }
        });
        let documents = measure(pods, || {
            for number in 0..pods {
                let now = Timestamp::now();
                let subject = writer.subject(&resources[number % DISTINCT], now);
                let judgements =
                    judged[number % DISTINCT].iter().map(|(rules, judgement)| (*rules, judgement));
                black_box(writer.findings(subject, judgements, &none));
            }
        });
        let whole = measure(pods, || runtime.block_on(whole_path(&judge, &rules, &texts, pods)));
        let all = measure(pods, || runtime.block_on(whole_path(&section_judge, &section, &texts, pods)));
        for (values, value) in
            rounds.iter_mut().zip([parse, collected - parse, evaluate - clone, documents, whole, all])
        {
            values.push(value);
        }
    }
    let [parse, redact, evaluate, documents, whole, all] = rounds.map(median);

    println!("{pods} pods of {bytes} bytes, {} rules; median CPU time per pod, all threads", rules.len());
    println!("parse      {parse:7.1} µs   1.0");
    println!("redact     {redact:7.1} µs   {:.1}", redact / parse);
    println!("evaluate   {evaluate:7.1} µs   {:.1}", evaluate / parse);
    println!("documents  {documents:7.1} µs   {:.1}", documents / parse);
    println!("whole path {whole:7.1} µs   {:.1}   (target: 4.5)", whole / parse);
    println!("section 5  {all:7.1} µs   {:.1}   (target: 100 µs; {} rules)", all / parse, section.len());
    println!("peak memory {:.1} MB (target: 40)", peak());
}
