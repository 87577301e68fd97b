//! Two cycles into each real store, read back and counted.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

use crate::bed::{Bed, Store};

const FINDINGS: &str = "logs-cloud_security_posture.findings";
const OUTCOMES: &str = "logs-posturebeat.outcomes";
const COVERAGE: &str = "logs-posturebeat.coverage";

/// Runs two cycles; returns findings, outcomes and coverage as they were read back.
fn two_cycles(bed: &Bed, store: Store, namespace: &str) -> [Vec<Value>; 3] {
    let config =
        bed.config(store, namespace, "  period: 3s\n  watch: false\n  benchmarks: [cis_k8s@1.0.1]\n");
    let mut running = bed.start(&["run", "-c", config.to_str().unwrap()]);
    let coverage = format!("{COVERAGE}-{namespace}");
    bed.until("two cycles to be accounted for", || {
        assert!(running.child.try_wait().unwrap().is_none(), "it ended: {}", running.log());
        let accounts = bed.documents(store, &coverage);
        let of = |part: &str| {
            accounts.iter().filter(|hit| hit["_source"]["posturebeat"]["coverage"]["of"] == part).count()
        };
        (of("node") >= 2 && of("cluster") >= 2).then_some(())
    });
    let (code, took) = running.stop();
    assert_eq!(code, Some(0), "{}", running.log());
    assert!(took.as_secs() < 20, "it took {took:?} to end");
    let all = |stream: &str| {
        let documents = bed.documents(store, &format!("{stream}-{namespace}"));
        documents
            .into_iter()
            .map(|hit| {
                assert_eq!(hit["_id"], hit["_source"]["event"]["id"], "the _id is the event's own");
                hit["_source"].clone()
            })
            .collect::<Vec<_>>()
    };
    [all(FINDINGS), all(OUTCOMES), all(COVERAGE)]
}

/// What arrived is what each cycle's account says was sent.
fn accounts_match(findings: &[Value], outcomes: &[Value], coverage: &[Value]) {
    // Node and cluster count their cycles apart, so both may have one of a number.
    let count = |documents: &[Value], account: &Value, evaluation: &str| {
        let of_node = |document: &Value| {
            let (resource, id) = (&document["resource"], &account["posturebeat"]["coverage"]["of"]);
            (resource["type"] != "k8s_object" || resource["sub_type"] == "Node") == (id == "node")
        };
        let same = |document: &&Value| {
            document["event"]["sequence"] == account["event"]["sequence"]
                && document["result"]["evaluation"] == evaluation
                && of_node(document)
        };
        documents.iter().filter(same).count() as u64
    };
    let mut sequences = BTreeSet::new();
    for account in coverage {
        sequences.insert(account["event"]["sequence"].as_i64().unwrap());
        let totals = &account["posturebeat"]["coverage"];
        for evaluation in ["passed", "failed"] {
            assert_eq!(
                count(findings, account, evaluation),
                totals[evaluation].as_u64().unwrap(),
                "{evaluation}"
            );
        }
        for evaluation in ["needs_review", "error"] {
            assert_eq!(
                count(outcomes, account, evaluation),
                totals[evaluation].as_u64().unwrap(),
                "{evaluation}"
            );
        }
        assert!(totals["passed"].as_u64().unwrap() > 50, "{totals}");
    }
    assert!(sequences.len() >= 2, "each cycle has a sequence of its own: {sequences:?}");
}

