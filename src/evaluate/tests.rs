//! The promise of this room: nothing that could not be read ever counts as passed.

mod blanked;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::check::ask;
use super::*;
use crate::resource::{Kind, Reason, Resource, Unread};

fn document(raw: Value, unread: &[&str]) -> Document {
    let unread = unread.iter().map(|at| Unread::new(*at, Reason::Denied, "read it")).collect();
    Document::new(Resource {
        unread,
        ..Resource::observed(Kind::K8sObject, "Test".into(), "id".into(), "name".into(), raw)
    })
}

fn truth(check: &str, raw: Value, unread: &[&str]) -> Truth {
    let check: Check = crate::yaml::from_str(check).unwrap();
    let document = document(raw, unread);
    ask(&check, &Params::new(), &document).truth
}

#[test]
fn what_was_seen_decides_unless_a_filter_looked_at_what_was_not() {
    let items = json!({"items": [{"name": "a"}, {"name": "b"}]});
    assert_eq!(truth("{some: '$.items[*]'}", items.clone(), &["$.items[1]"]), Truth::True);
    assert_eq!(truth("{none: '$.items[*]'}", items.clone(), &["$.items[1]"]), Truth::False);
    assert_eq!(truth("{none: '$.other[*]'}", items.clone(), &["$.other"]), Truth::Unknown);
    assert_eq!(truth("{some: '$.items[?!@.bad]'}", items.clone(), &["$.items[0].bad"]), Truth::Unknown);
    let values = "{values: '$.items[?@.name != $.related.off].name', contains: [a]}";
    assert_eq!(truth(values, items, &["$.related.off"]), Truth::Unknown);
}

#[test]
fn an_argument_that_cannot_be_seen_hides_only_itself() {
    let ask_of = |flag: &str, unread: &[&str]| {
        let raw = json!({"args": {"given": ["false"]}});
        truth(&format!("{{setting: {{flag: {flag}, type: bool, default: true}}, equals: true}}"), raw, unread)
    };
    assert_eq!(ask_of("given", &["$.args.other"]), Truth::False);
    assert_eq!(ask_of("left-out", &["$.args.other"]), Truth::True);
    assert_eq!(ask_of("other", &["$.args.other"]), Truth::Unknown);
    for all in ["$", "$.args"] {
        assert_eq!(ask_of("left-out", &[all]), Truth::Unknown);
    }
}

#[test]
fn what_is_derived_from_arguments_asks_for_those_it_looks_at() {
    let outcome = |check: &str, unread: &str| {
        let resource = Resource {
            unread: vec![Unread::new(unread, Reason::Missing, "read it")],
            ..Resource::observed(
                Kind::Process,
                "process".into(),
                "id".into(),
                "name".into(),
                json!({"component": "kube-apiserver", "args": {"authorization-mode": ["RBAC"]}}),
            )
        };
        let check: Check = crate::yaml::from_str(check).unwrap();
        ask(&check, &Params::new(), &Document::new(resource)).truth
    };
    let authorizers = "{path: $.derived.authorizers, contains: [RBAC], absent: error}";
    assert_eq!(outcome(authorizers, "$.args.etcd-servers"), Truth::True);
    assert_eq!(outcome(authorizers, "$.args.authorization-config"), Truth::Unknown);
    let plugins = "{values: '$.derived.admissionPlugins[*]', contains: [LimitRanger]}";
    assert_eq!(outcome(plugins, "$.args.authorization-config"), Truth::True);
    assert_eq!(outcome(plugins, "$.args.disable-admission-plugins"), Truth::Unknown);
}

