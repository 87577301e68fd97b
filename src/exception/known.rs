//! Every rule that exceptions can name, active or not. An exception that can never match is a mistake in the
//! configuration.

use std::collections::BTreeMap;

use super::rule_name::RuleNameForm;
use super::{Exception, POD, RuleName};
use crate::resource::{Kind, PodTemplates, Selector};
use crate::rule::{BenchmarkName, Catalogue, rule_id};

/// How similar two names must be (0 to 1) for a suggestion.
const ALIKE: f64 = 0.7;

/// Every rule of a catalogue.
#[derive(Debug)]
pub struct KnownRules {
    /// What each control judges.
    controls: BTreeMap<String, Vec<Selector>>,
    rows: Vec<NumberedRule>,
    /// Kinds whose template is judged by the rules about pods.
    templates: PodTemplates,
}

#[derive(Debug)]
struct NumberedRule {
    benchmark: BenchmarkName,
    number: String,
    id: String,
    controls: Vec<String>,
}

impl KnownRules {
    /// Every rule of the catalogue; those about pods also judge what has such a template.
    pub fn new(catalogue: &Catalogue, templates: PodTemplates) -> Self {
        let controls = catalogue.controls().map(|control| (control.id.clone(), control.resources.clone()));
        let mut rows = Vec::new();
        for table in catalogue.benchmarks() {
            rows.extend(table.rules.iter().map(|row| NumberedRule {
                benchmark: table.full_name(),
                number: row.number.clone(),
                id: row.id.clone().unwrap_or_else(|| rule_id(&table.full_name(), &row.number)),
                controls: row.controls().map(str::to_owned).collect(),
            }));
        }
        Self { controls: controls.collect(), rows, templates }
    }

    /// The error for a rule name that matches nothing.
    pub fn unknown(&self, rule: &RuleName) -> Option<String> {
        if self.controls_of(rule).next().is_some() {
            return None;
        }
        let all: Vec<String> = match &rule.form {
            RuleNameForm::Control(_) => self.controls.keys().cloned().collect(),
            RuleNameForm::Number { benchmark: None, .. } => {
                self.rows.iter().map(|row| row.number.clone()).collect()
            }
            RuleNameForm::Number { benchmark: Some(_), .. } => {
                self.rows.iter().map(|row| format!("{}/{}", row.benchmark, row.number)).collect()
            }
            RuleNameForm::Id(_) => Vec::new(),
        };
        Some(match nearest(&rule.to_string(), all.iter().map(String::as_str)) {
            Some(nearest) => format!("unknown rule `{rule}`; did you mean `{nearest}`?"),
            None => format!(
                "unknown rule `{rule}`; expected a control's id such as `pod-privileged`, a number such as `5.2.2` or `cis_k8s@2.0.1/5.2.2`, or a rule's id (`posturebeat rules coverage` shows them)"
            ),
        })
    }

    /// The error for an exception that cannot match anything its rule judges.
    pub fn impossible(&self, exception: &Exception) -> Option<String> {
        let judged: Vec<&Selector> =
            self.controls_of(&exception.rule).flat_map(|id| &self.controls[id]).collect();
        let rule = &exception.rule;
        let is_pod = |selector: &&Selector| selector.kind == Kind::K8sObject && selector.name == POD;
        if let Some(kind) = &exception.kind
            && !judged.iter().flat_map(|selector| kinds(selector)).any(|name| kind.matches(name))
            && !(judged.iter().any(is_pod) && self.templates.kinds().any(|name| kind.matches(name)))
        {
            let mut names: Vec<&str> = judged.iter().flat_map(|selector| kinds(selector)).collect();
            names.sort_unstable();
            names.dedup();
            let wanted = kind.to_string();
            return Some(match nearest(&wanted, names.iter().copied()) {
                Some(nearest) => format!("`{rule}` judges no `{wanted}`; did you mean `{nearest}`?"),
                None => format!("`{rule}` judges no `{wanted}`; expected one of `{}`", names.join("`, `")),
            });
        }
        let of_objects =
            [("namespace", exception.namespace.is_some()), ("labels", !exception.labels.is_empty())];
        let asked = of_objects.iter().find(|(_, asked)| *asked)?;
        let objects = judged.iter().any(|selector| selector.kind == Kind::K8sObject);
        (!objects).then(|| {
            format!("`{rule}` judges no Kubernetes objects, so `{}` can never match: remove it", asked.0)
        })
    }

    /// The controls that a rule name matches.
    fn controls_of(&self, rule: &RuleName) -> impl Iterator<Item = &String> {
        let direct = self
            .controls
            .keys()
            .filter(|id| matches!(&rule.form, RuleNameForm::Control(wanted) if wanted.matches(id)));
        let rows = self.rows.iter().filter(|row| match &rule.form {
            RuleNameForm::Id(id) => *id == row.id,
            _ => rule.numbers(&row.benchmark, &row.number),
        });
        direct.chain(rows.flat_map(|row| &row.controls))
    }
}

/// The values that `kind` may have for a selector's resources.
fn kinds(selector: &Selector) -> Vec<&str> {
    match selector.kind {
        Kind::K8sObject => vec![&selector.name, selector.kind.as_str()],
        Kind::File => vec!["file", "directory"],
        Kind::Process => vec!["process"],
        Kind::Caas | Kind::LoadBalancer | Kind::ContainerRegistry => {
            vec![&selector.name, selector.kind.as_str()]
        }
    }
}

/// The name that was probably meant; among equals, the one with the longest common prefix.
fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<((f64, usize), &str)> = None;
    for name in names {
        let likeness = strsim::normalized_damerau_levenshtein(&written.to_lowercase(), &name.to_lowercase());
        let beginning = written.chars().zip(name.chars()).take_while(|(left, right)| left == right).count();
        let likeness = (likeness, beginning);
        if likeness.0 >= ALIKE && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, name));
        }
    }
    best.map(|(_, name)| name)
}