/// One finding of each kind, field by field as Elastic's integration writes them.
fn fields_are_there(findings: &[Value]) {
    let mut by_type: BTreeMap<&str, &Value> = BTreeMap::new();
    for finding in findings {
        by_type.entry(finding["resource"]["type"].as_str().unwrap()).or_insert(finding);
    }
    assert_eq!(by_type.keys().copied().collect::<Vec<_>>(), ["file", "k8s_object", "process"]);
    let common = [
        "/@timestamp",
        "/message",
        "/event/category",
        "/event/kind",
        "/event/type",
        "/event/outcome",
        "/event/id",
        "/event/sequence",
        "/event/created",
        "/event/dataset",
        "/resource/id",
        "/resource/type",
        "/resource/sub_type",
        "/resource/name",
        "/resource/raw",
        "/result/evaluation",
        "/result/evidence",
        "/rule/id",
        "/rule/uuid",
        "/rule/name",
        "/rule/profile_applicability",
        "/rule/description",
        "/rule/rationale",
        "/rule/audit",
        "/rule/remediation",
        "/rule/impact",
        "/rule/default_value",
        "/rule/references",
        "/rule/reference",
        "/rule/section",
        "/rule/version",
        "/rule/tags",
        "/rule/benchmark/id",
        "/rule/benchmark/name",
        "/rule/benchmark/version",
        "/rule/benchmark/rule_number",
        "/rule/benchmark/posture_type",
        "/related",
        "/cluster_id",
        "/orchestrator/cluster/id",
        "/orchestrator/cluster/name",
        "/orchestrator/cluster/version",
        "/orchestrator/type",
        "/cloudbeat/version",
        "/cloud_security_posture/package_policy/id",
        "/cloud_security_posture/package_policy/revision",
        "/data_stream/type",
        "/data_stream/dataset",
        "/data_stream/namespace",
        "/agent/type",
        "/agent/name",
        "/agent/id",
        "/agent/ephemeral_id",
        "/agent/version",
        "/ecs/version",
        "/host/name",
        "/host/hostname",
        "/host/id",
        "/host/architecture",
        "/host/os/platform",
    ];
    let file = [
        "name",
        "mode",
        "gid",
        "uid",
        "owner",
        "group",
        "path",
        "inode",
        "extension",
        "directory",
        "size",
        "type",
        "accessed",
        "mtime",
        "ctime",
    ];
    let process = ["pid", "pgid", "name", "title", "command_line", "args", "args_count", "start", "uptime"];
    for (kind, finding) in &by_type {
        for pointer in common {
            assert!(finding.pointer(pointer).is_some(), "{kind}: no {pointer}: {finding:#}");
        }
        assert!(finding["result"].as_object().unwrap().contains_key("expected"));
        assert_eq!(finding["event"]["dataset"], "cloud_security_posture.findings");
        assert_eq!(finding["rule"]["benchmark"]["version"], "v1.0.1");
        assert!(finding["rule"]["benchmark"]["rule_number"].is_string());
        assert_eq!(finding["orchestrator"]["cluster"]["version"], "v1.37.2");
    }
    for field in file {
        assert!(!by_type["file"]["file"][field].is_null(), "file.{field}: {:#}", by_type["file"]["file"]);
    }
    for field in process {
        let process = &by_type["process"]["process"];
        assert!(!process[field].is_null(), "process.{field}: {process:#}");
    }
    let resource = &by_type["k8s_object"]["orchestrator"]["resource"];
    assert_eq!(resource["id"], by_type["k8s_object"]["resource"]["raw"]["metadata"]["uid"]);
    let raw = &by_type["process"]["resource"]["raw"];
    for key in ["pid", "command", "stat", "external_data"] {
        assert!(!raw[key].is_null(), "resource.raw.{key}: {raw:#}");
    }
}

#[test]
fn two_cycles_reach_elasticsearch() {
    let bed = Bed::take();
    let [findings, outcomes, coverage] = two_cycles(&bed, Store::Elasticsearch, &Bed::namespace("two"));
    accounts_match(&findings, &outcomes, &coverage);
    fields_are_there(&findings);
    let uid = bed.kubectl(&["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"]);
    assert!(findings.iter().all(|finding| finding["cluster_id"] == uid.as_str()));
}

#[test]
fn two_cycles_reach_a_data_stream_of_opensearch() {
    let bed = Bed::take();
    let namespace = Bed::namespace("two");
    let [findings, outcomes, coverage] = two_cycles(&bed, Store::OpenSearch, &namespace);
    accounts_match(&findings, &outcomes, &coverage);
    fields_are_there(&findings);
    let (status, answer) =
        bed.request(Store::OpenSearch, "GET", &format!("/_data_stream/{FINDINGS}-{namespace}"), None);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["data_streams"][0]["name"], format!("{FINDINGS}-{namespace}"));
}

#[test]
fn set_up_installs_what_each_store_takes() {
    let bed = Bed::take();
    for (store, name) in [(Store::Elasticsearch, "es"), (Store::OpenSearch, "os")] {
        let config = bed.config(store, name, "");
        let output = bed.output(&["setup", "--index-management", "-c", config.to_str().unwrap()]);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(told.ends_with("Index setup finished.\n"), "{told}");
        let (status, answer) =
            bed.request(store, "GET", "/_index_template/logs-cloud_security_posture.findings", None);
        assert_eq!(status, 200, "{answer}");
        let template = &answer["index_templates"][0]["index_template"];
        assert_eq!(template["index_patterns"], json!(["logs-cloud_security_posture.findings-*"]));
        let mappings = &template["template"]["mappings"];
        assert!(["false", "\"false\""].contains(&mappings["dynamic"].to_string().as_str()), "{mappings}");
        let evaluation = &mappings["properties"]["result"]["properties"]["evaluation"]["type"];
        assert_eq!(evaluation, "keyword");
        assert!(!template["data_stream"].is_null(), "{template}");
        // What the store lacks is told in one line.
        assert!(told.lines().count() <= 6, "{told}");
    }
}
