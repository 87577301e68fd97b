//! Exceptions as people write them; each test of a thread is one that users of other tools suffered from.

use super::Files;
use crate::config::{ConfigError, ExceptionEntry};

const GOOD: &str = "{rule: 5.2.2, reason: R, owner: O}";

fn exceptions(text: &str) -> Vec<ExceptionEntry> {
    Files::new(text).settings().posture.exceptions
}

/// Every mistake in one exception of these keys.
fn told(keys: &str) -> String {
    Files::new(&format!("posturebeat.exceptions:\n  - {keys}\n")).error()
}

#[test]
fn every_key_arrives() {
    let files = Files::new(
        "
posturebeat:
  exceptions:
    - rule: cis_k8s@2.0.1/5.2.2
      resource:
        kind: Pod
        namespace: kube-system
        name: cilium-*
        labels: {k8s-app: cilium, app.kubernetes.io/name: cilium-agent, a.b: '1', app: ''}
      cluster: production
      reason: It sets up the host's network
      owner: team-network
      expires: 2027-06-30
    - {rule: pod-privileged, resource.name: web, reason: R, owner: O, expires: '2027-06-30T18:00:00+02:00'}
",
    );
    let exceptions = files.settings().posture.exceptions;
    let [first, second] = exceptions.as_slice() else { panic!("{exceptions:?}") };
    assert_eq!(files.without_folder(&first.at), "1.yml:4:7");
    assert_eq!(files.without_folder(&first.rule_at), "1.yml:4:13");
    assert_eq!(
        (first.key.as_str(), first.rule.as_str()),
        ("posturebeat.exceptions.0", "cis_k8s@2.0.1/5.2.2")
    );
    let names = [&first.kind, &first.namespace, &first.name, &first.cluster];
    assert_eq!(names.map(|name| name.as_deref().unwrap()), ["Pod", "kube-system", "cilium-*", "production"]);
    let labels =
        [("k8s-app", "cilium"), ("app.kubernetes.io/name", "cilium-agent"), ("a.b", "1"), ("app", "")];
    assert_eq!(first.labels, labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    assert_eq!(
        (first.reason.as_str(), first.owner.as_str()),
        ("It sets up the host's network", "team-network")
    );
    assert_eq!(first.expires.unwrap().to_string(), "2027-06-30T23:59:59.999Z", "the day counts to its end");
    assert_eq!((second.name.as_deref(), second.kind.as_deref()), (Some("web"), None));
    assert_eq!(second.expires.unwrap().to_string(), "2027-06-30T16:00:00Z");
}

#[test]
fn trivy_operator_2653_one_bad_exception_does_not_stop_the_rest() {
    let files = Files::new(
        "
posturebeat:
  perod: 1h
  exceptions:
    - {rule: 5.2.2, owner: O}
    - {rule: 5.2, reason: R, owner: O}
    - {rule: 5.2.2, reason: R, owner: O}
    - {rule: 5.2.2, reson: R, owner: O, expires: soon}
    - {rule: 5.2.2, reason: '${UNSET}', owner: O}
    - just text
",
    );
    let told = files.error();
    assert_eq!(
        told.lines().collect::<Vec<_>>(),
        [
            "1.yml:3:3: unknown key `posturebeat.perod`; did you mean `posturebeat.period`?",
            "1.yml:5:7: `posturebeat.exceptions.0` has no `reason`: write why the rule may fail",
            "1.yml:6:14: `posturebeat.exceptions.1.rule`: expected text, found a number: put it in quotes",
            "1.yml:8:21: unknown key `posturebeat.exceptions.3.reson`; did you mean `posturebeat.exceptions.3.reason`?",
            "1.yml:8:7: `posturebeat.exceptions.3` has no `reason`: write why the rule may fail",
            "1.yml:8:50: `posturebeat.exceptions.3.expires`: expected a date such as `2027-06-30`, or a time such as `2027-06-30T18:00:00Z`, found `soon`",
            "1.yml:9:29: `posturebeat.exceptions.4.reason`: `UNSET` is neither a setting nor an environment variable nor a key of the keystore with a value: set it, or write `${UNSET:default}`",
            "1.yml:10:7: `posturebeat.exceptions.5`: expected an exception with the keys `rule`, `reason` and `owner`, found `just text`",
        ]
    );
    // Their rules can still be looked at: what could be read is handed on, but not to be run with.
    let files = Files::new(&format!("posturebeat.exceptions: [{GOOD}, {{rule: x}}]"));
    let Err(ConfigError::Exceptions { mistakes, settings: Some(settings) }) = files.load() else { panic!() };
    let rules: Vec<&str> =
        settings.posture.exceptions.iter().map(|exception| exception.rule.as_str()).collect();
    assert_eq!((mistakes.len(), rules), (2, vec!["5.2.2", "x"]));
}

#[test]
fn what_is_left_empty_is_not_taken_for_everything() {
    for written in [
        "resource: {}",
        "resource:",
        "cluster: ''",
        "cluster: '${NONE:}'",
        "resource: {name: }",
        "resource: {namespace: ' '}",
        "resource: {labels: {}}",
        "resource: {labels: {app: }}",
        "resource: {labels: [app]}",
        "expires:",
    ] {
        let told = told(&format!("{{{written}, rule: 5.2.2, reason: R, owner: O}}"));
        assert!(told.starts_with("1.yml:2:") && told.lines().count() == 1, "{written}: {told}");
    }
}

#[test]
fn stars_stand_only_at_the_end_and_never_for_every_rule() {
    let good = |rest: &str| format!("{{rule: '5.2.*', reason: R, owner: O, {rest}}}");
    assert_eq!(exceptions(&format!("posturebeat.exceptions: [{}]", good("resource: {name: 'a*'}"))).len(), 1);
    for bad in [
        "resource: {name: '*a'}",
        "resource: {namespace: 'a*b*'}",
        "cluster: 'a*a'",
        "resource: {labels: {app: 'a*'}}",
    ] {
        let told = told(&good(bad));
        assert!(told.contains('*') && told.starts_with("1.yml:2:"), "{told}");
    }
    assert_eq!(
        told("{rule: '*', reason: R, owner: O}"),
        "1.yml:2:12: `posturebeat.exceptions.0.rule`: `*` names every rule; name some, such as `5.2.*`"
    );
}

#[test]
fn unknown_keys_are_looked_for_in_the_whole_exception() {
    for (keys, hint) in [
        (
            "namespace: shop",
            "unknown key `posturebeat.exceptions.0.namespace`; did you mean `posturebeat.exceptions.0.resource.namespace`?",
        ),
        (
            "resource: {reason: R}",
            "unknown key `posturebeat.exceptions.0.resource.reason`; did you mean `posturebeat.exceptions.0.reason`?",
        ),
        (
            "expiry: 2027-01-01",
            "unknown key `posturebeat.exceptions.0.expiry`; did you mean `posturebeat.exceptions.0.expires`?",
        ),
        (
            "until: 2027-01-01",
            "unknown key `posturebeat.exceptions.0.until`; expected one of `rule`, `resource`, `cluster`, `reason`, `owner`, `expires`",
        ),
    ] {
        let told = told(&format!("{{rule: 5.2.2, reason: R, owner: O, {keys}}}"));
        assert!(told.ends_with(hint) && told.starts_with("1.yml:2:"), "{told}");
    }
    assert!(told("{rule: 5.2.2, owner: O, reason: 'x'}\n    stray: y").contains("1.yml:"));
    assert!(Files::new("exceptions: []").error().contains("did you mean `posturebeat.exceptions`?"));
    let single = Files::new(&format!("posturebeat.exceptions: {GOOD}")).error();
    assert_eq!(
        single,
        "1.yml:1:25: `posturebeat.exceptions`: expected a list of exceptions, each after a `-`, found a section"
    );
}

#[test]
fn exceptions_of_several_files_add_up() {
    let rules = |files: &Files| -> Vec<String> {
        files.settings().posture.exceptions.iter().map(|exception| exception.rule.clone()).collect()
    };
    let one = |rule: &str| format!("posturebeat.exceptions: [{{rule: {rule}, reason: R, owner: O}}]");
    let files = Files::new(&one("1.1.1")).and(&one("1.1.2"));
    assert_eq!(rules(&files), ["1.1.1", "1.1.2"], "not one laid over the other");
    assert!(files.notes().is_empty(), "{:?}", files.notes());
    let files = files.set("posturebeat.exceptions", "[{rule: 1.1.3, reason: R, owner: O}]");
    assert_eq!(rules(&files), ["1.1.1", "1.1.2", "1.1.3"]);
    let files = files.set("posturebeat.exceptions.0.rule", "1.1.4");
    assert_eq!(rules(&files), ["1.1.4", "1.1.2", "1.1.3"]);
    let error = files.set("posturebeat.exceptions.9.rule", "1.1.4").error();
    assert!(error.contains("indexes from 0 without gaps"), "{error}");
}

fn with_files(named: &str, files: &[(&str, &str)]) -> Files {
    let config =
        Files::new(&format!("posturebeat.exceptions: [{GOOD}]\nposturebeat.exceptions_files: {named}\n"));
    for (name, text) in files {
        let path = config.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    config
}

#[test]
fn kubescape_1314_packs_of_exceptions_are_files_beside_the_configuration() {
    let pack = |rule: &str| format!("exceptions:\n  - {{rule: {rule}, reason: '${{HOME}}', owner: O}}\n");
    let (a, b, c) = (pack("1.1.1"), pack("1.1.2"), pack("1.1.3"));
    let all =
        [("own.yml", a.as_str()), ("packs/2.yml", &c), ("packs/1.yml", &b), ("packs/note.txt", "no YAML: :")];
    let files = with_files("[own.yml, 'packs/*.yml']", &all);
    let exceptions = files.settings().posture.exceptions;
    let rules: Vec<&str> = exceptions.iter().map(|exception| exception.rule.as_str()).collect();
    assert_eq!(rules, ["5.2.2", "1.1.1", "1.1.2", "1.1.3"], "the configuration's own first, then by file");
    assert_eq!(files.without_folder(&exceptions[2].at), "packs/1.yml:2:5");
    assert_eq!(exceptions[1].reason, "${HOME}", "a pack does not look into the environment");
}

#[test]
fn helm_charts_875_exceptions_that_cannot_be_read_are_an_error() {
    let bad = "exceptions:\n  - {rule: 5.2.2, reason: R}\n";
    let all = [
        ("bad.yml", bad),
        ("empty.yml", ""),
        ("list.yml", "- a\n"),
        ("key.yml", "exception: []\n"),
        ("yaml.yml", "exceptions: [\n"),
    ];
    let files = with_files(
        "[nowhere.yml, 'packs/*.yml', 'no*/x.yml', bad.yml, empty.yml, list.yml, key.yml, yaml.yml]",
        &all,
    );
    let told = files.error();
    let told: Vec<&str> = told.lines().collect();
    let expected = [
        "1.yml:2:32: `posturebeat.exceptions_files.0`: cannot read `nowhere.yml`: No such file or directory (os error 2)",
        "1.yml:2:45: `posturebeat.exceptions_files.1`: no file matches `packs/*.yml`",
        "1.yml:2:60: `posturebeat.exceptions_files.2`: a `*` is allowed in the file name only, not in the folder",
        "bad.yml:2:5: `exceptions.0` has no `owner`: write who is responsible for it",
        "empty.yml: expected `exceptions`, a list, found nothing",
        "list.yml:1:1: expected the key `exceptions`, with a list",
        "key.yml:1:1: unknown key `exception`; a file of exceptions has only `exceptions`, a list",
    ];
    assert_eq!(told[..7], expected);
    assert!(told.len() == 8 && told[7].starts_with("yaml.yml:"), "{told:?}");
}

#[test]
fn a_file_of_exceptions_that_others_may_write_is_refused_if_strict() {
    use std::os::unix::fs::PermissionsExt;
    let files = with_files("[own.yml]", &[("own.yml", "exceptions: []\n")]);
    let mode = |name: &str, mode| {
        std::fs::set_permissions(files.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("1.yml", 0o600);
    mode("own.yml", 0o666);
    let load = |strict_perms| {
        let sources = crate::config::Sources {
            files: files.named.clone(),
            default_file: None,
            overrides: vec![],
            env: &|_| None,
            strict_perms,
            fleet_inputs: Vec::new,
        };
        crate::config::load(&sources, crate::output::OUTPUTS)
    };
    assert!(load(false).is_ok());
    let error = load(true).unwrap_err().to_string();
    assert!(error.contains("own.yml` can only be writable by the owner"), "{error}");
}

#[test]
fn the_example_in_the_docs_loads() {
    let page = include_str!("../../../docs/exceptions.md");
    let example = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let (inline, files) = example.split_once("  exceptions_files:").unwrap();
    assert!(files.contains("/*.yml"), "{files}");
    let [exception] = &exceptions(inline)[..] else { panic!("{inline}") };
    assert_eq!((exception.rule.as_str(), exception.labels["k8s-app"].as_str()), ("5.2.2", "cilium"));
}