#[test]
fn what_could_not_be_read_at_all_never_passes() {
    let control = |decision: &str| {
        let text = format!(
            "id: fuzz\ntitle: a\nresource: process/kube-apiserver\nseverity: low\n{decision}\nwhy: a\nremediation: a\n"
        );
        crate::rule::Control::parse("fuzz.yml", &text).unwrap()
    };
    let raw = json!({"component": "kube-apiserver", "args": {"profiling": ["false"]}});
    let mut resource = Resource::observed(Kind::Process, "process".into(), "1".into(), "a".into(), raw);
    // An argument list over the bound: a later value may be the one that counts.
    resource.unread = vec![crate::resource::Unread::new("$", Reason::TooLarge, "read cmdline")];
    for decision in [
        "check: {setting: {flag: profiling, type: bool, default: true}, equals: false}",
        "check: {setting: {flag: profiling, type: bool, default: true}, equals: true}",
        "check: {some: $.component}",
    ] {
        let control = control(decision);
        let judgement = super::judge(&control, &control.params, &Document::new(resource.clone()));
        assert_eq!(judgement.outcome, super::Outcome::Error, "{decision}");
        assert_eq!(judgement.gap.unwrap().reason, Reason::TooLarge);
    }
}

#[test]
fn null_is_a_key_left_out() {
    assert_eq!(truth("{some: $.a}", json!({"a": null}), &[]), Truth::False);
    assert_eq!(truth("{none: $.a}", json!({"a": null}), &[]), Truth::True);
    assert_eq!(truth("{path: $.a, equals: 1, absent: pass}", json!({"a": null}), &[]), Truth::True);
    assert_eq!(truth("{values: '$.a[*]', subset_of: [1]}", json!({"a": [1, null]}), &[]), Truth::True);
}

/// Every form over the same place.
const FORMS: [&str; 8] = [
    "{some: $.spec.a}",
    "{none: $.spec.a}",
    "{path: $.spec.a, equals: 1, absent: pass}",
    "{path: $.spec.a, none_of: [2], absent: fail}",
    "{values: '$.spec.list[*]', contains: [x]}",
    "{values: '$.spec.list[*]', excludes: [x]}",
    "{not: {values: '$.spec.list[*]', subset_of: [x]}}",
    "{none: '$.spec.list[?@ == $.spec.a]'}",
];

proptest! {
    /// What is hidden can turn an answer into unknown, but never into the opposite.
    #[test]
    fn a_refusal_never_turns_an_answer(
        form in 0..FORMS.len(),
        a in prop::option::of(0..3_i64),
        list in prop::collection::vec("[xyz]", 0..3),
        hidden in prop::sample::select(vec!["$", "$.spec", "$.spec.a", "$.spec.list", "$.spec.list[0]", "$.other"]),
    ) {
        let mut spec = json!({"list": list});
        if let Some(a) = a {
            spec["a"] = json!(a);
        }
        let raw = json!({"spec": spec});
        let seen = truth(FORMS[form], raw.clone(), &[]);
        let partly = truth(FORMS[form], raw, &[hidden]);
        prop_assert!(partly == seen || partly == Truth::Unknown, "{seen:?} became {partly:?}");
    }
}

#[test]
fn a_pod_of_wrong_types_never_passes() {
    let passes = |spec: Value| {
        let pod = Resource::observed(
            Kind::K8sObject,
            "Pod".into(),
            "id".into(),
            "name".into(),
            json!({"kind": "Pod", "metadata": {}, "spec": spec}),
        );
        let check =
            "{none: \"$.spec['containers','initContainers'][?@.securityContext.privileged == true]\"}";
        let check: Check = crate::yaml::from_str(check).unwrap();
        ask(&check, &Params::new(), &Document::new(pod)).truth
    };
    assert_eq!(passes(json!({"containers": [{"name": "a", "securityContext": null}]})), Truth::True);
    for spec in [
        json!("text"),
        json!({"containers": "no"}),
        json!({"containers": ["no"]}),
        json!({"containers": [{"securityContext": {"privileged": "true"}}]}),
        json!({"containers": [{"securityContext": "no"}]}),
    ] {
        assert_eq!(passes(spec.clone()), Truth::Unknown, "{spec}");
    }
}

/// A kubelet whose file was changed after it started: only it knows what is in force.
fn kubelet(configz: Option<Value>) -> Document {
    let mut raw = json!({"component": "kubelet", "args": {"config": ["/var/lib/kubelet/config.yaml"], "read-only-port": ["10255"]},
        "config": {"authentication": {"anonymous": {"enabled": true}}, "streamingConnectionIdleTimeout": "1h"}});
    if let Some(configz) = configz {
        raw["configz"] = configz;
    }
    Document::new(Resource::observed(Kind::Process, "process".into(), "id".into(), "kubelet".into(), raw))
}

