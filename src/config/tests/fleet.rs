//! Fleet: an input alone, and a whole agent policy.

use secrecy::ExposeSecret;

use super::Files;
use crate::config::FleetInput;
use crate::output::elasticsearch::Auth;

/// The inputs of the built-in benchmarks.
pub(super) fn inputs() -> Vec<FleetInput> {
    let input = |benchmark: &str| FleetInput {
        kind: format!("cloudbeat/{benchmark}"),
        benchmark: benchmark.to_owned(),
        version: "1.0.1".to_owned(),
    };
    vec![input("cis_k8s"), input("cis_eks")]
}

const INPUT: &str = "
id: x
revision: 2
name: kspm-1
type: cloudbeat/cis_k8s
data_stream: {namespace: prod}
use_output: default
package_policy_id: pp-1
streams:
  - id: y
    data_stream: {dataset: cloud_security_posture.findings, type: logs}
    config.v1: {type: kspm, deployment: self_managed, benchmark: cis_k8s}
    fetchers: [{name: kube-api}]
    runtime_cfg: {activated_rules: {cis_k8s: [cis_1_1_1]}}
    processors: [{add_cluster_id: null}]
";

#[test]
fn an_input_alone() {
    let files = Files::new(INPUT);
    let posture = files.settings().posture;
    assert_eq!(posture.benchmarks, ["cis_k8s@1.0.1"]);
    assert_eq!(posture.namespace, "prod");
    assert_eq!((posture.package_policy_id.as_str(), posture.package_policy_revision), ("pp-1", 2));
    assert_eq!(posture.period.as_secs(), 4 * 3600);
    assert!(files.notes().is_empty(), "{:?}", files.notes());
    assert!(files.output().is_none());
}

/// `elastic/cloudbeat#175`: a policy whose list of rules is empty switched everything off.
#[test]
fn cloudbeat_175_an_empty_list_of_rules_in_a_policy_switches_nothing_off() {
    for list in ["{cis_k8s: []}", "{}", "null"] {
        let files = Files::new(&INPUT.replace("{cis_k8s: [cis_1_1_1]}", list));
        let benchmarks = files.settings().posture.benchmarks;
        assert_eq!(benchmarks, ["cis_k8s@1.0.1"], "{list}");
        let catalogue = crate::rule::Catalogue::load(&crate::rule::built_in()).unwrap();
        let rules = catalogue.rules(&benchmarks, &std::collections::BTreeMap::new()).unwrap();
        assert!(rules.len() >= 122, "{}", rules.len());
    }
}

#[test]
fn an_input_and_a_file_with_the_output() {
    let files = Files::new(INPUT).and("output.elasticsearch.hosts: [es]\nposturebeat.period: 1h");
    let settings = files.settings();
    assert_eq!(files.elasticsearch().hosts, ["http://es:9200"]);
    assert_eq!(settings.posture.benchmarks, ["cis_k8s@1.0.1"]);
    assert_eq!(settings.posture.period.as_secs(), 3600);
}

#[test]
fn where_the_benchmark_may_be_written() {
    for (text, benchmark) in [
        ("type: cloudbeat/cis_k8s\nconfig.v1.benchmark: cis_eks", "cis_eks@1.0.1"),
        ("type: cloudbeat/cis_eks\nstreams: []", "cis_eks@1.0.1"),
        ("type: cloudbeat\nstreams: [{config: {v1: {benchmark: cis_k8s}}, period: 24h}]", "cis_k8s@1.0.1"),
        ("type: cloudbeat/cis_k8s\nconfig.v1.benchmark: cis_k8s@2.0.1", "cis_k8s@2.0.1"),
    ] {
        assert_eq!(Files::new(text).settings().posture.benchmarks, [benchmark], "{text}");
    }
    let stream = Files::new("type: cloudbeat\nstreams: [{config: {v1: {benchmark: cis_k8s}}, period: 24h}]");
    assert_eq!(stream.settings().posture.period.as_secs(), 24 * 3600);
    assert_eq!(
        Files::new("type: cloudbeat").error(),
        "1.yml: the policy's input names no benchmark: expected text in `config.v1.benchmark`"
    );
}

const POLICY: &str = "
id: p
revision: 9
outputs:
  default:
    type: elasticsearch
    hosts: ['https://es:9200']
    api_key: 'id:hunter2'
    preset: balanced
    ssl: {verification_mode: none, ca_trusted_fingerprint: abc}
  other: {type: logstash, hosts: ['ls:5044']}
