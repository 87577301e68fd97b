//! What processes wrote, cut down to who wrote it, about what, and when.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::path::Path;

use crate::bed::env;

/// One line of an output file.
#[derive(Clone, Debug)]
pub struct Document {
    /// The process's name.
    pub by: String,
    pub ephemeral: String,
    pub id: String,
    pub sequence: i64,
    /// When it was judged, by the machine's clock.
    pub created: Timestamp,
    pub of: Of,
}

#[derive(Clone, Debug)]
pub enum Of {
    /// A rule and a resource. `errs`: it could not be judged. `stays`: Kubernetes' own, there for as long as the
    /// cluster is.
    Finding { rule: String, resource: String, kind: String, errs: bool, stays: bool },
    /// A whole cycle, of which there are so many findings.
    Coverage { findings: usize },
}

impl Document {
    pub fn is_coverage(&self) -> bool {
        matches!(self.of, Of::Coverage { .. })
    }
}

/// A file that grows, read once.
pub struct Output {
    by: String,
    file: std::fs::File,
    begun: Vec<u8>,
    documents: Vec<Document>,
}

impl Output {
    /// Waits for nothing: a file that is not there yet is empty.
    pub fn new(by: &str, path: &Path) -> Self {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = std::fs::File::options().create(true).append(true).read(true).open(path).unwrap();
        Self { by: by.to_owned(), file, begun: Vec::new(), documents: Vec::new() }
    }

    /// All that was written so far. A line that was begun is left for later, and for ever where its writer was killed.
    pub fn read(&mut self) -> &[Document] {
        std::io::Read::read_to_end(&mut self.file, &mut self.begun).unwrap();
        let whole = self.begun.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        for line in self.begun[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line: Line = serde_json::from_slice(line).unwrap();
            self.documents.push(line.document(&self.by));
        }
        self.begun.drain(..whole);
        &self.documents
    }
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "@timestamp")]
    timestamp: Timestamp,
    event: Event,
    agent: Agent,
    rule: Option<Rule>,
    resource: Option<Resource>,
    error: Option<serde::de::IgnoredAny>,
    posturebeat: Posturebeat,
}

#[derive(Deserialize)]
struct Event {
    id: String,
    sequence: i64,
    created: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Agent {
    ephemeral_id: String,
}

#[derive(Deserialize)]
struct Rule {
    id: String,
}

#[derive(Deserialize)]
struct Resource {
    id: String,
    name: String,
    r#type: String,
}

#[derive(Deserialize)]
struct Posturebeat {
    coverage: Option<Coverage>,
}

#[derive(Deserialize)]
struct Coverage {
    passed: usize,
    failed: usize,
    needs_review: usize,
    error: usize,
}

impl Line {
    fn document(self, by: &str) -> Document {
        let of = match (self.posturebeat.coverage, self.rule, self.resource) {
            (Some(Coverage { passed, failed, needs_review, error }), _, _) => {
                Of::Coverage { findings: passed + failed + needs_review + error }
            }
            (None, Some(rule), Some(resource)) => {
                let of_node = format!("-{}", env("TESTBED_NODE_NAME"));
                let stays = resource.name.starts_with("system:") || resource.name.ends_with(&of_node);
                let errs = self.error.is_some();
                Of::Finding { rule: rule.id, resource: resource.id, kind: resource.r#type, errs, stays }
            }
            _ => panic!("neither a finding nor the account of a cycle: {}", self.event.id),
        };
        Document {
            by: by.to_owned(),
            ephemeral: self.agent.ephemeral_id,
            id: self.event.id,
            sequence: self.event.sequence,
            created: by_the_machine(self.event.created.unwrap_or(self.timestamp)),
            of,
        }
    }
}

/// Without the hour by which a process's clock was moved. No test takes half of one.
fn by_the_machine(told: Timestamp) -> Timestamp {
    let hours = told.duration_since(Timestamp::now()).as_secs_f64() / 3600.0;
    told - SignedDuration::from_hours(hours.round() as i64)
}
