//! What people are told about what they wrote.

use super::Files;

fn told(text: &str) -> String {
    Files::new(text).error()
}

#[test]
fn unknown_keys() {
    for (text, message) in [
        (
            "posturebeat:\n  perod: 1h\n",
            "1.yml:2:3: unknown key `posturebeat.perod`; did you mean `posturebeat.period`?",
        ),
        (
            "name: x\nposturebeat.perod: 1h\n",
            "1.yml:2:1: unknown key `posturebeat.perod`; did you mean `posturebeat.period`?",
        ),
        (
            "output:\n  elasticsearch:\n    hosts: [a]\n    ssl.verification_mod: full\n",
            "1.yml:4:5: unknown key `output.elasticsearch.ssl.verification_mod`; did you mean `output.elasticsearch.ssl.verification_mode`?",
        ),
        ("posturbeat:\n  period: 1h\n", "1.yml:1:1: unknown key `posturbeat`; did you mean `posturebeat`?"),
        ("period: 1h\n", "1.yml:1:1: unknown key `period`; did you mean `posturebeat.period`?"),
        ("hosts: [a]\n", "1.yml:1:1: unknown key `hosts`; did you mean `output.elasticsearch.hosts`?"),
        (
            "output.console.colour: true\n",
            "1.yml:1:1: unknown key `output.console.colour`; expected one of `enabled`, `pretty`",
        ),
        (
            "posturebeat..period: 1h\n",
            "1.yml:1:1: unknown key `posturebeat..period`; did you mean `posturebeat.period`?",
        ),
    ] {
        assert_eq!(told(text), message, "{text}");
    }
    assert_eq!(
        Files::new("").set("posturebeat.perod", "1h").error(),
        "-E posturebeat.perod: unknown key `posturebeat.perod`; did you mean `posturebeat.period`?"
    );
}

#[test]
fn keys_of_beats_that_we_do_not_have() {
    assert_eq!(
        told("output.elasticsearch:\n  hosts: [a]\n  worker: 2\n"),
        "1.yml:3:3: `output.elasticsearch.worker` is a setting of Beats that is not supported (yet): remove it"
    );
    let message = told("output.carrier-pigeon.name: Bob\n");
    let expected = "1.yml:1:1: unknown output `carrier-pigeon`; expected one of `elasticsearch`, ";
    assert!(message.starts_with(expected), "{message}");
    assert_eq!(
        told("output.hosts: [a]\n").split("? expected").next(),
        Some("1.yml:1:1: unknown output `hosts`; did you mean `output.elasticsearch.hosts`")
    );
    assert_eq!(
        told("cloudbeat:\n  config.v1.benchmark: cis_k8s\n"),
        "1.yml:2:3: `posturebeat.config` is a setting of Beats that is not supported (yet): set `posturebeat.benchmarks`"
    );
}

#[test]
fn wrong_types() {
    for (text, message) in [
        (
            "posturebeat.period: soon",
            "1.yml:1:21: `posturebeat.period`: expected a duration such as `4h`, `90s` or `1m30s`, found `soon`",
        ),
        (
            "posturebeat:\n  period: [1h]",
            "1.yml:2:11: `posturebeat.period`: expected a duration such as `4h`, `90s` or `1m30s`, found a list",
        ),
        (
            "posturebeat.period: -5",
            "1.yml:1:21: `posturebeat.period`: expected a duration such as `4h`, `90s` or `1m30s`, found `-5`",
        ),
        ("queue.mem.events: many", "1.yml:1:19: `queue.mem.events`: expected a whole number, found `many`"),
        ("queue.mem.events: -1", "1.yml:1:19: `queue.mem.events`: expected a number from 0 up, found `-1`"),
        ("queue.mem.events: 0", "1.yml:1:19: `queue.mem.events`: expected a number from 1 up, found `0`"),
        ("logging.json: 'yes'", "1.yml:1:15: `logging.json`: expected `true` or `false`, found `yes`"),
        (
            "logging.level: trace",
            "1.yml:1:16: `logging.level`: expected one of `error`, `warning`, `info`, `debug`, found `trace`",
        ),
        ("name: 5", "1.yml:1:7: `name`: expected text, found a number: put it in quotes"),
        ("name: {a: b}", "1.yml:1:7: `name`: expected text, found a section"),
        ("posturebeat: 5", "1.yml:1:14: `posturebeat`: expected a section with keys, found `5`"),
        (
            "posturebeat.snapshots: {a: b}",
            "1.yml:1:24: `posturebeat.snapshots`: expected a list, found a section",
        ),
        (
            "posturebeat.benchmarks:\n  - cis_k8s\n  - [x]\n",
            "1.yml:3:5: `posturebeat.benchmarks.1`: expected text, found a list",
        ),
        ("- a", "1.yml:1:1: expected sections and keys such as `posturebeat.period: 4h`"),
        ("name: a\npath.data: b\nname: c", "1.yml:3:1: duplicate mapping key: name"),
        ("path: {data: a}\npath.data: b", "1.yml:2:1: `path.data` is set twice, first at 1.yml:1:8"),
    ] {
        assert_eq!(told(text), message, "{text}");
    }
}

