//! The full index templates, for a current Elasticsearch.
//!
//! In: `fields.yml`. Out: the bodies for `PUT _index_template`. `kibana/index-template` has them too, so that they can
//! be installed without posturebeat.

use super::fields;
use serde_json::{Value, json};

/// Higher than the stack's own template for `logs-*-*` (100), and equal to Fleet's for its integrations. Ours has the
/// same name as Fleet's, so a store never has both.
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
            // A cycle repeats most of the previous one, so documents compress well.
            "settings": {"index": {"codec": "best_compression"}},
            // Unmapped fields stay in the document and cannot break its indexing.
            "mappings": {"dynamic": false, "properties": fields::properties(&sections.concat())},
        },
    });
    Template { name, file, body }
}
