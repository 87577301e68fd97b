//! Bounds, positions, and styles of YAML.

mod styles;

use super::bounds::{MAX_ALIASES, MAX_DEPTH, MAX_NODES, MAX_OWN_DEPTH};
use super::*;
use serde_json::Value;

#[test]
fn an_error_has_line_and_column() {
    let error = from_str::<std::collections::BTreeMap<String, u8>>("a: 1\nb: two\n").unwrap_err();
    assert_eq!((error.line, error.column), (2, 4), "{error}");
    assert!(!error.message.contains("line"), "{error}");
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let below = format!("*a{}", level - 1);
        let items = [below.as_str(); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    assert!(from_str::<Value>(&text).is_err());
    assert!(all_of_own_str::<Value>(&text).is_err());
}

#[test]
fn a_user_s_own_file_may_be_large_and_one_of_a_node_may_not() {
    let list = format!("a: [{}]\n", vec!["x"; MAX_NODES + 1].join(", "));
    assert!(all_from_str::<Value>(&list).is_err());
    assert_eq!(all_of_own_str::<Value>(&list).unwrap().len(), 1);

    let documents = "a: 1\n---\n".repeat(2_000);
    assert_eq!(all_of_own_str::<Value>(&documents).unwrap().len(), 2_000);
}

#[test]
fn several_documents() {
    let documents: Vec<Value> = all_from_str("a: 1\n---\nb: 2\n").unwrap();
    assert_eq!(documents.len(), 2);
}

/// The library refuses more than 32 lines, below a key of a block alone.
#[test]
fn comments_may_be_long_wherever_they_stand() {
    let comments = "  # why it is so\n".repeat(10_000);
    for (before, after) in [
        ("", "a: {b: 1}\n"),
        ("a:\n", "  b: 1\n"),
        ("a: {\n", "  b: 1}\n"),
        ("a:\n  b: 1\n", ""),
        ("a:\n  b:\n", "    1\n"),
        ("---\n", "---\na: {b: 1}\n"),
    ] {
        let text = format!("{before}{comments}{after}");
        let read = |text: &str| all_from_str::<Value>(text).map(|mut all| all.pop());
        assert_eq!(read(&text), Ok(Some(serde_json::json!({"a": {"b": 1}}))), "{before}…{after}");
        assert!(all_of_own_str::<Value>(&text).is_ok(), "{before}…{after}");
    }
}

#[test]
fn one_anchor_may_serve_many_aliases() {
    let list = vec!["*labels"; MAX_ALIASES - 1].join(", ");
    let text = format!("a: &labels {{app: web}}\nb: [{list}]\n");
    assert_eq!(from_str::<Value>(&text).unwrap()["b"][500]["app"], "web");
    let list = vec!["*labels"; MAX_ALIASES + 1].join(", ");
    let text = format!("a: &labels {{app: web}}\nb: [{list}]\n");
    assert!(from_str::<Value>(&text).is_err());
    assert!(all_of_own_str::<Value>(&text).is_ok());
}

#[test]
fn documents_are_as_deep_as_chosen_in_both_styles() {
    let flow = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let block = |depth: usize| {
        let line = |level: usize| format!("{}a:\n", " ".repeat(level));
        (0..depth).map(line).collect::<String>() + &" ".repeat(depth) + "1\n"
    };
    for depth in [MAX_DEPTH, MAX_OWN_DEPTH] {
        for text in [flow(depth - 1), block(depth - 1), flow(depth + 1), block(depth + 1)] {
            let own = std::thread::Builder::new().stack_size(STACK).spawn({
                let text = text.clone();
                move || (all_of_own_str::<Value>(&text).is_ok(), positions(&text).is_ok())
            });
            let levels = text.matches(['[', 'a']).count();
            let is_good = levels < MAX_OWN_DEPTH;
            assert_eq!(own.unwrap().join().unwrap(), (is_good, is_good), "{levels} levels");
            assert_eq!(from_str::<Value>(&text).is_ok(), levels < MAX_DEPTH, "{levels} levels");
        }
    }
}

fn at(text: &str, steps: &[&str]) -> (u64, u64, usize) {
    let steps: Vec<String> = steps.iter().map(|step| (*step).to_owned()).collect();
    let (at, taken) = positions(text).unwrap()[0].locate(&steps);
    (at.line, at.column, taken)
}

#[test]
fn a_value_has_the_position_of_its_key_or_of_itself_in_a_list() {
    let text = "# first\na:\n  b: 1\n  c:\n  - x\n  - d: {e: f}\n";
    assert_eq!(at(text, &[]), (2, 1, 0));
    assert_eq!(at(text, &["a", "b"]), (3, 3, 2));
    assert_eq!(at(text, &["a", "c", "0"]), (5, 5, 3));
    assert_eq!(at(text, &["a", "c", "1", "d", "e"]), (6, 9, 5));
    assert_eq!(at(text, &["a", "c", "1", "missing", "e"]), (6, 5, 3), "the innermost that is there");
    assert_eq!(at("{\"a\":\n  [1, {\"b\": 2}]}", &["a", "1", "b"]), (2, 8, 3), "JSON is YAML");
}
