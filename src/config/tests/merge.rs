//! Dotted and nested keys, files over files, `-E` over files.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::Files;
use crate::config::fleet::PolicyKeys;
use crate::config::{catalogue, layer};
use crate::output::OUTPUTS;

fn layer_of(text: &str) -> layer::Layer {
    let policy = PolicyKeys { catalogue: &catalogue(OUTPUTS), inputs: Vec::new };
    layer::text_of("p.yml", text, &policy, &mut Vec::new()).unwrap()
}

fn read(text: &str) -> config::Value {
    layer::merge(vec![layer_of(text)], &mut Vec::new())
}

/// Without positions.
fn plain(value: &config::Value) -> Value {
    value.clone().try_deserialize().unwrap()
}

#[test]
fn dotted_and_nested_keys_are_the_same() {
    let expected =
        serde_json::json!({"output": {"elasticsearch": {"hosts": ["a"], "ssl": {"enabled": true}}}});
    for text in [
        "output: {elasticsearch: {hosts: [a], ssl: {enabled: true}}}",
        "output.elasticsearch: {hosts: [a], ssl.enabled: true}",
        "output: {elasticsearch.hosts: [a], elasticsearch: {ssl: {enabled: true}}}",
        "output.elasticsearch.hosts: [a]\noutput: {elasticsearch.ssl: {enabled: true}}",
        "output.elasticsearch.ssl.enabled: true\noutput.elasticsearch: {hosts: [a]}",
    ] {
        assert_eq!(plain(&read(text)), expected, "{text}");
    }
}

#[test]
fn later_files_win_key_by_key() {
    let files = Files::new("posturebeat: {period: 1h, namespace: a}\nname: x")
        .and("posturebeat.period: 2h")
        .and("posturebeat: {period: 3h}\nname:");
    let settings = files.settings();
    assert_eq!(settings.posture.period.as_secs(), 3 * 3600);
    assert_eq!(settings.posture.namespace, "a");
    assert_eq!(settings.name, None, "an empty key takes a value back");
    let files = Files::new("posturebeat.namespace: a").and("posturebeat:");
    assert_eq!(files.settings().posture.namespace, "a", "an empty section says nothing");
    for text in ["posturebeat:\nposturebeat.namespace: a", "posturebeat.namespace: a\nposturebeat:"] {
        assert_eq!(Files::new(text).settings().posture.namespace, "a", "{text}");
    }
}

#[test]
fn overrides_win_and_are_typed_by_what_is_asked_for() {
    let files = Files::new("posturebeat.period: 1h\noutput.console.pretty: false")
        .set("posturebeat.period", "90s")
        .set("posturebeat.benchmarks", "[cis_k8s, 'cis_eks@1.8.0']")
        .set("posturebeat.node_name", "007")
        .set("posturebeat.rules.params", "{a/b: {n: 5}}")
        .set("posturebeat.rules.params.a/b.m", "6")
        .set("output.console.pretty", "true")
        .set("queue.mem.events", "12");
    let settings = files.settings();
    assert_eq!(settings.posture.period.as_secs(), 90);
    assert_eq!(settings.posture.benchmarks, ["cis_k8s", "cis_eks@1.8.0"]);
    assert_eq!(settings.posture.node_name.as_deref(), Some("007"));
    assert_eq!(settings.posture.rule_params["a/b"], [("m".into(), 6.into()), ("n".into(), 5.into())].into());
    assert_eq!(format!("{:?}", files.output().unwrap()), "ConsoleSettings { pretty: true }");
    assert_eq!(settings.queue.events, 12);
}

#[test]
fn a_list_may_be_one_value_or_text_with_commas() {
    let benchmarks = |files: Files| files.settings().posture.benchmarks;
    assert_eq!(benchmarks(Files::new("posturebeat.benchmarks: cis_eks")), ["cis_eks"]);
    assert_eq!(
        benchmarks(Files::new("").set("posturebeat.benchmarks", "cis_eks, cis_k8s")),
        ["cis_eks", "cis_k8s"]
    );
}

