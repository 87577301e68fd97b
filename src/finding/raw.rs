//! `resource.raw`, truncated so that a store never rejects a finding for its size.

use serde_json::{Map, Value};

use crate::event::Text;

/// The most bytes of `resource.raw` in a document.
pub(super) const MAX_RAW: usize = 64 * 1024;
/// Strings are cut to this many bytes if the resource is too large.
const MAX_TEXT: usize = 256;

/// Writes the resource as JSON. Returns whether it was cut.
pub(super) fn write(raw: &Value, out: &mut Text) -> bool {
    let start = out.end();
    out.push_json(raw);
    if out.end() - start <= MAX_RAW {
        return false;
    }
    out.cut(start);
    out.push_json(&cut_texts(raw));
    if out.end() - start <= MAX_RAW {
        return true;
    }
    out.cut(start);
    let keep = |value: &Value, keys: &[&str]| -> Map<String, Value> {
        keys.iter().filter_map(|key| Some(((*key).to_owned(), cut_texts(value.get(*key)?)))).collect()
    };
    let mut shell = keep(raw, &["apiVersion", "kind", "path", "pid", "component"]);
    if let Some(metadata) = raw.get("metadata") {
        shell.insert("metadata".into(), Value::Object(keep(metadata, &["name", "namespace", "uid"])));
    }
    out.push_json(&shell);
    true
}

fn cut_texts(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() > MAX_TEXT => {
            let end = (0..=MAX_TEXT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            Value::from(format!("{}… ({} bytes)", &text[..end], text.len()))
        }
        Value::Array(elements) => elements.iter().map(cut_texts).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, value)| (key.clone(), cut_texts(value))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn render(raw: &Value) -> (String, bool) {
        let mut out = Text::own(0);
        let cut = write(raw, &mut out);
        (String::from_utf8(out.share().to_vec()).unwrap(), cut)
    }

    #[test]
    fn a_huge_annotation_is_cut_and_the_rest_stays() {
        let raw =
            json!({"kind": "Pod", "metadata": {"name": "a", "annotations": {"x": "é".repeat(1_000_000)}}});
        let (text, cut) = render(&raw);
        assert!(cut && text.len() < MAX_RAW);
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["metadata"]["name"], "a");
        assert!(back["metadata"]["annotations"]["x"].as_str().unwrap().ends_with("(2000000 bytes)"));
    }

    #[test]
    fn a_huge_list_leaves_only_who_it_is() {
        let raw = json!({"kind": "Pod", "metadata": {"name": "a", "uid": "u"}, "spec": {"containers": vec![json!({"name": "x"}); 20_000]}});
        let (text, cut) = render(&raw);
        assert!(cut);
        assert_eq!(text, r#"{"kind":"Pod","metadata":{"name":"a","uid":"u"}}"#);
    }
}
