//! Cases: a resource and the outcome expected for it. They are the tests of a control and lie beside it.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use super::RuleError;
use crate::redact::{self, Reveal, RevealEntry};
use crate::resource::{Kind, Resource, Unread, object_kind};

/// The cases of one control, their resources built.
#[derive(Debug, Clone)]
pub struct Cases {
    /// In the order they are written.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// The resource to judge.
    pub resource: Resource,
    /// Parameters other than the control's defaults.
    pub params: BTreeMap<String, Value>,
    /// `passed`, `failed`, `needs_review`, `error` or `not_applicable`.
    pub verdict: String,
    /// With `error`: the expected code.
    pub error: Option<String>,
    /// The expected evidence, if the case checks it.
    pub evidence: Option<Value>,
}

/// A cases file as written: fixtures and cases.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Cases")]
pub(super) struct CasesText {
    /// Name → resource that several cases start from.
    #[serde(default)]
    fixtures: BTreeMap<String, Value>,
    /// The cases.
    cases: Vec<CaseText>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CaseText {
    /// What it shows, in a few words.
    name: String,
    /// The resource: `{type, sub_type, raw, related}`.
    resource: Option<Value>,
    /// The name of a fixture, instead of `resource`.
    from: Option<String>,
    /// A JSON merge patch for the fixture; `null` removes a key.
    patch: Option<Value>,
    /// What could not be read: `[{at: PATH, reason, what}]`.
    #[serde(default)]
    #[schemars(with = "Vec<BTreeMap<String, String>>")]
    unread: Vec<Unread>,
    /// What `posturebeat.collect.reveal` lists, such as `env:LOG_LEVEL`: blanked values that the control may compare.
    #[serde(default)]
    reveal: Vec<String>,
    /// Parameters other than the control's defaults.
    #[serde(default)]
    params: BTreeMap<String, Value>,
    /// The expected outcome: `passed`, `failed`, `needs_review`, `error` or `not_applicable`.
    verdict: VerdictWord,
    /// With `verdict: error`: the expected error code, such as `denied`.
    error: Option<String>,
    /// The expected evidence.
    evidence: Option<Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum VerdictWord {
    Passed,
    Failed,
    NeedsReview,
    Error,
    NotApplicable,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceText {
    #[serde(rename = "type")]
    kind: Kind,
    sub_type: Option<String>,
    raw: Map<String, Value>,
    #[serde(default)]
    related: Map<String, Value>,
}

impl Cases {
    /// Reads one file of cases.
    pub fn parse(file: &str, text: &str) -> Result<Self, RuleError> {
        let written: CasesText = crate::yaml::from_str(text).map_err(|error| RuleError::at(file, error))?;
        let cases = written
            .cases
            .into_iter()
            .map(|case| {
                let name = case.name.clone();
                case.build(&written.fixtures)
                    .map_err(|message| RuleError::whole(file, format!("case `{name}`: {message}")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { cases })
    }
}

impl CaseText {
    fn build(self, fixtures: &BTreeMap<String, Value>) -> Result<Case, String> {
        let mut document = match (self.resource, &self.from) {
            (Some(resource), None) => resource,
            (None, Some(name)) => fixtures.get(name).cloned().ok_or_else(|| {
                let known: Vec<&str> = fixtures.keys().map(String::as_str).collect();
                format!("unknown fixture `{name}` (known: {})", known.join(", "))
            })?,
            _ => return Err("expected either `resource` or `from`".into()),
        };
        if let Some(patch) = self.patch {
            merge(&mut document, patch);
        }
        let text: ResourceText =
            serde_json::from_value(document).map_err(|error| format!("`resource`: {error}"))?;
        let sub_type = text.sub_type.unwrap_or_else(|| {
            let written = |key: &str| text.raw.get(key).and_then(Value::as_str);
            match text.kind {
                Kind::File => written("sub_type").unwrap_or("file").to_owned(),
                Kind::Process => "process".to_owned(),
                Kind::K8sObject => {
                    let version = written("apiVersion").unwrap_or_default();
                    object_kind(version, written("kind").unwrap_or_default())
                }
                Kind::Caas | Kind::LoadBalancer | Kind::ContainerRegistry => String::new(),
            }
        });
        let verdict = match self.verdict {
            VerdictWord::Passed => "passed",
            VerdictWord::Failed => "failed",
            VerdictWord::NeedsReview => "needs_review",
            VerdictWord::Error => "error",
            VerdictWord::NotApplicable => "not_applicable",
        };
        let reveal: Result<Reveal, String> =
            self.reveal.iter().map(|entry| entry.parse::<RevealEntry>()).collect();
        let mut resource = Resource {
            related: text.related,
            unread: self.unread,
            ..Resource::observed(
                text.kind,
                sub_type,
                "case".into(),
                self.name.clone(),
                Value::Object(text.raw),
            )
        };
        // A control must see in its cases what it will see in a cluster.
        redact::resource(&mut resource, &reveal.map_err(|message| format!("`reveal`: {message}"))?);
        Ok(Case {
            resource,
            name: self.name,
            params: self.params,
            verdict: verdict.to_owned(),
            error: self.error,
            evidence: self.evidence,
        })
    }
}

/// JSON merge patch (RFC 7386): maps merge, null removes, everything else replaces.
pub(crate) fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(&key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_merges_replaces_and_removes() {
        let mut value = json!({"a": {"b": 1, "c": [1, 2]}, "d": 4});
        merge(&mut value, json!({"a": {"b": null, "c": [3]}, "e": {"f": null}}));
        assert_eq!(value, json!({"a": {"c": [3]}, "d": 4, "e": {}}));
    }

    #[test]
    fn an_unknown_fixture_is_named() {
        let text =
            "fixtures: {stock: {type: file, raw: {}}}\ncases: [{name: x, from: stok, verdict: passed}]";
        let message = Cases::parse("x.cases.yml", text).unwrap_err().to_string();
        assert!(message.contains("`stok`") && message.contains("stock"), "{message}");
    }
}
