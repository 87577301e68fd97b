//! `rule.*` of a document: rendered once for each rule.

use serde_json::{Map, Value, json};

use super::audit;
use crate::event::{Piece, Text};
use crate::rule::Rule;

/// What every finding of one rule carries.
#[derive(Debug)]
pub(super) struct RuleText {
    pub id: String,
    /// The rule's name as Go's `%q` writes it, inside a JSON string: the middle of `message`.
    pub message: String,
    /// `,"severity":N`.
    pub severity: String,
    /// `,"rule":{…},"posturebeat":{…` with its last brace left open.
    pub text: Piece,
}

impl RuleText {
    pub(super) fn new(rule: &Rule, common: &mut Text) -> Self {
        let control = &rule.control;
        let quoted = Value::from(control.title.as_str()).to_string();
        let message = Value::from(format!("Rule {quoted}: ")).to_string();
        // The last brace is left open: a finding may add `exception` and `truncated`.
        let text = format!(
            ",\"rule\":{},\"posturebeat\":{{\"control\":{},\"severity\":\"{}\",\"params\":{}",
            fields(rule),
            json!(control.id),
            control.severity.as_str(),
            json!(rule.params.as_ref()),
        );
        Self {
            id: rule.id.clone(),
            message: message.trim_end_matches('"').to_owned(),
            severity: format!(",\"severity\":{}", control.severity.number()),
            text: common.add(&text),
        }
    }
}

fn fields(rule: &Rule) -> Value {
    let control = &rule.control;
    let table = &rule.benchmark;
    let row = &rule.row;
    let profile = match &row.profile {
        Some(profile) => format!("* Level {} - {profile}", row.level),
        None => format!("* Level {}", row.level),
    };
    let references: Vec<String> =
        control.references.iter().enumerate().map(|(index, url)| format!("{}. {url}", index + 1)).collect();
    let references = references.join("\n");
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
    put("id", json!(rule.id));
    put("uuid", json!(rule.id));
    put("name", json!(control.title));
    put("profile_applicability", json!(profile));
    put("description", json!(control.title));
    put("rationale", json!(control.why));
    put("audit", json!(audit_text(control)));
    put("remediation", json!(control.remediation));
    put("impact", json!(""));
    put("default_value", json!(control.default_value.as_deref().unwrap_or_default()));
    put("references", json!(references));
    put("reference", json!(references));
    put("section", json!(table.section_name(row)));
    put("version", json!("1.0"));
    put("tags", json!(table.tags(row)));
    put(
        "benchmark",
        json!({
            "id": table.benchmark,
            "name": table.name,
            "version": format!("v{}", table.version),
            "rule_number": row.number,
            "posture_type": table.posture_type,
        }),
    );
    Value::Object(out)
}

/// `rule.audit`: how the control decides, generated from its check.
pub fn audit_text(control: &crate::rule::Control) -> String {
    audit::text(control)
}

/// When a control applies, in words; `None` if always.
pub fn applies_text(control: &crate::rule::Control) -> Option<String> {
    audit::applies(control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Catalogue, built_in};
    use std::collections::BTreeMap;

    #[test]
    fn tags_are_those_of_elastic_s_own_rules() {
        let catalogue = Catalogue::load(&built_in()).unwrap();
        let tags = |benchmark: &str, number: &str| {
            let rules = catalogue.rules(&[benchmark.to_owned()], &BTreeMap::new()).unwrap();
            let rule = rules.iter().find(|rule| rule.row.number == number).unwrap();
            fields(rule)["tags"].clone()
        };
        assert_eq!(tags("cis_eks@1.0.1", "2.1.1"), json!(["CIS", "EKS", "CIS 2.1.1", "Logging"]));
        assert_eq!(tags("cis_eks@1.8.0", "3.2.1"), json!(["CIS", "EKS", "CIS 3.2.1", "Kubelet"]));
        assert_eq!(tags("cis_k8s@1.0.1", "2.1"), json!(["CIS", "Kubernetes", "CIS 2.1", "etcd"]));
    }
}
