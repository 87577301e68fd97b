//! Promises of every output in the table: each one by its line alone.

use super::*;
use crate::config::{Loaded, Sources, load};
use std::collections::BTreeSet;

/// Loads a configuration made of overrides.
fn loaded(overrides: &[(String, &str)]) -> Result<Loaded<ConfiguredOutput>, String> {
    let overrides = overrides.iter().map(|(key, value)| (key.clone(), (*value).to_owned())).collect();
    let sources = Sources {
        files: vec![],
        default_file: None,
        overrides,
        env: &|_| None,
        strict_perms: false,
        fleet_inputs: Vec::new,
    };
    load(&sources, OUTPUTS).map_err(|error| error.to_string())
}

fn key(output: &OutputSection<ConfiguredOutput>, key: &str) -> String {
    format!("output.{}.{key}", output.name())
}

#[test]
fn each_has_a_name_and_can_be_disabled() {
    let names: BTreeSet<&str> = OUTPUTS.iter().map(OutputSection::name).collect();
    assert_eq!(names.len(), OUTPUTS.len(), "{names:?}");
    for output in OUTPUTS {
        assert!(loaded(&[(key(output, "enabled"), "false")]).unwrap().output.is_none(), "{}", output.name());
        let error = loaded(&[(key(output, "enabled"), "maybe")]).unwrap_err();
        assert!(error.contains("expected `true` or `false`"), "{}: {error}", output.name());
        let error = loaded(&[(key(output, "no-such-key"), "1")]).unwrap_err();
        assert!(error.contains("unknown key"), "{}: {error}", output.name());
    }
}

#[test]
fn only_one_may_be_enabled() {
    for (first, second) in OUTPUTS.iter().zip(&OUTPUTS[1..]) {
        let error = loaded(&[(key(first, "enabled"), "true"), (key(second, "enabled"), "true")]).unwrap_err();
        for output in [first, second] {
            assert!(error.contains(&format!("`output.{}`", output.name())), "{error}");
        }
        assert!(error.contains("more than one output is enabled"), "{error}");
    }
}

#[test]
fn an_unknown_output_is_an_error_with_the_known_ones() {
    let error = loaded(&[("output.no-such-output.x".to_owned(), "1")]).unwrap_err();
    for output in OUTPUTS {
        assert!(error.contains(&format!("`{}`", output.name())), "{error}");
    }
}

#[test]
fn how_each_takes_batches() {
    let delivery = |overrides: &[(&str, &'static str)]| {
        let overrides: Vec<_> = overrides.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
        let output = loaded(&overrides).unwrap().output.unwrap();
        format!("{}: {}", output.name(), output.delivery())
    };
    assert_eq!(
        delivery(&[("output.elasticsearch.hosts", "es"), ("output.elasticsearch.bulk_max_size", "7")]),
        "elasticsearch: batches of 7 events; durable: yes; concurrent: yes; splits batches: yes"
    );
    assert_eq!(
        delivery(&[("output.file.path", "/x")]),
        "file: batches of 2048 events; durable: yes; concurrent: no; splits batches: yes"
    );
    assert_eq!(
        delivery(&[("output.console.enabled", "true")]),
        "console: batches of 2048 events; durable: no; concurrent: no; splits batches: yes"
    );
}
