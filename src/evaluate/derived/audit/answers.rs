//! What the rules of a policy record, gathered: one element for each kind of request, rule and result.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::askers::AuditAsker;
use super::policy::{AuditLevel, AuditRule, AuditStage, RequestTarget};
use super::requests::AuditQuestion;

/// Where a request goes, and from whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct AskedRequest<'q> {
    pub(super) question: &'q AuditQuestion<'q>,
    pub(super) namespace: &'q str,
    pub(super) name: &'q str,
    pub(super) asker: &'q AuditAsker,
}

/// Everything that was found out.
#[derive(Debug, Default)]
pub(super) struct AuditAnswers(BTreeMap<AnswerKey, AuditAnswer>);

/// What one element is about. Its order is that of the elements: by rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct AnswerKey {
    /// The index of the rule that decides; where none does, that after the last.
    rule: usize,
    id: &'static str,
    /// At which a record is written.
    stages: Vec<AuditStage>,
    secret_text: bool,
}

/// The requests that one element is about.
#[derive(Debug, Default)]
struct AuditAnswer {
    verbs: BTreeSet<String>,
    targets: BTreeSet<String>,
    askers: BTreeSet<String>,
    example: Value,
}

impl AuditAnswers {
    /// Notes which rule decides a request.
    pub(super) fn note(&mut self, asked: AskedRequest<'_>, index: Option<usize>, rules: &[AuditRule]) {
        let rule = index.and_then(|index| rules.get(index));
        let key = AnswerKey {
            rule: index.unwrap_or(rules.len()),
            id: asked.question.id,
            stages: rule.map(|rule| asked.question.stages(rule)).unwrap_or_default(),
            secret_text: rule.is_some_and(|rule| asked.question.shows_secrets(rule)),
        };
        let answer = self.0.entry(key).or_default();
        if answer.example.is_null() {
            answer.example = asked.json();
        }
        insert(&mut answer.verbs, asked.question.verb);
        insert(&mut answer.targets, asked.question.target.text());
        insert(&mut answer.askers, &asked.asker.label);
    }

    /// Whether anything is recorded at all, apart from how long a request runs.
    pub(super) fn has_records(&self) -> bool {
        self.0.keys().any(|key| key.stages.iter().any(|stage| *stage != AuditStage::ResponseStarted))
    }

    /// The elements for rules.
    pub(super) fn json(self, rules: &[AuditRule]) -> Value {
        self.0.into_iter().map(|(key, answer)| answer.json(&key, rules)).collect()
    }
}

impl AuditAnswer {
    fn json(self, key: &AnswerKey, rules: &[AuditRule]) -> Value {
        let rule = rules.get(key.rule);
        let mut out = json!({
            "id": key.id,
            "level": rule.map_or(AuditLevel::None, |rule| rule.level),
            "recorded": !key.stages.is_empty(),
            "stages": key.stages,
            "secretText": key.secret_text,
            "verbs": self.verbs,
            "resources": self.targets,
            "askers": self.askers,
            "example": self.example,
        });
        if rule.is_some() {
            out["rule"] = format!("rules[{}]", key.rule).into();
        }
        out
    }
}

impl AskedRequest<'_> {
    /// As its record would show it.
    fn json(self) -> Value {
        let Self { question, namespace, name, asker } = self;
        let mut out = json!({"verb": question.verb, "user": asker.user, "groups": asker.groups});
        match question.target {
            RequestTarget::Path(path) => out["path"] = path.into(),
            RequestTarget::Resource { group, resource } => {
                out["resource"] = resource.into();
                for (key, value) in [("group", group), ("namespace", namespace), ("name", name)] {
                    if !value.is_empty() {
                        out[key] = value.into();
                    }
                }
            }
        }
        out
    }
}

fn insert(set: &mut BTreeSet<String>, text: &str) {
    if !set.contains(text) {
        set.insert(text.to_owned());
    }
}
