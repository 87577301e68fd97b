//! Documents, as a whole.

use serde_json::{Map, Value, json};

use super::*;
use crate::evaluate::{Judge, Judgement, Outcome};
use crate::exception::{Exceptions, RuleName};
use crate::resource::{Cluster, Gap, IdentitySource, Kind, Node, Owner, Reason, Resource, Selector};
use crate::rule::{Catalogue, Rule, RuleFile};

const CONTROLS: [(&str, &str); 3] = [
    (
        "controls/x/file-mode.yml",
        "id: file-mode\ntitle: A file's mode is \"tight\"\nresource: file/pki-key\nseverity: critical\nparams: {max_mode: '600'}\ncheck: {path: $.mode, no_more_than: {param: max_mode}, absent: error}\nexpected: {filemode: {param: max_mode}}\nevidence: {filemode: $.mode}\nwhy: Keys open doors.\nremediation: chmod it.\ndefault_value: '600'\nreferences: [https://kubernetes.io/a, https://kubernetes.io/b]\n",
    ),
    (
        "controls/x/process-flag.yml",
        "id: process-flag\ntitle: A flag is off\nresource: process/kubelet\nseverity: low\ncheck: {setting: {flag: a, type: bool, default: false}, equals: false}\nwhy: W.\nremediation: R.\n",
    ),
    (
        "controls/x/pod-pid.yml",
        "id: pod-pid\ntitle: No pod shares the host's processes\nresource: k8s_object/Pod\nseverity: high\ncheck: {path: $.spec.hostPID, none_of: [true], absent: pass}\nwhy: W.\nremediation: R.\n",
    ),
];

const TABLE: &str = "benchmark: cis_k8s\nversion: 1.0.1\nname: CIS Kubernetes V1.23\nposture_type: kspm\ntags: [CIS, Kubernetes, 'CIS {number}', '{section}']\nkubernetes: '1.22'\nrecommendations: 3\nsections: {'1.1': Files, '4.2': Kubelet, '5.2': Pods}\nrules:\n  - {number: '1.1.21', control: file-mode, level: 1, profile: Master Node, assessment: manual, id: 1e180f0d-3419-5681-838b-9247927eb0f6}\n  - {number: '4.2.1', control: process-flag, level: 1, assessment: automated}\n  - {number: '5.2.3', control: pod-pid, level: 2, assessment: manual}\n";

fn rules() -> Vec<Rule> {
    let mut files: Vec<RuleFile> =
        CONTROLS.iter().map(|(name, text)| RuleFile { name: (*name).into(), text: (*text).into() }).collect();
    files.push(RuleFile { name: "benchmarks/cis_k8s/1.0.1.yml".into(), text: TABLE.into() });
    let catalogue = Catalogue::load(&files).unwrap();
    catalogue.rules(&["cis_k8s".to_owned()], &std::collections::BTreeMap::new()).unwrap()
}

fn context() -> Context {
    Context {
        identity: Identity {
            cluster: Cluster {
                id: "cluster_id".into(),
                name: Some("kubernetes".into()),
                version: Some("v1.37.2".into()),
                platform: None,
                source: IdentitySource::Api,
                cloud: None,
            },
            node: Node { id: "node_id".into(), name: "cp-1".into(), kubelet_version: None },
        },
        agent: Agent {
            kind: "posturebeat".into(),
            name: "cp-1".into(),
            id: "11111111-1111-4111-8111-111111111111".into(),
            ephemeral_id: "22222222-2222-4222-8222-222222222222".into(),
        },
        host: Map::from_iter([("name".to_owned(), json!("cp-1"))]),
        package_policy: (String::new(), 0),
        namespace: "default".into(),
        shared_cloud_id: false,
        of: "all",
        sequence: 1_755_760_203,
    }
}

/// The documents of one resource under every rule that is meant for it.
fn documents(resource: Resource) -> Vec<(String, Value)> {
    excepted(resource, vec![])
}

/// The same with exceptions.
fn excepted(resource: Resource, exceptions: Vec<Exception>) -> Vec<(String, Value)> {
    let rules = rules();
    let exceptions = Exceptions::new(exceptions, &rules);
    let writer = FindingWriter::new(&rules, &exceptions, context());
    let judge = Judge::new(&rules);
    let now: Timestamp = "2026-08-21T07:10:03.123456789Z".parse().unwrap();
    let subject = writer.subject(&resource, now);
    let mut cycle = exceptions.cycle(now, &context().identity.cluster);
    let about = cycle.about(&resource);
    let judgements = judge.judge(resource);
    let marks = cycle.marks(&about, &judgements);
    let judgements = judgements.iter().map(|(rules, judgement)| (*rules, judgement));
    let events = writer.findings(subject, judgements, &marks);
    events
        .iter()
        .map(|event| {
            let document: Value = serde_json::from_str(&event.document()).unwrap();
            assert_eq!(document["event"]["id"], event.id());
            (event.index().to_owned(), document)
        })
        .collect()
}

fn resource(kind: Kind, sub_type: &str, id: &str, name: &str, raw: Value) -> Resource {
    Resource::observed(kind, sub_type.into(), id.into(), name.into(), raw)
}

