//! Exceptions: a decision that a rule may fail for a resource, with a reason, an owner and an expiry.
//!
//! In: exceptions as written, the active rules, and for each cycle the time and the cluster. Out: which findings of a
//! resource an exception marks, and at the end of the cycle the state of each exception. An exception marks a finding, but
//! never hides it or changes its outcome. Pure: the time is a parameter.

mod cycle;
mod known;
mod pattern;
mod rule_name;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::resource::{Cluster, Kind, Resource, TemplatePath, at};
use crate::rule::Rule;

pub use cycle::{ExceptionCycle, ExceptionState, ExceptionUse, Mark, Marks};
pub use known::KnownRules;
pub use pattern::Pattern;
pub use rule_name::RuleName;

/// What the template of a workload is judged as.
const POD: &str = "Pod";

/// One exception. A condition that is left out matches everything.
#[derive(Debug, Clone)]
pub struct Exception {
    /// Its place in the configuration: `FILE:LINE:COLUMN`.
    pub place: String,
    /// The rules that may fail.
    pub rule: RuleName,
    /// The object's kind; `file`, `directory` or `process`.
    pub kind: Option<Pattern>,
    /// The object's namespace.
    pub namespace: Option<Pattern>,
    /// The object's name, a file's path, a process's component.
    pub name: Option<Pattern>,
    /// Labels that the object must have, with their values.
    pub labels: BTreeMap<String, String>,
    /// The cluster's id or name.
    pub cluster: Option<Pattern>,
    /// Why the rule may fail.
    pub reason: String,
    /// Who is responsible for it.
    pub owner: String,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

/// The exceptions of a run, indexed by what their rules judge.
#[derive(Debug, Default)]
pub struct Exceptions {
    /// In order: the first that matches marks a finding.
    all: Vec<Arc<Exception>>,
    /// Ascending by number.
    by_selector: HashMap<(Kind, String), Vec<Candidate>>,
}

/// An exception, and which of its rules are in question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// Its index among the exceptions.
    number: usize,
    /// Indexes of active rules, ascending.
    rules: Vec<usize>,
}

impl Exceptions {
    /// Indexes exceptions by what their rules judge.
    pub fn new(exceptions: Vec<Exception>, rules: &[Rule]) -> Self {
        let mut by_selector: HashMap<(Kind, String), Vec<Candidate>> = HashMap::new();
        for (number, exception) in exceptions.iter().enumerate() {
            for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| exception.rule.names(rule)) {
                for selector in &rule.control.resources {
                    let about = by_selector.entry((selector.kind, selector.name.clone())).or_default();
                    if about.last().is_none_or(|last| last.number != number) {
                        about.push(Candidate { number, rules: Vec::new() });
                    }
                    let Some(Candidate { rules, .. }) = about.last_mut() else { continue };
                    if rules.last() != Some(&index) {
                        rules.push(index);
                    }
                }
            }
        }
        Self { all: exceptions.into_iter().map(Arc::new).collect(), by_selector }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All exceptions, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Exception> {
        self.all.iter().map(AsRef::as_ref)
    }

    /// Those of rules that judge what goes by this name.
    fn of(&self, kind: Kind, name: &str) -> &[Candidate] {
        self.by_selector.get(&(kind, name.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Starts a cycle for `cluster` at the time `now`.
    pub fn cycle(&self, now: Timestamp, cluster: &Cluster) -> ExceptionCycle<'_> {
        ExceptionCycle::new(self, now, cluster)
    }
}

impl Exception {
    fn is_for(&self, cluster: &Cluster) -> bool {
        let names = || std::iter::once(cluster.id.as_str()).chain(cluster.name.as_deref());
        self.cluster
            .as_ref()
            .is_none_or(|wanted| names().filter(|name| !name.is_empty()).any(|name| wanted.matches(name)))
    }

    /// Compares names first, because they differ most.
    fn is_about(&self, known: &KnownBy<'_>) -> bool {
        let fits = |wanted: &Option<Pattern>, names: [Option<&str>; 2]| {
            let mut names = names.into_iter().flatten();
            wanted.as_ref().is_none_or(|wanted| names.any(|name| wanted.matches(name)))
        };
        let value = |key: &String| known.labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        fits(&self.name, [Some(known.name), known.other_name])
            && fits(&self.namespace, [known.namespace, None])
            && fits(&self.kind, [Some(known.kind), Some(known.sub_type)])
            && self.labels.iter().all(|(key, wanted)| value(key) == Some(wanted))
    }
}

/// What exceptions can match of a resource, looked up once for all of them.
struct KnownBy<'r> {
    kind: &'r str,
    sub_type: &'r str,
    namespace: Option<&'r str>,
    name: &'r str,
    /// Of a process: a recorded name may be the kernel's, cut to 15 characters. Of a template's pods: the workload's.
    other_name: Option<&'r str>,
    labels: Option<&'r Value>,
}

impl<'r> KnownBy<'r> {
    fn of(resource: &'r Resource) -> Self {
        let is = |kind| resource.kind == kind;
        Self {
            kind: resource.kind.as_str(),
            sub_type: &resource.sub_type,
            namespace: resource.namespace().filter(|_| is(Kind::K8sObject)),
            name: &resource.name,
            other_name: resource.selectors().first().copied().filter(|_| is(Kind::Process)),
            labels: at(&resource.raw, "/metadata/labels").filter(|_| is(Kind::K8sObject)),
        }
    }

    /// The pods of a workload: with the labels of its template, and names that begin with its own and a dash, which
    /// `name` is.
    fn pods_of(workload: &'r Resource, path: &TemplatePath, name: &'r str) -> Self {
        let labels = path.of(&workload.raw).and_then(|template| template.pointer("/metadata/labels"));
        Self { sub_type: POD, name, other_name: Some(&workload.name), labels, ..Self::of(workload) }
    }
}