#[test]
fn values_that_make_no_sense() {
    let es = |keys: &str| told(&format!("output.elasticsearch:\n  hosts: [es]\n  {keys}\n"));
    assert_eq!(
        told("posturebeat.period: 10ms"),
        "1.yml:1:21: `posturebeat.period`: expected at least `1s`, found `10ms`"
    );
    assert_eq!(
        told("posturebeat.namespace: Prod"),
        "1.yml:1:24: `posturebeat.namespace`: a namespace is lower case: write `prod`"
    );
    assert_eq!(
        told("posturebeat.benchmarks: []"),
        "1.yml:1:25: `posturebeat.benchmarks`: expected at least one, such as `cis_k8s`"
    );
    assert_eq!(
        es("username: u\n  api_key: a:b"),
        "1.yml:4:12: `output.elasticsearch.api_key`: cannot set both `api_key` and `username`/`password`"
    );
    assert_eq!(
        es("api_key: hunter2"),
        "1.yml:3:12: `output.elasticsearch.api_key`: expected `id:key`, the format that Kibana calls Beats"
    );
    assert_eq!(
        es("password: hunter2"),
        "1.yml:3:13: `output.elasticsearch.password`: a password requires `username`"
    );
    assert_eq!(
        es("ssl.verification_mode: certificate"),
        "1.yml:3:26: `output.elasticsearch.ssl.verification_mode`: `certificate` is not supported (yet): use `full` with a host name that the certificate has, or `none`"
    );
    assert_eq!(
        es("ssl.certificate_authorities: [/nowhere/ca.pem]"),
        "1.yml:3:33: `output.elasticsearch.ssl.certificate_authorities.0`: cannot read `/nowhere/ca.pem`: No such file or directory (os error 2)"
    );
    assert_eq!(
        es("compression_level: 10"),
        "1.yml:3:22: `output.elasticsearch.compression_level`: expected 0 to 9"
    );
    assert_eq!(
        told("output.elasticsearch:\n  username: u"),
        "1.yml:2:3: `output.elasticsearch.hosts`: no host is set: expected a list such as `[\"https://elasticsearch:9200\"]`"
    );
    assert_eq!(
        told("output.elasticsearch.hosts: ['es:99999']"),
        "1.yml:1:30: `output.elasticsearch.hosts.0`: `99999` is not a port: expected 1 to 65535"
    );
    assert_eq!(
        told("http: {enabled: true, port: 65536}"),
        "1.yml:1:29: `http.port`: expected 0 to 65535, found `65536`"
    );
    assert_eq!(
        told("http: {enabled: true, host: 'unix:///run/x'}"),
        "1.yml:1:29: `http.host`: expected a host name or address such as `localhost`; sockets and pipes are not supported (yet)"
    );
    assert_eq!(
        told("logging.metrics.period: 0"),
        "1.yml:1:25: `logging.metrics.period`: expected at least `1s`, found `0s`"
    );
    assert_eq!(told("output.file: {}"), "1.yml:1:14: `output.file.path`: expected a path");
    assert_eq!(
        told("output:\n  elasticsearch.hosts: [a]\n  console.pretty: true\n"),
        "1.yml:3:3: more than one output is enabled: `output.elasticsearch` (1.yml:2:3), `output.console` (1.yml:3:3); remove all but one, or set `enabled: false`"
    );
}

#[test]
fn files_that_cannot_be_read() {
    let mut files = Files::new("");
    files.named = vec![files.path("nowhere.yml")];
    assert_eq!(files.error(), "cannot read configuration file `nowhere.yml`");
    let message = told("name: 'x\n");
    assert!(message.starts_with("1.yml:"), "{message}");
}

#[test]
fn a_mistyped_secret_is_not_repeated() {
    for text in [
        "output.elasticsearch.password: 31337",
        "output.elasticsearch.password: [31337]",
        "output.elasticsearch: {hosts: [es], api_key: '31337'}",
        "output.elasticsearch.hosts: ['https://u:31337@']",
        "output.elasticsearch.hosts: ['https://u:31337@es:x']",
        "output.elasticsearch.hosts: ['https://u:31337@a', 'https://b']",
    ] {
        let message = told(text);
        assert!(!message.contains("31337"), "{message}");
    }
    for key in ["queue.mem.events", "logging.json", "logging.level", "posturebeat.period", "output.console"] {
        let message = Files::new(&format!("{key}: '${{SECRET}}'")).env("SECRET", "hunter2").error();
        assert!(!message.contains("hunter2"), "{message}");
        let message = Files::new("").set(key, "hunter2").error();
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn who_looks_at_what() {
    for (text, message) in [
        (
            "posturebeat:\n  leader_election:\n    renew_deadline: 15s\n",
            "1.yml:3:21: `posturebeat.leader_election.renew_deadline`: expected less than lease_duration, which is `15s`",
        ),
        (
            "posturebeat.leader_election.lease_duration: 1500ms\n",
            "1.yml:1:45: `posturebeat.leader_election.lease_duration`: expected whole seconds, found `1s500ms`",
        ),
        (
            "posturebeat.leader_election.retry_period: 0\n",
            "1.yml:1:43: `posturebeat.leader_election.retry_period`: expected more than zero and less than renew_deadline, which is `10s`",
        ),
        (
            "posturebeat.leader_election.lease_name: ../pods\n",
            "1.yml:1:41: `posturebeat.leader_election.lease_name`: expected the name of a Lease, found `../pods`",
        ),
        (
            "posturebeat.collect: {node: false, cluster: false}\n",
            "1.yml:1:45: `posturebeat.collect.cluster`: nothing is collected: set `collect.node` or `collect.cluster` to true",
        ),
        (
            "posturebeat: {kube_contexts: [eu, us], collect.node: true}\n",
            "1.yml:1:54: `posturebeat.collect.node`: a node is in one cluster, and `kube_contexts` names several: set it to false, or name one",
        ),
        (
            "posturebeat.kube_contexts: [eu, eu]\n",
            "1.yml:1:33: `posturebeat.kube_contexts.1`: the context `eu` is named twice",
        ),
    ] {
        assert_eq!(told(text), message, "{text}");
    }
}
