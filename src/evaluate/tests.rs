//! The promise of this room: nothing that could not be read ever counts as passed.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::check::ask;
use super::*;
use crate::resource::{Kind, Resource, Unread};

fn document(raw: Value, unread: &[&str]) -> Document {
    let unread = unread.iter().map(|at| Unread::new(*at, Reason::Denied, "read it")).collect();
    Document::new(Resource {
        kind: Kind::K8sObject,
        sub_type: "Test".into(),
        id: "id".into(),
        name: "name".into(),
        raw,
        related: Map::new(),
        unread,
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
        let pod = Resource {
            kind: Kind::K8sObject,
            sub_type: "Pod".into(),
            id: "id".into(),
            name: "name".into(),
            raw: json!({"kind": "Pod", "metadata": {}, "spec": spec}),
            related: Map::new(),
            unread: vec![],
        };
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

#[test]
fn what_hangs_on_an_unread_flag_or_version_is_unknown() {
    let ask_of = |check: &str, raw: Value, unread: &str| {
        let resource = Resource {
            kind: Kind::Process,
            sub_type: "process".into(),
            id: "id".into(),
            name: "name".into(),
            raw,
            related: Map::new(),
            unread: vec![Unread::new(unread, Reason::Denied, "read it")],
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
