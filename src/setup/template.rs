//! The full index templates, for a current Elasticsearch.
//!
//! In: `fields.yml`. Out: the bodies for `PUT _index_template`. `kibana/index-template` has them too, for other ways of
//! installing them.

use super::fields;
use serde_json::{Value, json};

/// Above the stack's own template for `logs-*-*` (100), level with Fleet's for its integrations,
/// whose name ours has too: a store keeps one of the two, never both.
const PRIORITY: u32 = 200;

/// Sections in the documents of every stream.
const COMMON: [&str; 5] = ["event", "producer", "cluster", "cloud", "host"];
/// Sections that a judged resource adds.
const JUDGED: [&str; 7] = ["resource", "result", "rule", "file", "process", "user", "posturebeat"];

/// An index template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// The name it is installed under.
    pub name: String,
    /// The stem of its file under `kibana/index-template`.
    pub file: &'static str,
    /// The body.
    pub body: Value,
}

/// The templates of all our data streams.
pub fn templates() -> Vec<Template> {
    vec![
        template("findings", "cloud_security_posture.findings", &[&COMMON, &JUDGED]),
        template("outcomes", "posturebeat.outcomes", &[&COMMON, &JUDGED, &["outcome"]]),
        template("coverage", "posturebeat.coverage", &[&COMMON, &["coverage"]]),
    ]
}

fn template(file: &'static str, dataset: &str, sections: &[&[&str]]) -> Template {
    let name = format!("logs-{dataset}");
    let body = json!({
        "index_patterns": [format!("{name}-*")],
        "priority": PRIORITY,
        "data_stream": {},
        "_meta": {"managed_by": "posturebeat", "version": env!("CARGO_PKG_VERSION")},
        "template": {
            // A cycle repeats most of the one before: it compresses well.
            "settings": {"index": {"codec": "best_compression"}},
            // Unnamed fields stay in the document and cannot break its indexing.
            "mappings": {"dynamic": false, "properties": fields::properties(&sections.concat())},
        },
    });
    Template { name, file, body }
}
