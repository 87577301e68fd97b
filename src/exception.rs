//! Exceptions: somebody's decision that a rule may fail for a resource, with a reason and for a time.
//!
//! In: exceptions as they are written, the rules in force, and for each cycle its date and cluster. Out: which
//! findings of a resource an exception marks, and at the end of the cycle what became of each exception. An
//! exception marks and never hides: outcomes are not this room's to change. Pure: the date is a parameter.

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

use crate::resource::{Cluster, Kind, Resource};
use crate::rule::Rule;

pub use cycle::{ExceptionCycle, ExceptionState, ExceptionUse, Mark, Marks};
pub use known::KnownRules;
pub use pattern::Pattern;
pub use rule_name::RuleName;

/// One exception. What it does not say, it does not ask.
#[derive(Debug, Clone)]
pub struct Exception {
    /// Where it is written: `FILE:LINE:COLUMN`.
    pub place: String,
    /// The rules that may fail.
    pub rule: RuleName,
    /// The object's kind; `file`, `directory` or `process`.
    pub kind: Option<Pattern>,
    /// The object's namespace.
    pub namespace: Option<Pattern>,
    /// The object's name, a file's path, a process's component.
    pub name: Option<Pattern>,
    /// Labels that the object must have, with these values.
    pub labels: BTreeMap<String, String>,
    /// The cluster's id or name.
    pub cluster: Option<Pattern>,
    /// Why the rule may fail.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// It marks nothing from then on.
    pub expires: Option<Timestamp>,
}

/// The exceptions of a run, by what they are about.
#[derive(Debug, Default)]
pub struct Exceptions {
    /// In the order in which they are asked: the first that fits marks a finding.
    all: Vec<Granted>,
    by_selector: HashMap<(Kind, String), Vec<usize>>,
}

/// An exception and the rules in force that it is about.
#[derive(Debug)]
struct Granted {
    exception: Arc<Exception>,
    /// Indexes, ascending.
    rules: Vec<usize>,
}

impl Exceptions {
    /// Sorts exceptions by what the rules that they name judge.
    pub fn new(exceptions: Vec<Exception>, rules: &[Rule]) -> Self {
        let mut by_selector: HashMap<(Kind, String), Vec<usize>> = HashMap::new();
        let mut all = Vec::with_capacity(exceptions.len());
        for (number, exception) in exceptions.into_iter().enumerate() {
            let named: Vec<usize> =
                (0..rules.len()).filter(|index| exception.rule.names(&rules[*index])).collect();
            for selector in named.iter().flat_map(|index| &rules[*index].control.resources) {
                let about = by_selector.entry((selector.kind, selector.name.clone())).or_default();
                if about.last() != Some(&number) {
                    about.push(number);
                }
            }
            all.push(Granted { exception: Arc::new(exception), rules: named });
        }
        Self { all, by_selector }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Exception> {
        self.all.iter().map(|granted| granted.exception.as_ref())
    }

    /// Begins a cycle that looks at `cluster` at the time `now`.
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

    /// Names first: they differ most.
    fn is_about(&self, known: &KnownBy<'_>) -> bool {
        let fits = |wanted: &Option<Pattern>, names: [Option<&str>; 2]| {
            let mut names = names.into_iter().flatten();
            wanted.as_ref().is_none_or(|wanted| names.any(|name| wanted.matches(name)))
        };
        let value = |key: &String| known.labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        fits(&self.name, [Some(known.name), known.component])
            && fits(&self.namespace, [known.namespace, None])
            && fits(&self.kind, [Some(known.kind), Some(known.sub_type)])
            && self.labels.iter().all(|(key, wanted)| value(key) == Some(wanted))
    }
}

/// What exceptions know a resource by; looked up once for all of them.
struct KnownBy<'r> {
    kind: &'r str,
    sub_type: &'r str,
    namespace: Option<&'r str>,
    name: &'r str,
    /// Of a process: the kernel cuts its name.
    component: Option<&'r str>,
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
            component: resource.selectors().first().copied().filter(|_| is(Kind::Process)),
            labels: resource.raw.pointer("/metadata/labels").filter(|_| is(Kind::K8sObject)),
        }
    }
}