fn decided(check: &str, document: &Document) -> (Truth, Vec<String>) {
    let check: Check = crate::yaml::from_str(check).unwrap();
    let params = Params::new();
    let answer = ask(&check, &params, document);
    (answer.truth, answer.facts.iter().map(|fact| fact.place.to_string()).collect())
}

#[test]
fn a_kubelet_s_own_word_beats_its_flags_and_files() {
    let anonymous = "{setting: {flag: anonymous-auth, config: $.authentication.anonymous.enabled, type: bool}, equals: false}";
    let configz =
        json!({"authentication": {"anonymous": {"enabled": false}}, "streamingConnectionIdleTimeout": "0s"});
    let (said, unsaid) = (kubelet(Some(configz)), kubelet(None));
    let at = |place: &str| vec![place.to_owned()];
    assert_eq!(decided(anonymous, &unsaid), (Truth::False, at("$.config.authentication.anonymous.enabled")));
    assert_eq!(decided(anonymous, &said), (Truth::True, at("$.configz.authentication.anonymous.enabled")));
    // Left out there is zero, not unset.
    let port =
        "{setting: {flag: read-only-port, config: $.readOnlyPort, type: int, default: 10255}, equals: 0}";
    assert_eq!(decided(port, &unsaid), (Truth::False, at("--read-only-port")));
    assert_eq!(decided(port, &said), (Truth::True, at("$.configz.readOnlyPort left out")));
    let ciphers =
        "{setting: {flag: tls-cipher-suites, config: $.tlsCipherSuites, type: list}, exists: false}";
    assert_eq!(decided(ciphers, &said).0, Truth::True);
    // Zero there is in force; in a file it means the default.
    let timeout = "{setting: {flag: streaming-connection-idle-timeout, config: $.streamingConnectionIdleTimeout, type: duration}, equals: 0s}";
    assert_eq!(decided(timeout, &said).0, Truth::True);
}

#[test]
fn what_a_kubelet_fills_in_by_itself_is_no_word() {
    let certificate = "{setting: {flag: tls-cert-file, config: $.tlsCertFile, type: path}, exists: true}";
    let filled = kubelet(Some(json!({"tlsCertFile": "/var/lib/kubelet/pki/kubelet.crt"})));
    assert_eq!(decided(certificate, &filled).0, Truth::False);
}

#[test]
fn what_hangs_on_an_unread_flag_or_version_is_unknown() {
    let ask_of = |check: &str, raw: Value, unread: &str| {
        let resource = Resource {
            unread: vec![Unread::new(unread, Reason::Denied, "read it")],
            ..Resource::observed(Kind::Process, "process".into(), "id".into(), "name".into(), raw)
        };
        let check: Check = crate::yaml::from_str(check).unwrap();
        ask(&check, &Params::new(), &Document::new(resource)).truth
    };
    // Either one switches it on.
    let seccomp = "{setting: {flag: seccomp-default, config: $.seccompDefault, type: bool, default: false}, equals: true}";
    let kubelet = |on: bool| json!({"component": "kubelet", "config": {"seccompDefault": on}});
    assert_eq!(ask_of(seccomp, kubelet(true), "$.args"), Truth::True);
    assert_eq!(ask_of(seccomp, kubelet(false), "$.args"), Truth::Unknown);
    let by_version =
        "{setting: {flag: audit-log-maxage, type: int, default: {'1.0': 0, '1.36': 366}}, at_least: 30}";
    let api_server = json!({"component": "kube-apiserver", "args": {}});
    assert_eq!(ask_of(by_version, api_server.clone(), "$.files"), Truth::True, "as in the newest");
    assert_eq!(ask_of(by_version, api_server.clone(), "$.version"), Truth::Unknown);
    let plugins = "{path: $.derived.admissionPlugins, contains: [PodSecurity], absent: error}";
    assert_eq!(ask_of(plugins, api_server, "$.version"), Truth::Unknown);
}
