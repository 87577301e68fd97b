//! A file's text as documents: YAML, JSON, or JSON objects one after another, and where each value stands.
//!
//! Documents are cut at their markers first, so one that is broken leaves the others as they are.

use serde_json::Value;
use std::sync::{Arc, OnceLock};

use crate::resource::{DocumentPositions, OriginPosition};
use crate::yaml::{self, PositionTree};

/// A document of a file.
#[derive(Debug)]
pub(super) struct ManifestDocument {
    /// From 1; empty documents do not count.
    pub number: usize,
    pub content: Result<Value, BrokenDocument>,
    /// The document's text, for positions; of one that is broken, the text around it.
    pub text: Arc<DocumentText>,
}

/// Why a document could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BrokenDocument {
    /// In the file.
    pub at: Option<OriginPosition>,
    pub message: String,
}

/// The text of a document within its file's.
#[derive(Debug)]
pub(super) struct DocumentText {
    file: Arc<str>,
    start: usize,
    end: usize,
    /// Which of the documents in that text.
    index: usize,
    /// Parsed when somebody asks for a position.
    tree: OnceLock<Option<PositionTree>>,
}

impl DocumentText {
    pub(super) fn as_str(&self) -> &str {
        self.file.get(self.start..self.end).unwrap_or_default()
    }

    /// A position in the text as one in the file.
    fn in_file(&self, line: u64, column: u64) -> OriginPosition {
        let before = self.file.get(..self.start).unwrap_or_default();
        let lines = before.bytes().filter(|byte| *byte == b'\n').count() as u64;
        let own = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64;
        OriginPosition { line: lines + line, column: if line == 1 { own + column } else { column } }
    }
}

impl DocumentPositions for DocumentText {
    fn locate(&self, steps: &[String]) -> Option<(OriginPosition, usize)> {
        let tree = self.tree.get_or_init(|| {
            let mut trees = yaml::positions(self.as_str()).ok()?;
            (self.index < trees.len()).then(|| trees.swap_remove(self.index))
        });
        let (at, taken) = tree.as_ref()?.locate(steps);
        Some((self.in_file(at.line, at.column), taken))
    }
}

/// The documents of a file's text; those that are empty are left out.
pub(super) fn documents(text: &str) -> Vec<ManifestDocument> {
    let file: Arc<str> = text.into();
    let mut out = Documents { file: Arc::clone(&file), all: Vec::new() };
    let mut start = 0;
    for end in ends(&file) {
        out.part(start, end);
        start = end;
    }
    out.all
}

/// Where each part of a text ends, the last one included: before each marker `---`, unless nothing but comments and
/// directives stand before it.
fn ends(text: &str) -> Vec<usize> {
    let (mut ends, mut at, mut has_content) = (Vec::new(), 0, false);
    for line in text.split_inclusive('\n') {
        let is_marker =
            line.strip_prefix("---").is_some_and(|rest| rest.trim_start() != rest || rest.is_empty());
        if is_marker && has_content {
            ends.push(at);
        }
        let is_remark = line.trim().is_empty() || line.trim_start().starts_with('#') || line.starts_with('%');
        has_content = is_marker || (has_content || !is_remark);
        at += line.len();
    }
    ends.push(text.len());
    ends
}

struct Documents {
    file: Arc<str>,
    all: Vec<ManifestDocument>,
}

impl Documents {
    /// A part of the text: of one document in YAML, or of any number in JSON.
    fn part(&mut self, start: usize, end: usize) {
        let file = Arc::clone(&self.file);
        let part = &file[start..end];
        // JSON has its own parser, as a list from kubectl may be far larger than any hand-written YAML.
        let json = match part.trim_start().starts_with(['{', '[']).then(|| json_documents(part)) {
            Some((found, None)) => {
                for (value, from, to) in found {
                    self.add(Ok(value), start + from, start + to, 0);
                }
                return;
            }
            other => other,
        };
        match yaml::all_of_own_str::<Value>(part) {
            Ok(found) => {
                for (index, value) in found.into_iter().enumerate() {
                    self.add(Ok(value), start, end, index);
                }
            }
            Err(error) => {
                let mut from = start;
                let yaml = (error.line, error.column, error.message);
                // It begins as both do. JSON that is cut off was meant as JSON, as were objects before a broken one.
                let (line, column, message) = match json {
                    Some((found, Some(error))) if !found.is_empty() || error.is_eof() => {
                        for (value, first, last) in found {
                            self.add(Ok(value), start + first, start + last, 0);
                            from = start + last;
                        }
                        (error.line() as u64, error.column() as u64, json_message(&error))
                    }
                    _ => yaml,
                };
                let whole = self.text(start, end, 0);
                let at = (line > 0).then(|| whole.in_file(line, column.max(1)));
                self.add(Err(BrokenDocument { at, message }), from, end, 0);
            }
        }
    }

    fn add(&mut self, content: Result<Value, BrokenDocument>, start: usize, end: usize, index: usize) {
        if !matches!(content, Ok(Value::Null)) {
            let text = Arc::new(self.text(start, end, index));
            self.all.push(ManifestDocument { number: self.all.len() + 1, content, text });
        }
    }