fn key_file(mode: &str) -> Resource {
    let raw = json!({
        "roles": ["pki-key"], "name": "ca.key", "path": "/etc/kubernetes/pki/ca.key", "mode": mode,
        "uid": "0", "gid": "0", "owner": "root", "group": "root", "inode": "42", "sub_type": "file",
        "size": 1675, "mtime": "2026-08-20T00:00:00.000Z", "ctime": "2026-08-20T00:00:00.000Z",
    });
    resource(Kind::File, "file", "/etc/kubernetes/pki/ca.key", "/etc/kubernetes/pki/ca.key", raw)
}

#[test]
fn a_file_finding() {
    insta::assert_json_snapshot!(documents(key_file("644")));
}

#[test]
fn a_process_finding() {
    let raw = json!({
        "pid": "7", "component": "kubelet", "command": "/usr/bin/kubelet --a=false",
        "args": {"a": ["false"]}, "external_data": {},
        "stat": {"Name": "kubelet", "Parent": "1", "Group": "7", "StartTime": "99"},
        "started": "2026-08-20T00:00:00.000Z",
    });
    insta::assert_json_snapshot!(documents(resource(Kind::Process, "process", "799", "kubelet", raw)));
}

#[test]
fn a_pod_finding() {
    let raw = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "b", "uid": "metadata_id"}, "spec": {}});
    let documents = documents(resource(Kind::K8sObject, "Pod", "metadata_id", "a", raw));
    assert_eq!(documents[0].1["resource"]["id"], "16d3e3ff-583a-5b0d-86e2-1f7c6675dfb3");
    insta::assert_json_snapshot!(documents);
}

#[test]
fn what_could_not_be_listed_is_an_error_on_the_cluster() {
    let owner = Owner { id: "cluster/cluster_id".into(), name: "kubernetes".into() };
    let gap = Resource::unlisted(
        &Selector::new(Kind::K8sObject, "Pod"),
        &owner,
        Gap::new(Reason::Denied, "list pods"),
    );
    let documents = documents(gap);
    assert_eq!(documents.len(), 1);
    let (index, document) = &documents[0];
    assert_eq!(index, "logs-posturebeat.outcomes-default");
    assert_eq!(document["error"]["code"], "denied");
    assert!(document["error"]["message"].as_str().unwrap().contains("list pods"));
    assert_eq!(document["resource"]["sub_type"], "Cluster");
    assert_eq!(document["event"]["outcome"], "unknown");
}

#[test]
fn a_cut_resource_is_marked() {
    let mut file = key_file("600");
    file.raw["note"] = Value::from("x".repeat(100_000));
    let documents = documents(file);
    assert_eq!(documents[0].1["posturebeat"]["truncated"], true);
    assert_eq!(documents[0].1["result"]["evaluation"], "passed");
}

fn exception(rule: &str, reason: &str, expires: Option<&str>) -> Exception {
    Exception {
        place: "posturebeat.yml:1:1".into(),
        rule: RuleName::new(rule),
        kind: None,
        namespace: None,
        name: None,
        labels: std::collections::BTreeMap::new(),
        cluster: None,
        reason: reason.into(),
        owner: "team-a".into(),
        expires: expires.map(|at| at.parse().unwrap()),
    }
}

#[test]
fn an_exception_marks_a_failure_and_leaves_the_verdict() {
    let exceptions =
        || vec![exception("1.1.21", "it is \"read\" by another", Some("2027-06-30T23:59:59.999Z"))];
    let failed = excepted(key_file("644"), exceptions()).remove(0);
    assert_eq!(failed.0, "logs-cloud_security_posture.findings-default");
    assert_eq!(failed.1["result"]["evaluation"], "failed");
    assert_eq!(failed.1["event"]["outcome"], "failure");
    let granted = json!({"reason": "it is \"read\" by another", "owner": "team-a", "expires": "2027-06-30T23:59:59.999Z"});
    assert_eq!(failed.1["posturebeat"]["exception"], granted);
    let passed = excepted(key_file("600"), exceptions()).remove(0);
    assert_eq!(passed.1["posturebeat"].get("exception"), None, "there is nothing to except");
}

#[test]
fn of_two_exceptions_the_first_is_named_also_of_a_cut_resource() {
    let mut file = key_file("644");
    file.raw["note"] = Value::from("x".repeat(100_000));
    let exceptions = vec![
        exception("4.2.1", "other", None),
        exception("file-*", "first", None),
        exception("1.1.21", "second", None),
    ];
    let document = excepted(file, exceptions).remove(0).1;
    assert_eq!(document["posturebeat"]["exception"], json!({"reason": "first", "owner": "team-a"}));
    assert_eq!(document["posturebeat"]["truncated"], true);
}

#[test]
fn a_cycle_is_accounted_for() {
    let rules = rules();
    let writer = FindingWriter::new(&rules, &Exceptions::default(), context());
    let mut tally = crate::evaluate::Tally::new(rules.len());
    let ended =
        |outcome| Judgement { outcome, evidence: Map::new(), expected: None, gap: None, places: Vec::new() };
    tally.add(0, &ended(Outcome::Passed));
    tally.add(1, &ended(Outcome::Failed));
    tally.except(1);
    tally.close();
    let totals = Totals { counts: tally.total(0..rules.len()), rules: 3, resources: 1, duration_ms: 12 };
    let name = rules[0].benchmark.full_name();
    let event = writer.coverage(&name, &totals, "2026-08-21T07:10:03Z".parse().unwrap());
    let document: Value = serde_json::from_str(&event.document()).unwrap();
    assert_eq!(event.index(), "logs-posturebeat.coverage-default");
    insta::assert_json_snapshot!(document);
}