output_permissions: {default: {x: {indices: []}}}
agent: {monitoring: {enabled: true, enabled.x: 1}}
fleet: {hosts: ['https://fleet:8220']}
signed: {data: x}
surprise: 1
inputs:
  - {id: a, type: logfile, streams: [{paths: [/x]}]}
  - {id: b, type: cloudbeat/cis_aws, streams: [{config.v1.benchmark: cis_aws}]}
  - id: c
    revision: 4
    type: cloudbeat/cis_k8s
    use_output: default
    package_policy_id: pp
    data_stream.namespace: default
    streams:
      - config: {v1: {benchmark: cis_k8s, aws: {credentials: {type: ''}}}}
        condition: x
        processors: [{add_cluster_id: null}, {drop_event: {}}]
  - {id: d, type: logfile}
";

#[test]
fn a_whole_policy() {
    let files = Files::new(POLICY);
    let settings = files.settings();
    assert_eq!(settings.posture.benchmarks, ["cis_k8s@1.0.1"]);
    assert_eq!(settings.posture.package_policy_revision, 4, "the input's, not the policy's");
    let output = files.elasticsearch();
    assert_eq!(output.hosts, ["https://es:9200"]);
    assert!(matches!(&output.auth, Auth::ApiKey(key) if key.expose_secret() == "id:hunter2"));
    assert_eq!(
        files.notes(),
        ["not used from the policy 1.yml: inputs of type `logfile`, `cloudbeat/cis_aws`; keys `surprise`, \
          `inputs.2.streams.0.condition`, \
          `inputs.2.streams.0.processors.1.drop_event`, \
          `outputs.default.preset`, `outputs.default.ssl.ca_trusted_fingerprint`"]
    );
}

#[test]
fn a_key_that_decides_where_findings_go_or_as_whom_is_not_left_out_in_silence() {
    for (key, named) in [
        ("proxy_url: 'http://proxy:3128'", "outputs.default.proxy_url"),
        ("proxy_disable: true", "outputs.default.proxy_disable"),
        ("headers: {X-Tenant: a}", "outputs.default.headers"),
        ("ssl.certificate: /etc/client.pem", "outputs.default.ssl.certificate"),
        ("pipeline: mine", "outputs.default.pipeline"),
        ("secrets: {ssl: {key: {id: x}}}", "outputs.default.secrets"),
    ] {
        let text = POLICY
            .replace("preset: balanced", key)
            .replace("    ssl: {verification_mode: none", "    x: {y: 1");
        let error = Files::new(&text).error();
        assert!(error.starts_with("1.yml:9:") && error.contains(&format!("`{named}` is not")), "{error}");
    }
    for key in ["proxy_url: ''", "proxy_disable: false", "headers: {}", "pipeline:"] {
        let files = Files::new(&POLICY.replace("preset: balanced", key));
        assert_eq!(files.elasticsearch().hosts, ["https://es:9200"], "{key} says nothing");
    }
}

#[test]
fn mistakes_in_a_policy_have_their_place() {
    assert_eq!(
        Files::new(&POLICY.replace("use_output: default", "use_output: other")).error(),
        "1.yml:11:17: the policy's output `other` is of type `logstash`: only `elasticsearch` is supported (yet)"
    );
    assert_eq!(
        Files::new(&POLICY.replace("use_output: default", "use_output: gone")).error(),
        "1.yml:4:1: the policy has no output `gone`, which its input uses; it has `default`, `other`"
    );
    assert_eq!(
        Files::new("inputs: [{type: logfile}, {type: system/metrics}]").error(),
        "1.yml: the policy has no input for posturebeat: expected the type `cloudbeat/cis_k8s` or `cloudbeat/cis_eks`, found `logfile`, `system/metrics`"
    );
    assert_eq!(
        Files::new(&format!("{INPUT}\nposturebeat.period: 1h")).error(),
        "1.yml:17:1: `posturebeat` has no place in a Fleet policy: put it in a second file and name both with -c"
    );
    assert_eq!(
        Files::new(&INPUT.replace("prod", "Prod")).error(),
        "1.yml:6:26: `posturebeat.namespace`: a namespace is lower case: write `prod`"
    );
}