    fn text(&self, start: usize, end: usize, index: usize) -> DocumentText {
        DocumentText { file: Arc::clone(&self.file), start, end, index, tree: OnceLock::new() }
    }
}

/// JSON values one after another, each with its start and end, and the error that ends them early.
fn json_documents(text: &str) -> (Vec<(Value, usize, usize)>, Option<serde_json::Error>) {
    let mut found = Vec::new();
    let mut values = serde_json::Deserializer::from_str(text).into_iter();
    loop {
        let start = values.byte_offset();
        match values.next() {
            Some(Ok(value)) => {
                let blank = text[start..].len() - text[start..].trim_start().len();
                found.push((value, start + blank, values.byte_offset()));
            }
            Some(Err(error)) => return (found, Some(error)),
            None => return (found, None),
        }
    }
}

/// What the parser said, without the position that it adds.
fn json_message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rfind(" at line ").map_or(text.as_str(), |cut| &text[..cut]).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn values(text: &str) -> Vec<Option<Value>> {
        documents(text).into_iter().map(|document| document.content.ok()).collect()
    }

    fn broken_at(text: &str) -> Vec<(usize, u64, u64)> {
        let broken = documents(text).into_iter().filter_map(|document| {
            let at = document.content.err()?.at?;
            Some((document.number, at.line, at.column))
        });
        broken.collect()
    }

    fn line(document: &ManifestDocument, steps: &[&str]) -> (u64, u64) {
        let steps: Vec<String> = steps.iter().map(|step| (*step).to_owned()).collect();
        let (at, _) = document.text.locate(&steps).unwrap();
        (at.line, at.column)
    }

    #[test]
    fn documents_are_cut_at_their_markers() {
        let (a, b) = (Some(json!({"a": 1})), Some(json!({"b": 2})));
        for text in [
            "a: 1\n---\nb: 2\n",
            "---\na: 1\n--- # second\nb: 2",
            "%YAML 1.2\n# first\n---\na: 1\n---\n---\n# nothing\n---\nb: 2\n---\n",
            "a: 1\n...\n---\nb: 2\n",
            "{\"a\": 1}\n{\"b\": 2}\n",
            "{\"a\": 1}{\"b\": 2}",
            "{\"a\": 1}\n---\nb: 2\n",
            "\r\n---\r\na: 1\r\n---\r\nb: 2\r\n",
        ] {
            assert_eq!(values(text), [a.clone(), b.clone()], "{text:?}");
        }
        assert_eq!(values("a: |\n  ---\n  x\nb: ----\n"), [Some(json!({"a": "---\nx\n", "b": "----"}))]);
        assert!(values("").is_empty() && values("# nothing\n---\n").is_empty());
    }

    #[test]
    fn flow_style_is_no_json_and_is_read() {
        assert_eq!(values("{a: 1, # why\n b: [x]}\n"), [Some(json!({"a": 1, "b": ["x"]}))]);
        assert_eq!(values("[{a: 1}]\n"), [Some(json!([{"a": 1}]))]);
    }

    #[test]
    fn one_broken_document_leaves_the_others() {
        let text = "a: 1\n---\nb: [\n---\nc: 3\n";
        assert_eq!(values(text), [Some(json!({"a": 1})), None, Some(json!({"c": 3}))]);
        let [(number, line, _)] = broken_at(text)[..] else { panic!("{:?}", broken_at(text)) };
        assert!(number == 2 && (3..=4).contains(&line), "{line}");
        assert_eq!(values("{\"a\": 1}\n{\"b\": }\n"), [Some(json!({"a": 1})), None]);
        assert_eq!(broken_at("{\"a\": 1}\n{\"b\": }\n"), [(2, 2, 7)]);
        assert_eq!(broken_at("{\"a\": 1}\n{\"b\":\n"), [(2, 3, 1)]);
    }

    #[test]
    fn values_have_their_lines_in_the_file() {
        let all = documents("# note\na: 1\n---\nb:\n- c: 2\n");
        assert_eq!((line(&all[0], &["a"]), line(&all[1], &["b", "0", "c"])), ((2, 1), (5, 3)));
        let all = documents("{\"a\": 1} {\"b\":\n  {\"c\": 2}}\n{\"d\": 3}");
        assert_eq!((line(&all[0], &["a"]), line(&all[1], &["b"])), ((1, 2), (1, 11)));
        assert_eq!((line(&all[1], &["b", "c"]), line(&all[2], &["d"])), ((2, 4), (3, 2)));
    }

    #[test]
    fn json_is_as_deep_as_yaml() {
        let nested = |depth: usize| format!("{{\"a\": {}1{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(values(&nested(120))[0].is_some());
        assert!(values(&nested(200))[0].is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_text_stops_the_program(text in "(---|\\{|\\}|a: 1|\\[|\\]|\n|- |\"|#|%|\\.\\.\\.|é|,){0,40}") {
            let all = documents(&text);
            for document in &all {
                let _ = document.text.locate(&["a".to_owned()]);
            }
        }
    }
}
