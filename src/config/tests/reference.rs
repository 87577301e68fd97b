//! `posturebeat.reference.yml`: every key with its text and default, generated from the forms.

use crate::config::fleet::PolicyKeys;
use crate::config::settings::SettingsForm;
use crate::config::{catalogue, expand, layer, outputs, read};
use crate::output::OUTPUTS;

/// The longest line of a comment.
const WIDTH: usize = 100;

const HEAD: &str = "\
# All settings of posturebeat, with their defaults.
# A test writes this file from the comments of the forms in src/config/settings and src/output
# (UPDATE=1 cargo test reference).
#
# Dotted and nested keys may be mixed: `output.console.pretty: true` is
# `output: {console: {pretty: true}}`. Several -c files merge in order, then -E key=value. Lists
# merge item by item.
#
# `${NAME}` is another setting, an environment variable or a key of the keystore. For a name that is
# not set or empty: `${NAME:default}` gives a default, `${NAME:?message}` fails with a message.
# `${NAME:+instead}` gives a text if the name is set. `$$` is a dollar.
";

fn wrapped(text: &str, out: &mut String) {
    for paragraph in text.split("\n\n") {
        let mut line = String::from("#");
        for word in paragraph.split_whitespace() {
            if line.len() + 1 + word.len() > WIDTH {
                out.push_str(&line);
                out.push('\n');
                line = String::from("#");
            }
            line.push(' ');
            line.push_str(word);
        }
        out.push_str(&line);
        out.push('\n');
    }
}

/// Quotes only where YAML needs them.
fn plain(json: &str) -> &str {
    let inner = json.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
    let safe = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    if !inner.is_empty() && inner.chars().all(safe) { inner } else { json }
}

fn reference() -> String {
    let mut out = HEAD.to_owned();
    let mut section = String::new();
    for key in catalogue(OUTPUTS).keys() {
        let (first, _) = key.path.split_once('.').unwrap_or((&key.path, ""));
        let mut texts = key.text.iter();
        if first != section {
            section = first.to_owned();
            out.push_str(&format!("\n# {}\n", "=".repeat(WIDTH - 2)));
            if key.path.contains('.') {
                wrapped(&format!("{section}: {}", texts.next().expect("a section has a text")), &mut out);
            }
        }
        let depth = key.path.matches('.').count();
        let parts: Vec<&str> = key.path.split('.').collect();
        let texts: Vec<&String> = texts.collect();
        for (index, text) in texts.iter().enumerate() {
            out.push('\n');
            let around = texts.len() - 1 - index;
            if around > 0 {
                let name = parts[..=depth - around].join(".");
                wrapped(&format!("{name}: {text}"), &mut out);
            } else {
                wrapped(text, &mut out);
            }
        }
        if key.example {
            out.push_str("# No default; for example:\n");
        }
        out.push_str(&format!("#{}: {}\n", key.path, plain(&key.value)));
    }
    out
}

#[test]
fn the_reference_file_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/posturebeat.reference.yml");
    let expected = reference();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == expected, "posturebeat.reference.yml is stale: run with UPDATE=1");
}

/// As users do: they take a line and remove its first character.
#[test]
fn every_line_of_the_reference_can_be_used() {
    let env = |name: &str| Some(format!("{name}:x"));
    let catalogue = catalogue(OUTPUTS);
    let policy = PolicyKeys { catalogue: &catalogue, inputs: Vec::new };
    for key in catalogue.keys() {
        let line = format!("{}: {}\n", key.path, plain(&key.value));
        let layer = layer::text_of("reference.yml", &line, &policy, &mut Vec::new()).unwrap();
        let tree = expand::expand(&layer::merge(vec![layer], &mut Vec::new()), &env).unwrap();
        read::read::<SettingsForm>(&tree, &catalogue).unwrap_or_else(|error| panic!("{line}{error}"));
        // An output may lack a required setting, but its keys are known.
        if let Err(error) = outputs::resolve(OUTPUTS, &tree, &catalogue) {
            assert!(!error.message.contains("unknown"), "{line}{error}");
        }
        assert!(key.text.iter().all(|text| !text.is_empty()), "{} has no text", key.path);
    }
}
