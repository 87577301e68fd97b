//! What is blanked never passes or fails by itself, and what is revealed decides without being shown.

use super::*;
use crate::redact::{self, Reveal, RevealEntry};

const ALL: [&str; 3] = ["configmap:shop/app#LEVEL", "configmap:shop/app#MODE", "env:DEBUG"];

/// The document as a collector would send it.
fn collected(raw: Value, reveal: &[&str]) -> Document {
    let reveal: Reveal = reveal.iter().map(|entry| entry.parse::<RevealEntry>().unwrap()).collect();
    let kind = raw["kind"].as_str().unwrap_or_default().to_owned();
    let mut resource = Resource::observed(Kind::K8sObject, kind, "id".into(), "name".into(), raw);
    redact::resource(&mut resource, &reveal);
    Document::new(resource)
}

fn answer(check: &str, document: &Document) -> (Truth, Map<String, Value>, String) {
    let check: Check = crate::yaml::from_str(check).unwrap();
    let params = Params::from([("whole".to_owned(), json!({"LEVEL": "x", "MODE": "y"}))]);
    let answer = ask(&check, &params, document);
    let evidence = evidence::of_facts(&answer.facts);
    (answer.truth, evidence, answer.gap().what)
}

fn config_map(data: Value) -> Value {
    json!({"kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "app"}, "data": data})
}

fn pod(env: Value) -> Value {
    json!({"kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [{"name": "c", "env": env}]}})
}

#[test]
fn a_blanked_value_is_unknown_and_its_key_is_not() {
    let document = collected(config_map(json!({"LEVEL": "debug"})), &[]);
    for (check, expected) in [
        ("{path: $.data.LEVEL, none_of: [debug], absent: pass}", Truth::Unknown),
        ("{path: $.data.LEVEL, equals: info, absent: pass}", Truth::Unknown),
        ("{path: $.data.LEVEL, matches: [deb.*], absent: pass}", Truth::Unknown),
        ("{path: $.data.LEVEL, exists: true, absent: fail}", Truth::True),
        ("{values: '$.data[*]', excludes: [debug]}", Truth::Unknown),
        ("{values: '$.data[*]', contains: [debug]}", Truth::Unknown),
        ("{values: '$.data[*]', subset_of: []}", Truth::False),
        ("{some: $.data.LEVEL}", Truth::True),
        ("{none: $.data.MODE}", Truth::True),
        ("{path: $.data.MODE, equals: x, absent: pass}", Truth::True),
        ("{none: \"$.data[?@ == 'debug']\"}", Truth::Unknown),
        ("{some: \"$.data[?length(@) > 3]\"}", Truth::Unknown),
        ("{some: \"$.data[?@ == null]\"}", Truth::False),
        ("{some: \"$.data[?@ < 'x']\"}", Truth::Unknown),
        ("{some: \"$[?count(@[?@ == 'debug']) > 0]\"}", Truth::Unknown),
        ("{some: \"$[?length(@) == 1]\"}", Truth::True),
        ("{none: $.metadata.managedFields}", Truth::Unknown),
        ("{none: \"$.metadata.managedFields[?@.manager == 'x']\"}", Truth::Unknown),
        ("{some: $.metadata.name}", Truth::True),
    ] {
        assert_eq!(answer(check, &document).0, expected, "{check}");
    }
    let whole = "{path: $.data, equals: {param: whole}, absent: pass}";
    assert_eq!(answer(whole, &document).0, Truth::False, "it has one key only");
    let both = collected(config_map(json!({"LEVEL": "x", "MODE": "y"})), &[]);
    assert_eq!(answer(whole, &both).0, Truth::Unknown);
    let (_, _, gap) = answer("{path: $.data.LEVEL, equals: info, absent: pass}", &document);
    assert!(
        gap.contains("$.data.LEVEL")
            && gap.contains("`configmap:shop/app#LEVEL`")
            && gap.contains("(redacted)"),
        "{gap}"
    );
    assert!(!gap.contains("debug"), "{gap}");
}

#[test]
fn of_variables_names_decide_and_values_do_not() {
    let env = json!([{"name": "DEBUG", "value": "true"}, {"name": "HOME", "value": "/"}, {"name": "KEY", "valueFrom": {}}]);
    let document = collected(pod(env), &[]);
    let of = |filter: &str| format!("{{none: \"$.spec.containers[*].env[?{filter}]\"}}");
    for (filter, expected) in [
        ("@.name == 'DEBUG' && @.value == 'true'", Truth::Unknown),
        ("@.value == 'true' && @.name == 'DEBUG'", Truth::Unknown),
        ("@.name == 'OTHER' && @.value == 'true'", Truth::True),
        ("@.value == 'true' && @.name == 'OTHER'", Truth::True),
        ("@.name == 'DEBUG' || @.value == 'true'", Truth::False),
        ("@.name == 'DEBUG'", Truth::False),
        ("@.name == 'DEBUG' && @.value", Truth::False),
        ("@.name == 'KEY' && @.value == 'x'", Truth::True),
        ("@.name == 'KEY' && @.value != 'x'", Truth::False),
        ("!(@.name == 'OTHER' || @.value != 'true')", Truth::Unknown),
    ] {
        assert_eq!(answer(&of(filter), &document).0, expected, "{filter}");
    }
    let (_, _, gap) = answer(&of("@.value == 'true' && @.name == 'DEBUG'"), &document);
    assert!(gap.contains("`env:DEBUG`") && !gap.contains("HOME") && !gap.contains("env[1]"), "{gap}");
    // A possible element that has nothing further down does not matter.
    let below = "{none: \"$.spec.containers[*].env[?@.value == 'true'].valueFrom\"}";
    assert_eq!(answer(below, &document).0, Truth::True);
}

#[test]
fn only_redaction_can_blank() {
    let binding = json!({"kind": "ClusterRoleBinding", "subjects": [{"kind": "User", "name": "<redacted>"}]});
    let document = collected(binding, &[]);
    assert_eq!(
        answer("{path: '$.subjects[*].name', one_of: [jane], absent: pass}", &document).0,
        Truth::False
    );
    assert_eq!(answer("{none: \"$.subjects[?@.name == 'jane']\"}", &document).0, Truth::True);
    let volume = json!({"kind": "Pod", "spec": {"volumes": [{"hostPath": {"path": "<redacted>"}}]}});
    let check = "{path: '$.spec.volumes[*].hostPath.path', one_of: [/x], absent: pass}";
    assert_eq!(answer(check, &collected(volume, &[])).0, Truth::False);
}

#[test]
fn a_text_with_a_blanked_part_differs_where_the_rest_does() {
    let of = |url: &str| collected(json!({"kind": "Thing", "spec": {"url": url}}), &[]);
    let document = of("https://user:pass@db.example/x");
    let equals =
        |text: &str| answer(&format!("{{path: $.spec.url, equals: '{text}', absent: pass}}"), &document).0;
    assert_eq!(equals("https://other.example/"), Truth::False);
    assert_eq!(equals("https://user:pass@db.example/x"), Truth::Unknown);
    assert_eq!(equals("https://@db.example/y"), Truth::False);
}

#[test]
fn words_of_a_command_are_known_unless_one_was_blanked() {
    let pod = json!({"kind": "Pod", "spec": {"containers": [{"args": ["--v=2", "--token=abc"]}]}});
    let document = collected(pod, &[]);
    let args = |compare: &str| {
        answer(&format!("{{values: '$.spec.containers[*].args[*]', {compare}}}"), &document).0
    };
    assert_eq!(args("contains: ['--v=2']"), Truth::True);
    assert_eq!(args("excludes: ['--v=2']"), Truth::False);
    assert_eq!(args("excludes: ['--v=3']"), Truth::True, "a blanked value of --token is not --v=3");
    assert_eq!(args("excludes: ['--token=x']"), Truth::Unknown);
}

#[test]
fn a_flag_that_is_blanked_is_still_given() {
    let raw = json!({"component": "kubelet", "args": {"db-password": ["hunter2"], "v": ["2"]}});
    let mut resource = Resource::observed(Kind::Process, "process".into(), "i".into(), "n".into(), raw);
    redact::resource(&mut resource, &Reveal::default());
    let document = Document::new(resource);
    let of = |kind: &str, compare: &str| {
        answer(&format!("{{setting: {{flag: db-password, type: {kind}}}, {compare}}}"), &document).0
    };
    for kind in ["string", "bool", "int"] {
        assert_eq!(of(kind, "exists: true"), Truth::True, "{kind}");
    }
    assert_eq!(of("string", "equals: hunter3"), Truth::Unknown);
    assert_eq!(of("bool", "equals: true"), Truth::Unknown);
    let (_, _, gap) = answer("{setting: {flag: db-password, type: int}, at_least: 1}", &document);
    assert!(gap.contains("--db-password") && gap.contains("(redacted)"), "{gap}");
}

#[test]
fn a_blanked_field_of_a_file_hides_what_is_in_it() {
    let raw = json!({"component": "kubelet", "args": {}, "config": {"extra": "<redacted>", "known": 1}});
    let document =
        Document::new(Resource::observed(Kind::Process, "process".into(), "i".into(), "n".into(), raw));
    for (check, expected) in [
        ("{none: $.config.extra.sub}", Truth::Unknown),
        ("{some: $.config.extra}", Truth::True),
        ("{path: $.config.extra.sub, equals: 1, absent: pass}", Truth::Unknown),
        ("{some: \"$.config[?@.sub == 1]\"}", Truth::Unknown),
        ("{some: \"$.config[?@ == 1]\"}", Truth::True),
        ("{none: $.config.known.sub}", Truth::True),
        ("{setting: {config: $.extra, type: bool}, equals: true}", Truth::Unknown),
        ("{setting: {config: $.extra, type: bool}, exists: true}", Truth::True),
        ("{setting: {config: $.extra.sub, type: bool, default: true}, equals: true}", Truth::Unknown),
        ("{setting: {config: $.known, type: int}, equals: 1}", Truth::True),
    ] {
        assert_eq!(answer(check, &document).0, expected, "{check}");
    }
}

#[test]
fn what_is_revealed_decides_and_evidence_shows_a_verdict() {
    let document = collected(config_map(json!({"LEVEL": "debug", "MODE": "canary"})), &ALL[..1]);
    let (truth, evidence, _) = answer("{path: $.data.LEVEL, none_of: [debug], absent: pass}", &document);
    assert_eq!(truth, Truth::False);
    assert_eq!(Value::Object(evidence), json!({"$.data.LEVEL": "<revealed: does not match>"}));
    let (truth, evidence, _) = answer("{path: $.data.LEVEL, equals: debug, absent: pass}", &document);
    assert_eq!((truth, evidence["$.data.LEVEL"].as_str()), (Truth::True, Some("<revealed: matches>")));
    let (truth, evidence, _) = answer("{values: $.data.LEVEL, excludes: [debug]}", &document);
    assert_eq!(
        (truth, evidence["$.data.LEVEL"].as_str()),
        (Truth::False, Some("<revealed: does not match>"))
    );
    let (truth, evidence, _) = answer("{some: \"$.data[?@ == 'debug']\"}", &document);
    assert_eq!((truth, evidence["$.data.LEVEL"].as_str()), (Truth::True, Some("<redacted>")));
    assert_eq!(answer("{path: $.data.MODE, equals: x, absent: pass}", &document).0, Truth::Unknown);
    let (truth, _, gap) = answer("{path: $.data.LEVEL, at_most: 5, absent: pass}", &document);
    assert_eq!(truth, Truth::Unknown);
    assert!(gap.contains("revealed value") && !gap.contains("debug"), "{gap}");
}

#[test]
fn a_recorded_mark_is_no_value() {
    let document = collected(config_map(json!({"LEVEL": "<redacted>"})), &ALL);
    assert_eq!(answer("{path: $.data.LEVEL, none_of: [debug], absent: pass}", &document).0, Truth::Unknown);
}

const CHECKS: [&str; 18] = [
    "{path: $.data.LEVEL, equals: x, absent: pass}",
    "{path: $.data.LEVEL, none_of: [x, y], absent: fail}",
    "{path: '$.data[*]', one_of: [x, y], absent: fail}",
    "{path: $.data, equals: {param: whole}, absent: pass}",
    "{path: $.data.LEVEL, matches: ['x+'], absent: pass}",
    "{path: $.data.LEVEL, like: ['x*'], absent: pass}",
    "{values: '$.data[*]', contains: [x]}",
    "{values: '$.data[*]', excludes: [x]}",
    "{values: '$.data[*]', subset_of: [x, y]}",
    "{some: \"$.data[?@ == 'x']\"}",
    "{none: \"$.data[?@ != 'x' && @ < 'z']\"}",
    "{some: \"$.data[?length(@) == 2]\"}",
    "{some: \"$.data[?count($.data[?@ == 'x']) == 1]\"}",
    "{some: \"$.data[?@ == $.data.MODE]\"}",
    "{values: \"$.spec.containers[*].env[?@.value == 'x'].name\", contains: [DEBUG]}",
    "{none: \"$.spec.containers[*].env[?@.name == 'DEBUG' && (@.value == 'x' || !@.value)]\"}",
    "{path: \"$.spec.containers[?@.env[?@.value == 'x']].name\", equals: c, absent: pass}",
    "{not: {some: \"$.spec.containers[*].env[?!(@.value == 'x')]\"}}",
];

proptest! {
    /// Whatever was blanked, a verdict without it is the verdict with it; and with everything revealed it is the same.
    #[test]
    fn a_verdict_does_not_depend_on_what_is_blanked(
        level in prop::option::of("[xyz]{0,2}"),
        mode in prop::option::of("[xyz]{0,2}"),
        env in prop::collection::vec(("DEBUG|HOME", prop::option::of("[xyz]{0,2}")), 0..3),
        check in prop::sample::select(&CHECKS),
    ) {
        let data: Map<String, Value> = [("LEVEL", level), ("MODE", mode)]
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), Value::from(value?))))
            .collect();
        let env: Vec<Value> = env.into_iter().map(|(name, value)| match value {
            Some(value) => json!({"name": name, "value": value}),
            None => json!({"name": name}),
        }).collect();
        for raw in [config_map(Value::Object(data)), pod(Value::Array(env))] {
            let real = Resource::observed(Kind::K8sObject, "Test".into(), "i".into(), "n".into(), raw.clone());
            let (real, _, _) = answer(check, &Document::new(real));
            let (blanked, _, _) = answer(check, &collected(raw.clone(), &[]));
            prop_assert!(blanked == Truth::Unknown || blanked == real, "{check} {raw}: {blanked:?}, but {real:?}");
            let entries = [&ALL[..], &["env:HOME"]].concat();
            let (revealed, _, _) = answer(check, &collected(raw.clone(), &entries));
            prop_assert_eq!(revealed, real, "{} {}", check, raw);
        }
    }
}