#[test]
fn lists_merge_item_by_item_as_in_a_beat_and_it_is_said() {
    let files = Files::new("posturebeat.benchmarks: [a, b, c]").and("posturebeat.benchmarks: [x]");
    assert_eq!(files.settings().posture.benchmarks, ["x", "b", "c"]);
    assert_eq!(
        files.notes(),
        [
            "`posturebeat.benchmarks` in 2.yml has 1 of the list's 3 items: as in a Beat, lists merge item by item and the rest of the earlier list stays"
        ]
    );
    let files = Files::new("posturebeat.benchmarks: [a]").and("posturebeat.benchmarks: [x, z]");
    assert_eq!(files.settings().posture.benchmarks, ["x", "z"]);
    assert!(files.notes().is_empty());
    let files = Files::new("posturebeat.benchmarks: [a, b]").set("posturebeat.benchmarks.1", "x");
    assert_eq!(files.settings().posture.benchmarks, ["a", "x"]);
}

#[test]
fn cloudbeat_is_another_name_of_the_section() {
    let files = Files::new("cloudbeat.period: 1h").set("posturebeat.period", "2h");
    assert_eq!(files.settings().posture.period.as_secs(), 7200);
    assert_eq!(files.notes(), ["the section `cloudbeat` in 1.yml is read as `posturebeat`"]);
}

/// Sections, lists and scalars with names that need no quotes.
fn any_section() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<u16>().prop_map(Value::from),
        "[a-z]{1,4}".prop_map(|text| Value::from(format!("t{text}")))
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::btree_map("[a-e]", inner.clone(), 1..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
            prop::collection::vec(inner, 0..3).prop_map(Value::Array),
        ]
    });
    prop::collection::btree_map("[f-j]", value, 1..4).prop_map(|map| map.into_iter().collect())
}

/// The leaves of a section, each with its dotted key.
fn leaves(section: &str, value: &Value, out: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = if section.is_empty() { key.clone() } else { format!("{section}.{key}") };
                leaves(&key, value, out);
            }
        }
        leaf => out.push((section.to_owned(), leaf.clone())),
    }
}

/// A leaf's key with dots or as sections, as `bits` say.
fn spelled(key: &str, leaf: &Value, bits: u8) -> String {
    let parts: Vec<&str> = key.split('.').collect();
    let mut text = String::new();
    for (index, part) in parts.iter().enumerate() {
        text.push_str(part);
        if index + 1 < parts.len() {
            text.push_str(if bits >> (index % 8) & 1 == 1 { "." } else { ": {" });
        }
    }
    let closing = text.matches('{').count();
    format!("{text}: {leaf}{}", "}".repeat(closing))
}

proptest! {
    #[test]
    fn any_spelling_of_a_tree_is_that_tree(section in any_section(), bits in any::<u8>(), rotate in any::<prop::sample::Index>()) {
        let tree = Value::Object(section);
        let mut lines = Vec::new();
        leaves("", &tree, &mut lines);
        let at = rotate.index(lines.len());
        lines.rotate_left(at);
        // Each as -c files of one leaf, laid over each other.
        let mut layers = Vec::new();
        for (index, (key, leaf)) in lines.iter().enumerate() {
            let text = spelled(key, leaf, bits.rotate_left(index as u32));
            layers.push(layer_of(&text));
        }
        prop_assert_eq!(plain(&layer::merge(layers, &mut Vec::new())), tree.clone());
        // And all in one file, dotted.
        let text: Vec<String> = lines.iter().map(|(key, leaf)| format!("{key}: {leaf}")).collect();
        prop_assert_eq!(plain(&read(&text.join("\n"))), tree);
    }

    #[test]
    fn no_file_panics(text in "([a-z.]{0,6}|[\\[\\]{}:,&*!|>'\"#\\- \n$0-9])*") {
        let _ = Files::new(&text).load();
    }

    #[test]
    fn no_policy_panics(text in any_section(), key in "inputs|streams|type|outputs") {
        let text = Value::Object(text);
        let _ = Files::new(&format!("type: cloudbeat/cis_k8s\n{key}.default: {text}")).load();
        let _ = Files::new(&format!("inputs: [{{type: cloudbeat/cis_k8s, x: {text}}}, {text}]\noutputs: {text}")).load();
    }

    #[test]
    fn no_override_panics(key in ".*", value in ".*") {
        let _ = Files::new("").set(&key, &value).load();
    }
}
