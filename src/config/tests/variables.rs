//! `${…}` from settings and the environment.

use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::Files;
use crate::output::elasticsearch::Auth;

fn name(files: &Files) -> Option<String> {
    files.settings().name
}

fn with(text: &str) -> Files {
    Files::new(&format!("name: '{text}'\npath.data: /data")).env("A", "a").env("EMPTY", "").env("B", "A")
}

#[test]
fn every_form() {
    for (written, meant) in [
        ("${A}", "a"),
        ("x-${A}-${A}", "x-a-a"),
        ("${A:b}", "a"),
        ("${NONE:b}", "b"),
        ("${EMPTY:b}", "b"),
        ("${NONE:http://h:1/x}", "http://h:1/x"),
        ("${A:+set}", "set"),
        ("x${NONE:+set}", "x"),
        ("${A:?message}", "a"),
        ("${NONE:${A}}", "a"),
        ("${NONE:${NEITHER:c}d}", "cd"),
        ("${${B}}", "a"),
        ("$${A}", "${A}"),
        ("a$$b$c$", "a$b$c$"),
        ("${NONE:a$}b}", "a}b"),
        ("${path.data}/x", "/data/x"),
    ] {
        assert_eq!(name(&with(written)).as_deref(), Some(meant), "{written}");
    }
    assert_eq!(name(&with("${NONE:}")), None);
}

#[test]
fn settings_come_before_the_environment() {
    let files = Files::new("name: ${path.data}\npath.data: /setting").env("path.data", "/environment");
    assert_eq!(name(&files).as_deref(), Some("/setting"));
    let files = Files::new("name: ${posturebeat.node_name:x}\nposturebeat.node_name: ''");
    assert_eq!(name(&files).as_deref(), Some("x"), "an empty setting is not set");
    let files = Files::new("name: ${name:fallback}").env("name", "environment");
    assert_eq!(name(&files).as_deref(), Some("environment"), "not itself");
    let files = Files::new("path.data: /${name}").set("name", "last");
    assert_eq!(files.settings().data_path, std::path::Path::new("/last"), "after merging");
}

#[test]
fn a_whole_value_takes_the_type_that_is_asked_for() {
    let files = Files::new(
        "posturebeat: {period: '${P:4h}', rules.params: {c: {n: '${N:50}', s: 'x${N:50}'}}}
posturebeat.benchmarks: ${LIST}
output.elasticsearch: {hosts: '${HOSTS}', bulk_max_size: '${N:50}', enabled: '${ON:true}', username: u, password: '${PASSWORD}'}
",
    )
    .env("LIST", "[cis_eks, cis_k8s]")
    .env("HOSTS", "https://a:1,https://b:2")
    .env("PASSWORD", "007,${A}[");
    let settings = files.settings();
    assert_eq!(settings.posture.period.as_secs(), 4 * 3600);
    assert_eq!(settings.posture.benchmarks, ["cis_eks", "cis_k8s"]);
    assert_eq!(
        settings.posture.rule_params["c"],
        [("n".to_owned(), 50.into()), ("s".to_owned(), "x50".into())].into()
    );
    let output = files.elasticsearch();
    assert_eq!(output.bulk_max_size, 50);
    assert_eq!(output.hosts, ["https://a:1", "https://b:2"]);
    let Auth::Basic { password, .. } = &output.auth else { panic!("{:?}", output.auth) };
    assert_eq!(password.expose_secret(), "007,${A}[", "a password is as it is");
}

#[test]
fn a_list_of_another_setting_stays_a_list() {
    let files = Files::new("posturebeat: {benchmarks: [a, b], snapshots: '${posturebeat.benchmarks}'}");
    assert_eq!(files.settings().posture.snapshots, [std::path::Path::new("a"), "b".as_ref()]);
}

#[test]
fn what_cannot_be_resolved_is_said_with_its_place() {
    for (written, message) in [
        (
            "${NONE}",
            "1.yml:2:7: `name`: `NONE` is neither a setting nor an environment variable nor a key of the keystore with a value: set it, or write `${NONE:default}`",
        ),
        (
            "x${EMPTY}",
            "1.yml:2:7: `name`: `EMPTY` is neither a setting nor an environment variable nor a key of the keystore with a value: set it, or write `${EMPTY:default}`",
        ),
        ("${NONE:?set it to your name}", "1.yml:2:7: `name`: `NONE` is not set: set it to your name"),
        ("${name}", "1.yml:2:7: `name`: `name`: `${name}` refers to itself"),
        ("${A", "1.yml:2:7: `name`: `${` without its `}`: write `$${` for the characters"),
        (
            "${}",
            "1.yml:2:7: `name`: `${` names no variable: expected `${NAME}`, and `$${` for the characters",
        ),
        (
            "x${posturebeat}",
            "1.yml:2:7: `name`: `${posturebeat}` is a section or a list, which cannot be a part of a text",
        ),
    ] {
        let files = Files::new(&format!("posturebeat.namespace: x\nname: '{written}'")).env("EMPTY", "");
        assert_eq!(files.error(), message, "{written}");
    }
    assert_eq!(
        Files::new("").set("name", "${NONE}").error(),
        "-E name: `name`: `NONE` is neither a setting nor an environment variable nor a key of the keystore with a value: set it, or write `${NONE:default}`"
    );
}

#[test]
fn references_that_multiply_end() {
    let mut text = String::from("name: ${x0}\n");
    for level in 0..40 {
        let next = format!("${{x{}}}", level + 1);
        text.push_str(&format!("x{level}: '{next}{next}'\n"));
    }
    let error = Files::new(&text).error();
    assert!(error.contains("more than"), "{error}");
}

proptest! {
    #[test]
    fn no_text_panics(text in "([${}:+?]|[a-zA]|.)*", value in ".*") {
        let quoted = serde_json::to_string(&text).unwrap();
        let _ = Files::new(&format!("name: {quoted}\npath.data: {quoted}")).env("A", &value).load();
    }

    #[test]
    fn a_value_of_the_environment_arrives_as_it_is(value in "[^\\p{C}]+") {
        let files = Files::new("name: ${A}").env("A", &value);
        prop_assert_eq!(name(&files), Some(value));
    }
}

#[test]
fn secrets_of_the_keystore_stand_behind_variables() {
    let mut files =
        Files::new("output.elasticsearch: {hosts: [a], username: '${NAME}', password: '${ES_PASSWORD}'}")
            .env("NAME", "of the environment");
    let data = files.folder.path().join("data");
    files = files.set("path.data", data.to_str().unwrap());
    let mut store = crate::config::Keystore::open(&data.join("posturebeat.keystore"), true).unwrap();
    store.set("ES_PASSWORD", "[hunter2, 1]".to_owned().into());
    store.set("NAME", "of the keystore".to_owned().into());
    store.save().unwrap();
    let output = files.elasticsearch();
    let Auth::Basic { username, password } = &output.auth else { panic!("{:?}", output.auth) };
    assert_eq!(username, "of the environment", "a variable wins");
    assert_eq!(password.expose_secret(), "[hunter2, 1]", "a secret is text, whatever it looks like");
    let elsewhere = files.set("keystore.path", data.join("other").to_str().unwrap());
    assert!(elsewhere.error().contains(
        "`ES_PASSWORD` is neither a setting nor an environment variable nor a key of the keystore"
    ));
}
